/*
 * room.h - whether a service has room for one connection more that it has not accepted yet (listen(2), backlog): the kernel is asked
 * (sock_diag(7)), and what it said is counted down until nothing is left of it.
 */
#ifndef TSRUN_FORWARD_ROOM_H
#define TSRUN_FORWARD_ROOM_H

#include "address.h"

/* Asks in the network namespace of the caller. Where the kernel does not answer, no service is known to have room. */
void room_open(void);

/*
 * Takes a place in the queue of SERVICE, which is published as port INDEX: 1, or 0 when it is not known to have one. Others, PROMISED at most,
 * are under way to theirs.
 */
int room_take(uint32_t index, const struct address *service, uint32_t promised);

/* It has not answered: what the kernel has said of port INDEX is true no more. */
void room_forget(uint32_t index);

#endif
