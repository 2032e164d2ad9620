/* connections.c - see connections.h */
#include "connections.h"
#include "events.h"
#include "places.h"

#include "../supervisor/io.h"

#define CONNECTIONS_MAX 65536u
#define STARVED 5 /* ms until a pipe is tried for again */

struct list {
	uint32_t first, last; /* 1 + index; 0: it is empty */
};

static struct places places;
static struct connection *connections;
static struct list closed, going_on;
static int draining, starved;

static void push(struct list *list, uint32_t index)
{
	connections[index].next = 0;
	if (list->last)
		connections[list->last - 1].next = index + 1;
	else
		list->first = index + 1;
	list->last = index + 1;
}

/* The first of LIST, which is not empty. */
static uint32_t pop(struct list *list)
{
	uint32_t index = list->first - 1;

	list->first = connections[index].next;
	if (!list->first)
		list->last = 0;
	return index;
}

int connections_open(uint32_t descriptors)
{
	uint32_t most = descriptors / 3 < CONNECTIONS_MAX ? descriptors / 3 : CONNECTIONS_MAX; /* two sockets, and room for pipes */
	int error = places_open(&places, sizeof(*connections), most);

	connections = places.at;
	return error;
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
	return places_full(&places);
}

struct connection *connection_new(int fd)
{
	uint32_t index = place_take(&places);
	struct connection *c;

	if (index == NO_PLACE)
		return 0;
	c = &connections[index];
	*c = (struct connection){.state = CONNECTION_BEGINS};
	c->relay.ends[CLIENT] = (struct end){.fd = fd, .pipe = NO_PIPE, .readable = 1, .writable = 1};
	c->relay.ends[SERVER] = (struct end){.fd = -1, .pipe = NO_PIPE};
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

/* Asks for when an end can be written again. */
static int await_writable(struct connection *c)
{
	int error = 0;

	for (unsigned side = CLIENT; side <= SERVER; side++) {
		struct end *e = &c->relay.ends[side];

		if (e->writable || e->awaited)
			continue;
		e->awaited = 1;
		error |= events_move(e->fd, CONNECTION_EVENTS | EPOLLOUT, EVENT_TCP_END, connection_index(c), side);
	}
	return error;
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
	if (c->state == CONNECTION_RELAYS && await_writable(c) < 0)
		connection_close(c, 1);
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
	e->ending |= (events & (EPOLLRDHUP | EPOLLERR)) == EPOLLRDHUP;
	e->urgent |= (events & EPOLLPRI) != 0;
	pump(c);
}

static void bury(void)
{
	while (closed.first) {
		uint32_t index = pop(&closed);

		connections[index].state = CONNECTION_FREE;
		place_give(&places, index);
	}
}

void connections_round(void)
{
	uint32_t last = going_on.last, index;

	starved = 0;
	while (last && going_on.first) {
		struct connection *c = &connections[index = pop(&going_on)];

		c->queued = 0;
		if (c->state == CONNECTION_RELAYS)
			pump(c);
		else if (c->state == CONNECTION_CLOSED)
			push(&closed, index);
		if (index + 1 == last)
			break;
	}
	bury();
}

int64_t connections_deadline(int64_t now)
{
	if (!going_on.first)
		return -1;
	return starved ? now + STARVED : now;
}

void connections_drain(void)
{
	draining = 1;
	for (uint32_t i = 0; i < places.used; i++) {
		struct connection *c = &connections[i];

		if (c->state == CONNECTION_BEGINS)
			connection_close(c, 1);
		else if (c->state == CONNECTION_RELAYS)
			pump(c);
	}
}

uint32_t connections_end(void)
{
	return places.used;
}

uint32_t connections_count(void)
{
	return places.live;
}

void connections_trim(void)
{
	pipes_trim();
	places_trim(&places);
}
