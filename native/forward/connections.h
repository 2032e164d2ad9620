/*
 * connections.h - the table of connections that are passed on, and the turns they take.
 *
 * Events are edge-triggered: what a socket can do is remembered until it says EAGAIN. Connections are places in a mapping that is as large as
 * the limit of descriptors allows, and of which only what was ever used takes memory. A place is free for the next one only after the
 * round of events in which it was closed: a later event of that round may still mean the old one.
 */
#ifndef TSRUN_FORWARD_CONNECTIONS_H
#define TSRUN_FORWARD_CONNECTIONS_H

#include "address.h"
#include "relay.h"

#include <linux/eventpoll.h>

/*
 * What is waited for at either end of a connection. That something can be written is waited for only at an end that once took nothing: of a new
 * socket, which can always be written, epoll would say so at once, in a round of events of its own.
 */
#define CONNECTION_EVENTS (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)
/* And of a socket that is not yet connected: */
#define CONNECTING_EVENTS (CONNECTION_EVENTS | EPOLLOUT)

enum connection_state {
	CONNECTION_FREE = 0,
	CONNECTION_BEGINS = 1, /* the far end is not there yet: whoever made it knows what is to be done */
	CONNECTION_RELAYS = 2,
	CONNECTION_CLOSED = 3, /* until the end of the round */
};

struct connection {
	uint32_t next;	/* places.h; or in the list that it is in: 1 + index, 0 for none */
	struct relay relay;
	uint8_t state;	/* enum connection_state */
	uint8_t other;	/* tcp.c: the second way is tried, address_way() */
	uint8_t queued; /* it is in the list of those that go on */
	uint16_t port;	/* tcp.c: index of the published port */
	uint8_t tries;	/* tcp.c: how often the service was asked anew */
	int64_t again;	/* tcp.c: when it is asked the next time, in ms of CLOCK_MONOTONIC */
	struct address client;
};

/* At most DESCRIPTORS may be open. 0 or -errno. */
int connections_open(uint32_t descriptors);

struct connection *connection_at(uint32_t index);
uint32_t connection_index(const struct connection *c);

/* Of the client's socket FD, in state CONNECTION_BEGINS; 0 when there are as many as there may be, which connections_full() tells. */
struct connection *connection_new(int fd);
int connections_full(void);

/* Both ends are there, and waited for: passes on what can be. */
void connection_relay(struct connection *c);

/* EVENTS came at SIDE of a connection that relays. */
void connection_ready(struct connection *c, unsigned side, uint32_t events);

/* With RESET the other side gets RST. */
void connection_close(struct connection *c, int reset);

/* After each round of events: goes on with connections that had more than their turn, and buries the closed. */
void connections_round(void);

/* When connections_round() must be called again, in ms of CLOCK_MONOTONIC; -1: after the next event. */
int64_t connections_deadline(int64_t now);

/* From now on what the server's side has closed is closed once its last bytes are passed on. */
void connections_drain(void);

uint32_t connections_count(void);

/* All connections have an index below this. */
uint32_t connections_end(void);

/* Gives memory back, if there is no connection. */
void connections_trim(void);

#endif
