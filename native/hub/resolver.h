/*
 * resolver.h - the DNS server of the bridges. Names of containers are answered from names.h; everything else is asked of the host's
 * own resolver, from the host's network namespace: so a stub on 127.0.0.53, a VPN's split DNS and /etc/resolv.conf as it is now are
 * what the container sees, whatever the uplink is.
 */
#ifndef TSRUN_HUB_RESOLVER_H
#define TSRUN_HUB_RESOLVER_H

#include "message.h"

/* The domain of containers: `web.dns.tsrun` is `web`, and nothing under it is ever asked of others. */
#define RESOLVER_DOMAIN ".dns.tsrun"

/*
 * Answers the query at MESSAGE (LENGTH bytes in a buffer of SIZE) of the client at FROM in place, when nobody else needs to be asked: the
 * length of the answer. 0: ask SERVERS, in order, of which there are COUNT. -1: say nothing.
 */
long resolver_answer(uint8_t *message, size_t length, size_t size, const struct address *from, struct address *servers,
		     unsigned *count);

/* From a sockaddr_in or sockaddr_in6. */
struct address resolver_address(const void *sockaddr);

enum transport {
	OVER_TCP = 1, /* SOCK_STREAM */
	OVER_UDP = 2, /* SOCK_DGRAM */
};

/* A socket connected, or connecting, to port 53 of SERVER: its descriptor or -errno. */
int resolver_connect(const struct address *server, enum transport transport);

#endif
