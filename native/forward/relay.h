/* relay.h - the two directions of one connection, between sockets that are connected. */
#ifndef TSRUN_FORWARD_RELAY_H
#define TSRUN_FORWARD_RELAY_H

#include "pipes.h"

enum side {
	CLIENT = 0, /* the socket at the host's side */
	SERVER = 1, /* the one inside the container */
};

/* One socket, and what was read from it but not yet written to the other. */
struct end {
	int fd;
	struct pipe pipe;
	uint8_t readable; /* until a read says EAGAIN, or returns less than asked for */
	uint8_t writable; /* until a write says EAGAIN */
	uint8_t awaited;  /* whoever waits for events has asked for when it is writable */
	uint8_t ending;	  /* end-of-file has come, behind what can be read */
	uint8_t urgent;	  /* urgent data came at some time: a short read may not be all */
	uint8_t ended;	  /* it said end-of-file: it sends nothing any more */
	uint8_t shut;	  /* we said so to it, or closing it will */
	uint8_t streams;  /* what it sends is spliced, until so many short reads have come in a row */
	uint8_t spoken;	  /* something was written to it */
	uint8_t here;	  /* its peer is on this machine; whether it is of others is found out when a stream begins, near.h */
	uint8_t settled;  /* that was done */
};

struct relay {
	struct end ends[2];
	uint8_t broken; /* 1 + the side that takes nothing any more, though it did not say end-of-file */
};

enum relay_result {
	RELAY_WAIT = 0,	   /* nothing to do before an event comes */
	RELAY_MORE = 1,	   /* it had its turn */
	RELAY_STARVED = 2, /* no pipe can be had now */
	RELAY_DONE = 3,	   /* both directions have come to their end */
	RELAY_RESET = 4,   /* one side was reset, so the other is to be, too */
};

/* Passes on what can be. DRAINING: the end of the server's bytes is the end of all. */
enum relay_result relay_pump(struct relay *r, int draining);

#endif
