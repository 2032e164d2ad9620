/* events.h - what the forwarder waits for: one epoll set, whose events say by themselves whom they concern. */
#ifndef TSRUN_FORWARD_EVENTS_H
#define TSRUN_FORWARD_EVENTS_H

#include "net.h"

#include <linux/eventpoll.h>

enum event_kind {
	EVENT_SIGNAL = 0,
	EVENT_TCP_LISTENER = 1, /* index: of the port */
	EVENT_TCP_END = 2,	/* index: of the connection; side */
	EVENT_UDP_LISTENER = 3, /* index: of the port */
	EVENT_UDP_FLOW = 4,	/* index: of the flow */
	EVENT_QUEUE = 5,	/* a container wants a connection to the outside */
	EVENT_ATTEMPT = 6,	/* index: of the attempt */
	EVENT_LIFELINE = 7,
	EVENT_DATAGRAMS = 8,	/* of containers, to the outside */
};

#define EVENTS_MAX 64

/* SLEEPING, if it is not 0, is called each time before it waits in earnest. */
void events_open(void (*sleeping)(void));

/* 0 or -errno. With EPOLLET an event is told once, when it comes. */
int events_add(int fd, uint32_t events, enum event_kind kind, uint32_t index, unsigned side);

/* FD is waited for in another way, or has become something else. */
int events_move(int fd, uint32_t events, enum event_kind kind, uint32_t index, unsigned side);

/* Waits until CLOCK_MONOTONIC, which is NOW and is brought up to date, is DEADLINE milliseconds (-1: for ever): how many came. */
int events_wait(struct epoll_event *events, int64_t deadline, int64_t *now);

static inline enum event_kind event_kind(const struct epoll_event *e)
{
	return (enum event_kind)(e->data >> 40);
}

static inline uint32_t event_index(const struct epoll_event *e)
{
	return (uint32_t)e->data;
}

static inline unsigned event_side(const struct epoll_event *e)
{
	return (unsigned)(e->data >> 32) & 1;
}

#endif
