/* ring.h - a queue of bytes in a fixed buffer. An empty ring starts over at the buffer's first byte, so that little used rings touch few pages. */
#ifndef TSRUN_SUPERVISOR_RING_H
#define TSRUN_SUPERVISOR_RING_H

#include "io.h"

struct ring {
	unsigned char *buf;
	uint32_t size;
	uint32_t head; /* of the oldest byte */
	uint32_t len;
};

static inline uint32_t ring_room(const struct ring *r)
{
	return r->size - r->len;
}

/* The first contiguous stretch of free room: *N bytes at the result. */
static inline unsigned char *ring_space(struct ring *r, uint32_t *n)
{
	uint32_t tail = r->head + r->len;

	if (tail >= r->size) {
		tail -= r->size;
		*n = r->head - tail;
	} else {
		*n = r->size - tail;
	}
	return r->buf + tail;
}

/* Appends all N bytes, which must fit. */
static inline void ring_push(struct ring *r, const void *from, uint32_t n)
{
	const unsigned char *bytes = from;

	while (n) {
		uint32_t part;
		unsigned char *space = ring_space(r, &part);

		if (part > n)
			part = n;
		if (!part) /* unreachable when the caller checked the room */
			return;
		memcpy(space, bytes, part);
		r->len += part;
		bytes += part;
		n -= part;
	}
}

static inline void ring_drop(struct ring *r, uint32_t n)
{
	r->head += n;
	if (r->head >= r->size)
		r->head -= r->size;
	r->len -= n;
	if (!r->len)
		r->head = 0;
}

/* Writes as much as FD takes: bytes written, or -errno when not one was. */
static inline long ring_write(struct ring *r, int fd)
{
	uint32_t first = r->len < r->size - r->head ? r->len : r->size - r->head;
	struct iovec parts[2] = {{r->buf + r->head, first}, {r->buf, r->len - first}};
	long ret = io_writev(fd, parts, r->len > first ? 2 : 1);

	if (ret > 0)
		ring_drop(r, (uint32_t)ret);
	return ret;
}

#endif
