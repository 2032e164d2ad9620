/*
 * accepting.h - takes clients from listening sockets, and rests while there is no room for them.
 *
 * A client that cannot be taken, as descriptors or places for connections are used up, stays in its socket's backlog, and the socket readable:
 * epoll would tell so at once, again and again. So the sockets are not waited for during a short pause.
 */
#ifndef TSRUN_FORWARD_ACCEPTING_H
#define TSRUN_FORWARD_ACCEPTING_H

#include "address.h"

/* LISTEN makes the listening sockets be waited for, with EPOLLIN, or with 0 during a rest. */
void accepting_open(void (*listen)(uint32_t events));

/* The next client at LISTENER and its name, or -errno: there is none, or no room for it. */
int accepting_take(int listener, union socket_address *client);

/* Something that a client takes is used up. */
void accepting_rest(void);

/* From now on none is taken; the listening sockets may be closed. */
void accepting_end(void);

/* After each round of events: a rest that is over ends. */
void accepting_round(void);

/* When accepting_round() must be called again, in ms of CLOCK_MONOTONIC; -1: after the next event. */
int64_t accepting_deadline(void);

#endif
