/*
 * outward-udp.c - see outward-udp.h
 *
 *     container ──UDP──► bridge │ queue: read, and dropped there ──► socket of the host ──► target
 *                               │ raw socket ◄── a packet from the target's address is written ◄── answer
 *
 * Each client, an address and port on a bridge, has a flow with a socket of its own in the host's network namespace, and with it one port there
 * for all targets, at which others than these reach it too (RFC 4787, endpoint-independent mapping and filtering), as slirp4netns has it: so two
 * clients behind address translation find each other. What the host says of a target (nobody listens there, no way leads there) is told to the
 * client as "port unreachable", the one thing that a program with a UDP socket hears of.
 *
 * Datagrams are read, dropped and sent in batches; those of one size to one target are sent as one (segments.h).
 *
 * Answers leave by the bridge that the flow's first datagram came by, and so a container that takes an address of another network's sends
 * nothing there.
 */
#include "outward-udp.h"
#include "datagram.h"
#include "events.h"
#include "flows.h"
#include "queue.h"
#include "segments.h"

#include "../supervisor/io.h"

#include <linux/in.h>
#include <linux/mman.h>

#define ROUNDS 4	/* batches in a row, before others have their turn */
#define FLOWS_MAX 4096u /* the one that was quiet longest makes room */
#define BATCH 16u	/* answers */
#define ROOM ((DATAGRAM_HEADERS + DATAGRAM_DATA_MAX + PAGE - 1) / PAGE * PAGE)
#define ERRORS_MAX 64	/* that are taken in a row */
#define QUEUED (1 << 20) /* bytes that may wait for us */

/* Whole pages, as what is behind it is not to be forgotten with it. */
static uint8_t room[BATCH][ROOM] __attribute__((aligned(PAGE)));
static struct net_messages messages[QUEUE_BATCH];
static struct iovec parts[QUEUE_BATCH];
static union socket_address names[BATCH];
static int queue, raw[2]; /* of IPv4 and IPv6; -1: it is not there */
static uint32_t fragment_id;

/* struct in_pktinfo, struct in6_pktinfo (ip(7), ipv6(7)) in a control message */
struct leave_by {
	struct net_control header;
	union {
		struct {
			uint32_t interface;
			uint8_t any[8];
		} v4;
		struct {
			uint8_t any[16];
			uint32_t interface, pad;
		} v6;
	};
};

static void flow_ended(struct flow *f)
{
	(void)f;
}

int outward_udp_open(int from, int raw4, int raw6, uint32_t descriptors)
{
	int error = flows_open(descriptors < FLOWS_MAX ? descriptors : FLOWS_MAX, flow_ended);

	queue = from;
	raw[0] = raw4;
	raw[1] = raw6;
	net_set(queue, SOL_SOCKET, SO_RCVBUF, QUEUED);
	return error ? error : events_add(queue, EPOLLIN, EVENT_DATAGRAMS, 0, 0);
}

static struct leave_by leave_by(const struct flow *f)
{
	if (f->client.is6)
		return (struct leave_by){{sizeof(struct net_control) + 20, SOL_IPV6, IPV6_PKTINFO}, .v6 = {.interface = f->interface}};
	return (struct leave_by){{sizeof(struct net_control) + 12, SOL_IP, IP_PKTINFO}, .v4 = {.interface = f->interface}};
}

/* Sends parts[0] to parts[N - 1], whole packets, to F's client: how many, or -errno. */
static long send_back(const struct flow *f, unsigned n)
{
	struct leave_by control = leave_by(f);
	struct address client = f->client;
	union socket_address name;
	uint32_t len;

	client.port = 0; /* of a raw socket it would be a protocol */
	len = address_to(&name, &client);
	for (unsigned i = 0; i < n; i++)
		messages[i].message = (struct net_message){&name, len, &parts[i], 1, &control, f->client.is6 ? sizeof(control) : 32, 0};
	return SYS4(__NR_sendmmsg, raw[f->client.is6], messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_fragments(const struct flow *f, const struct packet *p)
{
	uint8_t fragment[DATAGRAM_FRAGMENT];
	size_t size, offset = 0;

	fragment_id++;
	while ((size = datagram_fragment(fragment, p, &offset, fragment_id))) {
		parts[0] = (struct iovec){fragment, size};
		if (send_back(f, 1) < 0)
			return;
	}
}

/* Sends COUNT packets; what is longer than the bridge's MTU in fragments, and what there is no room for is lost. */
static void send_all(const struct flow *f, const struct packet *packets, unsigned count)
{
	for (unsigned first = 0; first < count;) {
		long n;

		for (unsigned i = first; i < count; i++)
			parts[i - first] = (struct iovec){packets[i].at, packets[i].length};
		n = send_back(f, count - first);
		if (n == -EMSGSIZE)
			send_fragments(f, &packets[first]);
		first += n > 0 ? (unsigned)n : 1;
	}
}

static void refuse(const struct flow *f, const struct address *target)
{
	uint8_t bytes[DATAGRAM_REFUSAL_MAX];
	struct packet p = datagram_refuse(bytes, &f->client, target);

	send_all(f, &p, 1);
}

/* Does it say that there will be room a moment later? Then the datagram is lost, as datagrams may be. */
static int is_short_of_room(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -EAGAIN;
}

static int leads_nowhere(int error)
{
	return error == -ECONNREFUSED || error == -EHOSTUNREACH || error == -ENETUNREACH || error == -EACCES;
}

/* A socket that sends to all, is told what becomes of it (IP_RECVERR, ip(7)), and leaves it to the kernel to cut what is too long for the way. */
static int open_socket(int is6)
{
	int fd = (int)SYS3(__NR_socket, is6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (is6)
		net_set(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	net_set(fd, is6 ? SOL_IPV6 : SOL_IP, is6 ? IPV6_RECVERR : IP_RECVERR, 1);
	net_set(fd, is6 ? SOL_IPV6 : SOL_IP, is6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, 0 /* IP_PMTUDISC_DONT */);
	return fd;
}

/* The target of no flow's key: a flow is for all of them. */
static struct address any_target(const struct address *client)
{
	return (struct address){.is6 = client->is6};
}

/* A flow of D's client; 0 and ERROR if it cannot be had. */
static struct flow *new_flow(const struct datagram *d, int64_t now, int *error)
{
	struct address any = any_target(&d->client);
	struct flow *f = flow_new(0, &d->client, &any, now);

	f->interface = d->interface;
	f->fd = open_socket(d->client.is6);
	*error = f->fd < 0 ? f->fd : events_add(f->fd, EPOLLIN, EVENT_UDP_FLOW, flow_index(f), 0);
	if (!*error)
		return f;
	flow_end(f);
	return 0;
}

/* What has come of earlier datagrams: the client is told of those that were refused. How many there were to be read. */
static int take_errors(const struct flow *f)
{
	int count = 0;

	for (; count < ERRORS_MAX; count++) {
		union socket_address name = {0};
		struct {
			struct net_control header;
			struct net_error error;
			uint8_t rest[96];
		} control;
		struct net_messages m = {.message = {.name = &name, .name_len = sizeof(name), .control = &control, .control_len = sizeof(control)}};
		struct address target;

		if (SYS5(__NR_recvmmsg, f->fd, &m, 1, MSG_DONTWAIT | MSG_ERRQUEUE, 0) != 1)
			break;
		if (m.message.control_len < sizeof(control.header) + sizeof(control.error) || address_from(&target, &name) < 0)
			continue;
		if (target.is6 != f->client.is6 || !leads_nowhere(-(int)control.error.number))
			continue;
		if (control.error.origin == NET_ERROR_ICMP || control.error.origin == NET_ERROR_ICMP6)
			refuse(f, &target);
	}
	return count;
}

/* Sends the first of the N datagrams at D, to one target: how many went, or -errno. */
static long send_some(struct flow *f, const struct datagram *d, unsigned n)
{
	uint8_t control[SEGMENTS_CONTROL] __attribute__((aligned(8)));
	union socket_address name;
	struct net_message m = {.name = &name, .control = control};

	m.name_len = address_to(&name, &d->target);
	for (unsigned i = 0; i < n; i++)
		parts[i] = (struct iovec){(void *)d[i].data, d[i].size};
	return segments_send(f->fd, parts, n, &m, &f->one_by_one[0]);
}

static void refuse_queued(const struct datagram *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		queue_decide(queue, QUEUE_OF_DATAGRAMS, d[i].packet, VERDICT_REFUSED);
}

/* Sends the N datagrams at D, to one target; one that no way leads for is refused, what there is no room for is lost. */
static void send_on(struct flow *f, const struct datagram *d, unsigned n)
{
	int again = 0;

	while (n) {
		uint8_t one_by_one = f->one_by_one[0];
		long sent = send_some(f, d, n);

		if (sent < 0 && (one_by_one != f->one_by_one[0] || (!again && take_errors(f)))) {
			again = 1; /* it told of earlier ones: these are still to be sent */
			continue;
		}
		if (sent < 0 && leads_nowhere((int)sent))
			refuse_queued(d, 1);
		sent = sent > 0 ? sent : 1;
		d += sent;
		n -= (unsigned)sent;
		again = 0;
	}
}

/* The N datagrams at D, of one client to one target. What is not refused is dropped by the caller. */
static void pass_out(const struct datagram *d, unsigned n, int64_t now)
{
	struct address any = any_target(&d->client);
	struct flow *f = flow_find(0, &d->client, &any);
	int error = address_is_outside(&d->target) ? 0 : -ENETUNREACH;

	if (f && f->interface != d->interface)
		return;
	if (!f && !error)
		f = new_flow(d, now, &error);
	if (error) {
		if (!is_short_of_room(error))
			refuse_queued(d, n);
		return;
	}
	flow_touch(f, 0, now);
	send_on(f, d, n);
}

static int same_way(const struct datagram *a, const struct datagram *b)
{
	return a->interface == b->interface && address_equal(&a->client, &b->client) && address_equal(&a->target, &b->target);
}

void outward_udp_queue_ready(int64_t now)
{
	static struct datagram datagrams[QUEUE_BATCH];

	for (int round = 0; round < ROUNDS; round++) {
		unsigned n = queue_next_datagrams(queue, datagrams), first = 0;

		if (!n)
			return;
		for (unsigned i = 1; i <= n; i++) {
			if (i < n && same_way(&datagrams[first], &datagrams[i]))
				continue;
			pass_out(&datagrams[first], i - first, now);
			first = i;
		}
		queue_drop_until(queue, QUEUE_OF_DATAGRAMS, datagrams[n - 1].packet);
		if (n < QUEUE_BATCH)
			return;
	}
}

/* What waits at F's socket, behind the room for headers: how many, or -errno. */
static long receive(const struct flow *f)
{
	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){room[i] + DATAGRAM_HEADERS, DATAGRAM_DATA_MAX};
		messages[i].message = (struct net_message){.name = &names[i], .name_len = sizeof(names[i]), .parts = &parts[i], .part_count = 1};
	}
	return SYS5(__NR_recvmmsg, f->fd, messages, BATCH, MSG_DONTWAIT, 0);
}

/* Who answers from an address that means something else inside, as programs of the host could, is not heard. */
static void answer(const struct flow *f, unsigned n)
{
	struct packet packets[BATCH];
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		struct address from;

		if (address_from(&from, &names[i]) == 0 && from.is6 == f->client.is6 && address_is_outside(&from))
			packets[count++] = datagram_write(room[i], messages[i].len, &from, &f->client);
	}
	send_all(f, packets, count);
}

void outward_udp_flow_ready(uint32_t index, uint32_t events, int64_t now)
{
	struct flow *f = flow_at(index);

	if (f->fd < 0) /* it has ended in this very round */
		return;
	if (events & EPOLLERR)
		take_errors(f);
	for (int round = 0; round < ROUNDS; round++) {
		long n = receive(f);

		if (n <= 0)
			return;
		flow_touch(f, 1, now);
		answer(f, (unsigned)n);
		if (n < (long)BATCH)
			return;
	}
}

void outward_udp_trim(void)
{
	SYS3(__NR_madvise, room, sizeof(room), MADV_DONTNEED);
	queue_trim();
	flows_trim();
}
