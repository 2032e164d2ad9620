/* lock.h - after its start a forwarder needs few rights: it gives up all others. */
#ifndef TSRUN_FORWARD_LOCK_H
#define TSRUN_FORWARD_LOCK_H

#include <linux/capability.h>
#include <stdint.h>

/* For published ports: sockets with clients' addresses and low ports, and routes, in the container's network namespace. */
#define LOCK_PUBLISHED (1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW | 1u << CAP_NET_BIND_SERVICE)

/* For connections outwards: verdicts over packets, in the bridges' network namespace. */
#define LOCK_OUTWARD (1u << CAP_NET_ADMIN)

/* Keeps the capabilities KEPT, and the system calls of the loop. 0 or -errno. */
int lock_in(uint32_t kept);

#endif
