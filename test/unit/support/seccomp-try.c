/*
 * seccomp-try - installs the filter that stdin holds (an array of struct sock_filter) the way a container's init does, then
 * makes a few system calls and prints their results, one "name result" a line: 0, or the errno, or "signal N".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sock_filter filter[4096];

static void try(const char *name, long nr, long a, long b, long c)
{
	long result = syscall(nr, a, b, c, 0, 0, 0);

	printf("%s %d\n", name, result < 0 ? errno : 0);
	if (result > 0 && nr == SYS_socket)
		close((int)result);
}

static void foreign(void)
{
#if defined(__x86_64__)
	int status = 0;

	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		long result;
		/* getpid and mount by the i386 table */
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
		if ((int)result != getpid())
			_exit(1);
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(21), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory");
		_exit(-(int)result & 127);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("i386 signal %d\n", WTERMSIG(status));
	else
		printf("i386 %s\ni386-mount %d\n", status ? "pid" : "another number", WEXITSTATUS(status));
	try("x32", 0x40000000 | SYS_getpid, 0, 0, 0);
#endif
}

int main(void)
{
	size_t bytes = fread(filter, 1, sizeof(filter), stdin);
	struct sock_fprog program = { .len = (unsigned short)(bytes / 8), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) {
		perror("seccomp");
		return 1;
	}
	try("getpid", SYS_getpid, 0, 0, 0);
	try("newer", 9999, 0, 0, 0);
	try("keyctl", SYS_keyctl, 0, 0, 0);
	try("unshare", SYS_unshare, 0x10000000, 0, 0);
	try("clone-newuser", SYS_clone, 0x10000000 | 17, 0, 0);
	try("clone3", SYS_clone3, 0, 0, 0);
	try("personality-query", SYS_personality, 0xffffffff, 0, 0);
	try("personality-no-aslr", SYS_personality, 0x0040000, 0, 0);
	try("socket-unix", SYS_socket, 1, 1, 0);
	try("socket-vsock", SYS_socket, 40, 1, 0);
	try("socket-vsock-high-bits", SYS_socket, 0x100000028, 1, 0);
	try("socket-audit", SYS_socket, 16, 3, 9);
	try("socket-route", SYS_socket, 16, 3, 0);
	foreign();
	return 0;
}
