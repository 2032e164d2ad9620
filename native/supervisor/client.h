/* client.h - one client: what clients.c (the table, what is sent) and client-receive.c (what is received) both know. */
#ifndef TSRUN_SUPERVISOR_CLIENT_H
#define TSRUN_SUPERVISOR_CLIENT_H

#include "ring.h"

#include "../protocol.h"

#define HEADER sizeof(struct frame_header)

struct client {
	int fd; /* -1: this place is free */
	int poll;
	uint32_t attach; /* SPEC_ATTACH_* */
	int first;
	int probing; /* it waits for a health check */
	int reading;  /* 0 after its end-of-file */
	int gone;     /* it closed its socket; what it sent before is still read */
	int lagging;
	uint64_t lost; /* bytes it missed while lagging */
	int64_t full_since;    /* -1: it has room */
	int64_t last_progress; /* when it last took something, or had nothing to take */
	struct ring queue;     /* mapped at first need */

	/* the frame that is being received */
	union {
		struct frame_header header;
		unsigned char header_bytes[HEADER];
	};
	uint32_t header_len;
	uint32_t left; /* of the payload */
	unsigned char payload[8];
	uint32_t payload_len;
};

/* Reads what there is, and acts on it. The client may be disconnected when this returns. */
void client_receive(struct client *c);

/* 1 while the container's input has no room for the rest of this client's frame. */
int client_must_wait(const struct client *c);

/* It sends nothing any more. */
void client_end_reading(struct client *c);

void client_disconnect(struct client *c);

#endif
