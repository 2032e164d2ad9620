/*
 * datagram.c - see datagram.h; RFC 791, RFC 8200 and RFC 768 have the headers, RFC 8200 section 8.1 their checksum.
 *
 * Datagrams over IPv4 bear no checksum, which RFC 768 allows: their way to the client is within this machine.
 */
#include "datagram.h"

#include <linux/in.h>

#define UDP_HEADER 8u
#define ICMP_HEADER 8u
#define FRAGMENT_HEADER 8u
#define QUOTED 8u /* bytes behind the IP header */
#define HOPS 64
#define NEXT_FRAGMENT 44
#define NEXT_ICMP 1
#define NEXT_ICMPV6 58
#define MORE_FRAGMENTS 0x2000u

static size_t header_of(int is6)
{
	return is6 ? 40 : 20;
}

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

static uint16_t fold(uint64_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* Of what is behind the IPv6 header of PACKET, SIZE bytes with zero where the checksum will be; the addresses are part of it. */
static uint16_t checksum6(const uint8_t *packet, size_t size, uint8_t next)
{
	return fold(sum(packet + 8, 32) + size + next + sum(packet + header_of(1), size));
}

/* SIZE bytes follow it. */
static void put_header(uint8_t *packet, size_t size, uint8_t next, const struct address *from, const struct address *to)
{
	size_t header = header_of(from->is6);

	memset(packet, 0, header);
	if (from->is6) {
		packet[0] = 6 << 4;
		put16(packet + 4, size);
		packet[6] = next;
		packet[7] = HOPS;
		memcpy(packet + 8, from->ip, 16);
		memcpy(packet + 24, to->ip, 16);
	} else {
		packet[0] = 4 << 4 | 5;
		put16(packet + 2, header + size);
		packet[8] = HOPS;
		packet[9] = next;
		memcpy(packet + 12, from->ip, 4);
		memcpy(packet + 16, to->ip, 4);
	}
}

static void put_ports(uint8_t *udp, size_t size, const struct address *from, const struct address *to)
{
	put16(udp, from->port);
	put16(udp + 2, to->port);
	put16(udp + 4, size);
	put16(udp + 6, 0);
}

struct packet datagram_write(uint8_t *room, size_t size, const struct address *from, const struct address *to)
{
	size_t header = header_of(from->is6);
	struct packet p = {room + DATAGRAM_HEADERS - UDP_HEADER - header, header + UDP_HEADER + size};
	uint16_t check;

	size += UDP_HEADER;
	put_header(p.at, size, IPPROTO_UDP, from, to);
	put_ports(p.at + header, size, from, to);
	if (!from->is6)
		return p;
	check = checksum6(p.at, size, IPPROTO_UDP);
	put16(p.at + header + 6, check ? check : 0xffff); /* zero would say that there is none */
	return p;
}

size_t datagram_fragment(uint8_t *fragment, const struct packet *packet, size_t *offset, uint32_t id)
{
	int is6 = packet->at[0] >> 4 == 6;
	size_t header = header_of(is6), extra = is6 ? FRAGMENT_HEADER : 0;
	size_t rest = packet->length - header - *offset, size = (DATAGRAM_FRAGMENT - header - extra) & ~7ul;
	int last = rest <= size;

	if (!rest)
		return 0;
	if (last)
		size = rest;
	memcpy(fragment, packet->at, header);
	if (is6) {
		put16(fragment + 4, size + FRAGMENT_HEADER);
		fragment[6] = NEXT_FRAGMENT;
		fragment[header] = packet->at[6];
		fragment[header + 1] = 0;
		put16(fragment + header + 2, *offset | !last); /* multiples of 8: the three bits below are free */
		put16(fragment + header + 4, id >> 16);
		put16(fragment + header + 6, id & 0xffff);
	} else {
		put16(fragment + 2, header + size);
		put16(fragment + 4, id & 0xffff ? id & 0xffff : 1); /* for zero the kernel would put in another one each time */
		put16(fragment + 6, *offset / 8 | (last ? 0 : MORE_FRAGMENTS));
	}
	memcpy(fragment + header + extra, packet->at + header + *offset, size);
	*offset += size;
	return header + extra + size;
}

struct packet datagram_refuse(uint8_t *room, const struct address *client, const struct address *target)
{
	size_t header = header_of(client->is6), size = ICMP_HEADER + header + QUOTED;
	uint8_t *icmp = room + header, *quoted = icmp + ICMP_HEADER;
	struct packet p = {room, header + size};

	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = client->is6 ? 1 : 3; /* destination unreachable */
	icmp[1] = client->is6 ? 4 : 3; /* ... its port */
	put_header(quoted, QUOTED, IPPROTO_UDP, client, target);
	put_ports(quoted + header, QUOTED, client, target);
	if (!client->is6)
		put16(quoted + 10, fold(sum(quoted, header)));
	put_header(room, size, client->is6 ? NEXT_ICMPV6 : NEXT_ICMP, target, client);
	put16(icmp + 2, client->is6 ? checksum6(room, size, NEXT_ICMPV6) : fold(sum(icmp, size)));
	return p;
}
