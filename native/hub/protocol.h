/*
 * protocol.h - what the hub of a user's bridge networks is given when it starts, and what is said on its socket.
 *
 * Descriptors at its execve (all others are closed; 0-2 are /dev/null):
 *
 *   3  a memfd: struct hub_spec and the two programs that it points to. It stays open: the uplink's program is run again when the
 *      uplink has died.
 *   4  the listening AF_UNIX SOCK_SEQPACKET socket. Whoever starts the hub has connected to it already, so that there is a
 *      member from the beginning, and said hello, which is answered before the uplink is started.
 *   5  a pipe to whoever started it, of struct failure_record (../program.h): one when the network namespace is there, with error 0,
 *      or has failed; then the end of file when the uplink is there, or one more.
 *   6  what the uplink says is appended to this file
 *  60  the network namespace of a hub that was killed, or closed
 *
 * The first program makes the network namespace, and sockets in it, in a child that shares its descriptors, and leaves them at the
 * numbers below. The second one starts the uplink.
 *
 * Messages, one packet each; all integers little-endian. Who is connected is a member: the hub ends when it has none.
 *
 *     member (a starting tsrun, then its supervisor)      hub
 *       | ---- HELLO ----------------------------------------> |
 *       | <---------- status, SCM_RIGHTS: netns, the hub's pidfd |
 *       | ---- JOIN {endpoint, names} [SCM_RIGHTS: a pidfd] --> | the endpoint lives as long as the connection, or as that process
 *       | <------------------- status ------------------------- | once the uplink is there: 0, or -errno
 *       | ---- LEAVE {container, network} --------------------> | its endpoints there are forgotten, whoever made them
 *       | <------------------- status ------------------------- |
 *
 * A connection that closes without an answer: the hub has ended, and another has to be started.
 *
 * test/unit/network/hub-protocol.test.ts checks that the names and numbers are those of src/network/hub-protocol.ts.
 */
#ifndef TSRUN_HUB_PROTOCOL_H
#define TSRUN_HUB_PROTOCOL_H

#include <stdint.h>

#define HUB_MAGIC 0x31485354u /* "TSH1" */

#define HUB_FD_SPEC 3
#define HUB_FD_LISTEN 4
#define HUB_FD_REPORT 5
#define HUB_FD_LOG 6

struct hub_spec {
	uint32_t magic;
	uint32_t network_offset; /* the program that makes the namespace, 8-byte aligned */
	uint32_t network_size;
	uint32_t uplink_offset; /* the program that starts the uplink; 0 = there is none */
	uint32_t uplink_size;
	uint32_t pad;
};

/* Higher than any that the program opens on its way. */
enum hub_fd {
	HUB_FD_NETNS = 60, /* the network namespace */
	HUB_FD_ROUTE = 61, /* a NETLINK_ROUTE socket in it */
	HUB_FD_UDP = 62,   /* a UDP socket on port 53 in it, which tells to which address a query came */
	HUB_FD_TCP = 63,   /* a listening TCP socket on port 53 in it */
	/* For ../forward/outward.c, which the program of the uplink starts; not there if the kernel lacks something: */
	HUB_FD_QUEUE = 64,   /* requests for connections to the outside */
	HUB_FD_OUTWARD = 65, /* a listening TCP socket that takes them */
	HUB_FD_DATAGRAMS = 66, /* datagrams to the outside */
	HUB_FD_RAW4 = 67,      /* a raw socket for their answers */
	HUB_FD_RAW6 = 68,      /* and of IPv6; not there without */
};

/*
 * The second program's first slots hold each descriptor that it opens in the hub: -1 before it is open, 0 once the program has closed it. What is
 * left is the hub's to close, when the program has failed or the uplink has ended.
 */
#define HUB_SLOT_UPLINK 0 /* pidfd of the uplink */
#define HUB_UPLINK_DESCRIPTORS 7

enum hub_request {
	HUB_HELLO = 1,
	HUB_JOIN = 2,
	HUB_LEAVE = 3,
};

enum hub_endpoint_flag {
	HUB_HAS_IPV4 = 1,
	HUB_HAS_IPV6 = 2,
	HUB_NO_FORWARD = 4, /* an internal network: names of the outside are none of its business */
	HUB_OF_PROCESS = 8, /* the endpoint lives as long as the process of the pidfd that comes along, not as the connection */
};

struct hub_endpoint {
	uint32_t request; /* HUB_JOIN, HUB_LEAVE; of HUB_HELLO only this member is sent */
	uint32_t flags;
	uint8_t container[16]; /* the first 16 bytes of its id */
	uint32_t network;
	uint8_t server_count; /* DNS servers of its own, instead of the host's */
	uint8_t pad;
	uint16_t names_length; /* bytes of names after this struct: each a length byte and so many characters, the first its proper name */
	uint8_t ipv4[4];
	uint8_t ipv6[16];
	uint8_t servers[3][16]; /* IPv4 as ::ffff:a.b.c.d */
};

#define HUB_NAMES_MAX 448u
#define HUB_MESSAGE_MAX 1024u

#endif
