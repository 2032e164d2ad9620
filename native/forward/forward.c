/*
 * forward.c - publishes a container's ports: takes connections and datagrams in the host's network namespace and passes them on to the
 * container, which sees the clients' own addresses.
 *
 * How one process stands in two network namespaces: a socket stays in the namespace that it was made in. The supervisor makes the listening
 * sockets, in the host's; the forwarder is its child, and entered the container's before it was executed (one cannot come back from
 * there, nor need to). What it accepts is the host's, what it makes is the container's.
 *
 *     client ──► listening socket │ accept            socket, IP_TRANSPARENT ──► the container's address ──► service
 *                of the host      │ splice both ways  bound to the client's address
 *
 * It is made to be small: static, no libc, no allocation but two mappings for its tables, one thread, one epoll set. It lives as long as its
 * container: the supervisor's death kills it (PR_SET_PDEATHSIG), the container's end brings SIGTERM; then what the container had sent
 * before it ended is still delivered, for a moment. It looks at no byte of what it passes on.
 *
 *   config.h         what it is given               tcp.c  accepting.c  connections.c  relay.c  pipes.c    connections
 *   begin.c          how it begins                  udp.c  flows.c  route.c  segments.c                    datagrams
 *   lock.c           what it gives up               events.c  patience.c                                   what it waits for
 *   address.c        who a client is inside         places.c                                               the tables of both
 *   tcp-inside.c     and a socket that is bound to it
 */
#include "forward.h"
#include "begin.h"
#include "connections.h"
#include "events.h"
#include "flows.h"
#include "lock.h"
#include "pipes.h"
#include "route.h"
#include "tcp.h"
#include "udp.h"

#include "../supervisor/clock.h"
#include "../supervisor/io.h"
#include "../supervisor/signals.h"
#include "../supervisor/text.h"

#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/signalfd.h>

#define DRAIN 150      /* ms for the last bytes: less than the supervisor's patience before SIGKILL */
#define PIPES 2	       /* that it has of its own: one for each direction of a stream */
#define TRIM_AFTER 1000 /* ms without events after which memory is given back */

static struct forward_config *config;
static int64_t drain_until = -1;

static int config_ok(uint32_t size)
{
	if (size < sizeof(*config) || config->magic != FORWARD_MAGIC || config->size != size)
		return 0;
	if (config->port_count > FORWARD_PORTS_MAX || config->port_count != (size - sizeof(*config)) / sizeof(struct forward_port))
		return 0;
	return config->families[0].prefix <= 32 && config->families[1].prefix <= 128;
}

/*
 * Maps the memory file FD: 0 or -errno. It stays open, so that the addresses in it can be changed while the container runs, when its
 * networks are (src/engine/retarget-ports.ts).
 */
static int load_config(int fd)
{
	long size = SYS3(__NR_lseek, fd, 0, 2 /* SEEK_END */), at;

	if (size <= 0 || size > (1 << 20))
		return size < 0 ? (int)size : -EINVAL;
	at = SYS6(__NR_mmap, 0, size, PROT_READ, MAP_SHARED, fd, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	config = (struct forward_config *)at;
	return config_ok((uint32_t)size) ? 0 : -EINVAL;
}

/* SIGTERM is waited for like everything else. */
static int open_signals(void)
{
	uint64_t mask = 1ul << (SIGTERM - 1);

	signals_ignore(SIGPIPE);
	SYS4(__NR_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
	return (int)SYS4(__NR_signalfd4, -1, &mask, sizeof(mask), SFD_CLOEXEC | SFD_NONBLOCK);
}

static int has(enum forward_protocol protocol)
{
	for (uint32_t i = 0; i < config->port_count; i++)
		if (config->ports[i].protocol == protocol)
			return 1;
	return 0;
}

static int listen_all(void)
{
	int error = 0;

	for (uint32_t i = 0; i < config->port_count && !error; i++)
		error = config->ports[i].protocol == FORWARD_TCP ? tcp_listen(i) : udp_listen(i);
	return error;
}

static int open_all(void)
{
	uint32_t descriptors = begin_descriptors(config->port_count + 32);
	int error = 0;

	events_open(has(FORWARD_TCP) ? tcp_before_sleep : 0);
	if (has(FORWARD_TCP))
		error = tcp_open(config, descriptors);
	if (!error && has(FORWARD_UDP)) {
		route_open(config);
		error = udp_open(config, descriptors);
	}
	return error ? error : listen_all();
}

static void act(const struct epoll_event *e, int64_t now)
{
	switch (event_kind(e)) {
	case EVENT_SIGNAL:
		if (drain_until < 0) {
			drain_until = now + DRAIN;
			tcp_drain();
		}
		break;
	case EVENT_TCP_LISTENER:
		tcp_accept(event_index(e));
		break;
	case EVENT_TCP_END:
		tcp_end_ready(event_index(e), event_side(e), e->events);
		break;
	case EVENT_UDP_LISTENER:
		if (drain_until < 0)
			udp_listener_ready(event_index(e), now);
		break;
	case EVENT_UDP_FLOW:
		if (drain_until < 0)
			udp_flow_ready(event_index(e), now);
		break;
	default:
		break;
	}
}

static void trim(void)
{
	connections_trim();
	udp_trim();
}

static void serve(void)
{
	int64_t now = clock_monotonic(), busy_at = -1;

	while (drain_until < 0 || (connections_count() && now < drain_until)) {
		struct epoll_event events[EVENTS_MAX];
		int64_t deadline = clock_earlier(clock_earlier(tcp_deadline(now), flows_expire(now)), drain_until);
		int n = events_wait(events, clock_earlier(deadline, busy_at < 0 ? -1 : busy_at + TRIM_AFTER), &now);

		for (int i = 0; i < n; i++)
			act(&events[i], now);
		tcp_round();
		if (n) {
			busy_at = now;
		} else if (busy_at >= 0 && now - busy_at >= TRIM_AFTER) {
			busy_at = -1;
			trim();
		}
	}
}

int forward_main(int argc, char **argv)
{
	int error, ready, signals;

	if (argc < 3)
		return 2;
	error = load_config((int)text_to_number(argv[1]));
	if (error)
		return begin_failed(FORWARD_NAME, "its config", error);
	ready = (int)text_to_number(argv[2]);
	SYS5(__NR_prctl, PR_SET_NAME, FORWARD_NAME, 0, 0, 0);
	signals = open_signals();
	if (has(FORWARD_TCP))
		pipes_reserve(PIPES);
	error = open_all();
	if (!error)
		error = events_add(signals, EPOLLIN, EVENT_SIGNAL, 0, 0);
	if (error)
		return begin_failed(FORWARD_NAME, "listen", error);
	error = lock_in(LOCK_PUBLISHED);
	if (error)
		return begin_failed(FORWARD_NAME, "lock itself in", error);
	if (io_write(ready, "1", 1) != 1)
		return 1;
	io_close(&ready);
	serve();
	return 0;
}
