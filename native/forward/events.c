/* events.c - see events.h */
#include "events.h"
#include "patience.h"

#include "../supervisor/clock.h"

static int epoll_fd = -1;
static void (*before_sleep)(void);
static struct patience patience = PATIENCE_NONE;

void events_open(void (*sleeping)(void))
{
	before_sleep = sleeping;
	epoll_fd = (int)SYS1(__NR_epoll_create1, EPOLL_CLOEXEC);
}

static int control(int op, int fd, uint32_t events, enum event_kind kind, uint32_t index, unsigned side)
{
	struct epoll_event event = {.events = events, .data = (uint64_t)kind << 40 | (uint64_t)side << 32 | index};

	return (int)SYS4(__NR_epoll_ctl, epoll_fd, op, fd, &event);
}

int events_add(int fd, uint32_t events, enum event_kind kind, uint32_t index, unsigned side)
{
	return control(EPOLL_CTL_ADD, fd, events, kind, index, side);
}

int events_move(int fd, uint32_t events, enum event_kind kind, uint32_t index, unsigned side)
{
	return control(EPOLL_CTL_MOD, fd, events, kind, index, side);
}

static long wait_for(struct epoll_event *events, int64_t milliseconds)
{
	return SYS6(__NR_epoll_pwait, epoll_fd, events, EVENTS_MAX, milliseconds, 0, 8);
}

/* Until CLOCK_MONOTONIC is UNTIL ns: how many came. */
static long look_for(struct epoll_event *events, int64_t until)
{
	long n;

	do {
		patience_pause();
		n = wait_for(events, 0);
	} while (!n && clock_monotonic_ns() < until);
	return n;
}

int events_wait(struct epoll_event *events, int64_t deadline, int64_t *now)
{
	int64_t left = deadline < 0 ? -1 : deadline - *now, begin = -1, end;
	int looks = patience_looks(&patience);
	long n = 0;

	if (deadline >= 0 && left < 0)
		left = 0;
	if (left && looks)
		n = wait_for(events, 0);
	if (!n && left) {
		begin = clock_monotonic_ns();
		if (looks)
			n = look_for(events, begin + PATIENCE_NS);
		if (!n && before_sleep)
			before_sleep();
	}
	if (!n)
		n = wait_for(events, left > 60000 ? 60000 : left);
	end = clock_monotonic_ns();
	if (begin >= 0) /* what was there already says nothing about looking: whoever sent it may have had this processor */
		patience_learn(&patience, end - begin, end);
	*now = end / 1000000;
	return n < 0 ? 0 : (int)n;
}
