/* names.h - who is where: the endpoints of the containers on the bridges, and the names that they answer to. */
#ifndef TSRUN_HUB_NAMES_H
#define TSRUN_HUB_NAMES_H

#include "protocol.h"

#include <stddef.h>

#define NAMES_ENDPOINTS 2048u

/* An IPv4 address is ::ffff:a.b.c.d. */
struct address {
	uint8_t bytes[16];
};

struct endpoint {
	uint32_t life; /* what it lives as long as: a number of members.c; 0 = this place is free */
	struct hub_endpoint is;
	uint8_t names[HUB_NAMES_MAX];
};

/* Adds an endpoint of NAMES (checked here): 0, -EINVAL for bad ones, -ENOSPC. One of the same container and network is replaced. */
int names_join(const struct hub_endpoint *is, const uint8_t *names, size_t length, uint32_t life);

void names_leave(const struct hub_endpoint *is);

/* Forgets all that lived as long as LIFE. */
void names_end(uint32_t life);

/* The endpoint at ADDRESS, or 0: who asks, and who is asked for by a PTR query. */
const struct endpoint *names_at(const struct address *address);

/* The next endpoint after AFTER (0 = the first) that is called NAME (lower case) and shares a network with ASKER, or 0. */
const struct endpoint *names_next(const struct endpoint *asker, const char *name, size_t length, const struct endpoint *after);

/* Do the containers of both endpoints share a network? */
int names_share(const struct endpoint *asker, const struct endpoint *other);

#endif
