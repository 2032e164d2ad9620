/* datagram.c - see datagram.h; RFC 8200 and RFC 768 have the headers, RFC 8200 section 8.1 their checksum */
#include "datagram.h"

#include <linux/in.h>
#include <linux/ipv6.h>

#define HEADER 40u
#define FRAGMENT_HEADER 8u
#define HOPS 64
#define NEXT_FRAGMENT 44
#define NEXT_ICMPV6 58
#define UNREACHABLE 1
#define UNREACHABLE_PORT 4

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The sum of SIZE bytes, an odd one filled up with a zero, in 16-bit numbers. */
static uint64_t sum(const uint8_t *at, size_t size)
{
	uint64_t total = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		total += (uint32_t)(at[i] << 8 | at[i + 1]);
	return size % 2 ? total + (uint32_t)(at[size - 1] << 8) : total;
}

/* Of what is behind the header of PACKET, SIZE bytes with zero where the checksum will be; the addresses are part of it. */
static uint16_t checksum(const uint8_t *packet, size_t size, uint8_t next)
{
	uint64_t total = sum(packet + 8, 32) + size + next + sum(packet + HEADER, size);

	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static void put_header(uint8_t *packet, size_t size, uint8_t next, const struct address *from, const struct address *to)
{
	memset(packet, 0, 8);
	packet[0] = 6 << 4;
	put16(packet + 4, size);
	packet[6] = next;
	packet[7] = HOPS;
	memcpy(packet + 8, from->ip, 16);
	memcpy(packet + 24, to->ip, 16);
}

static void put_ports(uint8_t *udp, size_t size, const struct address *from, const struct address *to)
{
	put16(udp, from->port);
	put16(udp + 2, to->port);
	put16(udp + 4, size);
	put16(udp + 6, 0);
}

void datagram_write(uint8_t *packet, size_t size, const struct address *from, const struct address *to)
{
	uint16_t check;

	size += DATAGRAM_HEADERS - HEADER;
	put_header(packet, size, IPPROTO_UDP, from, to);
	put_ports(packet + HEADER, size, from, to);
	check = checksum(packet, size, IPPROTO_UDP);
	put16(packet + HEADER + 6, check ? check : 0xffff); /* zero would say that there is none */
}

size_t datagram_fragment(uint8_t *fragment, const uint8_t *packet, size_t length, size_t *offset, uint32_t id)
{
	size_t rest = length - HEADER - *offset, size = DATAGRAM_FRAGMENT - HEADER - FRAGMENT_HEADER;
	int last = rest <= size;

	if (!rest)
		return 0;
	if (last)
		size = rest;
	memcpy(fragment, packet, HEADER);
	put16(fragment + 4, size + FRAGMENT_HEADER);
	fragment[6] = NEXT_FRAGMENT;
	fragment[HEADER] = packet[6];
	fragment[HEADER + 1] = 0;
	put16(fragment + HEADER + 2, *offset | !last); /* multiples of 8: the three bits below are free */
	put16(fragment + HEADER + 4, id >> 16);
	put16(fragment + HEADER + 6, id & 0xffff);
	memcpy(fragment + HEADER + FRAGMENT_HEADER, packet + HEADER + *offset, size);
	*offset += size;
	return HEADER + FRAGMENT_HEADER + size;
}

void datagram_refuse(uint8_t *packet, const struct address *client, const struct address *target)
{
	uint8_t *icmp = packet + HEADER, *quoted = icmp + 8;

	memset(icmp, 0, 8);
	icmp[0] = UNREACHABLE;
	icmp[1] = UNREACHABLE_PORT;
	put_header(quoted, 8, IPPROTO_UDP, client, target);
	put_ports(quoted + HEADER, 8, client, target);
	put_header(packet, DATAGRAM_REFUSAL - HEADER, NEXT_ICMPV6, target, client);
	put16(icmp + 2, checksum(packet, DATAGRAM_REFUSAL - HEADER, NEXT_ICMPV6));
}
