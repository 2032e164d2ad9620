/*
 * poll.h - what the loop waits for. The set is made anew for each round: every part of the supervisor adds the descriptors
 * that it wants to hear of *now*, so that not reading (back-pressure) is simply not adding.
 */
#ifndef TSRUN_SUPERVISOR_POLL_H
#define TSRUN_SUPERVISOR_POLL_H

#include "../sys.h"

#include <linux/poll.h>

#define POLL_MAX 48

struct poll_set {
	struct pollfd fds[POLL_MAX];
	unsigned count;
	int64_t now;	  /* clock_monotonic() at the start of the round, and again after the wait */
	int64_t deadline; /* the round ends then at the latest; -1 = never */
};

void poll_begin(struct poll_set *set);

/* Adds FD; the result is the index that poll_got() wants, or -1 for a closed fd. */
int poll_add(struct poll_set *set, int fd, int events);

/* The round shall end at clock_monotonic() = WHEN, whatever happens. */
void poll_until(struct poll_set *set, int64_t when);

/* Waits until something is ready, the deadline has come, or a signal interrupts. */
void poll_wait(struct poll_set *set);

/* 1 if the other end of FD has hung up by now. */
int poll_hung_up(int fd);

/* What happened to the fd added as INDEX. */
static inline int poll_got(const struct poll_set *set, int index)
{
	return index < 0 ? 0 : set->fds[index].revents;
}

#endif
