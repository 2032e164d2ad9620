/* datagram.h - packets that are written here: a datagram, and the answer that nobody takes one. No state, no I/O. */
#ifndef TSRUN_FORWARD_DATAGRAM_H
#define TSRUN_FORWARD_DATAGRAM_H

#include "address.h"

#include <stddef.h>

#define DATAGRAM_HEADERS 48u	/* of IPv6 and UDP; those of IPv4 are shorter */
#define DATAGRAM_DATA_MAX 65527u
#define DATAGRAM_FRAGMENT 1280u /* the smallest MTU that IPv6 has */
#define DATAGRAM_REFUSAL_MAX 96u

/* A packet. Of IPv4 the kernel writes the header's checksum as it is sent by a raw socket. */
struct packet {
	uint8_t *at;
	size_t length;
};

/* Writes the headers of a datagram FROM one TO another of its family in front of its SIZE bytes, which are at ROOM + DATAGRAM_HEADERS. */
struct packet datagram_write(uint8_t *room, size_t size, const struct address *from, const struct address *to);

/*
 * Writes the fragment that begins at OFFSET bytes behind the IP header of PACKET to FRAGMENT, of DATAGRAM_FRAGMENT: its length, 0 behind
 * the last one. OFFSET is moved behind it; at first it is 0.
 */
size_t datagram_fragment(uint8_t *fragment, const struct packet *packet, size_t *offset, uint32_t id);

/* Writes what TARGET says to CLIENT, from whom it had a datagram at a port where nobody listens (RFC 792; RFC 4443, 3.1), to ROOM, of DATAGRAM_REFUSAL_MAX. */
struct packet datagram_refuse(uint8_t *room, const struct address *client, const struct address *target);

#endif
