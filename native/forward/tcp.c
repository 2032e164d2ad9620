/*
 * tcp.c - see tcp.h
 *
 * A connection is accepted, and only then made inside: so one that comes before the service listens is reset at once, and the next one finds
 * the service. The socket inside is bound to the client's address (IP_TRANSPARENT), with its port if that is free there; its mark makes the
 * container's answers come back (src/network/forward/routing.ts).
 *
 * Events are edge-triggered: what a socket can do is remembered until it says EAGAIN. Connections are places in a mapping that is as large as
 * the limit of descriptors allows, and of which only what was ever used takes memory. A place is free for the next one only after the
 * round of events in which it was closed: a later event of that round may still mean the old one.
 */
#include "tcp.h"
#include "address.h"
#include "events.h"
#include "relay.h"
#include "tcp-inside.h"

#include "../supervisor/clock.h"
#include "../supervisor/io.h"

#include <linux/mman.h>

#define CONNECTIONS_MAX 65536u
#define ACCEPTS 64  /* in a row */
#define PAUSE 50    /* ms without accepting when descriptors are used up */
#define STARVED 5   /* ms until a pipe is tried for again */
#define NONE 0xffffffffu

enum state {
	FREE = 0,
	CONNECTING = 1,
	RELAYING = 2,
	CLOSED = 3, /* until the end of the round */
};

struct connection {
	struct relay relay;
	uint8_t state;
	uint8_t other;	/* the second way is tried: address_way() */
	uint8_t queued; /* it is in the list of those that go on */
	uint16_t port;
	uint32_t next; /* in the list that it is in */
	struct address client;
};

struct list {
	uint32_t first, last;
};

static const struct forward_config *config;
static struct connection *connections;
static uint32_t limit, used, live;
static struct list unused = {NONE, NONE}, closed = {NONE, NONE}, going_on = {NONE, NONE};
static int draining, starved;
static int64_t paused_until = -1;

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

int tcp_open(const struct forward_config *from, uint32_t descriptors)
{
	long at;

	config = from;
	limit = descriptors / 3 < CONNECTIONS_MAX ? descriptors / 3 : CONNECTIONS_MAX; /* two sockets, and room for pipes */
	at = SYS6(__NR_mmap, 0, limit * sizeof(*connections), PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	connections = (struct connection *)at;
	return 0;
}

static int listener(uint32_t index)
{
	return FORWARD_FIRST_FD + (int)index;
}

int tcp_listen(uint32_t index)
{
	int fd = listener(index);

	io_nonblocking(fd);
	/* What is accepted inherits these. A client that vanished must not be kept for ever: the service only sees us, and we are there. */
	net_set(fd, SOL_TCP, TCP_NODELAY, 1);
	net_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	net_set(fd, SOL_TCP, TCP_KEEPIDLE, 120);
	net_set(fd, SOL_TCP, TCP_KEEPINTVL, 30);
	net_set(fd, SOL_TCP, TCP_KEEPCNT, 4);
	return events_add(fd, EPOLLIN, EVENT_TCP_LISTENER, index, 0);
}

static void listen_for(uint32_t events)
{
	for (uint32_t i = 0; i < config->port_count; i++)
		if (config->ports[i].protocol == FORWARD_TCP)
			events_change(listener(i), events, EVENT_TCP_LISTENER, i);
}

static void pause_accepting(void)
{
	if (paused_until < 0 && !draining)
		listen_for(0);
	paused_until = clock_monotonic() + PAUSE;
}

static void resume_accepting(void)
{
	if (paused_until >= 0 && !draining)
		listen_for(EPOLLIN);
	paused_until = -1;
}

/* With RESET the other side gets RST: SO_LINGER of zero seconds throws away what is unsent. */
static void close_connection(struct connection *c, int reset)
{
	static const int linger[2] = {1, 0};

	for (int side = CLIENT; side <= SERVER; side++) {
		struct end *e = &c->relay.ends[side];

		if (reset && e->fd >= 0)
			SYS5(__NR_setsockopt, e->fd, SOL_SOCKET, SO_LINGER, linger, sizeof(linger));
		io_close(&e->fd);
		pipe_give(&e->pipe);
	}
	c->state = CLOSED;
	live--;
	if (!c->queued)
		push(&closed, (uint32_t)(c - connections));
}

static void go_on_later(struct connection *c)
{
	if (c->queued)
		return;
	c->queued = 1;
	push(&going_on, (uint32_t)(c - connections));
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
		close_connection(c, 0);
		break;
	case RELAY_RESET:
		close_connection(c, 1);
		break;
	}
}

static int connect_by(struct connection *c, const struct way *way)
{
	union socket_address name;
	uint32_t len = address_to(&name, &way->container);
	int fd = tcp_inside(way, config->mark);
	long ret;

	if (fd < 0)
		return fd;
	ret = SYS3(__NR_connect, fd, &name, len);
	if (ret == 0 || ret == -EINPROGRESS)
		ret = events_add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, EVENT_TCP_END, (uint32_t)(c - connections), SERVER);
	if (ret < 0) {
		io_close(&fd);
		return (int)ret;
	}
	c->relay.ends[SERVER].fd = fd;
	return 0;
}

/* Begins the connection inside, by the ways that are left: 0 when one is under way. */
static int connect_inside(struct connection *c)
{
	for (; c->other <= 1; c->other++) {
		struct way way;
		int error;

		if (address_way(&way, config, &c->client, config->ports[c->port].container_port, c->other) < 0)
			continue;
		error = connect_by(c, &way);
		if (error == -EADDRNOTAVAIL && way.source.port) { /* the same four numbers are in use or in TIME_WAIT */
			way.source.port = 0;
			error = connect_by(c, &way);
		}
		if (error == -EMFILE || error == -ENFILE)
			pause_accepting();
		if (!error)
			return 0;
	}
	return -ECONNREFUSED;
}

static struct connection *new_connection(void)
{
	uint32_t index = pop(&unused);

	live++;
	return &connections[index == NONE ? used++ : index];
}

/* 1 when there may be more. */
static int accept_one(uint32_t port)
{
	union socket_address name;
	uint32_t len = sizeof(name);
	struct connection *c;
	int fd;

	if (unused.first == NONE && used == limit) {
		pause_accepting();
		return 0;
	}
	fd = (int)SYS4(__NR_accept4, listener(port), &name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM)
		pause_accepting();
	if (fd < 0)
		return fd == -ECONNABORTED || fd == -EINTR;
	c = new_connection();
	*c = (struct connection){.state = CONNECTING, .port = (uint16_t)port, .next = NONE};
	c->relay.ends[CLIENT] = (struct end){.fd = fd, .pipe = NO_PIPE, .readable = 1, .writable = 1};
	c->relay.ends[SERVER] = (struct end){.fd = -1, .pipe = NO_PIPE};
	if (address_from(&c->client, &name) < 0 || connect_inside(c) < 0)
		close_connection(c, 1);
	return 1;
}

void tcp_accept(uint32_t index)
{
	for (int i = 0; i < ACCEPTS && paused_until < 0 && !draining; i++)
		if (!accept_one(index))
			break;
}

/* The connection inside has come about, or not. */
static void connected(struct connection *c, uint32_t events)
{
	struct end *server = &c->relay.ends[SERVER], *client = &c->relay.ends[CLIENT];
	int error = 0;
	uint32_t len = sizeof(error);

	SYS5(__NR_getsockopt, server->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		io_close(&server->fd);
		c->other++;
		if (connect_inside(c) < 0)
			close_connection(c, 1);
		return;
	}
	if (!(events & EPOLLOUT))
		return;
	c->state = RELAYING;
	server->writable = 1;
	server->readable = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0;
	if (events_add(client->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, EVENT_TCP_END, (uint32_t)(c - connections), CLIENT) < 0)
		close_connection(c, 1);
	else
		pump(c);
}

void tcp_end_ready(uint32_t index, unsigned side, uint32_t events)
{
	struct connection *c = &connections[index];
	struct end *e = &c->relay.ends[side];

	if (c->state == CONNECTING) {
		connected(c, events);
	} else if (c->state == RELAYING) {
		e->readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
		e->writable |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
		pump(c);
	}
}

static void bury(void)
{
	uint32_t index;

	while ((index = pop(&closed)) != NONE) {
		connections[index].state = FREE;
		push(&unused, index);
	}
}

void tcp_round(void)
{
	uint32_t last = going_on.last, index;

	starved = 0;
	while (last != NONE && (index = pop(&going_on)) != NONE) {
		struct connection *c = &connections[index];

		c->queued = 0;
		if (c->state == RELAYING)
			pump(c);
		else if (c->state == CLOSED)
			push(&closed, index);
		if (index == last)
			break;
	}
	bury();
	if (paused_until >= 0 && clock_monotonic() >= paused_until)
		resume_accepting();
}

int64_t tcp_deadline(int64_t now)
{
	int64_t when = paused_until;

	if (going_on.first != NONE)
		when = starved ? now + STARVED : now;
	return when;
}

void tcp_drain(void)
{
	draining = 1;
	for (uint32_t i = 0; i < config->port_count; i++) {
		int fd = listener(i);

		io_close(&fd);
	}
	for (uint32_t i = 0; i < used; i++) {
		struct connection *c = &connections[i];

		if (c->state == CONNECTING)
			close_connection(c, 1);
		else if (c->state == RELAYING)
			pump(c);
	}
}

uint32_t tcp_count(void)
{
	return live;
}

void tcp_trim(void)
{
	pipes_trim();
	if (live || !used)
		return;
	SYS3(__NR_madvise, connections, limit * sizeof(*connections), MADV_DONTNEED);
	used = 0;
	unused = closed = going_on = (struct list){NONE, NONE};
}
