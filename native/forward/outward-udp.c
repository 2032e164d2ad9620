/*
 * outward-udp.c - see outward-udp.h
 *
 *     container ──UDP──► bridge │ queue: read, and dropped there ──► socket of the host, connected to the target
 *                               │ raw socket ◄── a packet from the target's address is written ◄── answer
 *
 * Each client at each target has a flow, with a socket of its own in the host's network namespace. What the host says of a target (nobody
 * listens there, no way leads there) is told to the client as "port unreachable", the one thing that a program with a UDP socket hears of.
 *
 * Answers leave by the bridge that the flow's first datagram came by, and so a container that takes an address of another network's sends
 * nothing there.
 */
#include "outward-udp.h"
#include "datagram.h"
#include "events.h"
#include "flows.h"

#include "../supervisor/io.h"

#include <linux/in.h>
#include <linux/mman.h>

#define TURN 64		/* datagrams in a row, before others have their turn */
#define FLOWS_MAX 4096u /* the one that was quiet longest makes room */

static int queue, raw;
/* Whole pages, as what is behind it is not to be forgotten with it. */
static uint8_t packet[(DATAGRAM_HEADERS + DATAGRAM_DATA_MAX + PAGE - 1) / PAGE * PAGE] __attribute__((aligned(PAGE)));
static uint32_t fragment_id;

/* struct in6_pktinfo (ipv6(7)) in a control message */
struct leave_by {
	struct net_control header;
	uint8_t any_address[16];
	uint32_t interface, pad;
};

static void flow_ended(struct flow *f)
{
	(void)f;
}

int outward_udp_open(int from, int back, uint32_t descriptors)
{
	int error = flows_open(descriptors < FLOWS_MAX ? descriptors : FLOWS_MAX, flow_ended);

	queue = from;
	raw = back;
	return error ? error : events_add(queue, EPOLLIN, EVENT_DATAGRAMS, 0, 0);
}

/* Sends SIZE bytes at AT, a whole packet, to F's client: 0 or -errno. */
static int send_back(const struct flow *f, void *at, size_t size)
{
	struct leave_by control = {{sizeof(struct net_control) + 20, SOL_IPV6, IPV6_PKTINFO}, {0}, f->interface, 0};
	struct iovec part = {at, size};
	struct address client = f->client;
	union socket_address name;
	struct net_messages m = {0};
	long n;

	client.port = 0; /* of a raw socket it would be a protocol */
	m.message.name_len = address_to(&name, &client);
	m.message.name = &name;
	m.message.parts = &part;
	m.message.part_count = 1;
	m.message.control = &control;
	m.message.control_len = sizeof(control);
	n = SYS4(__NR_sendmmsg, raw, &m, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? (int)n : 0;
}

static void send_fragments(const struct flow *f, size_t length)
{
	uint8_t fragment[DATAGRAM_FRAGMENT];
	size_t size, offset = 0;

	fragment_id++;
	while ((size = datagram_fragment(fragment, packet, length, &offset, fragment_id)))
		if (send_back(f, fragment, size) < 0)
			return;
}

static void answer(const struct flow *f, size_t size)
{
	datagram_write(packet, size, &f->local, &f->client);
	if (send_back(f, packet, DATAGRAM_HEADERS + size) == -EMSGSIZE)
		send_fragments(f, DATAGRAM_HEADERS + size);
}

static void refuse(const struct flow *f)
{
	datagram_refuse(packet, &f->client, &f->local);
	send_back(f, packet, DATAGRAM_REFUSAL);
}

/* Does it say that there will be room a moment later? Then the datagram is lost, as datagrams may be. */
static int is_short_of_room(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -EAGAIN;
}

/* A flow of D; 0 and ERROR if it cannot be had. */
static struct flow *new_flow(const struct datagram *d, int64_t now, int *error)
{
	struct flow *f = flow_new(0, &d->client, &d->target, now);
	union socket_address name;
	uint32_t len = address_to(&name, &d->target);

	f->interface = d->interface;
	f->fd = (int)SYS3(__NR_socket, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*error = f->fd < 0 ? f->fd : (int)SYS3(__NR_connect, f->fd, &name, len);
	if (!*error)
		*error = events_add(f->fd, EPOLLIN, EVENT_UDP_FLOW, flow_index(f), 0);
	if (!*error)
		return f;
	flow_end(f);
	return 0;
}

/* What becomes of D's packet, of which nothing is needed any more. */
static enum verdict pass_out(const struct datagram *d, int64_t now)
{
	struct flow *f = flow_find(0, &d->client, &d->target);
	int error = address_is_outside(&d->target) ? 0 : -ENETUNREACH;

	if (f && f->interface != d->interface)
		return VERDICT_DROP;
	if (!f && !error)
		f = new_flow(d, now, &error);
	if (!f)
		return is_short_of_room(error) ? VERDICT_DROP : VERDICT_REFUSED;
	flow_touch(f, 0, now);
	error = (int)SYS6(__NR_sendto, f->fd, d->data, d->size, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
	if (error == -ECONNREFUSED) { /* it tells of an earlier datagram: this one is still to be sent */
		refuse(f);
		error = (int)SYS6(__NR_sendto, f->fd, d->data, d->size, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
	}
	return error == -ENETUNREACH || error == -EHOSTUNREACH ? VERDICT_REFUSED : VERDICT_DROP;
}

void outward_udp_queue_ready(int64_t now)
{
	struct datagram d;

	for (int i = 0; i < TURN && queue_next_datagram(queue, &d); i++)
		queue_decide(queue, QUEUE_OF_DATAGRAMS, d.packet, pass_out(&d, now));
}

void outward_udp_flow_ready(uint32_t index, int64_t now)
{
	struct flow *f = flow_at(index);

	for (int i = 0; i < TURN && f->fd >= 0; i++) { /* or it has ended in this very round */
		long n = SYS6(__NR_recvfrom, f->fd, packet + DATAGRAM_HEADERS, DATAGRAM_DATA_MAX, MSG_DONTWAIT, 0, 0);

		if (n == -ECONNREFUSED) {
			refuse(f);
		} else if (n >= 0) {
			flow_touch(f, 1, now);
			answer(f, (size_t)n);
		} else if (n == -EAGAIN) {
			return;
		}
	}
}

void outward_udp_trim(void)
{
	SYS3(__NR_madvise, packet, sizeof(packet), MADV_DONTNEED);
	queue_trim();
	flows_trim();
}
