/* datagram.h - packets of IPv6 that are written here: a datagram, and the answer that nobody takes one. No state, no I/O. */
#ifndef TSRUN_FORWARD_DATAGRAM_H
#define TSRUN_FORWARD_DATAGRAM_H

#include "address.h"

#include <stddef.h>

#define DATAGRAM_HEADERS 48u	/* of IPv6 and UDP */
#define DATAGRAM_DATA_MAX 65527u
#define DATAGRAM_FRAGMENT 1280u /* the smallest MTU that IPv6 has */
#define DATAGRAM_REFUSAL 96u

/* Writes the headers of a datagram FROM one TO another in front of its SIZE bytes, which are at PACKET + DATAGRAM_HEADERS. */
void datagram_write(uint8_t *packet, size_t size, const struct address *from, const struct address *to);

/*
 * Writes the fragment that begins at OFFSET bytes behind the IPv6 header of PACKET, of LENGTH bytes, to FRAGMENT, of DATAGRAM_FRAGMENT: its length, 0 behind
 * the last one. OFFSET is moved behind it; at first it is 0.
 */
size_t datagram_fragment(uint8_t *fragment, const uint8_t *packet, size_t length, size_t *offset, uint32_t id);

/* Writes what TARGET says to CLIENT, from whom it had a datagram at a port where nobody listens (RFC 4443, 3.1): DATAGRAM_REFUSAL bytes. */
void datagram_refuse(uint8_t *packet, const struct address *client, const struct address *target);

#endif
