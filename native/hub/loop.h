/* loop.h - what the hub waits for: one epoll set; each descriptor in it is of a kind, and has a number within its kind. */
#ifndef TSRUN_HUB_LOOP_H
#define TSRUN_HUB_LOOP_H

#include "../sys.h"

#include <asm/fcntl.h>
#include <linux/eventpoll.h>

enum watch {
	WATCH_LISTENER,
	WATCH_MEMBER, /* a connection, or a pidfd */
	WATCH_UPLINK,
	WATCH_UDP,
	WATCH_TCP,
	WATCH_QUERY,  /* a server's answer by UDP */
	WATCH_CLIENT, /* a client's end of a TCP conversation */
	WATCH_SERVER, /* the server's end */
};

int loop_open(void);

/* Waits for EVENTS (EPOLLIN, EPOLLOUT) on FD from now on; errors and hang-ups come in any case. 0 or -errno. */
int loop_watch(int fd, uint32_t events, enum watch kind, uint32_t number);
void loop_change(int fd, uint32_t events, enum watch kind, uint32_t number);

/* One event, or 0 when clock_monotonic() has reached UNTIL (-1: never) before. */
int loop_next(enum watch *kind, uint32_t *number, int64_t until);

#endif
