/* connections.c - see connections.h */
#include "connections.h"

#include "../supervisor/io.h"

#include <linux/mman.h>

#define CONNECTIONS_MAX 65536u
#define STARVED 5 /* ms until a pipe is tried for again */
#define NONE 0xffffffffu

struct list {
	uint32_t first, last;
};

static struct connection *connections;
static uint32_t limit, used, live;
static struct list unused = {NONE, NONE}, closed = {NONE, NONE}, going_on = {NONE, NONE};
static int draining, starved;

static void push(struct list *list, uint32_t index)
{
	connections[index].next = NONE;
	if (list->last == NONE)
		list->first = index;
	else
		connections[list->last].next = index;
	list->last = index;
}

static uint32_t pop(struct list *list)
{
	uint32_t index = list->first;

	if (index == NONE)
		return NONE;
	list->first = connections[index].next;
	if (list->first == NONE)
		list->last = NONE;
	return index;
}

int connections_open(uint32_t descriptors)
{
	long at;

	limit = descriptors / 3 < CONNECTIONS_MAX ? descriptors / 3 : CONNECTIONS_MAX; /* two sockets, and room for pipes */
	at = SYS6(__NR_mmap, 0, limit * sizeof(*connections), PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	connections = (struct connection *)at;
	return 0;
}

struct connection *connection_at(uint32_t index)
{
	return &connections[index];
}

uint32_t connection_index(const struct connection *c)
{
	return (uint32_t)(c - connections);
}

int connections_full(void)
{
	return unused.first == NONE && used == limit;
}

struct connection *connection_new(int fd)
{
	struct connection *c;
	uint32_t index;

	if (connections_full())
		return 0;
	index = pop(&unused);
	c = &connections[index == NONE ? used++ : index];
	*c = (struct connection){.state = CONNECTION_BEGINS, .next = NONE};
	c->relay.ends[CLIENT] = (struct end){.fd = fd, .pipe = NO_PIPE, .readable = 1, .writable = 1};
	c->relay.ends[SERVER] = (struct end){.fd = -1, .pipe = NO_PIPE};
	live++;
	return c;
}

/* SO_LINGER of zero seconds throws away what is unsent, and sends RST. */
void connection_close(struct connection *c, int reset)
{
	static const int linger[2] = {1, 0};

	for (int side = CLIENT; side <= SERVER; side++) {
		struct end *e = &c->relay.ends[side];

		if (reset && e->fd >= 0)
			SYS5(__NR_setsockopt, e->fd, SOL_SOCKET, SO_LINGER, linger, sizeof(linger));
		io_close(&e->fd);
		pipe_give(&e->pipe);
	}
	c->state = CONNECTION_CLOSED;
	live--;
	if (!c->queued)
		push(&closed, connection_index(c));
}

static void go_on_later(struct connection *c)
{
	if (c->queued)
		return;
	c->queued = 1;
	push(&going_on, connection_index(c));
}

static void pump(struct connection *c)
{
	switch (relay_pump(&c->relay, draining)) {
	case RELAY_WAIT:
		break;
	case RELAY_STARVED:
		starved = 1;
		go_on_later(c);
		break;
	case RELAY_MORE:
		go_on_later(c);
		break;
	case RELAY_DONE:
		connection_close(c, 0);
		break;
	case RELAY_RESET:
		connection_close(c, 1);
		break;
	}
}

void connection_relay(struct connection *c)
{
	c->state = CONNECTION_RELAYS;
	pump(c);
}

void connection_ready(struct connection *c, unsigned side, uint32_t events)
{
	struct end *e = &c->relay.ends[side];

	e->readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	e->writable |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
	pump(c);
}

static void bury(void)
{
	uint32_t index;

	while ((index = pop(&closed)) != NONE) {
		connections[index].state = CONNECTION_FREE;
		push(&unused, index);
	}
}

void connections_round(void)
{
	uint32_t last = going_on.last, index;

	starved = 0;
	while (last != NONE && (index = pop(&going_on)) != NONE) {
		struct connection *c = &connections[index];

		c->queued = 0;
		if (c->state == CONNECTION_RELAYS)
			pump(c);
		else if (c->state == CONNECTION_CLOSED)
			push(&closed, index);
		if (index == last)
			break;
	}
	bury();
}

int64_t connections_deadline(int64_t now)
{
	if (going_on.first == NONE)
		return -1;
	return starved ? now + STARVED : now;
}

void connections_drain(void)
{
	draining = 1;
	for (uint32_t i = 0; i < used; i++) {
		struct connection *c = &connections[i];

		if (c->state == CONNECTION_BEGINS)
			connection_close(c, 1);
		else if (c->state == CONNECTION_RELAYS)
			pump(c);
	}
}

uint32_t connections_count(void)
{
	return live;
}

void connections_trim(void)
{
	pipes_trim();
	if (live || !used)
		return;
	SYS3(__NR_madvise, connections, limit * sizeof(*connections), MADV_DONTNEED);
	used = 0;
	unused = closed = going_on = (struct list){NONE, NONE};
}
