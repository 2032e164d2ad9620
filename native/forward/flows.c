/* flows.c - see flows.h; a hash table of chains, and two lists in the order of the last use: the answered and the unanswered. */
#include "flows.h"

#include "../supervisor/io.h"

#include <linux/mman.h>

#define HEADS 1024u
#define UNREPLIED_AFTER 30000 /* ms */
#define REPLIED_AFTER 180000

struct order {
	uint32_t oldest, newest;
};

static struct flow *flows;
static uint32_t limit, used, live, unused = NO_FLOW;
static uint32_t heads[HEADS]; /* index + 1, so that zero is empty */
static struct order orders[2] = {{NO_FLOW, NO_FLOW}, {NO_FLOW, NO_FLOW}};
static void (*ended)(struct flow *);
static uint32_t seed; /* so that nobody can choose ports that fall into one chain */

int flows_open(uint32_t max, void (*on_end)(struct flow *))
{
	long at;

	limit = max;
	ended = on_end;
	SYS3(__NR_getrandom, &seed, sizeof(seed), 0);
	at = SYS6(__NR_mmap, 0, limit * sizeof(*flows), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	flows = (struct flow *)at;
	return 0;
}

struct flow *flow_at(uint32_t index)
{
	return &flows[index];
}

uint32_t flow_index(const struct flow *f)
{
	return (uint32_t)(f - flows);
}

static uint32_t mixed(uint32_t hash, const void *bytes, uint32_t n)
{
	const uint8_t *at = bytes;

	while (n--)
		hash = (hash ^ *at++) * 16777619u; /* FNV-1a */
	return hash;
}

static uint32_t *head_of(uint16_t port, const struct address *client, const struct address *local)
{
	uint32_t hash = mixed(2166136261u ^ seed, &port, sizeof(port));

	hash = mixed(hash, &client->port, 2);
	hash = mixed(hash, client->ip, address_ip_length(client));
	hash = mixed(hash, local->ip, address_ip_length(local));
	return &heads[(hash ^ hash >> 16) % HEADS];
}

struct flow *flow_find(uint16_t port, const struct address *client, const struct address *local)
{
	uint32_t next = *head_of(port, client, local);

	while (next) {
		struct flow *f = &flows[next - 1];

		if (f->port == port && address_equal(&f->client, client) && address_equal(&f->local, local))
			return f;
		next = f->hash_next;
	}
	return 0;
}

static void put_in_order(struct flow *f)
{
	struct order *o = &orders[f->replied];
	uint32_t index = flow_index(f);

	f->older = o->newest;
	f->newer = NO_FLOW;
	if (o->newest == NO_FLOW)
		o->oldest = index;
	else
		flows[o->newest].newer = index;
	o->newest = index;
}

static void take_out_of_order(struct flow *f)
{
	struct order *o = &orders[f->replied];

	if (f->older == NO_FLOW)
		o->oldest = f->newer;
	else
		flows[f->older].newer = f->newer;
	if (f->newer == NO_FLOW)
		o->newest = f->older;
	else
		flows[f->newer].older = f->older;
}

static void make_room(void)
{
	if (unused != NO_FLOW || used < limit)
		return;
	flow_end(&flows[orders[orders[0].oldest == NO_FLOW].oldest]);
}

struct flow *flow_new(uint16_t port, const struct address *client, const struct address *local, int64_t now)
{
	uint32_t *head = head_of(port, client, local), index;
	struct flow *f;

	make_room();
	index = unused;
	if (index == NO_FLOW)
		index = used++;
	else
		unused = flows[index].hash_next;
	f = &flows[index];
	*f = (struct flow){.fd = -1, .port = port, .client = *client, .local = *local, .hash_next = *head, .last = now};
	*head = index + 1;
	put_in_order(f);
	live++;
	return f;
}

void flow_touch(struct flow *f, int reply, int64_t now)
{
	take_out_of_order(f);
	f->replied |= reply != 0;
	f->last = now;
	put_in_order(f);
}

void flow_end(struct flow *f)
{
	uint32_t index = flow_index(f), *link = head_of(f->port, &f->client, &f->local);

	ended(f);
	io_close(&f->fd);
	while (*link != index + 1)
		link = &flows[*link - 1].hash_next;
	*link = f->hash_next;
	take_out_of_order(f);
	f->hash_next = unused;
	unused = index;
	live--;
}

int flow_shares_source(const struct flow *f)
{
	for (uint32_t i = 0; i < used; i++) {
		const struct flow *g = &flows[i];

		if (g != f && g->fd >= 0 && g->source.is6 == f->source.is6 && !memcmp(g->source.ip, f->source.ip, 16))
			return 1;
	}
	return 0;
}

int64_t flows_expire(int64_t now)
{
	static const int64_t after[2] = {UNREPLIED_AFTER, REPLIED_AFTER};
	int64_t next = -1;

	for (int replied = 0; replied < 2; replied++) {
		while (orders[replied].oldest != NO_FLOW) {
			struct flow *f = &flows[orders[replied].oldest];
			int64_t end = f->last + after[replied];

			if (end > now) {
				next = next < 0 || end < next ? end : next;
				break;
			}
			flow_end(f);
		}
	}
	return next;
}

uint32_t flows_count(void)
{
	return live;
}

void flows_trim(void)
{
	if (live || !used)
		return;
	SYS3(__NR_madvise, flows, limit * sizeof(*flows), MADV_DONTNEED);
	used = 0;
	unused = NO_FLOW;
}
