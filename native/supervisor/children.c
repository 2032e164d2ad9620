/*
 * children.c - see children.h
 *
 * The init may at first be somebody else's child: `exec` enters the container's pid namespace in an intermediate process,
 * which clones and exits, whereupon the kernel gives the orphan to us. Should the init end before the intermediate process,
 * waitid says ECHILD although the status will come: hence the second of patience before it is called lost.
 */
#include "children.h"
#include "../protocol.h"
#include "clock.h"
#include "io.h"
#include "signals.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/wait.h>

#define PATIENCE 1000	/* ms for the init's status to arrive */
#define TERM_GRACE 250	/* ms between SIGTERM and SIGKILL */
#define KILL_GRACE 3000 /* ms after which a child that cannot die (state D) is left to the kernel */

static int init_pid = -1, init_pidfd = -1;
static int child_poll = -1, init_poll = -1;
static int ended;
static struct exit_status init_status;
static int64_t lost_since = -1;
static int probe_pid, probe_ended;
static struct exit_status probe_status;

static void init_has_ended(uint32_t kind, uint32_t value)
{
	ended = 1;
	init_status = (struct exit_status){kind, value};
	io_close(&init_pidfd);
}

/* Reaps all that are dead; 0 when no child is left. */
static int reap(void)
{
	for (;;) {
		siginfo_t info;
		uint32_t kind;
		long ret;

		memset(&info, 0, sizeof(info));
		ret = SYS5(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, 0);
		if (ret == -EINTR)
			continue;
		if (ret == -ECHILD)
			return 0;
		if (ret < 0 || !info.si_pid)
			return 1;
		kind = info.si_code == CLD_EXITED ? EXIT_EXITED : EXIT_SIGNALED;
		if (info.si_pid == init_pid && !ended)
			init_has_ended(kind, (uint32_t)info.si_status);
		if (info.si_pid == probe_pid && !probe_ended) {
			probe_ended = 1;
			probe_status = (struct exit_status){kind, (uint32_t)info.si_status};
		}
	}
}

int children_watch(int pid, int pidfd)
{
	init_pid = pid;
	init_pidfd = pidfd;
	ended = 0;
	return signals_open();
}

void children_poll(struct poll_set *set)
{
	child_poll = signals_poll(set);
	/* While the status is awaited the pidfd stays readable: asking again would spin. */
	init_poll = lost_since < 0 ? poll_add(set, init_pidfd, POLLIN) : -1;
	if (!ended && lost_since >= 0)
		poll_until(set, lost_since + PATIENCE);
}

void children_ready(struct poll_set *set)
{
	if (poll_got(set, child_poll))
		signals_read();
	reap();
	if (!ended && poll_got(set, init_poll) && lost_since < 0)
		lost_since = set->now;
	if (!ended && lost_since >= 0 && set->now - lost_since >= PATIENCE)
		init_has_ended(EXIT_UNKNOWN, 0);
}

int children_init_ended(struct exit_status *status)
{
	if (ended)
		*status = init_status;
	return ended;
}

void children_watch_probe(int pid)
{
	probe_pid = pid;
	probe_ended = 0;
}

int children_probe_ended(struct exit_status *status)
{
	if (probe_ended)
		*status = probe_status;
	return probe_ended;
}

void children_kill_probe(void)
{
	if (probe_pid <= 0 || probe_ended)
		return;
	SYS2(__NR_kill, -probe_pid, SIGKILL);
	SYS2(__NR_kill, probe_pid, SIGKILL); /* it may not have a session of its own yet */
}

int children_signal_init(int number)
{
	if (ended || init_pid <= 0)
		return -ESRCH;
	if (init_pidfd >= 0)
		return (int)SYS4(__NR_pidfd_send_signal, init_pidfd, number, 0, 0);
	return (int)SYS2(__NR_kill, init_pid, number); /* ours and not reaped, so the number is still its own */
}

/*
 * Sends NUMBER to every child. None of the pids can belong to another process: they are unreaped, and only reap() reaps.
 * The kernel may skip entries when children come and go meanwhile: the caller repeats until there are none.
 */
static void signal_all(int number)
{
	char buf[1024];
	int fd = (int)SYS4(__NR_openat, AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC, 0);
	int pid = 0;
	long n;

	while (fd >= 0 && (n = io_read(fd, buf, sizeof(buf))) > 0)
		for (long i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
			} else if (pid) {
				SYS2(__NR_kill, pid, number);
				pid = 0;
			}
		}
	if (pid)
		SYS2(__NR_kill, pid, number);
	io_close(&fd);
}

/* Until no child is left, or until DEADLINE: 1 when all are reaped. Each new orphan gets NUMBER too, when REPEAT says so. */
static int wait_all(int64_t deadline, int number, int repeat)
{
	signal_all(number);
	while (reap()) {
		struct poll_set set;

		poll_begin(&set);
		if (set.now >= deadline)
			return 0;
		signals_poll(&set);
		poll_until(&set, set.now + 50 < deadline ? set.now + 50 : deadline);
		poll_wait(&set);
		signals_read();
		if (repeat)
			signal_all(number);
	}
	return 1;
}

void children_end_all(void)
{
	children_signal_init(SIGKILL);
	if (!wait_all(clock_monotonic() + TERM_GRACE, SIGTERM, 0))
		wait_all(clock_monotonic() + KILL_GRACE, SIGKILL, 1);
}
