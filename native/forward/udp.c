/*
 * udp.c - see udp.h
 *
 * A client's datagrams go to the service from a socket that is bound to the client's own address and connected to the service; the
 * service's answers reach that socket (route.h), and go to the client from the very address of the host that it had sent to
 * (IP_PKTINFO): many clients take an answer from no other. Datagrams are taken and passed on in batches.
 */
#include "udp.h"
#include "address.h"
#include "events.h"
#include "flows.h"
#include "route.h"
#include "segments.h"

#include "../supervisor/io.h"

#include <linux/mman.h>

#define BATCH 16u
#define ROUNDS 4 /* batches in a row, before others have their turn */
#define DATAGRAM_MAX 65536u
#define FLOWS_MAX 8192u
#define CONTROL_MAX 128u /* IP_PKTINFO and IPV6_PKTINFO both come with IPv4 at an IPv6 socket */

/* struct in_pktinfo, struct in6_pktinfo (ip(7), ipv6(7)) */
struct pktinfo4 {
	uint32_t interface;
	uint8_t source[4], destination[4];
};

struct pktinfo6 {
	uint8_t address[16];
	uint32_t interface;
};

static const struct forward_config *config;
static unsigned char datagrams[BATCH][DATAGRAM_MAX] __attribute__((aligned(PAGE)));
static struct net_messages messages[BATCH];
static struct iovec parts[BATCH];
static union socket_address names[BATCH];
static unsigned char controls[BATCH][CONTROL_MAX] __attribute__((aligned(8)));

static void flow_ended(struct flow *f)
{
	if (config->mark && f->fd >= 0 && !flow_shares_source(f))
		route_remove(&f->source);
}

int udp_open(const struct forward_config *from, uint32_t descriptors)
{
	config = from;
	return flows_open(descriptors / 3 < FLOWS_MAX ? descriptors / 3 : FLOWS_MAX, flow_ended);
}

static int listener(uint32_t index)
{
	return FORWARD_FIRST_FD + (int)index;
}

int udp_listen(uint32_t index)
{
	int fd = listener(index);

	io_nonblocking(fd);
	net_set(fd, SOL_IP, IP_PKTINFO, 1);
	net_set(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1); /* refused by an IPv4 socket */
	return events_add(fd, EPOLLIN, EVENT_UDP_LISTENER, index, 0);
}

/* Takes what there is from FD: how many, or -errno. */
static int receive(int fd, int from_clients)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct net_message *m = &messages[i].message;

		parts[i] = (struct iovec){datagrams[i], DATAGRAM_MAX};
		*m = (struct net_message){.parts = &parts[i], .part_count = 1};
		if (!from_clients)
			continue;
		m->name = &names[i];
		m->name_len = sizeof(names[i]);
		m->control = controls[i];
		m->control_len = CONTROL_MAX;
	}
	return (int)SYS5(__NR_recvmmsg, fd, messages, BATCH, MSG_DONTWAIT, 0);
}

/* Sends parts[FIRST] to parts[END - 1] as M says; what the network has no room for is lost, as datagrams may be. */
static void send_batch(int fd, unsigned first, unsigned end, const struct net_message *m, uint8_t *one_by_one)
{
	int again = 0;

	while (first < end) {
		uint8_t before = *one_by_one;
		long n = segments_send(fd, parts + first, end - first, m, one_by_one);

		if (n > 0) {
			first += (unsigned)n;
			again = 0;
		} else if (before != *one_by_one) {
			continue;
		} else if (!again && n == -ECONNREFUSED) {
			again = 1; /* it told of an earlier datagram: this one is still to be sent */
		} else {
			first++;
			again = 0;
		}
	}
}

/* The address of the host that message I was sent to, and the interface it came by. */
static void find_local(unsigned i, struct address *local, uint32_t *interface)
{
	const struct net_message *m = &messages[i].message;
	union socket_address name;
	struct net_control c;

	memset(local, 0, sizeof(*local));
	*interface = 0;
	for (size_t at = 0; at + sizeof(c) <= m->control_len; at += (c.len + 7) & ~7ul) {
		const unsigned char *data = controls[i] + at + sizeof(c);

		memcpy(&c, controls[i] + at, sizeof(c));
		if (c.len < sizeof(c) || c.len > m->control_len - at)
			return;
		memset(&name, 0, sizeof(name));
		if (c.level == SOL_IP && c.type == IP_PKTINFO && c.len >= sizeof(c) + sizeof(struct pktinfo4)) {
			memcpy(local->ip, data + 4, 4);
			local->is6 = 0;
		} else if (c.level == SOL_IPV6 && c.type == IPV6_PKTINFO && c.len >= sizeof(c) + sizeof(struct pktinfo6)) {
			name.v6.sin6_family = AF_INET6;
			memcpy(&name.v6.sin6_addr, data, 16);
			memcpy(interface, data + 16, 4);
			address_from(local, &name);
			return;
		}
	}
}

/* A socket inside, by which F's datagrams go: 0 or -errno. */
static int open_inside(struct flow *f)
{
	union socket_address name;
	struct way way;
	uint32_t len;
	int fd, error;

	error = address_way(&way, config, &f->client, config->ports[f->port].container_port, f->other);
	if (error)
		return error;
	fd = (int)SYS3(__NR_socket, way.source.is6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	if (config->mark) {
		net_set(fd, SOL_SOCKET, SO_MARK, (int)config->mark);
		error = way.source.is6 ? net_set(fd, SOL_IPV6, IPV6_TRANSPARENT, 1) : net_set(fd, SOL_IP, IP_TRANSPARENT, 1);
		len = address_to(&name, &way.source);
		if (!error)
			error = (int)SYS3(__NR_bind, fd, &name, len);
		if (error == -EADDRINUSE || error == -EACCES) {
			way.source.port = 0;
			len = address_to(&name, &way.source);
			error = (int)SYS3(__NR_bind, fd, &name, len);
		}
	}
	len = address_to(&name, &way.container);
	if (!error)
		error = (int)SYS3(__NR_connect, fd, &name, len);
	if (!error)
		error = events_add(fd, EPOLLIN, EVENT_UDP_FLOW, flow_index(f), 0);
	if (error) {
		io_close(&fd);
		return error;
	}
	f->fd = fd;
	f->source = way.source;
	if (config->mark && !flow_shares_source(f))
		route_add(&f->source);
	return 0;
}

/* A new flow for message I; 0 if it cannot be had. */
static struct flow *new_flow(uint32_t port, unsigned i, const struct address *client, const struct address *local,
			     uint32_t interface, int64_t now)
{
	struct flow *f = flow_new((uint16_t)port, client, local, now);

	f->at_v6_socket = names[i].family == AF_INET6;
	f->interface = f->at_v6_socket && names[i].v6.sin6_scope_id ? interface : 0;
	if (open_inside(f) == 0)
		return f;
	flow_end(f);
	return 0;
}

/* Sends parts[FIRST] to parts[END - 1] to F's service: to a connected socket, without a name. */
static void to_service(struct flow *f, unsigned first, unsigned end)
{
	uint8_t control[SEGMENTS_CONTROL] __attribute__((aligned(8)));
	const struct net_message m = {.control = control};

	send_batch(f->fd, first, end, &m, &f->one_by_one[0]);
}

/* Passes on messages[0] to messages[N - 1]: neighbours of one flow are sent together. */
static void pass_in(uint32_t port, unsigned n, int64_t now)
{
	struct flow *current = 0;
	unsigned first = 0;

	for (unsigned i = 0; i < n; i++) {
		struct address client, local;
		uint32_t interface;
		struct flow *f;

		find_local(i, &local, &interface);
		f = address_from(&client, &names[i]) < 0 ? 0 : flow_find((uint16_t)port, &client, &local);
		if (!f || f != current) { /* before a new flow takes the place of the current one */
			if (current)
				to_service(current, first, i);
			first = i;
		}
		current = f ? f : new_flow(port, i, &client, &local, interface, now);
		if (current) {
			flow_touch(current, 0, now);
			parts[i].iov_len = messages[i].len; /* what was received is what is to be sent */
		}
	}
	if (current)
		to_service(current, first, n);
}

void udp_listener_ready(uint32_t index, int64_t now)
{
	for (int round = 0; round < ROUNDS; round++) {
		int n = receive(listener(index), 1);

		if (n > 0)
			pass_in(index, (unsigned)n, now);
		if (n < (int)BATCH)
			return;
	}
}

/* The control message that gives F's answers their source address, in controls[0]: its length. */
static size_t put_local(const struct flow *f)
{
	struct pktinfo4 info4 = {0};
	struct pktinfo6 info6 = {.interface = f->interface};
	union socket_address name;
	struct net_control c;

	if (f->at_v6_socket) {
		address_to_v6(&name, &f->local);
		memcpy(info6.address, &name.v6.sin6_addr, 16);
		c = (struct net_control){sizeof(c) + sizeof(info6), SOL_IPV6, IPV6_PKTINFO};
		memcpy(controls[0] + sizeof(c), &info6, sizeof(info6));
	} else {
		memcpy(info4.source, f->local.ip, 4);
		c = (struct net_control){sizeof(c) + sizeof(info4), SOL_IP, IP_PKTINFO};
		memcpy(controls[0] + sizeof(c), &info4, sizeof(info4));
	}
	memcpy(controls[0], &c, sizeof(c));
	return (c.len + 7) & ~7ul;
}

static void answer(struct flow *f, unsigned n)
{
	int is6 = f->at_v6_socket;
	size_t control = put_local(f);
	uint32_t len = is6 ? address_to_v6(&names[0], &f->client) : address_to(&names[0], &f->client);
	const struct net_message m = {.name = &names[0], .name_len = len, .control = controls[0], .control_len = control};

	if (is6)
		names[0].v6.sin6_scope_id = f->interface;
	for (unsigned i = 0; i < n; i++)
		parts[i].iov_len = messages[i].len;
	send_batch(listener(f->port), 0, n, &m, &f->one_by_one[1]);
}

/* Nobody listens there. The next datagram goes by the other way; when there is none, it begins anew. */
static void refused(struct flow *f)
{
	if (f->replied)
		return;
	flow_ended(f);
	io_close(&f->fd);
	f->other = 1;
	if (open_inside(f) < 0)
		flow_end(f);
}

void udp_flow_ready(uint32_t index, int64_t now)
{
	struct flow *f = flow_at(index);

	if (f->fd < 0) /* it has ended in this very round */
		return;
	for (int round = 0; round < ROUNDS; round++) {
		int n = receive(f->fd, 0);

		if (n == -ECONNREFUSED) {
			refused(f);
			return;
		}
		if (n > 0) {
			flow_touch(f, 1, now);
			answer(f, (unsigned)n);
		}
		if (n < (int)BATCH)
			return;
	}
}

void udp_trim(void)
{
	SYS3(__NR_madvise, datagrams, sizeof(datagrams), MADV_DONTNEED);
	flows_trim();
}
