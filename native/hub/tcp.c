/*
 * tcp.c - see tcp.h
 *
 * A conversation has one buffer, and is in one state at a time; each state waits for one descriptor:
 *
 *     READ_QUESTION (client) --> WRITE_ANSWER (client)                         a name of containers
 *                            \-> ASK (server) -> READ_ANSWER (server) -> WRITE_ANSWER (client)
 *
 * Any failure, and the end of PATIENCE, closes both ends.
 */
#include "tcp.h"
#include "../supervisor/clock.h"
#include "../supervisor/io.h"
#include "loop.h"
#include "resolver.h"
#include "servers.h"

#define TALKS 16u
#define PATIENCE 10000 /* ms for a whole conversation */
#define FRAME_MAX (2u + 65535u)
#define MSG_NOSIGNAL_ 0x4000

enum state {
	READ_QUESTION,
	ASK,
	READ_ANSWER,
	WRITE_ANSWER,
};

struct talk {
	int client, server; /* + 1; client 0 = free */
	enum state state;
	int64_t deadline;
	unsigned asked, count;
	struct address from, servers[SERVERS_MAX];
	uint32_t done, length; /* bytes of the frame read or written, and of all of it */
	uint8_t frame[FRAME_MAX];
};

static struct talk table[TALKS];

int tcp_open(void)
{
	io_nonblocking(HUB_FD_TCP);
	return loop_watch(HUB_FD_TCP, EPOLLIN, WATCH_TCP, 0);
}

static uint32_t number_of(const struct talk *t)
{
	return (uint32_t)(t - table);
}

static void close_server(struct talk *t)
{
	int fd = t->server - 1;

	io_close(&fd);
	t->server = 0;
}

static void end(struct talk *t)
{
	int fd = t->client - 1;

	io_close(&fd);
	t->client = 0;
	close_server(t);
}

void tcp_accept(void)
{
	uint8_t at[28];
	uint32_t at_length = sizeof(at);
	long fd = SYS4(__NR_accept4, HUB_FD_TCP, at, &at_length, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	for (unsigned i = 0; i < TALKS; i++) {
		struct talk *t = &table[i];

		if (t->client)
			continue;
		if (loop_watch((int)fd, EPOLLIN, WATCH_CLIENT, i) < 0)
			break;
		t->client = (int)fd + 1;
		t->server = 0;
		t->state = READ_QUESTION;
		t->deadline = clock_monotonic() + PATIENCE;
		t->from = resolver_address(at);
		t->done = t->length = 0;
		return;
	}
	SYS1(__NR_close, fd);
}

/* Reads on from FD: 1 when the frame is whole, 0 when more is to come, -1 when it will not. */
static int read_frame(struct talk *t, int fd)
{
	for (;;) {
		uint32_t want = t->done < 2 ? 2 : 2u + (uint32_t)(t->frame[0] << 8 | t->frame[1]);
		long n;

		if (t->done >= 2 && t->done == want) {
			t->length = want;
			return want > 2 + DNS_HEADER ? 1 : -1;
		}
		n = io_read(fd, t->frame + t->done, want - t->done);
		if (n == -EAGAIN)
			return 0;
		if (n <= 0)
			return -1;
		t->done += (uint32_t)n;
	}
}

/* Writes on to FD: 1 when all is written, 0, or -1. */
static int write_frame(struct talk *t, int fd)
{
	while (t->done < t->length) {
		long n = SYS6(__NR_sendto, fd, t->frame + t->done, t->length - t->done, MSG_NOSIGNAL_, 0, 0);

		if (n == -EAGAIN)
			return 0;
		if (n <= 0)
			return -1;
		t->done += (uint32_t)n;
	}
	return 1;
}

static void write_answer(struct talk *t)
{
	t->state = WRITE_ANSWER;
	t->done = 0;
	loop_change(t->client - 1, EPOLLOUT, WATCH_CLIENT, number_of(t));
}

/* Asks the next server that can be asked; the client hears nothing meanwhile. */
static void ask(struct talk *t)
{
	close_server(t);
	while (t->asked < t->count) {
		int fd = resolver_connect(&t->servers[t->asked++], OVER_TCP);

		if (fd < 0)
			continue;
		t->server = fd + 1;
		t->state = ASK;
		t->done = 0;
		if (loop_watch(fd, EPOLLOUT, WATCH_SERVER, number_of(t)) == 0) {
			loop_change(t->client - 1, 0, WATCH_CLIENT, number_of(t));
			return;
		}
		close_server(t);
	}
	end(t);
}

static void question(struct talk *t)
{
	long answer;

	t->asked = t->count = 0;
	answer = resolver_answer(t->frame + 2, t->length - 2, FRAME_MAX - 2, &t->from, t->servers, &t->count);
	if (answer < 0) {
		end(t);
	} else if (answer == 0) {
		ask(t);
	} else {
		t->frame[0] = (uint8_t)(answer >> 8);
		t->frame[1] = (uint8_t)answer;
		t->length = (uint32_t)answer + 2;
		write_answer(t);
	}
}

void tcp_client(uint32_t number)
{
	struct talk *t = number < TALKS ? &table[number] : 0;
	int done;

	if (!t || !t->client)
		return;
	if (t->state != READ_QUESTION && t->state != WRITE_ANSWER) { /* it hung up */
		end(t);
		return;
	}
	done = t->state == READ_QUESTION ? read_frame(t, t->client - 1) : write_frame(t, t->client - 1);
	if (done < 0 || (done > 0 && t->state == WRITE_ANSWER))
		end(t);
	else if (done > 0)
		question(t);
}

void tcp_server(uint32_t number)
{
	struct talk *t = number < TALKS ? &table[number] : 0;
	int done;

	if (!t || !t->client || !t->server)
		return;
	done = t->state == ASK ? write_frame(t, t->server - 1) : read_frame(t, t->server - 1);
	if (done < 0 && t->state == ASK) {
		ask(t);
	} else if (done < 0) {
		end(t);
	} else if (done > 0 && t->state == ASK) {
		t->state = READ_ANSWER;
		t->done = 0;
		loop_change(t->server - 1, EPOLLIN, WATCH_SERVER, number);
	} else if (done > 0) {
		close_server(t);
		write_answer(t);
	}
}

int64_t tcp_tick(void)
{
	int64_t now = clock_monotonic(), next = -1;

	for (unsigned i = 0; i < TALKS; i++) {
		if (table[i].client && table[i].deadline <= now)
			end(&table[i]);
		if (table[i].client && (next < 0 || table[i].deadline < next))
			next = table[i].deadline;
	}
	return next;
}
