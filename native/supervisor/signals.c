/* signals.c - see signals.h */
#include "signals.h"
#include "io.h"

#include <asm/signal.h>
#include <linux/signalfd.h>

/* What rt_sigaction(2) takes, on x86-64 and arm64 alike. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

static const uint64_t read_mask = 1ul << (SIGCHLD - 1) | 1ul << (SIGUSR1 - 1) | 1ul << (SIGUSR2 - 1);

static int fd = -1;
static int stop_wanted, keep_wanted;

void signals_ignore(int number)
{
	struct action ignore = {.handler = 1};

	SYS4(__NR_rt_sigaction, number, &ignore, 0, 8);
}

void signals_protect(void)
{
	static const uint8_t ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};
	static const uint8_t standard_ones[] = {SIGCHLD, SIGUSR1, SIGUSR2}; /* were they ignored, they would never come */
	struct action standard = {0};

	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &read_mask, 0, 8);
	for (unsigned i = 0; i < sizeof(ignored); i++)
		signals_ignore(ignored[i]);
	for (unsigned i = 0; i < sizeof(standard_ones); i++)
		SYS4(__NR_rt_sigaction, standard_ones[i], &standard, 0, 8);
}

int signals_open(void)
{
	if (fd < 0)
		fd = (int)SYS4(__NR_signalfd4, -1, &read_mask, sizeof(read_mask), SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? fd : 0;
}

int signals_poll(struct poll_set *set)
{
	return poll_add(set, fd, POLLIN);
}

void signals_read(void)
{
	struct signalfd_siginfo info;

	while (fd >= 0 && io_read(fd, &info, sizeof(info)) == sizeof(info)) {
		stop_wanted |= info.ssi_signo == SIGUSR1 || info.ssi_signo == SIGUSR2;
		keep_wanted |= info.ssi_signo == SIGUSR2;
	}
}

int signals_stop_wanted(void)
{
	return stop_wanted;
}

int signals_keep_wanted(void)
{
	return keep_wanted;
}
