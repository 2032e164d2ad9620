/* signals.c - see signals.h */
#include "signals.h"
#include "io.h"

#include <asm/signal.h>
#include <linux/signalfd.h>

/* What rt_sigaction(2) takes, on x86-64 and arm64 alike. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

static const uint64_t child_mask = 1ul << (SIGCHLD - 1);

void signals_protect(void)
{
	static const uint8_t ignored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE,
					  SIGALRM, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};
	struct action ignore = {.handler = 1}, standard = {0};

	for (unsigned i = 0; i < sizeof(ignored); i++)
		SYS4(__NR_rt_sigaction, ignored[i], &ignore, 0, 8);
	SYS4(__NR_rt_sigaction, SIGCHLD, &standard, 0, 8); /* were it ignored, there would be nothing to wait for */
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK, &child_mask, 0, 8);
}

int signals_child_fd(void)
{
	return (int)SYS4(__NR_signalfd4, -1, &child_mask, sizeof(child_mask), SFD_CLOEXEC | SFD_NONBLOCK);
}
