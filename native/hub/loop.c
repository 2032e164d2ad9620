/* loop.c - see loop.h */
#include "loop.h"
#include "../supervisor/clock.h"

static int epoll_fd = -1;

int loop_open(void)
{
	epoll_fd = (int)SYS1(__NR_epoll_create1, O_CLOEXEC);
	return epoll_fd < 0 ? epoll_fd : 0;
}

static int control(int what, int fd, uint32_t events, enum watch kind, uint32_t number)
{
	struct epoll_event event = {.events = events, .data = (uint64_t)kind << 32 | number};

	return (int)SYS4(__NR_epoll_ctl, epoll_fd, what, fd, &event);
}

int loop_watch(int fd, uint32_t events, enum watch kind, uint32_t number)
{
	return control(EPOLL_CTL_ADD, fd, events, kind, number);
}

void loop_change(int fd, uint32_t events, enum watch kind, uint32_t number)
{
	control(EPOLL_CTL_MOD, fd, events, kind, number);
}

/* One at a time: what an event does may close the descriptor of another. */
int loop_next(enum watch *kind, uint32_t *number, int64_t until)
{
	struct epoll_event event;
	int64_t left = until < 0 ? -1 : until - clock_monotonic();
	long got = SYS6(__NR_epoll_pwait, epoll_fd, &event, 1, until < 0 ? -1 : left < 0 ? 0 : left, 0, 8);

	if (got != 1)
		return 0;
	*kind = (enum watch)(event.data >> 32);
	*number = (uint32_t)event.data;
	return 1;
}
