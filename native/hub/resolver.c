/* resolver.c - see resolver.h */
#include "resolver.h"
#include "../sys.h"
#include "servers.h"

#include <asm/fcntl.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/socket.h>

#define AF_INET_ 2
#define AF_INET6_ 10

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct address resolver_address(const void *sockaddr)
{
	const struct sockaddr_in *v4 = sockaddr;
	const struct sockaddr_in6 *v6 = sockaddr;
	struct address address;

	if (v4->sin_family == AF_INET_) {
		memcpy(address.bytes, mapped, 12);
		memcpy(address.bytes + 12, &v4->sin_addr, 4);
	} else {
		memcpy(address.bytes, &v6->sin6_addr, 16);
	}
	return address;
}

int resolver_connect(const struct address *server, enum transport transport)
{
	const uint16_t port = 53 << 8; /* in network order; x86-64 and arm64 are little-endian */
	struct sockaddr_in v4 = {.sin_family = AF_INET_, .sin_port = port};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6_, .sin6_port = port};
	int is_ipv4 = memcmp(server->bytes, mapped, 12) == 0;
	long fd = SYS3(__NR_socket, is_ipv4 ? AF_INET_ : AF_INET6_, (unsigned)transport | O_CLOEXEC | O_NONBLOCK, 0), error;

	if (fd < 0)
		return (int)fd;
	memcpy(&v4.sin_addr, server->bytes + 12, 4);
	memcpy(&v6.sin6_addr, server->bytes, 16);
	error = is_ipv4 ? SYS3(__NR_connect, fd, &v4, sizeof(v4)) : SYS3(__NR_connect, fd, &v6, sizeof(v6));
	if (error == 0 || error == -EINPROGRESS)
		return (int)fd;
	SYS1(__NR_close, fd);
	return (int)error;
}

/* Adds what E has of the type asked for. */
static size_t add_records(uint8_t *message, size_t length, size_t size, const struct question *q, const struct endpoint *e)
{
	if ((q->type == DNS_A || q->type == DNS_ANY) && (e->is.flags & HUB_HAS_IPV4))
		length = message_add_address(message, length, size, e->is.ipv4, 4);
	if ((q->type == DNS_AAAA || q->type == DNS_ANY) && (e->is.flags & HUB_HAS_IPV6))
		length = message_add_address(message, length, size, e->is.ipv6, 16);
	return length;
}

/* A name of containers that the asker may know: the length of the answer; 0 = it is none. */
static size_t answer_name(uint8_t *message, size_t size, const struct question *q, const struct endpoint *asker)
{
	const size_t domain = sizeof(RESOLVER_DOMAIN) - 1;
	size_t name = q->name_length, length;
	const struct endpoint *e;
	int ours = 0;

	if (name > domain && memcmp(q->name + name - domain, RESOLVER_DOMAIN, domain) == 0) {
		name -= domain;
		ours = 1;
	}
	e = names_next(asker, q->name, name, 0);
	if (!e)
		return ours ? message_answer(message, q, DNS_NO_SUCH_NAME) : 0;
	length = message_answer(message, q, 0);
	for (; e; e = names_next(asker, q->name, name, e))
		length = add_records(message, length, size, q, e);
	return length;
}

static size_t answer_address(uint8_t *message, size_t size, const struct question *q, const struct endpoint *asker)
{
	struct address address;
	const struct endpoint *e = message_reverse(q, &address) ? names_at(&address) : 0;

	if (!e || !e->is.names_length || !names_share(asker, e))
		return 0;
	return message_add_name(message, message_answer(message, q, 0), size, e->names + 1, e->names[0]);
}

static unsigned servers_for(const struct endpoint *asker, struct address *servers)
{
	if (!asker->is.server_count)
		return servers_of_host(servers);
	memcpy(servers, asker->is.servers, sizeof(asker->is.servers));
	return asker->is.server_count;
}

long resolver_answer(uint8_t *message, size_t length, size_t size, const struct address *from, struct address *servers, unsigned *count)
{
	const struct endpoint *asker = names_at(from);
	struct question q;
	int code = message_question(message, length, &q);
	size_t answer;

	if (code < 0)
		return -1;
	if (code > 0)
		return (long)message_answer(message, &q, code);
	if (!asker) /* nobody of ours: nothing is told */
		return (long)message_answer(message, &q, DNS_REFUSED);
	answer = q.type == DNS_PTR ? answer_address(message, size, &q, asker) : answer_name(message, size, &q, asker);
	if (answer)
		return (long)answer;
	if (asker->is.flags & HUB_NO_FORWARD)
		return (long)message_answer(message, &q, DNS_NO_SUCH_NAME);
	*count = servers_for(asker, servers);
	return 0;
}
