/*
 * client-send.c - the frames that a client gets. What its socket does not take at once waits in its queue, which is mapped at first need and
 * given back when the supervisor has nothing to do.
 */
#include "client.h"
#include "clients.h"

#include <linux/mman.h>

#define QUEUE_SIZE (256u << 10)
#define RESERVE 16384u /* room kept for STARTED, FAILED, LOST and EXIT */

void client_free_queue(struct client *c)
{
	if (c->queue.buf)
		SYS2(__NR_munmap, c->queue.buf, QUEUE_SIZE);
	c->queue = (struct ring){0};
}

int client_is_full(const struct client *c)
{
	return QUEUE_SIZE - c->queue.len < HEADER + CLIENTS_CHUNK + RESERVE;
}

static int has_queue(struct client *c)
{
	long at;

	if (c->queue.buf)
		return 1;
	at = SYS6(__NR_mmap, 0, QUEUE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0 && at > -4096)
		return 0;
	c->queue = (struct ring){(unsigned char *)at, QUEUE_SIZE, 0, 0};
	return 1;
}

/* What the socket takes of the frame at once: bytes, or -errno. */
static long send_now(struct client *c, const struct frame_header *header, const void *payload, uint32_t n)
{
	struct iovec parts[2] = {{(void *)header, HEADER}, {(void *)payload, n}};
	long ret;

	if (c->queue.len)
		return 0;
	ret = io_writev(c->fd, parts, n ? 2 : 1);
	return ret == -EAGAIN ? 0 : ret;
}

void client_send(struct client *c, uint8_t type, const void *payload, uint32_t n)
{
	struct frame_header header = {.type = type, .length = n};
	long sent = c->gone ? 0 : send_now(c, &header, payload, n);
	uint32_t done = (uint32_t)sent;

	if (c->gone)
		return;
	if (sent < 0) {
		client_peer_gone(c);
		return;
	}
	if (done == HEADER + n)
		return;
	if (!has_queue(c) || ring_room(&c->queue) < HEADER + n - done) {
		client_disconnect(c); /* no memory, or short frames without end: it cannot be served */
		return;
	}
	if (done < HEADER) {
		ring_push(&c->queue, (const char *)&header + done, (uint32_t)HEADER - done);
		done = HEADER;
	}
	ring_push(&c->queue, (const unsigned char *)payload + (done - HEADER), HEADER + n - done);
}

void client_say_lost(struct client *c)
{
	c->lagging = 0;
	client_send(c, FRAME_LOST, &c->lost, sizeof(c->lost));
	c->lost = 0;
}

void client_send_queued(struct client *c, int64_t now)
{
	long ret = ring_write(&c->queue, c->fd);

	if (ret == -EAGAIN)
		return;
	if (ret <= 0) {
		client_peer_gone(c);
		return;
	}
	c->last_progress = now;
	if (!c->queue.len && c->lagging)
		client_say_lost(c);
}
