/*
 * outward.c - connections of containers on bridges to the outside, without a TCP/IP stack of our own.
 *
 * slirp4netns is a whole stack in one process: each byte is copied into it and out of it, packet by packet. Connections of TCP do not need
 * that. The kernel of the bridges' network namespace takes them, whatever their target is, and here they are made again in the
 * host's network namespace, as published ports are the other way round, and passed on by splice(2).
 *
 *     container ──SYN──► bridge │ queue: this packet waits          socket of the host ──connect──► target
 *                               │ target answers ◄──────────────────────┘
 *                               │ verdict: let it pass ──► redirected to the listening socket, splice both ways
 *                               │      or: refused ──► RST    or: no way ──► ICMP host unreachable
 *
 * So a client is told what the target says: it is not connected before the target is, and a port where nobody listens is refused. Datagrams go by
 * outward-udp.c. All else of IPv4, which is ICMP, goes through slirp4netns; and so does all of it where the kernel has not what this takes
 * (src/network/outward/probe.ts).
 *
 * It stands in the host's network namespace; its listening socket and its queues are of the bridges', made by the hub. What a container must not
 * reach is never connected to: what this namespace itself is by any address that means "here". It ends with the hub (PR_SET_PDEATHSIG)
 * and with slirp4netns, which ends with it: each holds an end of one pipe; the hub starts both again.
 */
#include "outward.h"
#include "accepting.h"
#include "attempts.h"
#include "begin.h"
#include "connections.h"
#include "events.h"
#include "flows.h"
#include "lock.h"
#include "near.h"
#include "outward-udp.h"
#include "pipes.h"
#include "queue.h"

#include "../supervisor/clock.h"
#include "../supervisor/io.h"
#include "../supervisor/signals.h"
#include "../supervisor/text.h"

#include <asm/signal.h>
#include <linux/prctl.h>

#define ATTEMPTS_MAX 8192u
#define TURN 64		     /* requests, or accepted connections, in a row */
#define ANSWER_WITHIN 130000 /* ms for the target: a client's kernel gives up after two minutes */
#define TAKEN_WITHIN 20000   /* ms for a client to answer, once it was let through */
#define TRIM_AFTER 1000	     /* ms without events after which memory is given back */

static int queue, listener;

static void decide(struct attempt *a, enum verdict verdict)
{
	if (a->packet != NO_PACKET)
		queue_decide(queue, QUEUE_OF_REQUESTS, a->packet, verdict);
	a->packet = NO_PACKET;
}

/* What a client is told when its connection failed with ERROR. */
static enum verdict verdict_of(int error)
{
	switch (error) {
	case -ECONNREFUSED:
	case -ECONNRESET:
		return VERDICT_REFUSED;
	case -EMFILE:
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM:
	case -EADDRNOTAVAIL: /* no port is free: a moment later one may be */
	case -EAGAIN:
		return VERDICT_DROP;
	}
	return VERDICT_UNREACHABLE;
}

static void end(struct attempt *a, enum verdict verdict)
{
	int fd = a->fd;

	decide(a, verdict);
	attempt_end(a);
	io_close(&fd);
}

static void give_up(struct attempt *a)
{
	end(a, VERDICT_DROP);
}

/* Begins a connection to TARGET: its socket or -errno. */
static int call_target(const struct address *target)
{
	union socket_address name;
	uint32_t len = address_to(&name, target);
	int fd = (int)SYS3(__NR_socket, target->is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	long ret;

	if (fd < 0)
		return fd;
	net_set(fd, SOL_TCP, TCP_NODELAY, 1);
	net_keep_alive(fd);
	ret = SYS3(__NR_connect, fd, &name, len);
	if (ret == 0 || ret == -EINPROGRESS)
		return fd;
	io_close(&fd);
	return (int)ret;
}

static void begin_attempt(const struct request *r)
{
	struct attempt *a;
	int fd;

	if (connections_full()) { /* it is asked for again, in a second, by the client's kernel */
		queue_decide(queue, QUEUE_OF_REQUESTS, r->packet, VERDICT_DROP);
		return;
	}
	fd = call_target(&r->target);
	if (fd < 0) {
		queue_decide(queue, QUEUE_OF_REQUESTS, r->packet, verdict_of(fd));
		return;
	}
	a = attempt_new(fd, &r->client, &r->target);
	if (!a) {
		queue_decide(queue, QUEUE_OF_REQUESTS, r->packet, VERDICT_DROP);
		io_close(&fd);
		return;
	}
	a->packet = r->packet;
	a->until = clock_monotonic() + ANSWER_WITHIN;
	if (events_add(fd, CONNECTING_EVENTS, EVENT_ATTEMPT, attempt_index(a), 0) < 0)
		end(a, VERDICT_DROP);
}

static void take_request(const struct request *r)
{
	struct attempt *a = attempt_find(&r->client, &r->target);

	if (!a && address_is_outside(&r->target)) {
		begin_attempt(r);
	} else if (!a) {
		queue_decide(queue, QUEUE_OF_REQUESTS, r->packet, VERDICT_UNREACHABLE);
	} else if (a->connected) { /* sent again: what was answered to it is lost */
		queue_decide(queue, QUEUE_OF_REQUESTS, r->packet, VERDICT_LET);
	} else { /* sent again, while the target has not answered: one is enough */
		decide(a, VERDICT_DROP);
		a->packet = r->packet;
	}
}

static void take_requests(void)
{
	struct request r;

	for (int i = 0; i < TURN && queue_next(queue, &r); i++)
		take_request(&r);
}

/* The target has answered, or not; or the event was meant for one that had this place before, in this very round. */
static void attempt_ready(uint32_t index)
{
	struct attempt *a = attempt_at(index);
	union socket_address name;
	uint32_t error_len = sizeof(int), name_len = sizeof(name);
	int error = 0;

	if (a->fd < 0 || a->connected) /* what came since is seen when the client is there */
		return;
	SYS5(__NR_getsockopt, a->fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
	if (error) {
		end(a, verdict_of(-error));
	} else if (SYS3(__NR_getpeername, a->fd, &name, &name_len) == 0) {
		a->connected = 1;
		a->until = clock_monotonic() + TAKEN_WITHIN;
		decide(a, VERDICT_LET);
	}
}

/*
 * The attempt of a client that was accepted. Its port may be another than that of its request: a client may call two targets from one port, which
 * would be the same connection here once both are redirected, and the kernel changes the second one's port. Then any connected attempt of that
 * client to that target will do: no byte has passed through either.
 */
static struct attempt *attempt_of(const struct address *client, const struct address *target)
{
	struct attempt *a = attempt_find(client, target);

	return a && a->connected ? a : attempt_find_connected(client, target);
}

/* Joins the client's socket FD and the target's, which waits in an attempt. 0, or -1. */
static int join(int fd, const union socket_address *from)
{
	union socket_address to;
	uint32_t len = sizeof(to);
	struct address client, target;
	struct connection *c;
	struct attempt *a;
	int server;

	if (address_from(&client, from) < 0)
		return -1;
	if (SYS5(__NR_getsockopt, fd, client.is6 ? SOL_IPV6 : SOL_IP, SO_ORIGINAL_DST, &to, &len) < 0 || address_from(&target, &to) < 0)
		return -1;
	a = attempt_of(&client, &target);
	if (!a)
		return -1;
	server = a->fd;
	attempt_end(a);
	c = connection_new(fd);
	if (!c) {
		io_close(&server);
		return -1;
	}
	c->client = client;
	c->relay.ends[CLIENT].settled = 1; /* as its listening socket was */
	c->relay.ends[SERVER] = (struct end){.fd = server, .pipe = NO_PIPE, .readable = 1, .writable = 1};
	if (events_move(server, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(c), SERVER) < 0 ||
	    events_add(fd, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(c), CLIENT) < 0)
		connection_close(c, 1);
	else
		connection_relay(c);
	return 0;
}

/* One at a time: another one is told of again, and to ask in vain costs as much as to accept. */
static void accept_one(void)
{
	static const int linger[2] = {1, 0};
	union socket_address name;
	int fd = accepting_take(listener, &name);

	if (fd >= 0 && join(fd, &name) < 0) {
		SYS5(__NR_setsockopt, fd, SOL_SOCKET, SO_LINGER, linger, sizeof(linger));
		io_close(&fd);
	}
}

static void act(const struct epoll_event *e)
{
	struct connection *c;

	switch (event_kind(e)) {
	case EVENT_QUEUE:
		take_requests();
		break;
	case EVENT_DATAGRAMS:
		outward_udp_queue_ready(clock_monotonic());
		break;
	case EVENT_UDP_FLOW:
		outward_udp_flow_ready(event_index(e), e->events, clock_monotonic());
		break;
	case EVENT_TCP_LISTENER:
		accept_one();
		break;
	case EVENT_ATTEMPT:
		attempt_ready(event_index(e));
		break;
	case EVENT_TCP_END:
		c = connection_at(event_index(e));
		if (c->state == CONNECTION_RELAYS)
			connection_ready(c, event_side(e), e->events);
		break;
	default:
		break;
	}
}

/* Until slirp4netns has ended. */
static void serve(void)
{
	int64_t now = clock_monotonic(), busy_at = -1;

	for (;;) {
		struct epoll_event events[EVENTS_MAX];
		int64_t rest = clock_earlier(accepting_deadline(), attempts_expire(now, give_up));
		int64_t deadline = clock_earlier(clock_earlier(connections_deadline(now), rest), flows_expire(now));
		int n = events_wait(events, busy_at >= 0 ? clock_earlier(deadline, busy_at + TRIM_AFTER) : deadline, &now);

		for (int i = 0; i < n; i++) {
			if (event_kind(&events[i]) == EVENT_LIFELINE) {
				attempts_each(INT64_MAX, give_up); /* their requests wait in the kernel's queue, which the hub keeps */
				return;
			}
			act(&events[i]);
		}
		connections_round();
		accepting_round();
		if (n) {
			busy_at = now;
		} else if (busy_at >= 0 && now - busy_at >= TRIM_AFTER) {
			busy_at = -1;
			connections_trim();
			outward_udp_trim();
		}
	}
}

static void listen_for(uint32_t events)
{
	events_move(listener, events, EVENT_TCP_LISTENER, 0, 0);
}

/* RAW6: -1 when there is no IPv6. */
static int open_all(int lifeline, int datagrams, int raw4, int raw6)
{
	uint32_t descriptors = begin_descriptors(32 + 2 * PIPES_RESERVED), attempts = descriptors / 4 < ATTEMPTS_MAX ? descriptors / 4 : ATTEMPTS_MAX;
	uint32_t flows = descriptors / 8;
	int error = attempts_open(attempts);

	if (!error)
		error = connections_open(descriptors - attempts - flows);
	events_open(0);
	accepting_open(listen_for);
	io_nonblocking(listener);
	net_set(listener, SOL_TCP, TCP_NODELAY, 1);
	net_keep_alive(listener);
	near_settle(listener); /* all who call here are containers of this machine */
	if (!error)
		error = events_add(lifeline, 0, EVENT_LIFELINE, 0, 0);
	if (!error)
		error = events_add(queue, EPOLLIN, EVENT_QUEUE, 0, 0);
	if (!error)
		error = events_add(listener, EPOLLIN, EVENT_TCP_LISTENER, 0, 0);
	if (!error)
		error = outward_udp_open(datagrams, raw4, raw6, flows);
	return error;
}

int outward_main(int argc, char **argv)
{
	int error, ready;

	if (argc < 7)
		return 2;
	ready = (int)text_to_number(argv[1]);
	queue = (int)text_to_number(argv[3]);
	listener = (int)text_to_number(argv[4]);
	SYS5(__NR_prctl, PR_SET_NAME, OUTWARD_NAME, 0, 0, 0);
	signals_ignore(SIGPIPE);
	pipes_reserve(PIPES_RESERVED);
	error = open_all((int)text_to_number(argv[2]), (int)text_to_number(argv[5]), (int)text_to_number(argv[6]),
			 argc > 7 ? (int)text_to_number(argv[7]) : -1);
	if (error)
		return begin_failed(OUTWARD_NAME, "begin", error);
	error = lock_in(LOCK_OUTWARD);
	if (error)
		return begin_failed(OUTWARD_NAME, "lock itself in", error);
	if (io_write(ready, "1", 1) != 1)
		return 1;
	io_close(&ready);
	serve();
	return 0;
}
