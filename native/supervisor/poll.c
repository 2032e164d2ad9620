/* poll.c - see poll.h */
#include "poll.h"
#include "clock.h"

#include <linux/time_types.h>

void poll_begin(struct poll_set *set)
{
	set->count = 0;
	set->deadline = -1;
	set->now = clock_monotonic();
}

int poll_add(struct poll_set *set, int fd, int events)
{
	if (fd < 0 || set->count == POLL_MAX)
		return -1;
	set->fds[set->count] = (struct pollfd){fd, (short)events, 0};
	return (int)set->count++;
}

void poll_until(struct poll_set *set, int64_t when)
{
	if (set->deadline < 0 || when < set->deadline)
		set->deadline = when < set->now ? set->now : when;
}

void poll_wait(struct poll_set *set)
{
	int64_t left = set->deadline - set->now;
	struct __kernel_timespec timeout = {left / 1000, left % 1000 * 1000000};
	long ret = SYS5(__NR_ppoll, set->fds, set->count, set->deadline < 0 ? 0 : &timeout, 0, 8);

	if (ret <= 0) /* interrupted: the next round asks again */
		for (unsigned i = 0; i < set->count; i++)
			set->fds[i].revents = 0;
	set->now = clock_monotonic();
}

int poll_hung_up(int fd)
{
	struct poll_set set;
	int index;

	poll_begin(&set);
	index = poll_add(&set, fd, 0);
	poll_until(&set, set.now);
	poll_wait(&set);
	return (poll_got(&set, index) & POLLHUP) != 0;
}
