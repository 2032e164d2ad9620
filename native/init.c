/*
 * init.c - process 1 of a container with --init: init COMMAND [ARGUMENT…]
 *
 * A process 1 that is not made for it leaves zombies, and ignores every signal that it has no handler for. This one starts
 * the command and does three things: it reaps whatever ends, it passes every signal on to the command, and it ends as the
 * command ended: with its status, or 128 + n after signal n (process 1 cannot kill itself).
 *
 * All signals are blocked, and taken one by one with sigtimedwait: no handlers, no races. On a terminal the command gets a
 * process group of its own in the foreground, so that ^C and ^Z reach it and not us.
 */
#include "start.h"
#include "sys.h"

#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#define CANNOT_INVOKE 126
#define NOT_FOUND 127
#define PATH_SIZE 4096
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const uint64_t all_signals = ~0ul;
static uint64_t original_mask;

static void say(const char *s)
{
	SYS3(__NR_write, 2, s, strlen(s));
}

static const char *find_path(char **envp)
{
	for (; *envp; envp++)
		if (!memcmp(*envp, "PATH=", strlen(*envp) < 5 ? strlen(*envp) + 1 : 5))
			return *envp + 5;
	return DEFAULT_PATH;
}

/* Tries each directory of PATH, as execvp(3): the errno to report when none served. */
static long exec_in_path(char **argv, char **envp)
{
	static char file[PATH_SIZE];
	const char *path = find_path(envp);
	size_t name = strlen(argv[0]);
	long error = -ENOENT;

	for (;;) {
		size_t n = 0;
		long ret;

		while (path[n] && path[n] != ':')
			n++;
		if (n + name + 2 <= PATH_SIZE) {
			memcpy(file, path, n);
			file[n] = '/';
			memcpy(file + n + (n > 0), argv[0], name + 1); /* an empty entry is the working directory */
			ret = SYS3(__NR_execve, file, argv, envp);
			if (ret == -EACCES)
				error = ret;
			else if (ret != -ENOENT && ret != -ENOTDIR)
				return ret;
		}
		if (!path[n])
			return error;
		path += n + 1;
	}
}

static int has_slash(const char *s)
{
	while (*s && *s != '/')
		s++;
	return *s == '/';
}

static __attribute__((noreturn)) void run_command(char **argv, char **envp)
{
	char digits[21];
	int pid = (int)SYS0(__NR_getpid);
	int absent;
	long error;

	SYS2(__NR_setpgid, 0, 0);
	SYS3(__NR_ioctl, 0, TIOCSPGRP, &pid); /* not on a terminal: nothing happens. SIGTTOU is blocked, so it does not stop us */
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &original_mask, 0, 8);
	error = has_slash(argv[0]) ? SYS3(__NR_execve, argv[0], argv, envp) : exec_in_path(argv, envp);
	digits[decimal(digits, (uint64_t)-error)] = 0;
	say("init: cannot run ");
	say(argv[0]);
	say(": errno ");
	say(digits);
	absent = error == -ENOENT || error == -ENOTDIR;
	say(absent ? " (not found)\n" : error == -EACCES ? " (permission denied)\n" : "\n");
	for (;;)
		SYS1(__NR_exit_group, absent ? NOT_FOUND : CANNOT_INVOKE);
}

/* Reaps all that are dead: the status to exit with once the command is among them, else -1. */
static int reap(long command)
{
	int status = -1;

	for (;;) {
		siginfo_t info;
		long ret;

		memset(&info, 0, sizeof(info));
		ret = SYS5(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, 0);
		if (ret < 0 || !info.si_pid)
			return status;
		if (info.si_pid == command)
			status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	}
}

int program_main(int argc, char **argv, char **envp)
{
	long command;
	int status = -1;

	if (argc < 2) {
		say("usage: init COMMAND [ARGUMENT...]\n");
		return CANNOT_INVOKE;
	}
	SYS5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* for --pid=host, where this is not process 1 */
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &all_signals, &original_mask, 8);
	command = SYS5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	if (command == 0)
		run_command(argv + 1, envp);
	if (command < 0) {
		say("init: cannot make a process\n");
		return CANNOT_INVOKE;
	}
	while (status < 0) {
		long number = SYS4(__NR_rt_sigtimedwait, &all_signals, 0, 0, 8);

		if (number == SIGCHLD)
			status = reap(command);
		else if (number > 0)
			SYS2(__NR_kill, command, number);
	}
	return status;
}
