/* net.h - what <sys/socket.h> and <sys/epoll.h> would say: the kernel's headers leave these to the C library. */
#ifndef TSRUN_FORWARD_NET_H
#define TSRUN_FORWARD_NET_H

#include "../sys.h"

#include <asm/fcntl.h>
#include <asm/socket.h>
#include <linux/uio.h>

#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC

#define SHUT_WR 1
#define MSG_DONTWAIT 0x40
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000
#define MSG_NOSIGNAL 0x4000
#define MSG_MORE 0x8000

#define SOL_IP 0
#define SOL_TCP 6
#define SOL_UDP 17
#define SOL_IPV6 41

#define IP_PKTINFO 8
#define IP_MTU_DISCOVER 10
#define IP_RECVERR 11
#define IP_TRANSPARENT 19
#define IP_BIND_ADDRESS_NO_PORT 24
#define SO_ORIGINAL_DST 80
#define IPV6_MTU_DISCOVER 23
#define IPV6_RECVERR 25
#define IPV6_V6ONLY 26
#define IPV6_RECVPKTINFO 49
#define IPV6_PKTINFO 50
#define IPV6_TRANSPARENT 75
#define TCP_NODELAY 1
#define TCP_KEEPIDLE 4
#define TCP_KEEPINTVL 5
#define TCP_KEEPCNT 6
#define TCP_QUICKACK 12
#define TCP_CONGESTION 13
#define UDP_SEGMENT 103

struct net_message {
	void *name;
	uint32_t name_len;
	struct iovec *parts;
	size_t part_count;
	void *control;
	size_t control_len;
	uint32_t flags;
};

struct net_messages {
	struct net_message message;
	uint32_t len;
};

/* struct cmsghdr; its data follows at once, and the next one at a multiple of 8. */
struct net_control {
	size_t len;
	int level, type;
};

/* struct sock_extended_err, what a socket with IP_RECVERR says of a datagram; the kernel's header wants the C library's struct timespec. */
struct net_error {
	uint32_t number;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

#define NET_ERROR_ICMP 2 /* its origin */
#define NET_ERROR_ICMP6 3

static inline int net_set(int fd, int level, int option, int value)
{
	return (int)SYS5(__NR_setsockopt, fd, level, option, &value, sizeof(value));
}

/* A client that vanished must not be kept for ever: the other end only sees us, and we are there. */
static inline void net_keep_alive(int fd)
{
	net_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	net_set(fd, SOL_TCP, TCP_KEEPIDLE, 120);
	net_set(fd, SOL_TCP, TCP_KEEPINTVL, 30);
	net_set(fd, SOL_TCP, TCP_KEEPCNT, 4);
}

#endif
