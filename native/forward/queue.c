/* queue.c - see queue.h; linux/netfilter/nfnetlink_queue.h has the messages, which all hold integers in network order. */
#include "queue.h"

#include "../supervisor/io.h"

#include <linux/mman.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#define MESSAGE_MAX 1024
#define WHOLE_MAX 69632 /* with a datagram in it: 64 KiB, and the kernel's other attributes */
#define IPV4_HEADER 20u
#define IPV4_FRAGMENT 0x3fffu /* more follow, or this is not the first */
#define IPV6_HEADER 40u
#define TCP_PORTS 4u
#define UDP_HEADER 8u

static uint8_t whole[QUEUE_BATCH][WHOLE_MAX] __attribute__((aligned(PAGE)));

static uint32_t number(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint16_t port(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The length of the header of PACKET; 0 if it is none, or nothing of PROTOCOL follows it whole. Who it is from and to. */
static size_t parse_ipv4(const uint8_t *packet, size_t length, uint8_t protocol, struct address *client, struct address *target)
{
	size_t header = (packet[0] & 15u) * 4u;

	if (length < IPV4_HEADER || header < IPV4_HEADER || packet[9] != protocol || port(packet + 6) & IPV4_FRAGMENT)
		return 0;
	memcpy(client->ip, packet + 12, 4);
	memcpy(target->ip, packet + 16, 4);
	return header;
}

/* The same of IPv6. With other headers before it, which nobody's kernel sends, it is none. */
static size_t parse_ipv6(const uint8_t *packet, size_t length, uint8_t protocol, struct address *client, struct address *target)
{
	if (length < IPV6_HEADER || packet[6] != protocol)
		return 0;
	client->is6 = target->is6 = 1;
	memcpy(client->ip, packet + 8, 16);
	memcpy(target->ip, packet + 24, 16);
	return IPV6_HEADER;
}

/* Where in PACKET the header of PROTOCOL is, of which at least LEAST bytes, with both ports, are there; 0 if it has none. */
static size_t parse_packet(const uint8_t *packet, size_t length, uint8_t protocol, size_t least, struct address *client, struct address *target)
{
	size_t header = 0;

	*client = *target = (struct address){0};
	if (length && packet[0] >> 4 == 4)
		header = parse_ipv4(packet, length, protocol, client, target);
	else if (length && packet[0] >> 4 == 6)
		header = parse_ipv6(packet, length, protocol, client, target);
	if (!header || length < header + least)
		return 0;
	client->port = port(packet + header);
	target->port = port(packet + header + 2);
	return header;
}

/* What one message says of a packet. */
struct queued {
	uint32_t packet, interface;
	const uint8_t *bytes;
	size_t size; /* 0: it has none */
};

/* 0, or -1: it is about no packet. */
static int read_message(const uint8_t *message, size_t length, struct queued *to)
{
	size_t at = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	struct nlmsghdr header;
	int numbered = -1;

	*to = (struct queued){0};
	if (length < at)
		return -1;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) || header.nlmsg_len > length)
		return -1;
	length = header.nlmsg_len;
	while (at + NLA_HDRLEN <= length) {
		const uint8_t *value = message + at + NLA_HDRLEN;
		struct nlattr attribute;
		size_t size;

		memcpy(&attribute, message + at, sizeof(attribute));
		if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > length - at)
			break;
		size = attribute.nla_len - NLA_HDRLEN;
		if ((attribute.nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR && size >= 4) {
			to->packet = number(value);
			numbered = 0;
		} else if ((attribute.nla_type & NLA_TYPE_MASK) == NFQA_IFINDEX_INDEV && size >= 4) {
			to->interface = number(value);
		} else if ((attribute.nla_type & NLA_TYPE_MASK) == NFQA_PAYLOAD) {
			to->bytes = value;
			to->size = size;
		}
		at += NLA_ALIGN(attribute.nla_len);
	}
	return numbered;
}

enum queue_message queue_parse(const uint8_t *message, size_t length, struct request *to)
{
	struct queued q;

	if (read_message(message, length, &q) < 0)
		return QUEUE_NOTHING;
	to->packet = q.packet;
	return parse_packet(q.bytes, q.size, IPPROTO_TCP, TCP_PORTS, &to->client, &to->target) ? QUEUE_REQUEST : QUEUE_OTHER_PACKET;
}

enum queue_message queue_parse_datagram(const uint8_t *message, size_t length, struct datagram *to)
{
	struct queued q;
	size_t at, size;

	if (read_message(message, length, &q) < 0)
		return QUEUE_NOTHING;
	*to = (struct datagram){.packet = q.packet, .interface = q.interface};
	at = parse_packet(q.bytes, q.size, IPPROTO_UDP, UDP_HEADER, &to->client, &to->target);
	if (!at)
		return QUEUE_OTHER_PACKET;
	size = port(q.bytes + at + 4);
	if (size < UDP_HEADER || size > q.size - at)
		return QUEUE_OTHER_PACKET;
	to->data = q.bytes + at + UDP_HEADER;
	to->size = size - UDP_HEADER;
	return QUEUE_REQUEST;
}

/* The next message at FD: its length, or 0 when there is none. */
static size_t receive(int fd, uint8_t *message, size_t size)
{
	long n;

	do
		n = SYS6(__NR_recvfrom, fd, message, size, MSG_DONTWAIT, 0, 0);
	while (n == -EINTR || n == -ENOBUFS); /* more came than it can hold: those were dropped */
	return n < 0 ? 0 : (size_t)n;
}

int queue_next(int fd, struct request *to)
{
	static uint8_t message[MESSAGE_MAX] __attribute__((aligned(8)));
	size_t length;

	while ((length = receive(fd, message, sizeof(message)))) {
		enum queue_message what = queue_parse(message, length, to);

		if (what == QUEUE_REQUEST)
			return 1;
		if (what == QUEUE_OTHER_PACKET)
			queue_decide(fd, QUEUE_OF_REQUESTS, to->packet, VERDICT_DROP);
	}
	return 0;
}

unsigned queue_next_datagrams(int fd, struct datagram to[QUEUE_BATCH])
{
	static struct net_messages messages[QUEUE_BATCH];
	static struct iovec parts[QUEUE_BATCH];
	unsigned count = 0;
	long n;

	for (unsigned i = 0; i < QUEUE_BATCH; i++) {
		parts[i] = (struct iovec){whole[i], WHOLE_MAX};
		messages[i].message = (struct net_message){.parts = &parts[i], .part_count = 1};
	}
	do
		n = SYS5(__NR_recvmmsg, fd, messages, QUEUE_BATCH, MSG_DONTWAIT, 0);
	while (n == -EINTR || n == -ENOBUFS); /* more came than it can hold: those were dropped */
	for (long i = 0; i < n; i++) {
		enum queue_message what = queue_parse_datagram(whole[i], messages[i].len, &to[count]);

		if (what == QUEUE_REQUEST)
			count++;
		else if (what == QUEUE_OTHER_PACKET)
			queue_decide(fd, QUEUE_OF_DATAGRAMS, to[count].packet, VERDICT_LET);
	}
	return count;
}

void queue_trim(void)
{
	SYS3(__NR_madvise, whole, sizeof(whole), MADV_DONTNEED);
}

void queue_decide(int fd, uint16_t queue, uint32_t packet, enum verdict verdict)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
		struct nlattr verdict_attribute;
		struct nfqnl_msg_verdict_hdr verdict;
		struct nlattr mark_attribute;
		uint32_t mark;
	} m = {
		.header = {sizeof(m), NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT, NLM_F_REQUEST, 0, 0},
		.family = {0, NFNETLINK_V0, __builtin_bswap16(queue)},
		.verdict_attribute = {NLA_HDRLEN + sizeof(m.verdict), NFQA_VERDICT_HDR},
		.verdict = {__builtin_bswap32(verdict == VERDICT_DROP ? NF_DROP : NF_ACCEPT), __builtin_bswap32(packet)},
		.mark_attribute = {NLA_HDRLEN + sizeof(m.mark), NFQA_MARK},
		.mark = __builtin_bswap32(verdict == VERDICT_DROP ? 0 : (uint32_t)verdict),
	};

	SYS6(__NR_sendto, fd, &m, sizeof(m), MSG_DONTWAIT, 0, 0);
}

void queue_drop_until(int fd, uint16_t queue, uint32_t packet)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
		struct nlattr verdict_attribute;
		struct nfqnl_msg_verdict_hdr verdict;
	} m = {
		.header = {sizeof(m), NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT_BATCH, NLM_F_REQUEST, 0, 0},
		.family = {0, NFNETLINK_V0, __builtin_bswap16(queue)},
		.verdict_attribute = {NLA_HDRLEN + sizeof(m.verdict), NFQA_VERDICT_HDR},
		.verdict = {__builtin_bswap32(NF_DROP), __builtin_bswap32(packet)},
	};

	SYS6(__NR_sendto, fd, &m, sizeof(m), MSG_DONTWAIT, 0, 0);
}
