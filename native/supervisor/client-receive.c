/*
 * client-receive.c - the frames that a client sends: see protocol.h
 *
 * A frame is read as it comes, header first; input goes from the socket straight to the container's input queue. A client
 * that breaks the protocol (a wrong length, a header that is none) is disconnected. Types that are not known are skipped:
 * they may be a newer tsrun's.
 */
#include "children.h"
#include "client.h"
#include "clients.h"
#include "event-log.h"
#include "health.h"
#include "restart.h"
#include "stdio.h"

#define ROUNDS 32 /* reads in a row, before the others have their turn */

/* A frame has arrived. */
static void accept_frame(struct client *c)
{
	uint32_t number;

	memcpy(&number, c->payload, sizeof(number));
	switch (c->header.type) {
	case FRAME_ATTACH:
		c->attach = number & (SPEC_ATTACH_STDIN | SPEC_ATTACH_STDOUT | SPEC_ATTACH_STDERR);
		if (c->attach)
			event_log_attached();
		break;
	case FRAME_STDIN_EOF:
		if (c->attach & SPEC_ATTACH_STDIN)
			stdio_input_end();
		break;
	case FRAME_RESIZE: {
		struct winsize_frame size;

		memcpy(&size, c->payload, sizeof(size));
		stdio_resize(&size);
		break;
	}
	case FRAME_SIGNAL:
		if (number >= 1 && number <= 64)
			children_signal_init((int)number);
		break;
	case FRAME_DETACH:
		if (c->first)
			clients_let_first_go();
		break;
	case FRAME_PROBE:
		c->probing = 1;
		health_request();
		break;
	case FRAME_POLICY: {
		uint32_t limit, taken;

		memcpy(&limit, c->payload + 4, sizeof(limit));
		taken = restart_policy(number, limit) == 0;
		client_send(c, FRAME_POLICY_TAKEN, &taken, sizeof(taken));
		break;
	}
	}
}

/* The one length that a frame of this type can have; -1 = any. */
static long payload_length(uint8_t type)
{
	switch (type) {
	case FRAME_STDIN_EOF:
	case FRAME_DETACH:
	case FRAME_PROBE:
		return 0;
	case FRAME_ATTACH:
	case FRAME_SIGNAL:
		return 4;
	case FRAME_POLICY:
		return 8;
	case FRAME_RESIZE:
		return sizeof(struct winsize_frame);
	}
	return -1;
}

static int header_ok(const struct frame_header *h)
{
	long length = payload_length(h->type);

	return !h->zero[0] && !h->zero[1] && !h->zero[2] && h->length <= FRAME_MAX && (length < 0 || length == (long)h->length);
}

static int is_input(const struct client *c)
{
	return c->header_len == HEADER && c->header.type == FRAME_STDIN && (c->attach & SPEC_ATTACH_STDIN) &&
	       !stdio_input_closed();
}

int client_must_wait(const struct client *c)
{
	uint32_t room;

	if (!is_input(c))
		return 0;
	stdio_input_space(&room);
	return room == 0;
}

/* Where the next bytes belong: *N of them at most. */
static unsigned char *destination(struct client *c, uint32_t *n)
{
	static unsigned char discarded[4096];
	uint32_t room;
	unsigned char *to;

	if (c->header_len < HEADER) {
		*n = (uint32_t)HEADER - c->header_len;
		return c->header_bytes + c->header_len;
	}
	if (is_input(c)) {
		to = stdio_input_space(&room);
	} else if (payload_length(c->header.type) > 0) {
		to = c->payload + c->payload_len;
		room = (uint32_t)sizeof(c->payload) - c->payload_len;
	} else {
		to = discarded;
		room = sizeof(discarded);
	}
	*n = room < c->left ? room : c->left;
	return to;
}

/* N bytes were read to destination(). 0, or -EPROTO. */
static int received(struct client *c, uint32_t n)
{
	if (c->header_len < HEADER) {
		c->header_len += n;
		if (c->header_len < HEADER)
			return 0;
		if (!header_ok(&c->header))
			return -EPROTO;
		c->left = c->header.length;
		c->payload_len = 0;
	} else {
		if (is_input(c))
			stdio_input_filled(n);
		else if (payload_length(c->header.type) > 0)
			c->payload_len += n;
		c->left -= n;
	}
	if (c->left == 0) {
		accept_frame(c);
		c->header_len = 0;
	}
	return 0;
}

void client_receive(struct client *c)
{
	for (int round = 0; round < ROUNDS && !client_must_wait(c); round++) {
		uint32_t n;
		unsigned char *to = destination(c, &n);
		long ret = io_read(c->fd, to, n);

		if (ret == -EAGAIN)
			return;
		if (ret <= 0) {
			client_end_reading(c);
			if (c->gone || ret < 0)
				client_disconnect(c);
			return;
		}
		if (received(c, (uint32_t)ret) < 0) {
			client_disconnect(c);
			return;
		}
	}
}
