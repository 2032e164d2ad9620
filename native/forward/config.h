/*
 * config.h - what the port forwarder is given: a memory file with the addresses of a container, and sockets that listen.
 * The addresses may become others while it runs.
 *
 * The sockets are on FORWARD_FIRST_FD, FORWARD_FIRST_FD + 1, … in the order of ports[]: bound, and TCP's listening, in the network
 * namespace of the host. The forwarder itself is started inside the container's network namespace, where policy routing
 * brings back what the container answers to clients (src/network/forward/routing.ts); whatever socket it makes is there.
 *
 * test/unit/network/forward.test.ts checks that src/network/forward/config.ts writes this.
 */
#ifndef TSRUN_FORWARD_CONFIG_H
#define TSRUN_FORWARD_CONFIG_H

#include <stdint.h>

#define FORWARD_MAGIC 0x31465354u /* "TSF1" */
#define FORWARD_FIRST_FD 512
#define FORWARD_PORTS_MAX 65536u

enum forward_protocol {
	FORWARD_TCP = 6,
	FORWARD_UDP = 17,
};

/* The container in one address family; IPv4 addresses are the first four bytes. */
struct forward_family {
	uint8_t container[16]; /* where its services are reached */
	uint8_t gateway[16];   /* stands for clients whose own address cannot be kept: the host's loopback, the container's own network */
	uint8_t prefix;	       /* bits of the container's network */
	uint8_t present;       /* 0: the container has no address of this family */
	uint8_t zero[2];
};

struct forward_port {
	uint16_t container_port;
	uint8_t protocol; /* enum forward_protocol */
	uint8_t zero;
};

struct forward_config {
	uint32_t magic;
	uint32_t size;	/* of the whole file */
	uint32_t mark;	/* SO_MARK of sockets that bear a client's address; 0: none does, clients are seen with the container's own */
	uint32_t table; /* the routing table of UDP's clients */
	struct forward_family families[2]; /* IPv4, IPv6 */
	uint32_t port_count;
	struct forward_port ports[];
};

#endif
