/* client.h - one client: what clients.c (the table, who waits for whom), client-send.c and client-receive.c all know. */
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

/* Sends a frame, or queues it; a client that can have neither is disconnected. */
void client_send(struct client *c, uint8_t type, const void *payload, uint32_t n);

/* Sends what is queued, as far as its socket takes it. */
void client_send_queued(struct client *c, int64_t now);

/* It no longer lags: what it missed is said, what comes it gets. */
void client_say_lost(struct client *c);

/* 1 while its queue has no room for output. */
int client_is_full(const struct client *c);

void client_free_queue(struct client *c);

/* It takes nothing any more. What it sent before it went is still passed on: `echo y | tsrun attach` may be gone before y is read. */
void client_peer_gone(struct client *c);

/* It sends nothing any more. */
void client_end_reading(struct client *c);

void client_disconnect(struct client *c);

#endif
