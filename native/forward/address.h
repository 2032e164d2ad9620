/* address.h - a client's address, and the one by which the container is to know that client. */
#ifndef TSRUN_FORWARD_ADDRESS_H
#define TSRUN_FORWARD_ADDRESS_H

#include "config.h"
#include "net.h"

#include <linux/in.h>
#include <linux/in6.h>

struct address {
	uint8_t is6;
	uint8_t zero;
	uint16_t port;	/* as a number */
	uint8_t ip[16]; /* IPv4: the first four, the rest is 0 */
};

union socket_address {
	uint16_t family;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* From the kernel's; IPv4 inside IPv6 (::ffff:192.0.2.1) becomes IPv4. 0, or -EAFNOSUPPORT. */
int address_from(struct address *to, const union socket_address *from);

/* To the kernel's: its length. */
uint32_t address_to(union socket_address *to, const struct address *from);

/* As address_to(), for a socket of family AF_INET6 even if it is IPv4. */
uint32_t address_to_v6(union socket_address *to, const struct address *from);

int address_equal(const struct address *a, const struct address *b);

int address_is_loopback(const struct address *a);

/* HASH with A mixed in. */
uint32_t address_hash(uint32_t hash, const struct address *a);

static inline uint32_t address_ip_length(const struct address *a)
{
	return a->is6 ? 16 : 4;
}

/*
 * May a connection to TARGET be made in the host's network namespace for a container? Not to what means "here" there: 127.0.0.0/8, and
 * 0.0.0.0/8, which connect(2) takes for it; nor to groups and reserved addresses (from 224.0.0.0 on), nor to port 0. Of IPv6, not to ::/8
 * (`::`, `::1`, IPv4 addresses that are written as IPv6: all of these mean "here" or can), nor to fe80::/10 and groups.
 */
int address_is_outside(const struct address *target);

/* How a client is connected to the container. */
struct way {
	struct address source; /* port 0: any */
	struct address container;
};

/*
 * The first way (OTHER = 0) is of the client's own family and keeps its address; the second (OTHER = 1) is of the other family, as the
 * gateway. When the container has only one family there is only one way. The client's address is not kept, the gateway's is
 * taken instead, when it would be taken for something else inside: loopback, link-local IPv6 (it has no meaning without the interface),
 * or one of the container's own network. 0, or -ENOENT when there is no such way.
 */
int address_way(struct way *to, const struct forward_config *config, const struct address *client, uint16_t port, int other);

#endif
