/*
 * udp.c - see udp.h
 *
 *     container                hub                               the host's server
 *       | -- question ----------> | resolver_answer()               |
 *       | <-- answer ------------ | … a name of containers          |
 *       |                         | -- the same question ---------> | from a socket of its own: a random port for each
 *       | <-- the same answer --- | <------------------------------ | else the next server, after a refusal or a time
 *       | <-- SERVFAIL ---------- | … no server answered            |
 *
 * An answer leaves with the source address that the question went to (the control message goes back as it came).
 */
#include "udp.h"
#include "../supervisor/clock.h"
#include "../supervisor/io.h"
#include "loop.h"
#include "resolver.h"
#include "servers.h"

#include <linux/in6.h>

#define QUERIES 256u
#define QUERY_MAX 1500u
#define ANSWER_MAX 4096u
#define PLAIN_MAX 512u	/* of an answer to a client that does not say how much it takes (RFC 1035) */
#define PATIENCE 2000	/* ms for a server to answer */
#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000

struct client {
	struct sockaddr_in6 at; /* or a sockaddr_in */
	uint32_t at_length;
	uint32_t control_length;
	uint8_t control[64] __attribute__((aligned(8)));
};

struct query {
	int fd; /* + 1; 0 = free */
	unsigned asked, count;
	struct address servers[SERVERS_MAX];
	int64_t deadline;
	struct client client;
	size_t length;
	uint8_t message[QUERY_MAX];
};

/* struct msghdr */
struct header {
	void *name;
	uint32_t name_length, pad;
	struct iovec *parts;
	uint64_t part_count;
	void *control;
	uint64_t control_length;
	uint64_t flags;
};

static struct query table[QUERIES];
static unsigned pending;
static uint8_t buffer[ANSWER_MAX];

int udp_open(void)
{
	io_nonblocking(HUB_FD_UDP);
	return loop_watch(HUB_FD_UDP, EPOLLIN, WATCH_UDP, 0);
}

static void reply(struct client *client, const uint8_t *message, size_t length)
{
	struct iovec part = {(void *)(uintptr_t)message, length};
	struct header header = {.name = &client->at,
				.name_length = client->at_length,
				.parts = &part,
				.part_count = 1,
				.control = client->control,
				.control_length = client->control_length};

	SYS3(__NR_sendmsg, HUB_FD_UDP, &header, MSG_DONTWAIT_ | MSG_NOSIGNAL_);
}

static void end(struct query *query)
{
	int fd = query->fd - 1;

	io_close(&fd);
	query->fd = 0;
	pending--;
}

/* Asks the next server that can be asked; 0 when there is none left. */
static int ask(struct query *query)
{
	while (query->asked < query->count) {
		int fd = resolver_connect(&query->servers[query->asked++], OVER_UDP);

		if (fd < 0)
			continue;
		if (SYS6(__NR_sendto, fd, query->message, query->length, MSG_NOSIGNAL_, 0, 0) >= 0 &&
		    loop_watch(fd, EPOLLIN, WATCH_QUERY, (uint32_t)(query - table)) == 0) {
			query->fd = fd + 1;
			query->deadline = clock_monotonic() + PATIENCE;
			return 1;
		}
		io_close(&fd);
	}
	return 0;
}

static void give_up(struct client *client, uint8_t *message, size_t length)
{
	struct question q;

	if (message_question(message, length, &q) >= 0)
		reply(client, message, message_answer(message, &q, DNS_SERVER_FAILURE));
}

static void ask_next(struct query *query)
{
	int fd = query->fd - 1;

	io_close(&fd);
	if (ask(query))
		return;
	query->fd = 0;
	pending--;
	give_up(&query->client, query->message, query->length);
}

static void forward(const struct client *client, size_t length, const struct address *servers, unsigned count)
{
	struct query *query = 0;

	for (unsigned i = 0; i < QUERIES && !query; i++)
		if (!table[i].fd)
			query = &table[i];
	if (!query || length > QUERY_MAX)
		return; /* the client asks again */
	query->client = *client;
	query->asked = 0;
	query->count = count;
	query->length = length;
	memcpy(query->servers, servers, sizeof(query->servers));
	memcpy(query->message, buffer, length);
	if (ask(query))
		pending++;
	else
		give_up(&query->client, query->message, length);
}

void udp_ready(void)
{
	struct address servers[SERVERS_MAX], from;
	struct client client;
	struct iovec part = {buffer, QUERY_MAX};
	struct header header = {.name = &client.at,
				.name_length = sizeof(client.at),
				.parts = &part,
				.part_count = 1,
				.control = client.control,
				.control_length = sizeof(client.control)};
	long n = SYS3(__NR_recvmsg, HUB_FD_UDP, &header, MSG_DONTWAIT_), answer;
	unsigned count = 0;

	if (n < 0)
		return;
	client.at_length = header.name_length;
	client.control_length = (uint32_t)header.control_length;
	from = resolver_address(&client.at);
	answer = resolver_answer(buffer, (size_t)n, PLAIN_MAX, &from, servers, &count);
	if (answer > 0)
		reply(&client, buffer, (size_t)answer);
	else if (answer == 0)
		forward(&client, (size_t)n, servers, count);
}

void udp_answered(uint32_t number)
{
	struct query *query = number < QUERIES ? &table[number] : 0;
	long n;

	if (!query || !query->fd)
		return;
	n = SYS6(__NR_recvfrom, query->fd - 1, buffer, sizeof(buffer), MSG_DONTWAIT_, 0, 0);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) { /* refused: nobody is there */
		ask_next(query);
		return;
	}
	if (n < (long)DNS_HEADER || memcmp(buffer, query->message, 2) != 0 || !(buffer[2] & 0x80))
		return; /* not the answer: it may still come */
	if (query->asked < query->count && ((buffer[3] & 15) == DNS_SERVER_FAILURE || (buffer[3] & 15) == DNS_REFUSED)) {
		ask_next(query); /* as the C library does */
		return;
	}
	reply(&query->client, buffer, (size_t)n);
	end(query);
}

int64_t udp_tick(void)
{
	int64_t now = clock_monotonic(), next = -1;

	for (unsigned i = 0; pending && i < QUERIES; i++) {
		if (table[i].fd && table[i].deadline <= now)
			ask_next(&table[i]);
		if (table[i].fd && (next < 0 || table[i].deadline < next))
			next = table[i].deadline;
	}
	return next;
}
