/*
 * attempts.h - connections outwards that are not there yet: a container has asked for one, and its request waits until the target has
 * answered. A hash table; who they are is what their packets say.
 */
#ifndef TSRUN_FORWARD_ATTEMPTS_H
#define TSRUN_FORWARD_ATTEMPTS_H

#include "address.h"

#define NO_PACKET 0u /* the queue's numbers begin with 1 */

struct attempt {
	uint32_t next; /* places.h */
	int fd; /* connected, or connecting, to the target; -1: this place is free */
	uint8_t connected; /* the request was let through: the client's end will be accepted */
	uint32_t packet; /* the request that waits for a verdict, or NO_PACKET */
	struct address client, target;
	int64_t until; /* it is given up then, in ms of CLOCK_MONOTONIC */
};

/* At most LIMIT. 0 or -errno. */
int attempts_open(uint32_t limit);

struct attempt *attempt_at(uint32_t index);
uint32_t attempt_index(const struct attempt *a);

struct attempt *attempt_find(const struct address *client, const struct address *target);

/* A connected one of that client, whatever its port, to TARGET; or 0. */
struct attempt *attempt_find_connected(const struct address *client, const struct address *target);

/* Of the socket FD; 0 when there are too many. */
struct attempt *attempt_new(int fd, const struct address *client, const struct address *target);

/* Forgets it. Its socket is the caller's. */
void attempt_end(struct attempt *a);

/* GIVE_UP is called for each that is to last until UNTIL, in ms of CLOCK_MONOTONIC, at most: INT64_MAX means all. */
void attempts_each(int64_t until, void (*give_up)(struct attempt *));

/* GIVE_UP is called for each whose time is over. When it must be called again, in ms of CLOCK_MONOTONIC; -1: there is none. */
int64_t attempts_expire(int64_t now, void (*give_up)(struct attempt *));

uint32_t attempts_count(void);

#endif
