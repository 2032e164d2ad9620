/* events.c - see events.h */
#include "events.h"

static int epoll_fd = -1;

void events_open(void)
{
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

int events_wait(struct epoll_event *events, int64_t deadline, int64_t now)
{
	int64_t left = deadline < 0 ? -1 : deadline - now;
	long n;

	if (deadline >= 0 && left < 0)
		left = 0;
	n = SYS6(__NR_epoll_pwait, epoll_fd, events, EVENTS_MAX, left > 60000 ? 60000 : left, 0, 8);
	return n < 0 ? 0 : (int)n;
}
