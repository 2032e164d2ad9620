/* route.c - see route.h; the message is drawn in rtnetlink(7) */
#include "route.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define LOOPBACK 1 /* the index of `lo` in every network namespace */

static const struct forward_config *config;
static int fd = -1;

struct attribute {
	uint16_t len, type;
	uint8_t value[16];
};

struct message {
	struct nlmsghdr header;
	struct rtmsg route;
	uint8_t attributes[4 * 20];
};

void route_open(const struct forward_config *from)
{
	config = from;
	fd = (int)SYS3(__NR_socket, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static void add_attribute(struct message *m, uint16_t type, const void *value, uint32_t len)
{
	struct attribute a = {.len = (uint16_t)(4 + len), .type = type};

	memcpy(a.value, value, len);
	memcpy((uint8_t *)m + m->header.nlmsg_len, &a, 4 + len);
	m->header.nlmsg_len += 4 + len;
}

static void change(uint16_t type, uint16_t flags, const struct address *client)
{
	static uint8_t complaints[512];
	const struct forward_family *family = &config->families[client->is6];
	uint32_t bytes = address_ip_length(client), loopback = LOOPBACK;
	struct message m = {
		.header = {.nlmsg_len = sizeof(m.header) + sizeof(m.route), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags},
		.route = {.rtm_family = client->is6 ? AF_INET6 : AF_INET, .rtm_dst_len = (uint8_t)(8 * bytes),
			  .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_HOST, .rtm_type = RTN_LOCAL},
	};

	add_attribute(&m, RTA_DST, client->ip, bytes);
	add_attribute(&m, RTA_PREFSRC, family->container, bytes);
	add_attribute(&m, RTA_OIF, &loopback, 4);
	add_attribute(&m, RTA_TABLE, &config->table, 4);
	SYS6(__NR_sendto, fd, &m, m.header.nlmsg_len, MSG_DONTWAIT, 0, 0);
	/* The kernel has done it by now, and says something only if it could not: then the client goes without answers. */
	while (SYS6(__NR_recvfrom, fd, complaints, sizeof(complaints), MSG_DONTWAIT, 0, 0) > 0)
		;
}

void route_add(const struct address *client)
{
	change(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, client);
}

void route_remove(const struct address *client)
{
	change(RTM_DELROUTE, 0, client);
}
