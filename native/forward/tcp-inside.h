/* tcp-inside.h - the socket that is a client's counterpart in the container's network namespace. */
#ifndef TSRUN_FORWARD_TCP_INSIDE_H
#define TSRUN_FORWARD_TCP_INSIDE_H

#include "address.h"

/* A socket inside, not connected yet: with MARK bound as the client (IP_TRANSPARENT), without it as it is. Its fd or -errno. */
int tcp_inside(const struct way *way, uint32_t mark);

#endif
