/*
 * queue.h - packets that wait for a verdict (nfnetlink_queue): the first packet of each TCP connection from a bridge to the outside, and in
 * another queue each datagram of UDP.
 *
 * The rules that send them here, and deal with them afterwards, are in src/network/outward/rules.ts.
 */
#ifndef TSRUN_FORWARD_QUEUE_H
#define TSRUN_FORWARD_QUEUE_H

#include "address.h"

#include <stddef.h>

/* As src/network/outward/rules.ts has them. */
#define QUEUE_OF_REQUESTS 0
#define QUEUE_OF_DATAGRAMS 1

/* A packet that asks for a connection. */
struct request {
	uint32_t packet; /* its number in the queue */
	struct address client, target;
};

/* A packet of UDP. */
struct datagram {
	uint32_t packet;
	uint32_t interface; /* by which it came */
	struct address client, target;
	const uint8_t *data;
	size_t size;
};

/* What becomes of it. The marks are those of src/network/outward/rules.ts. */
enum verdict {
	VERDICT_LET = 0,		  /* the connection is taken here */
	VERDICT_REFUSED = 0x6f757401,	  /* as nobody listens there */
	VERDICT_UNREACHABLE = 0x6f757402, /* as there is no way */
	VERDICT_DROP = -1,		  /* the client will send it again */
};

enum queue_message {
	QUEUE_REQUEST = 0,
	QUEUE_OTHER_PACKET = 1, /* only the number is set */
	QUEUE_NOTHING = 2,
};

/* Reads one netlink message. No state, no I/O. */
enum queue_message queue_parse(const uint8_t *message, size_t length, struct request *to);
enum queue_message queue_parse_datagram(const uint8_t *message, size_t length, struct datagram *to);

/* The next request that waits at FD: 1, or 0 when there is none. Other packets are dropped. */
int queue_next(int fd, struct request *to);

#define QUEUE_BATCH 32u

/*
 * The next datagrams that wait at FD, in their order: how many, QUEUE_BATCH at most, 0 when there is none. Their data stay until the next ones
 * are asked for. Other packets are let through.
 */
unsigned queue_next_datagrams(int fd, struct datagram to[QUEUE_BATCH]);

void queue_decide(int fd, uint16_t queue, uint32_t packet, enum verdict verdict);

/* Drops all that came up to PACKET and was not decided. */
void queue_drop_until(int fd, uint16_t queue, uint32_t packet);

/* Gives back the memory of datagrams. */
void queue_trim(void);

#endif
