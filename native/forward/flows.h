/*
 * flows.h - the table of UDP flows: a client's address and port, at an address and port of the host.
 *
 * A flow ends by time: 30 seconds after the last datagram of a client that was never answered, 180 seconds after the last one otherwise
 * (RFC 4787 asks for two minutes at least). When the table is full the flow that was quiet longest makes room.
 */
#ifndef TSRUN_FORWARD_FLOWS_H
#define TSRUN_FORWARD_FLOWS_H

#include "address.h"

struct flow {
	uint32_t next; /* places.h */
	int fd; /* inside, connected to the service; -1: this place is free */
	uint16_t port;
	uint8_t replied;
	uint8_t other; /* the second way is used: address_way() */
	uint8_t one_by_one[2]; /* segments.h: to the service or target, and to the client */
	uint8_t at_v6_socket; /* the client came to a socket of family AF_INET6, maybe by IPv4 */
	uint32_t interface; /* of a link-local client; else 0 */
	struct address client;
	struct address local; /* the host's, that the client sent to; port 0 */
	struct address source; /* by which the service knows the client */
	uint32_t older, newer; /* index, or NO_PLACE */
	int64_t last; /* when something was passed on */
};

/* At most LIMIT flows. ON_END is called for each that ends, before its place is free. 0 or -errno. */
int flows_open(uint32_t limit, void (*on_end)(struct flow *));

struct flow *flow_at(uint32_t index);
uint32_t flow_index(const struct flow *f);

/* The flow of that client, or 0. */
struct flow *flow_find(uint16_t port, const struct address *client, const struct address *local);

/* A new one, of which fd, source and other are the caller's to set. */
struct flow *flow_new(uint16_t port, const struct address *client, const struct address *local, int64_t now);

/* Something was passed on; REPLY: by the service. */
void flow_touch(struct flow *f, int reply, int64_t now);

void flow_end(struct flow *f);

/* Does a flow other than F have that source address (of any port)? */
int flow_shares_source(const struct flow *f);

/* Ends those whose time is over: when it must be called again (ms of CLOCK_MONOTONIC), -1: never. */
int64_t flows_expire(int64_t now);

uint32_t flows_count(void);
void flows_trim(void);

#endif
