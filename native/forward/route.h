/*
 * route.h - routes for the answers of UDP services.
 *
 * What a service sends from a published UDP port is looked up in a table of its own first (src/network/forward/routing.ts). The
 * table has a route for each client that has a flow now: "this address is here", so that the answer reaches the
 * flow's socket. To all others the service's datagrams go the ordinary way, even from that port.
 */
#ifndef TSRUN_FORWARD_ROUTE_H
#define TSRUN_FORWARD_ROUTE_H

#include "address.h"

void route_open(const struct forward_config *config);

/* Answers to CLIENT come to us from now on; or no more. */
void route_add(const struct address *client);
void route_remove(const struct address *client);

#endif
