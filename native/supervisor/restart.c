/* restart.c - see restart.h */
#include "restart.h"
#include "io.h"
#include "signals.h"
#include "spec.h"
#include "text.h"

static uint32_t count, pause;
static int forced = -1;
static int given; /* a client's policy holds: */
static uint32_t given_flags, given_limit;
static int extra_end = FD_EXTRA; /* behind the last descriptor from FD_EXTRA on that we were given */

void restart_open(int argc, char **argv)
{
	count = argc > 1 ? text_to_number(argv[1]) : 0;
	pause = argc > 2 ? text_to_number(argv[2]) : 0;
	given = argc > 4;
	given_flags = given ? text_to_number(argv[3]) : 0;
	given_limit = given ? text_to_number(argv[4]) : 0;
	while (SYS3(__NR_fcntl, extra_end, F_GETFD, 0) >= 0)
		extra_end++;
}

int restart_policy(uint32_t flags, uint32_t limit)
{
	if (!spec_is_open())
		return -EBADF;
	given = 1;
	given_flags = flags & (SPEC_RESTART_ON_FAILURE | SPEC_RESTART_ALWAYS);
	given_limit = limit;
	return 0;
}

uint32_t restart_count(void)
{
	return count;
}

int restart_is_due(const struct supervisor_spec *spec, const struct ending *e)
{
	uint32_t flags = given ? given_flags : spec->flags, limit = given ? given_limit : spec->restart_limit;
	int failed = e->failed || e->status.kind != EXIT_EXITED || e->status.value != 0;

	if (signals_stop_wanted() || (e->failed && count == 0))
		return 0;
	if (forced >= 0)
		return forced;
	if (flags & SPEC_RESTART_ALWAYS)
		return 1;
	return (flags & SPEC_RESTART_ON_FAILURE) && failed && (!limit || count < limit);
}

void restart_force(int again)
{
	forced = again;
}

uint32_t restart_pause(int64_t ran)
{
	if (!pause || ran >= RESTART_SETTLED)
		pause = RESTART_PAUSE_MIN;
	else
		pause = pause < RESTART_PAUSE_MAX / 2 ? pause * 2 : RESTART_PAUSE_MAX;
	return pause;
}

/* The spec that somebody has left for this start, instead of ours, because what the container has became other while it ran. */
static void take_next_spec(void)
{
	int next = (int)SYS4(__NR_openat, FD_DIRECTORY, RESTART_SPEC, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);

	if (next >= 0)
		SYS3(__NR_dup3, next, FD_SPEC, 0);
	io_close(&next);
}

int restart_now(char **envp)
{
	static const int kept[] = {FD_SPEC, FD_LISTEN, FD_DIRECTORY};
	char counted[24] = {0}, paused[24] = {0}, flags[24] = {0}, limit[24] = {0};
	char *argv[] = {"tsrun-supervisor", counted, paused, given ? flags : 0, limit, 0};

	counted[decimal(counted, (uint64_t)count + 1)] = 0;
	paused[decimal(paused, pause)] = 0;
	flags[decimal(flags, given_flags)] = 0;
	limit[decimal(limit, given_limit)] = 0;
	take_next_spec();
	for (unsigned i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		SYS3(__NR_fcntl, kept[i], F_SETFD, 0);
	for (int fd = FD_EXTRA; fd < extra_end; fd++)
		SYS3(__NR_fcntl, fd, F_SETFD, 0);
	return (int)SYS3(__NR_execve, "/proc/self/exe", argv, envp);
}
