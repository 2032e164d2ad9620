/*
 * forward-tests.c - parts of the forwarders that can be tested alone: who a client is inside, the table of UDP flows, the relay between two
 * sockets, whose peers are on this machine, whether a service has room, and of connections outwards what the kernel's queue says, and the table of attempts.
 */
#include "forward/address.h"
#include "forward/attempts.h"
#include "forward/datagram.h"
#include "forward/flows.h"
#include "forward/queue.h"
#include "forward/near.h"
#include "forward/pipes.h"
#include "forward/relay.h"
#include "forward/room.h"
#include "forward/segments.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The container has 10.0.2.100/24 and fd00::64/64; the gateways are 10.0.2.2 and fd00::2. */
static struct forward_config both = {
	.families = {{{10, 0, 2, 100}, {10, 0, 2, 2}, 24, 1, {0}},
		     {{0xfd, [15] = 0x64}, {0xfd, [15] = 2}, 64, 1, {0}}},
};

static struct address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct address){.port = 4711, .ip = {a, b, c, d}};
}

static struct address ipv6(uint16_t first, uint8_t last)
{
	return (struct address){.is6 = 1, .port = 4711, .ip = {(uint8_t)(first >> 8), (uint8_t)first, [15] = last}};
}

static struct way way(const struct forward_config *config, struct address client, int other)
{
	struct way w;

	CHECK(address_way(&w, config, &client, 80, other) == 0);
	CHECK(w.container.port == 80 && w.source.is6 == w.container.is6 && w.source.port == client.port);
	CHECK(!memcmp(w.container.ip, config->families[w.container.is6].container, w.container.is6 ? 16 : 4));
	return w;
}

static int is_kept(struct address client)
{
	struct way w = way(&both, client, 0);

	if (!memcmp(w.source.ip, client.ip, 16))
		return 1;
	CHECK(!memcmp(w.source.ip, both.families[client.is6].gateway, client.is6 ? 16 : 4));
	return 0;
}

static void test_ways(void)
{
	struct forward_config only4 = both, only6 = both;
	struct address client = ipv4(192, 0, 2, 1);
	struct way w;

	only4.families[1].present = only6.families[0].present = 0;
	CHECK(is_kept(ipv4(192, 0, 2, 1)) && is_kept(ipv4(10, 0, 3, 1)) && is_kept(ipv4(169, 254, 1, 1)));
	CHECK(!is_kept(ipv4(127, 0, 0, 1)) && !is_kept(ipv4(127, 255, 0, 9)) && !is_kept(ipv4(0, 0, 0, 0)));
	CHECK(!is_kept(ipv4(10, 0, 2, 100)) && !is_kept(ipv4(10, 0, 2, 7)));
	CHECK(is_kept(ipv6(0x2001, 1)) && is_kept(ipv6(0xfc00, 1)));
	CHECK(!is_kept(ipv6(0, 1)) && !is_kept(ipv6(0, 0)) && !is_kept(ipv6(0xfe80, 9)) && !is_kept(ipv6(0xfd00, 9)));

	/* The other family: as its gateway, if there are both. */
	w = way(&both, client, 1);
	CHECK(w.container.is6 && !memcmp(w.source.ip, both.families[1].gateway, 16));
	w = way(&only6, client, 0);
	CHECK(w.container.is6 && !memcmp(w.source.ip, both.families[1].gateway, 16));
	w = way(&only4, ipv6(0x2001, 1), 0);
	CHECK(!w.container.is6 && !memcmp(w.source.ip, both.families[0].gateway, 4));
	CHECK(address_way(&w, &only4, &client, 80, 1) < 0 && address_way(&w, &only6, &client, 80, 1) < 0);

	/* Prefixes that end inside a byte. */
	both.families[0].prefix = 22;
	CHECK(!is_kept(ipv4(10, 0, 3, 1)) && is_kept(ipv4(10, 0, 4, 1)));
	both.families[0].prefix = 0;
	CHECK(!is_kept(ipv4(192, 0, 2, 1)));
	both.families[0].prefix = 24;
}

/* To the kernel's form and back; IPv4 may come inside IPv6. */
static void test_names(void)
{
	for (int i = 0; i < 10000; i++) {
		struct address a = {.is6 = (uint8_t)any(2), .port = (uint16_t)any(65536)}, b;
		union socket_address name;

		for (uint32_t k = 0; k < address_ip_length(&a); k++)
			a.ip[k] = (uint8_t)any(256);
		CHECK(address_to(&name, &a) == (a.is6 ? 28 : 16) && address_from(&b, &name) == 0 && address_equal(&a, &b));
		CHECK(address_to_v6(&name, &a) == 28 && address_from(&b, &name) == 0 && address_equal(&a, &b));
		name.family = 1;
		CHECK(address_from(&b, &name) < 0);
	}
}

#define LIMIT 40
#define CLIENTS 200

static uint32_t ended;

static void on_end(struct flow *f)
{
	(void)f;
	ended++;
}

/* The address is the number's, spread so that some clients share one. */
static struct address client_of(uint32_t number)
{
	return (struct address){.port = (uint16_t)(1000 + number), .ip = {10, 9, 8, (uint8_t)(number % 50)}};
}

/* Random clients come, speak and go, beside a plain array that says when each was last heard. */
static void test_flows(void)
{
	struct address local = {.ip = {192, 0, 2, 2}};
	int64_t now = 1000000, last[CLIENTS] = {0};
	uint8_t replied[CLIENTS] = {0};
	uint32_t made = 0;

	CHECK(flows_open(LIMIT, on_end) == 0);
	for (int i = 0; i < 50000; i++) {
		uint32_t number = any(CLIENTS), present = 0;
		struct address client = client_of(number);
		struct flow *f = flow_find(7, &client, &local);

		now += any(any(100) ? 200 : 40000);
		flows_expire(now);
		f = flow_find(7, &client, &local);
		CHECK(!f || (last[number] == f->last && replied[number] == f->replied));
		CHECK(!f || f->last + (f->replied ? 180000 : 30000) > now);
		CHECK(!flow_find(8, &client, &local));
		if (!f) {
			f = flow_new(7, &client, &local, now);
			f->source = client;
			replied[number] = 0;
			made++;
		} else if (any(10) == 0) {
			flow_end(f);
			CHECK(!flow_find(7, &client, &local));
			continue;
		}
		replied[number] |= (uint8_t)(any(3) == 0);
		flow_touch(f, replied[number], now);
		last[number] = now;
		CHECK(flow_find(7, &client, &local) == f && flow_at(flow_index(f)) == f);
		for (uint32_t k = 0; k < CLIENTS; k++) {
			client = client_of(k);
			present += flow_find(7, &client, &local) != 0;
		}
		CHECK(present == flows_count() && present <= LIMIT && made - ended == present);
	}
	CHECK(flows_expire(now + 200000) == -1 && flows_count() == 0 && made == ended);
	flows_trim();
}

static void test_outside(void)
{
	static const uint8_t inside[] = {0, 127, 224, 239, 240, 255}, outside[] = {1, 10, 100, 126, 128, 169, 172, 192, 223};
	struct address a = ipv4(192, 0, 2, 1), six = ipv6(0x2001, 1);

	for (unsigned i = 0; i < sizeof(inside); i++) {
		a.ip[0] = inside[i];
		CHECK(!address_is_outside(&a));
	}
	for (unsigned i = 0; i < sizeof(outside); i++) {
		a.ip[0] = outside[i];
		CHECK(address_is_outside(&a));
	}
	a.port = 0;
	CHECK(!address_is_outside(&a) && address_is_outside(&six));
	six.port = 0;
	CHECK(!address_is_outside(&six));
	a = ipv6(0xfd00, 1);
	CHECK(address_is_outside(&a));
	for (unsigned i = 0; i < 4; i++) { /* ::1, fe80::1, febf::1, ff02::1 */
		a = ipv6((uint16_t[]){0, 0xfe80, 0xfebf, 0xff02}[i], 1);
		CHECK(!address_is_outside(&a));
	}
	a = (struct address){.is6 = 1, .port = 80, .ip = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}}; /* ::ffff:127.0.0.1 */
	CHECK(!address_is_outside(&a));
}

/* What the kernel sends of a SYN from 10.90.0.2:4660 to 192.0.2.9:443, number 7: nlmsghdr, nfgenmsg, packet header, a mark, the packet. */
#define REQUEST_LENGTH (16 + 4 + 12 + 8 + 4 + 40)

static void make_request(uint8_t *m, uint8_t header_words)
{
	static const uint8_t start[] = {REQUEST_LENGTH, 0, 0, 0, 0, 3, 0, 0, [16] = 2, [20] = 11, 0, 1, 0, 0, 0, 0, 7, 8, 0, 1, 0,
					8, 0, 3, 0, 0, 0, 0, 1, 44, 0, 10, 0};
	uint8_t *packet = m + sizeof(start);

	memset(m, 0, REQUEST_LENGTH);
	memcpy(m, start, sizeof(start));
	packet[0] = (uint8_t)(0x40 | header_words);
	packet[9] = 6;
	memcpy(packet + 12, (uint8_t[]){10, 90, 0, 2, 192, 0, 2, 9}, 8);
	if (header_words < 10)
		memcpy(packet + 4 * header_words, (uint8_t[]){0x12, 0x34, 0x01, 0xbb}, 4);
}

/* The same of IPv6: from fd00::2 to 2001::9, with NEXT behind its header. */
static void test_queue_ipv6(void)
{
	enum { LENGTH = REQUEST_LENGTH + 4 };
	uint8_t m[LENGTH], *packet = m + REQUEST_LENGTH - 40;
	struct request r = {0};

	make_request(m, 5);
	m[0] = LENGTH;
	m[40] = 48; /* the attribute's length */
	memset(packet, 0, 44);
	memcpy(packet, (uint8_t[]){0x60, [6] = 6, [8] = 0xfd, [23] = 2, [24] = 0x20, [25] = 1, [39] = 9, [40] = 0x12, 0x34, 0x01, 0xbb}, 44);
	CHECK(queue_parse(m, LENGTH, &r) == QUEUE_REQUEST && r.packet == 7);
	CHECK(r.client.is6 && r.client.port == 0x1234 && r.client.ip[0] == 0xfd && r.client.ip[15] == 2);
	CHECK(r.target.is6 && r.target.port == 443 && r.target.ip[0] == 0x20 && r.target.ip[15] == 9);
	packet[6] = 44; /* a fragment's header */
	CHECK(queue_parse(m, LENGTH, &r) == QUEUE_OTHER_PACKET);
	packet[6] = 6;
	m[40] = 47; /* the ports are cut off */
	CHECK(queue_parse(m, LENGTH, &r) == QUEUE_OTHER_PACKET);
}

static void test_queue(void)
{
	uint8_t *m = malloc(REQUEST_LENGTH), original[REQUEST_LENGTH];
	unsigned requests = 0;

	for (uint8_t words = 5; words <= 9; words++) {
		struct request r = {0};

		make_request(m, words);
		CHECK(queue_parse(m, REQUEST_LENGTH, &r) == QUEUE_REQUEST);
		CHECK(r.packet == 7 && r.client.port == 0x1234 && r.target.port == 443);
		CHECK(!memcmp(r.client.ip, (uint8_t[16]){10, 90, 0, 2}, 16) && !memcmp(r.target.ip, (uint8_t[16]){192, 0, 2, 9}, 16));
	}
	make_request(m, 10); /* the ports are behind the end */
	CHECK(queue_parse(m, REQUEST_LENGTH, &(struct request){0}) == QUEUE_OTHER_PACKET);
	make_request(m, 5);
	memcpy(original, m, REQUEST_LENGTH);
	for (size_t n = 0; n < REQUEST_LENGTH; n++) {
		uint8_t *part = malloc(n);

		memcpy(part, m, n); /* so that a read behind its end is found */
		CHECK(queue_parse(part, n, &(struct request){0}) == QUEUE_NOTHING);
		free(part);
	}
	for (int i = 0; i < 200000; i++) {
		struct request r;

		memcpy(m, original, REQUEST_LENGTH);
		for (uint32_t k = any(4) + 1; k; k--)
			m[any(REQUEST_LENGTH)] = (uint8_t)any(256);
		requests += queue_parse(m, REQUEST_LENGTH, &r) == QUEUE_REQUEST;
	}
	CHECK(requests > 1000 && requests < 199000);
	free(m);
}

static struct address at_port(struct address a, uint16_t port)
{
	a.port = port;
	return a;
}

/* A datagram as the kernel's second queue has it, by interface 5: of IPv6 from fd00::2 to 2001::9, of IPv4 from 10.90.0.2 to 192.0.2.9. */
enum { DATAGRAM_LENGTH = 16 + 4 + 12 + 8 + 4 + DATAGRAM_HEADERS + 5, DATAGRAM_LENGTH4 = DATAGRAM_LENGTH - 20 };

/* Where in it the UDP header is. */
static size_t make_datagram(uint8_t *m, int is6)
{
	const size_t headers = is6 ? DATAGRAM_HEADERS : 28, length = 44 + headers + 5;
	uint8_t start[] = {(uint8_t)length, 0, 0, 0, 0, 3, 0, 0, [16] = is6 ? 10 : 2, [20] = 11, 0, 1, 0, 0, 0, 0, 7, 8, 0, 1, 0,
			   8, 0, 5, 0, 0, 0, 0, 5, (uint8_t)(4 + headers + 5), 0, 10, 0};
	struct address from = at_port(is6 ? ipv6(0xfd00, 2) : ipv4(10, 90, 0, 2), 0x1234);
	struct address to = at_port(is6 ? ipv6(0x2001, 9) : ipv4(192, 0, 2, 9), 53);
	uint8_t room[DATAGRAM_HEADERS + 5] = {0};
	struct packet p;

	memcpy(room + DATAGRAM_HEADERS, "query", 5);
	p = datagram_write(room, 5, &from, &to);
	CHECK(p.length == headers + 5 && p.at + p.length == room + sizeof(room));
	memcpy(m, start, sizeof(start));
	memcpy(m + sizeof(start), p.at, p.length);
	return length - 5 - 8;
}

static void test_queue_of_datagrams(int is6)
{
	const size_t length = is6 ? DATAGRAM_LENGTH : DATAGRAM_LENGTH4;
	uint8_t *m = malloc(length), original[DATAGRAM_LENGTH], *packet = m + 44;
	size_t udp = make_datagram(m, is6);
	unsigned good = 0;
	struct datagram d;

	memcpy(original, m, length);
	CHECK(queue_parse_datagram(m, length, &d) == QUEUE_REQUEST);
	CHECK(d.packet == 7 && d.interface == 5 && d.size == 5 && !memcmp(d.data, "query", 5));
	CHECK(d.client.is6 == is6 && d.client.port == 0x1234 && d.client.ip[0] == (is6 ? 0xfd : 10));
	CHECK(d.target.is6 == is6 && d.target.port == 53 && d.target.ip[0] == (is6 ? 0x20 : 192));
	for (uint8_t size = 0; size < 8 + 7; size++) { /* what UDP says of its own length */
		m[udp + 5] = size;
		CHECK(queue_parse_datagram(m, length, &d) == (size < 8 || size > 8 + 5 ? QUEUE_OTHER_PACKET : QUEUE_REQUEST));
	}
	m[udp + 5] = 8 + 5;
	if (!is6) { /* a fragment has no ports; "do not fragment" is none */
		packet[6] = 0x20;
		CHECK(queue_parse_datagram(m, length, &d) == QUEUE_OTHER_PACKET);
		packet[6] = 0x40;
		CHECK(queue_parse_datagram(m, length, &d) == QUEUE_REQUEST);
	}
	packet[is6 ? 6 : 9] = 6;
	CHECK(queue_parse_datagram(m, length, &d) == QUEUE_OTHER_PACKET && d.packet == 7);
	for (size_t n = 0; n < length; n++) {
		uint8_t *part = malloc(n);

		memcpy(part, original, n);
		CHECK(queue_parse_datagram(part, n, &d) == QUEUE_NOTHING);
		free(part);
	}
	for (int i = 0; i < 200000; i++) {
		memcpy(m, original, length);
		for (uint32_t k = any(4) + 1; k; k--)
			m[any((uint32_t)length)] = (uint8_t)any(256);
		if (queue_parse_datagram(m, length, &d) != QUEUE_REQUEST)
			continue;
		good++;
		CHECK(d.data >= m && d.data + d.size <= m + length);
	}
	CHECK(good > 1000 && good < 199000);
	free(m);
}

/* Of all that a checksum of IPv6 is about, with the checksum itself: 0xffff when it is right. */
static uint32_t summed(const uint8_t *packet, size_t length, uint32_t next)
{
	uint32_t total = next + (uint32_t)(length - 40);

	for (size_t i = 8; i < length; i++)
		total += i % 2 ? packet[i] : (uint32_t)packet[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/* SIZE bytes at AT and a checksum over them: 0xffff when it is right. */
static uint32_t summed4(const uint8_t *at, size_t size)
{
	uint32_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/* A datagram of any size in fragments, put together again, is the datagram. */
static void test_datagrams(int is6)
{
	static uint8_t room[DATAGRAM_HEADERS + DATAGRAM_DATA_MAX], whole[sizeof(room)], fragment[DATAGRAM_FRAGMENT];
	struct address from = at_port(is6 ? ipv6(0x2001, 9) : ipv4(192, 0, 2, 9), 53);
	struct address to = at_port(is6 ? ipv6(0xfd00, 2) : ipv4(10, 90, 0, 2), 0x1234);
	const size_t header = is6 ? 40 : 20, extra = is6 ? 8 : 0, most = is6 ? DATAGRAM_DATA_MAX : 65507;
	struct packet p;

	for (int i = 0; i < 400; i++) {
		size_t size = i < 8 ? (size_t)i : i == 8 ? most : any((uint32_t)most + 1), offset = 0, got = 0, n;

		for (size_t k = 0; k < size; k++)
			room[DATAGRAM_HEADERS + k] = (uint8_t)any(256);
		p = datagram_write(room, size, &from, &to);
		CHECK(p.length == header + 8 + size && p.at + p.length == room + DATAGRAM_HEADERS + size);
		if (is6)
			CHECK(summed(p.at, p.length, 17) == 0xffff && (p.at[46] || p.at[47]));
		else
			CHECK(p.at[0] == 0x45 && (size_t)(p.at[2] << 8 | p.at[3]) == p.length && p.at[9] == 17 && !p.at[26] && !p.at[27]);
		while ((n = datagram_fragment(fragment, &p, &offset, 0x12345678))) {
			const uint8_t *place = fragment + (is6 ? 42 : 6);
			size_t at = (size_t)(place[0] << 8 | place[1]);
			int more = is6 ? at & 1 : at >> 13;

			at = is6 ? at & 0xfff8 : (at & 0x1fff) * 8;
			CHECK(n <= DATAGRAM_FRAGMENT && n > header + extra && at == got);
			if (is6)
				CHECK((size_t)(fragment[4] << 8 | fragment[5]) == n - 40 && fragment[6] == 44 && fragment[40] == 17 && fragment[44] == 0x12 && fragment[47] == 0x78);
			else
				CHECK((size_t)(fragment[2] << 8 | fragment[3]) == n && fragment[4] == 0x56 && fragment[5] == 0x78);
			CHECK(!memcmp(fragment + (is6 ? 8 : 12), p.at + (is6 ? 8 : 12), is6 ? 32 : 8));
			memcpy(whole + at, fragment + header + extra, n - header - extra);
			got += n - header - extra;
			CHECK(more == (got < p.length - header));
		}
		CHECK(got == p.length - header && !memcmp(whole, p.at + header, got));
	}
	p = datagram_refuse(room, &to, &from);
	if (is6) {
		CHECK(p.length == 96 && summed(p.at, p.length, 58) == 0xffff && p.at[6] == 58 && p.at[40] == 1 && p.at[41] == 4);
		CHECK(p.at[8] == 0x20 && p.at[24] == 0xfd); /* the target says it to the client */
		CHECK(p.at[48 + 8] == 0xfd && p.at[48 + 24] == 0x20 && p.at[88] == 0x12 && p.at[89] == 0x34); /* of what the client had said */
	} else {
		CHECK(p.length == 56 && summed4(p.at + 20, 36) == 0xffff && summed4(p.at + 28, 20) == 0xffff && p.at[9] == 1 && p.at[20] == 3 && p.at[21] == 3);
		CHECK(p.at[12] == 192 && p.at[16] == 10 && p.at[28 + 12] == 10 && p.at[28 + 16] == 192 && p.at[48] == 0x12 && p.at[49] == 0x34);
	}
}

#define ATTEMPTS 32

static uint32_t given_up;

static void give_up(struct attempt *a)
{
	given_up++;
	attempt_end(a);
}

/* Random attempts begin, end and time out, beside a plain array that says until when each is to last. */
static void test_attempts(void)
{
	struct address target = {.port = 80, .ip = {192, 0, 2, 2}};
	int64_t now = 5000, until[CLIENTS] = {0};
	uint32_t refused = 0, made = 0, over = 0;

	CHECK(attempts_open(ATTEMPTS) == 0 && attempts_expire(now, give_up) == -1);
	for (int i = 0; i < 50000; i++) {
		uint32_t number = any(CLIENTS), present = 0;
		struct address client = client_of(number);
		struct attempt *a = attempt_find(&client, &target);

		CHECK(!a || (until[number] == a->until && a->fd == (int)number));
		if (a && any(3) == 0) {
			attempt_end(a);
			until[number] = 0;
			over++;
		} else if (!a && (a = attempt_new((int)number, &client, &target))) {
			until[number] = a->until = now + any(20000);
			made++;
		} else if (!a) {
			CHECK(attempts_count() == ATTEMPTS);
			refused++;
		}
		now += any(500);
		attempts_expire(now, give_up);
		for (uint32_t k = 0; k < CLIENTS; k++) {
			client = client_of(k);
			a = attempt_find(&client, &target);
			CHECK(!a || (a == attempt_at(attempt_index(a)) && a->until > now - 1500));
			present += a != 0;
			until[k] = a ? until[k] : 0;
		}
		CHECK(present == attempts_count() && made - over - given_up == present);
	}
	CHECK(refused > 100 && given_up > 100 && over > 100);
	attempts_each(INT64_MAX, give_up);
}

/* One that the kernel gave another port is found by its address and target, once it is connected. */
static void test_attempt_by_another_port(void)
{
	struct address client = client_of(1), same = client, other = client_of(2), target = {.port = 80, .ip = {192, 0, 2, 2}}, elsewhere = target;
	struct attempt *a = attempt_new(3, &client, &target);

	same.port = 9;
	elsewhere.port = 81;
	CHECK(!attempt_find(&same, &target) && !attempt_find_connected(&same, &target));
	a->connected = 1;
	CHECK(attempt_find_connected(&same, &target) == a && attempt_find_connected(&client, &target) == a);
	CHECK(!attempt_find_connected(&other, &target) && !attempt_find_connected(&same, &elsewhere));
	attempt_end(a);
	CHECK(!attempt_find_connected(&same, &target) && attempts_count() == 0);
}

/* One way through the relay: bytes that say by themselves where in the stream they are. */
struct way_through {
	int in, out; /* the test's ends */
	uint64_t sent, got;
	int shut, over;
};

static uint8_t byte_at(uint64_t position)
{
	return (uint8_t)(position * 2654435761u >> 13);
}

static void send_some(struct way_through *w, uint32_t most)
{
	uint8_t bytes[70000];
	uint32_t n = 1 + any(most);
	long ret;

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = byte_at(w->sent + i);
	ret = SYS6(__NR_sendto, w->in, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
	CHECK(ret > 0 || ret == -EAGAIN);
	w->sent += ret > 0 ? (uint64_t)ret : 0;
}

static void take_some(struct way_through *w, uint32_t most)
{
	uint8_t bytes[70000];
	long n = SYS6(__NR_recvfrom, w->out, bytes, 1 + any(most), MSG_DONTWAIT, 0, 0);

	CHECK(n >= 0 || n == -EAGAIN);
	for (long i = 0; i < n; i++)
		CHECK(bytes[i] == byte_at(w->got + (uint64_t)i));
	w->got += n > 0 ? (uint64_t)n : 0;
	if (n != 0)
		return;
	CHECK(w->shut && w->got == w->sent); /* an end comes behind everything, and not unasked */
	w->over = 1;
}

/* MOST: of a write, and of a read; a small socket's room makes the relay keep what is not taken. */
static void test_relay(uint32_t most_sent, uint32_t most_taken)
{
	int client[2], server[2], room = 3000;
	struct relay r = {0};
	struct way_through ways[2];
	enum relay_result result = RELAY_WAIT;

	CHECK(SYS4(__NR_socketpair, 1, SOCK_STREAM, 0, client) == 0 && SYS4(__NR_socketpair, 1, SOCK_STREAM, 0, server) == 0);
	r.ends[CLIENT] = (struct end){.fd = client[1], .pipe = NO_PIPE};
	r.ends[SERVER] = (struct end){.fd = server[1], .pipe = NO_PIPE};
	for (int side = CLIENT; side <= SERVER; side++) {
		SYS3(__NR_fcntl, r.ends[side].fd, F_SETFL, O_NONBLOCK);
		SYS5(__NR_setsockopt, r.ends[side].fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	}
	ways[0] = (struct way_through){.in = client[0], .out = server[0]};
	ways[1] = (struct way_through){.in = server[0], .out = client[0]};
	for (int i = 0; result != RELAY_DONE; i++) {
		CHECK(i < 200000);
		for (int side = CLIENT; side <= SERVER; side++) {
			struct way_through *w = &ways[side];

			if (!w->shut && any(3) == 0)
				send_some(w, most_sent);
			if (!w->over && any(3) == 0)
				take_some(w, most_taken);
			if (!w->shut && i > 3000 && any(500) == 0) {
				w->shut = 1;
				SYS2(__NR_shutdown, w->in, SHUT_WR);
			}
			/* What epoll would say; now and then it has not yet said it. */
			r.ends[side].readable |= any(2) == 0;
			r.ends[side].writable |= any(2) == 0;
			r.ends[side].ending |= w->shut && any(2) == 0;
		}
		result = relay_pump(&r, 0);
		CHECK(result <= RELAY_DONE && result != RELAY_STARVED);
	}
	for (int side = CLIENT; side <= SERVER; side++)
		SYS1(__NR_close, r.ends[side].fd);
	for (int side = CLIENT; side <= SERVER; side++) {
		while (!ways[side].over)
			take_some(&ways[side], most_taken);
		CHECK(ways[side].sent > 10000);
	}
	SYS1(__NR_close, client[0]);
	SYS1(__NR_close, server[0]);
}

/* A service on this machine's loopback: its address becomes *NAME. */
static int listen_here(union socket_address *name, uint32_t *len, int backlog)
{
	struct address any_port = {.ip = {127, 0, 0, 2}};
	int listener = (int)SYS3(__NR_socket, AF_INET, SOCK_STREAM, 0);

	*len = address_to(name, &any_port);
	CHECK(SYS3(__NR_bind, listener, name, *len) == 0 && SYS2(__NR_listen, listener, backlog) == 0);
	CHECK(SYS3(__NR_getsockname, listener, name, len) == 0);
	return listener;
}

/* A connection from one address of the loopback to another. */
static void connect_here(int ends[2])
{
	union socket_address name;
	uint32_t len;
	int listener = listen_here(&name, &len, 1);

	ends[0] = (int)SYS3(__NR_socket, AF_INET, SOCK_STREAM, 0);
	CHECK(SYS3(__NR_connect, ends[0], &name, len) == 0);
	ends[1] = (int)SYS4(__NR_accept4, listener, 0, 0, SOCK_NONBLOCK);
	CHECK(ends[1] >= 0);
	SYS1(__NR_close, listener);
}

/*
 * Nobody accepts here: what is known counts down to nothing, is asked for anew, and is less by those that wait and those under way. A question
 * in vain is not repeated for a moment, which the kernel may have spent on looking for a module.
 */
static void test_room(void)
{
	union socket_address name;
	struct address service, nobody = {.port = 1, .ip = {127, 0, 0, 2}};
	uint32_t len;
	int listener = listen_here(&name, &len, 9), clients[4];

	CHECK(address_from(&service, &name) == 0);
	room_open();
	CHECK(room_take(3, &service, 8) && !room_take(3, &service, 9));
	for (int i = 0; i < 4; i++) {
		clients[i] = (int)SYS3(__NR_socket, AF_INET, SOCK_STREAM, 0);
		CHECK(room_take(3, &service, 0) && SYS3(__NR_connect, clients[i], &name, len) == 0);
	}
	for (uint32_t left = 9 - 4; left; left--) /* of what was said first */
		CHECK(room_take(3, &service, 0));
	CHECK(room_take(3, &service, 4) && !room_take(3, &service, 5));
	for (int i = 0; i < 4; i++)
		SYS1(__NR_close, clients[i]);
	CHECK(!room_take(3, &nobody, 0) && !room_take(3, &service, 0));
	while (!room_take(3, &service, 0))
		usleep(100000);
	SYS1(__NR_close, listener);
	room_forget(3);
	CHECK(!room_take(3, &service, 0));
}

static int sends_plainly(int fd)
{
	char control[16] = "";
	uint32_t len = sizeof(control);

	CHECK(SYS5(__NR_getsockopt, fd, SOL_TCP, TCP_CONGESTION, control, &len) == 0);
	return strcmp(control, "reno") == 0;
}

/* Only once it is a stream, in either direction, is it found out whom a connection leads to; the other end is told to be of this machine. */
static void test_near(void)
{
	static uint8_t much[8192];
	int client[2], server[2], other[2], plain;
	struct relay r = {0};

	CHECK(SYS4(__NR_socketpair, 1, SOCK_STREAM, 0, other) == 0 && !near_is(other[0]));
	connect_here(client);
	connect_here(server);
	CHECK(near_is(client[0]) && near_is(client[1]));
	plain = sends_plainly(client[1]); /* it is this machine's own */
	r.ends[CLIENT] = (struct end){.fd = client[1], .pipe = NO_PIPE, .readable = 1, .writable = 1};
	r.ends[SERVER] = (struct end){.fd = server[1], .pipe = NO_PIPE, .readable = 1, .writable = 1, .here = 1};
	CHECK(SYS6(__NR_sendto, client[0], much, 100, 0, 0, 0) == 100 && relay_pump(&r, 0) == RELAY_WAIT);
	CHECK(r.ends[SERVER].spoken && !r.ends[SERVER].settled && !r.ends[CLIENT].spoken);
	r.ends[CLIENT].readable = 1;
	CHECK(SYS6(__NR_sendto, client[0], much, sizeof(much), 0, 0, 0) == sizeof(much) && relay_pump(&r, 0) == RELAY_WAIT);
	CHECK(r.ends[SERVER].settled && sends_plainly(server[1]) && sends_plainly(client[1]) == plain);
	r.ends[SERVER].readable = 1;
	CHECK(SYS6(__NR_sendto, server[0], much, sizeof(much), 0, 0, 0) == sizeof(much) && relay_pump(&r, 0) == RELAY_WAIT);
	CHECK(r.ends[CLIENT].settled && sends_plainly(client[1]));
	for (int i = 0; i < 2; i++) {
		SYS1(__NR_close, client[i]);
		SYS1(__NR_close, server[i]);
		SYS1(__NR_close, other[i]);
		pipe_give(&r.ends[i].pipe);
	}
}

#define PIPE_WANTED (512 << 10)

static int pipe_size(const struct pipe *p)
{
	return (int)SYS3(__NR_fcntl, p->fds[0], 1032 /* F_GETPIPE_SZ */, 0);
}

/* Takes pages for pipes until the kernel gives this user no more. Their descriptors stay open. */
static void take_all_pages(void)
{
	int fds[2];

	do
		CHECK(SYS2(__NR_pipe2, fds, 0) == 0);
	while (SYS3(__NR_fcntl, fds[1], 1031 /* F_SETPIPE_SZ */, 1 << 20) >= 0);
	while (SYS2(__NR_pipe2, fds, 0) == 0 && SYS3(__NR_fcntl, fds[1], 1031, 128 << 10) >= 0)
		;
}

/*
 * As root of a user namespace with subordinate ids: reserved pipes are wide though this user's pages for pipes are used up, as three of podman's
 * pastas do, whose containers' neighbours then had a quarter of the loopback's speed instead of most of it. They are the first to be
 * taken, and never closed: what a broken connection leaves in one is thrown away.
 */
static void test_reserved_pipes(void)
{
	static uint8_t much[PIPE_WANTED];
	struct pipe pipes[3] = {NO_PIPE, NO_PIPE, NO_PIPE};

	take_all_pages();
	pipes_reserve(2);
	CHECK(SYS0(__NR_getuid) == 0 && SYS0(__NR_geteuid) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pipe_take(&pipes[i]) == 0);
	CHECK(pipes[0].reserved && pipes[1].reserved && !pipes[2].reserved);
	CHECK(pipe_size(&pipes[0]) == PIPE_WANTED && pipe_size(&pipes[1]) == PIPE_WANTED && pipe_size(&pipes[2]) < PIPE_WANTED);
	pipes[0].held = (uint32_t)SYS3(__NR_write, pipes[0].fds[1], much, sizeof(much));
	CHECK(pipes[0].held == sizeof(much));
	for (int i = 0; i < 3; i++)
		pipe_give(&pipes[i]);
	pipes_trim();
	for (int i = 0; i < 2; i++) {
		uint8_t byte;

		CHECK(pipe_take(&pipes[i]) == 0 && pipes[i].reserved && pipes[i].held == 0 && pipe_size(&pipes[i]) == PIPE_WANTED);
		CHECK(SYS3(__NR_read, pipes[i].fds[0], &byte, 1) == -EAGAIN);
	}
	printf("forward-tests: pipes are wide\n");
}

/* An ordinary user has no subordinate ids without a user namespace: none is reserved, and any is as good as before. */
static void test_pipes(void)
{
	struct pipe p = NO_PIPE;

	if (SYS0(__NR_getuid) != 0)
		pipes_reserve(2);
	CHECK(pipe_take(&p) == 0 && !p.reserved);
	CHECK(SYS3(__NR_write, p.fds[1], "x", 1) == 1);
	p.held = 1;
	pipe_give(&p);
	CHECK(p.fds[0] == -1 && pipe_take(&p) == 0 && p.held == 0);
	pipe_give(&p);
}

#define DATAGRAMS 20u

/*
 * Datagrams that are sent as one arrive each by itself, as they were, in runs of one size and among others: also where the way's packets are shorter than
 * they are, as then they are sent one by one.
 */
static void test_segments(int short_packets)
{
	struct address any_port = {.ip = {127, 0, 0, 1}};
	static uint8_t bytes[DATAGRAMS][3000], got[3001];
	uint8_t control[SEGMENTS_CONTROL] __attribute__((aligned(8))), one_by_one = 0;
	struct net_message m = {.control = control};
	union socket_address name;
	uint32_t len = address_to(&name, &any_port), fewer = 0;
	int to = (int)SYS3(__NR_socket, AF_INET, SOCK_DGRAM, 0), from = (int)SYS3(__NR_socket, AF_INET, SOCK_DGRAM, 0);

	CHECK(SYS3(__NR_bind, to, &name, len) == 0 && SYS3(__NR_getsockname, to, &name, &len) == 0);
	CHECK(SYS3(__NR_connect, from, &name, len) == 0);
	for (int round = 0; round < 200; round++) {
		struct iovec parts[DATAGRAMS];
		unsigned n = any(DATAGRAMS) + 1, sent = 0, calls = 0;

		for (unsigned i = 0; i < n; i++) {
			size_t size = i && any(4) ? parts[i - 1].iov_len : any(4) ? any(3001) : any(2);

			for (size_t k = 0; k < size; k++)
				bytes[i][k] = (uint8_t)any(256);
			parts[i] = (struct iovec){bytes[i], size};
		}
		while (sent < n) {
			uint8_t before = one_by_one;
			long ret = segments_send(from, parts + sent, n - sent, &m, &one_by_one);

			CHECK(ret > 0 || (ret < 0 && !before && one_by_one));
			sent += ret > 0 ? (unsigned)ret : 0;
			calls++;
		}
		fewer += calls < n;
		for (unsigned i = 0; i < n; i++) {
			CHECK(SYS6(__NR_recvfrom, to, got, sizeof(got), MSG_DONTWAIT, 0, 0) == (long)parts[i].iov_len);
			CHECK(!memcmp(got, bytes[i], parts[i].iov_len));
		}
	}
	CHECK(fewer && one_by_one == short_packets);
	SYS1(__NR_close, to);
	SYS1(__NR_close, from);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "segments")) {
		test_segments(1);
		printf("forward-tests: short packets\n");
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "pipes")) {
		test_reserved_pipes();
		return 0;
	}
	test_pipes();
	test_ways();
	test_names();
	test_flows();
	test_outside();
	test_queue();
	test_queue_ipv6();
	for (int is6 = 0; is6 <= 1; is6++) {
		test_queue_of_datagrams(is6);
		test_datagrams(is6);
	}
	test_attempts();
	test_attempt_by_another_port();
	test_relay(100, 400);
	test_relay(100, 50);
	test_relay(9000, 20000);
	test_relay(60000, 3000);
	test_relay(60000, 60000);
	test_near();
	test_room();
	test_segments(0);
	pipes_trim();
	printf("forward-tests: ok\n");
	return 0;
}
