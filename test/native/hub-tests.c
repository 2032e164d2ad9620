/* hub-tests.c - the parts of the hub that read what others have written: DNS messages, names, resolv.conf; by examples and by chance. */
#include "hub/message.h"
#include "hub/servers.h"
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03WeB\x03""dns\x05tsrun\x00\x00\x01\x00\x01";

static void test_message(void)
{
	uint8_t message[512];
	struct question q;
	size_t length;

	memcpy(message, query, sizeof(query) - 1);
	CHECK(message_question(message, sizeof(query) - 1, &q) == 0);
	CHECK(!strcmp(q.name, "web.dns.tsrun") && q.type == DNS_A && q.end == sizeof(query) - 1);
	length = message_answer(message, &q, 0);
	length = message_add_address(message, length, sizeof(message), (const uint8_t *)"\x0a\x5a\x00\x02", 4);
	CHECK(length == sizeof(query) - 1 + 16 && message[7] == 1 && (message[2] & 0x80));
	CHECK(message_add_address(message, length, length + 15, message, 4) == length && (message[2] & 2)); /* cut: TC */
}

static void test_reverse(void)
{
	struct question q = {.name_length = 22};
	struct address address;

	strcpy(q.name, "2.0.90.10.in-addr.arpa");
	CHECK(message_reverse(&q, &address) && !memcmp(address.bytes + 12, "\x0a\x5a\x00\x02", 4));
	strcpy(q.name, "2.0.90.300in-addr.arpa");
	CHECK(!message_reverse(&q, &address));
}

static void test_names(void)
{
	static const uint8_t names[] = "\x03web\x02" "db";
	struct hub_endpoint web = {.flags = HUB_HAS_IPV4, .network = 1, .names_length = 7, .ipv4 = {10, 90, 0, 2}};
	struct hub_endpoint other = {.flags = HUB_HAS_IPV4, .container = {1}, .network = 2, .ipv4 = {10, 90, 1, 2}};
	struct address at = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 90, 0, 2}};

	CHECK(names_join(&web, names, 7, 1) == 0 && names_join(&other, names, 0, 2) == 0);
	CHECK(names_at(&at) && names_next(names_at(&at), "db", 2, 0));
	at.bytes[14] = 1;
	CHECK(names_at(&at) && !names_next(names_at(&at), "db", 2, 0)); /* of another network */
	web.names_length = 4;
	CHECK(names_join(&web, (const uint8_t *)"\x04web", 4, 1) == -EINVAL);
	CHECK(names_join(&web, (const uint8_t *)"\x03Web", 4, 1) == -EINVAL);
	names_end(1);
	at.bytes[14] = 0;
	CHECK(!names_at(&at));
}

static void test_servers(void)
{
	static const char text[] = "# x\nnameserver 192.0.2.300\nnameserver\t127.0.0.53 \nnameserver fe80::1%eth0\nnameserver 2001:db8::5\r\nnameservers 1.1.1.1";
	struct address servers[SERVERS_MAX];

	CHECK(servers_parse(text, sizeof(text) - 1, servers) == 2);
	CHECK(servers[0].bytes[10] == 0xff && servers[0].bytes[15] == 53 && servers[1].bytes[0] == 0x20 && servers[1].bytes[15] == 5);
}

/* Whatever comes, nothing is read or written outside: the sanitizers watch. Each input has a block of its own length. */
static void test_chance(void)
{
	for (int i = 0; i < 200000; i++) {
		size_t length = any(80);
		uint8_t *bytes = malloc(length ? length : 1);
		struct address address, servers[SERVERS_MAX];
		struct question q;

		for (size_t j = 0; j < length; j++)
			bytes[j] = any(3) ? (j < sizeof(query) - 1 ? query[j] : 0) : (uint8_t)any(256);
		if (message_question(bytes, length, &q) == 0)
			message_reverse(&q, &address);
		for (size_t j = 0; j < length; j++)
			bytes[j] = (uint8_t)"nameserver 1:.f\n"[any(16)];
		if (length > 11)
			memcpy(bytes, "nameserver ", 11);
		servers_parse((const char *)bytes, length, servers);
		free(bytes);
	}
}

int main(void)
{
	test_message();
	test_reverse();
	test_names();
	test_servers();
	test_chance();
	puts("hub-tests: ok");
	return 0;
}
