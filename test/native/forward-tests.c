/* forward-tests.c - parts of the forwarder that can be tested alone: who a client is inside, and the table of UDP flows. */
#include "forward/address.h"
#include "forward/flows.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	test_ways();
	test_names();
	test_flows();
	printf("forward-tests: ok\n");
	return 0;
}
