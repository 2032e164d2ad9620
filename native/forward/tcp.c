/*
 * tcp.c - see tcp.h
 *
 * A connection is accepted, and only then made inside: so one that comes before the service listens is reset at once, and the next one finds
 * the service. The socket inside is bound to the client's address (IP_TRANSPARENT), with its port if that is free there; its mark makes the
 * container's answers come back (src/network/forward/routing.ts).
 *
 * A service whose queue is full (httpd of busybox has room for ten) does not answer, and the kernel would ask again after a second, then after
 * two and four. The service is on this machine and has room again in a millisecond: it is asked anew until then, a few connections at a time.
 *
 * Worse is a service that has answered, and has no room left when the last packet of the handshake comes: that one is lost, and what the client
 * says is sent again after 0.2, 0.4, 0.8 s and so on, each time in vain if others have taken what had become free. So that packet only
 * waits for the client's first bytes where there is room for all that wait.
 */
#include "tcp.h"
#include "accepting.h"
#include "address.h"
#include "connections.h"
#include "events.h"
#include "room.h"
#include "tcp-inside.h"

#include "../supervisor/clock.h"
#include "../supervisor/io.h"

#define SILENT 64  /* clients that have said nothing yet */
#define AGAIN 8	   /* services asked anew in one round */
#define TRIES 12   /* after 1, 2, 4 ms and so on; then it is left to the kernel, which gives up at last */
#define PATIENCE 8 /* 1 << 8 ms is the longest pause */

static const struct forward_config *config;
static uint32_t silent[SILENT], silent_count; /* connections whose service may not know of them: it does not matter if one is another by now */
static int64_t again = -1; /* when some service is asked anew; -1: none is waited for */

static int listener(uint32_t index)
{
	return FORWARD_FIRST_FD + (int)index;
}

static void listen_for(uint32_t events)
{
	for (uint32_t i = 0; i < config->port_count; i++)
		if (config->ports[i].protocol == FORWARD_TCP)
			events_move(listener(i), events, EVENT_TCP_LISTENER, i, 0);
}

int tcp_open(const struct forward_config *from, uint32_t descriptors)
{
	config = from;
	room_open();
	accepting_open(listen_for);
	return connections_open(descriptors);
}

int tcp_listen(uint32_t index)
{
	int fd = listener(index);

	io_nonblocking(fd);
	/* What is accepted inherits these. */
	net_set(fd, SOL_TCP, TCP_NODELAY, 1);
	net_keep_alive(fd);
	return events_add(fd, EPOLLIN, EVENT_TCP_LISTENER, index, 0);
}

/*
 * To a client that says nothing the service may have to speak first, so it must know that it is there: its end of the handshake waits no more for
 * the first bytes.
 */
static void tell_service(const struct connection *c)
{
	const struct end *server = &c->relay.ends[SERVER];

	if (c->state == CONNECTION_RELAYS && !server->spoken)
		net_set(server->fd, SOL_TCP, TCP_QUICKACK, 1);
}

static void tell_services(void)
{
	while (silent_count)
		tell_service(connection_at(silent[--silent_count]));
}

void tcp_before_sleep(void)
{
	tell_services();
}

static int connect_by(struct connection *c, const struct way *way)
{
	union socket_address name;
	uint32_t len = address_to(&name, &way->container);
	int fd = tcp_inside(way, config->mark), there;
	long ret;

	if (fd < 0)
		return fd;
	/* The last packet of the handshake waits for the first bytes to the service, which wakes up once instead of twice: begin() */
	if (room_take(c->port, &way->container, silent_count))
		net_set(fd, SOL_TCP, TCP_QUICKACK, 0);
	else
		tell_services(); /* those that wait were before it */
	ret = SYS3(__NR_connect, fd, &name, len);
	/* The container is on this machine: it has answered already, unless the answer is still in a queue. */
	if (ret == -EINPROGRESS)
		ret = SYS3(__NR_connect, fd, &name, len);
	there = ret == 0;
	if (there || ret == -EALREADY)
		ret = events_add(fd, there ? CONNECTION_EVENTS : CONNECTING_EVENTS, EVENT_TCP_END, connection_index(c), SERVER);
	if (ret < 0) {
		io_close(&fd);
		return (int)ret;
	}
	c->relay.ends[SERVER] = (struct end){.fd = fd, .pipe = NO_PIPE, .writable = there, .awaited = !there, .here = 1};
	if (!there)
		room_forget(c->port);
	if (!there && c->tries < TRIES) {
		c->again = clock_monotonic() + (1 << (c->tries < PATIENCE ? c->tries : PATIENCE));
		again = clock_earlier(again, c->again);
	}
	return 0;
}

/* Begins the connection inside, by the ways that are left: 0 when one is under way, or there, with a server that is writable. */
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
			accepting_rest();
		if (!error)
			return 0;
	}
	return -ECONNREFUSED;
}

/* Both ends are connected. Most clients have said something, or will by the time that all others have had their turn. */
static void begin(struct connection *c)
{
	if (events_add(c->relay.ends[CLIENT].fd, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(c), CLIENT) < 0)
		connection_close(c, 1);
	else
		connection_relay(c);
	if (c->state != CONNECTION_RELAYS || c->relay.ends[SERVER].spoken)
		return;
	if (silent_count == SILENT)
		tell_services();
	silent[silent_count++] = connection_index(c);
}

/* One at a time: another one is told of again, and to ask in vain costs as much as to accept. */
void tcp_accept(uint32_t index)
{
	union socket_address name;
	struct connection *c;
	int fd = accepting_take(listener(index), &name);

	if (fd < 0)
		return;
	c = connection_new(fd);
	c->port = (uint16_t)index;
	if (address_from(&c->client, &name) < 0 || connect_inside(c) < 0)
		connection_close(c, 1);
	else if (c->relay.ends[SERVER].writable)
		begin(c);
}

/* The connection inside has come about, or not. */
static void connected(struct connection *c, uint32_t events)
{
	struct end *server = &c->relay.ends[SERVER];
	int error = 0;
	uint32_t len = sizeof(error);

	SYS5(__NR_getsockopt, server->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		io_close(&server->fd);
		c->other++;
		if (connect_inside(c) < 0)
			connection_close(c, 1);
		else if (server->writable)
			begin(c);
		return;
	}
	if (!(events & EPOLLOUT))
		return;
	server->writable = 1;
	server->readable = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0;
	begin(c);
}

void tcp_end_ready(uint32_t index, unsigned side, uint32_t events)
{
	struct connection *c = connection_at(index);

	if (c->state == CONNECTION_BEGINS)
		connected(c, events);
	else if (c->state == CONNECTION_RELAYS)
		connection_ready(c, side, events);
}

static void ask_again(struct connection *c)
{
	io_close(&c->relay.ends[SERVER].fd);
	c->tries++;
	c->again = 0;
	if (connect_inside(c) < 0)
		connection_close(c, 1);
	else if (c->relay.ends[SERVER].writable)
		begin(c);
}

static void ask_those_due(int64_t now)
{
	int left = AGAIN;

	again = -1;
	for (uint32_t i = 0; i < connections_end(); i++) {
		struct connection *c = connection_at(i);

		if (c->state != CONNECTION_BEGINS || !c->again)
			continue;
		if (c->again <= now && left-- > 0)
			ask_again(c); /* which says when it is asked the next time */
		else
			again = clock_earlier(again, c->again > now ? c->again : now + 1);
	}
}

void tcp_round(void)
{
	int64_t now;

	if (again >= 0 && (now = clock_monotonic()) >= again)
		ask_those_due(now);
	connections_round();
	accepting_round();
}

int64_t tcp_deadline(int64_t now)
{
	return clock_earlier(again, clock_earlier(connections_deadline(now), accepting_deadline()));
}

void tcp_drain(void)
{
	accepting_end();
	for (uint32_t i = 0; i < config->port_count; i++) {
		int fd = listener(i);

		io_close(&fd);
	}
	connections_drain();
}
