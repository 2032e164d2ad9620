/* room.c - see room.h */
#include "room.h"

#include "../supervisor/clock.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#define LISTENS 10   /* TCP_LISTEN */
#define UNKNOWN 1000 /* ms until the next question behind one in vain: each may have the kernel look for the module tcp_diag */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 socket;
};

struct answer {
	struct nlmsghdr header;
	struct inet_diag_msg socket;
	uint8_t attributes[256];
};

static int fd = -1;
static uint16_t left[FORWARD_PORTS_MAX];
static int64_t unknown_until; /* 0: the last question was answered */

void room_open(void)
{
	fd = (int)SYS3(__NR_socket, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/* How many connections the queue of SERVICE takes; -1: nobody listens there, or nobody says so. */
static int64_t ask(const struct address *service)
{
	union socket_address name;
	struct question q = {
		.header = {.nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
		.socket = {.sdiag_family = service->is6 ? AF_INET6 : AF_INET,
			   .sdiag_protocol = SOL_TCP,
			   .idiag_states = ~0u,
			   .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};
	struct answer a;
	long n;

	address_to(&name, service);
	q.socket.id.idiag_sport = service->is6 ? name.v6.sin6_port : name.v4.sin_port;
	memcpy(q.socket.id.idiag_src, service->ip, sizeof(service->ip));
	if (SYS6(__NR_sendto, fd, &q, sizeof(q), MSG_DONTWAIT, 0, 0) < 0)
		return -1;
	n = SYS6(__NR_recvfrom, fd, &a, sizeof(a), MSG_DONTWAIT, 0, 0);
	if (n < (long)(sizeof(a.header) + sizeof(a.socket)) || a.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || a.socket.idiag_state != LISTENS)
		return -1;
	/* Of a socket that listens these are how many wait to be accepted, and how many may. */
	return a.socket.idiag_wqueue > a.socket.idiag_rqueue ? a.socket.idiag_wqueue - a.socket.idiag_rqueue : 0;
}

int room_take(uint32_t index, const struct address *service, uint32_t promised)
{
	if (!left[index]) {
		int64_t room;

		if (unknown_until && clock_monotonic() < unknown_until)
			return 0;
		room = ask(service);
		unknown_until = room < 0 ? clock_monotonic() + UNKNOWN : 0;
		if (room <= promised)
			return 0;
		room -= promised;
		left[index] = room < UINT16_MAX ? (uint16_t)room : UINT16_MAX;
	}
	left[index]--;
	return 1;
}

void room_forget(uint32_t index)
{
	left[index] = 0;
}
