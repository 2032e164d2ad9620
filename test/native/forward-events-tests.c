/*
 * forward-events-tests.c - the forwarder's connections with the kernel's own events: nothing may be left lying that no event will tell of any more.
 * And how long it looks for events before it sleeps.
 */
#include "forward/connections.h"
#include "forward/events.h"
#include "forward/patience.h"
#include "supervisor/clock.h"
#include "check.h"

#include <stdio.h>
#include <string.h>

#define MSG_OOB 1
#define PATIENT_MS 10000 /* a test that waits as long for an event has failed */

/* A connection over this machine's loopback: CALLER's end blocks, the other, which is the forwarder's, does not. */
static void connect_here(int *caller, int *other)
{
	union socket_address name = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f}};
	uint32_t len = sizeof(name.v4);
	int listener = (int)SYS3(__NR_socket, AF_INET, SOCK_STREAM, 0);

	net_set(listener, SOL_TCP, TCP_NODELAY, 1); /* what is accepted inherits it */
	CHECK(SYS3(__NR_bind, listener, &name, len) == 0 && SYS2(__NR_listen, listener, 1) == 0);
	CHECK(SYS3(__NR_getsockname, listener, &name, &len) == 0);
	*caller = (int)SYS3(__NR_socket, AF_INET, SOCK_STREAM, 0);
	net_set(*caller, SOL_TCP, TCP_NODELAY, 1);
	CHECK(SYS3(__NR_connect, *caller, &name, len) == 0);
	*other = (int)SYS4(__NR_accept4, listener, 0, 0, SOCK_NONBLOCK);
	CHECK(*other >= 0);
	SYS1(__NR_close, listener);
}

struct through {
	struct connection *c;
	int ends[2]; /* the client's, and the service's */
};

/* One whose client has sent its first words before it was taken on, as most have. */
static struct through connection_with(const char *words)
{
	struct through t;
	int client, server;

	connect_here(&t.ends[CLIENT], &client);
	connect_here(&t.ends[SERVER], &server);
	CHECK(SYS6(__NR_sendto, t.ends[CLIENT], words, strlen(words), 0, 0, 0) == (long)strlen(words));
	t.c = connection_new(client);
	CHECK(t.c != 0);
	t.c->relay.ends[SERVER] = (struct end){.fd = server, .pipe = NO_PIPE, .readable = 1, .writable = 1};
	CHECK(events_add(server, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(t.c), SERVER) == 0);
	CHECK(events_add(client, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(t.c), CLIENT) == 0);
	connection_relay(t.c);
	return t;
}

/* As the forwarder does after each wait; 0 when nothing came. */
static int one_round(int64_t wait)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t now = clock_monotonic();
	int n = events_wait(events, now + wait, &now);

	for (int i = 0; i < n; i++) {
		struct connection *c = connection_at(event_index(&events[i]));

		if (c->state == CONNECTION_RELAYS)
			connection_ready(c, event_side(&events[i]), events[i].events);
	}
	connections_round();
	return n;
}

/* What FD has been sent, to its end or until there are MOST bytes. */
static uint32_t hear(int fd, char *words, uint32_t most)
{
	uint32_t got = 0;

	while (got < most) {
		long n = SYS6(__NR_recvfrom, fd, words + got, most - got, MSG_DONTWAIT, 0, 0);

		if (n == 0)
			break;
		CHECK(n > 0 || n == -EAGAIN);
		if (n > 0)
			got += (uint32_t)n;
		else
			CHECK(one_round(PATIENT_MS) > 0);
	}
	return got;
}

static void end(struct through *t)
{
	for (int side = CLIENT; side <= SERVER; side++)
		SYS1(__NR_close, t->ends[side]);
	while (t->c->state != CONNECTION_FREE)
		CHECK(one_round(PATIENT_MS) > 0);
}

/*
 * A short read is taken for all that was there. At urgent data it is not: what is behind it, the end too, came with the same event. The forwarder
 * may know of it by an event, or, with its first read, have none yet.
 */
static void test_urgent(int by_event)
{
	struct through t = connection_with("before ");
	char words[64] = "";

	if (by_event) /* else it was taken on with all of that there */
		CHECK(hear(t.ends[SERVER], words, 7) == 7 && one_round(1) == 0);
	CHECK(SYS6(__NR_sendto, t.ends[CLIENT], "at!", 3, MSG_OOB, 0, 0) == 3);
	CHECK(SYS6(__NR_sendto, t.ends[CLIENT], " behind", 7, 0, 0, 0) == 7);
	SYS2(__NR_shutdown, t.ends[CLIENT], SHUT_WR);
	CHECK(hear(t.ends[SERVER], by_event ? words + 7 : words, 64 - 7) == (by_event ? 9 : 16));
	CHECK(!strcmp(words, "before at behind")); /* the urgent byte itself is not in the stream */
	end(&t);
}

/* Urgent data is there before the connection is taken on: the first read has no event that could tell of it. */
static void test_urgent_at_first(void)
{
	struct through t;
	char words[64] = "";
	int client, server;

	connect_here(&t.ends[CLIENT], &client);
	connect_here(&t.ends[SERVER], &server);
	CHECK(SYS6(__NR_sendto, t.ends[CLIENT], "at!", 3, MSG_OOB, 0, 0) == 3);
	CHECK(SYS6(__NR_sendto, t.ends[CLIENT], " behind", 7, 0, 0, 0) == 7);
	SYS2(__NR_shutdown, t.ends[CLIENT], SHUT_WR);
	t.c = connection_new(client);
	t.c->relay.ends[SERVER] = (struct end){.fd = server, .pipe = NO_PIPE, .readable = 1, .writable = 1};
	CHECK(events_add(server, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(t.c), SERVER) == 0);
	CHECK(events_add(client, CONNECTION_EVENTS, EVENT_TCP_END, connection_index(t.c), CLIENT) == 0);
	connection_relay(t.c);
	CHECK(hear(t.ends[SERVER], words, 64) == 9 && !strcmp(words, "at behind"));
	end(&t);
}

/* Words of any length in both directions, and the forwarder's rounds, come as chance has it. */
static void test_short_words(void)
{
	static char words[6000], heard[6000];
	struct through t = connection_with("x");

	CHECK(hear(t.ends[SERVER], heard, 1) == 1 && heard[0] == 'x');
	for (int i = 0; i < 3000; i++) {
		unsigned from = any(2);
		uint32_t n = 1 + any(any(4) ? 100 : sizeof(words)), first = any(n);

		memset(words, 'a' + i % 26, n);
		CHECK(SYS6(__NR_sendto, t.ends[from], words, first, 0, 0, 0) == (long)first);
		if (any(2))
			one_round(0);
		CHECK(SYS6(__NR_sendto, t.ends[from], words, n - first, 0, 0, 0) == (long)(n - first));
		CHECK(hear(t.ends[!from], heard, n) == n && !memcmp(heard, words, n));
	}
	end(&t);
}

static int64_t learned_until; /* what the clock says in these tests */

/* COUNT events come after WAITED ns each; how often it looked for one. */
static uint32_t learn(struct patience *p, uint32_t count, int64_t waited)
{
	uint32_t looks = 0;

	for (uint32_t i = 0; i < count; i++) {
		learned_until += waited;
		looks += (uint32_t)patience_looks(p);
		patience_learn(p, waited, learned_until);
	}
	return looks;
}

static void test_patience(void)
{
	struct patience p = PATIENCE_NONE;
	const int64_t soon = PATIENCE_NS / 2, woken = PATIENCE_NEAR_NS - 1, late = 10 * PATIENCE_NEAR_NS;
	const uint32_t vain_at_most = PATIENCE_CREDIT / PATIENCE_PRICE + 1;
	uint32_t vain;

	/* Events that are far from each other are slept for, and a few that are not do not change that. */
	CHECK(learn(&p, 1000, late) == 0);
	CHECK(learn(&p, PATIENCE_SOON - 1, woken) == 0 && learn(&p, 1, late) == 0 && learn(&p, PATIENCE_SOON, woken) == 0);
	/* More are looked for, as long as that finds them, though one or another comes late. */
	CHECK(learn(&p, 100, soon) == 100);
	for (int i = 0; i < 100; i++)
		CHECK(learn(&p, 1, late) == 1 && learn(&p, 9, soon) == 9);
	/* It stops after a few in vain, at once when the peer is gone. */
	vain = learn(&p, 100, late);
	CHECK(vain > 0 && vain <= vain_at_most);
	/* Who has to be woken each time, as with one processor: it is tried again, but seldom. */
	vain = learn(&p, 100000, woken);
	CHECK(vain > 0 && vain < (100000 * woken / PATIENCE_REST_MAX_NS + 10) * vain_at_most);
	/* And is found out again when it has become worth it, though one event in ten comes late. */
	for (int64_t begin = learned_until; learn(&p, 9, woken) == 0 && !patience_looks(&p); learn(&p, 1, late))
		CHECK(learned_until < begin + PATIENCE_REST_MAX_NS + late);
	CHECK(learn(&p, 100, soon) == 100);
	CHECK(p.rest == PATIENCE_REST_NS);
}

static uint32_t sleeps;

static void count_sleep(void)
{
	sleeps++;
}

/* Who waits is told so before it sleeps, and not when something is there. */
static void test_sleep(void)
{
	struct through t = connection_with("");
	uint32_t before = sleeps;

	CHECK(one_round(1) == 0 && sleeps > before);
	end(&t);
}

int main(void)
{
	events_open(count_sleep);
	CHECK(connections_open(100) == 0);
	test_patience();
	test_urgent(0);
	test_urgent(1);
	test_urgent_at_first();
	test_short_words();
	test_sleep();
	connections_trim();
	printf("forward-events-tests: ok\n");
	return 0;
}
