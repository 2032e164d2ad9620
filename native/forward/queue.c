/* queue.c - see queue.h; linux/netfilter/nfnetlink_queue.h has the messages, which all hold integers in network order. */
#include "queue.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>

#define MESSAGE_MAX 1024
#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define TCP_PORTS 4u

static uint32_t number(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint16_t port(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The header's length of an IPv4 packet with TCP in it, or 0; who it is from and to. */
static size_t parse_ipv4(const uint8_t *packet, size_t length, struct request *to)
{
	size_t header = (packet[0] & 15u) * 4u;

	if (length < IPV4_HEADER || header < IPV4_HEADER || packet[9] != IPPROTO_TCP)
		return 0;
	memcpy(to->client.ip, packet + 12, 4);
	memcpy(to->target.ip, packet + 16, 4);
	return header;
}

/* The same of IPv6. With other headers before TCP's, which nobody's kernel sends, it is no request. */
static size_t parse_ipv6(const uint8_t *packet, size_t length, struct request *to)
{
	if (length < IPV6_HEADER || packet[6] != IPPROTO_TCP)
		return 0;
	to->client.is6 = to->target.is6 = 1;
	memcpy(to->client.ip, packet + 8, 16);
	memcpy(to->target.ip, packet + 24, 16);
	return IPV6_HEADER;
}

/* 0, or -1: it is no packet of TCP. */
static int parse_packet(const uint8_t *packet, size_t length, struct request *to)
{
	size_t header;

	to->client = to->target = (struct address){0};
	if (!length || (packet[0] >> 4 != 4 && packet[0] >> 4 != 6))
		return -1;
	header = packet[0] >> 4 == 4 ? parse_ipv4(packet, length, to) : parse_ipv6(packet, length, to);
	if (!header || length < header + TCP_PORTS)
		return -1;
	to->client.port = port(packet + header);
	to->target.port = port(packet + header + 2);
	return 0;
}

enum queue_message queue_parse(const uint8_t *message, size_t length, struct request *to)
{
	size_t at = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	int numbered = 0, good = 0;
	struct nlmsghdr header;

	if (length < at)
		return QUEUE_NOTHING;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) || header.nlmsg_len > length)
		return QUEUE_NOTHING;
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
			numbered = 1;
		} else if ((attribute.nla_type & NLA_TYPE_MASK) == NFQA_PAYLOAD) {
			good = parse_packet(value, size, to) == 0;
		}
		at += NLA_ALIGN(attribute.nla_len);
	}
	if (!numbered)
		return QUEUE_NOTHING;
	return good ? QUEUE_REQUEST : QUEUE_OTHER_PACKET;
}

int queue_next(int fd, struct request *to)
{
	static uint8_t message[MESSAGE_MAX] __attribute__((aligned(8)));

	for (;;) {
		long n = SYS6(__NR_recvfrom, fd, message, sizeof(message), MSG_DONTWAIT, 0, 0);

		if (n == -EINTR || n == -ENOBUFS) /* more came than it can hold: those were dropped */
			continue;
		if (n < 0)
			return 0;
		switch (queue_parse(message, (size_t)n, to)) {
		case QUEUE_REQUEST:
			return 1;
		case QUEUE_OTHER_PACKET:
			queue_decide(fd, to->packet, VERDICT_DROP);
			break;
		case QUEUE_NOTHING:
			break;
		}
	}
}

void queue_decide(int fd, uint32_t packet, enum verdict verdict)
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
		.family = {0, NFNETLINK_V0, 0},
		.verdict_attribute = {NLA_HDRLEN + sizeof(m.verdict), NFQA_VERDICT_HDR},
		.verdict = {__builtin_bswap32(verdict == VERDICT_DROP ? NF_DROP : NF_ACCEPT), __builtin_bswap32(packet)},
		.mark_attribute = {NLA_HDRLEN + sizeof(m.mark), NFQA_MARK},
		.mark = __builtin_bswap32(verdict == VERDICT_DROP ? 0 : (uint32_t)verdict),
	};

	SYS6(__NR_sendto, fd, &m, sizeof(m), MSG_DONTWAIT, 0, 0);
}
