/* flows.c - see flows.h; a table with chains, and two lists in the order of the last use: the answered and the unanswered. */
#include "flows.h"
#include "places.h"

#include "../supervisor/io.h"

#define NONE NO_PLACE
#define UNREPLIED_AFTER 30000 /* ms */
#define REPLIED_AFTER 180000

struct order {
	uint32_t oldest, newest;
};

static struct places places;
static struct chains chains;
static struct flow *flows;
static struct order orders[2] = {{NONE, NONE}, {NONE, NONE}};
static void (*ended)(struct flow *);

int flows_open(uint32_t limit, void (*on_end)(struct flow *))
{
	int error = places_open(&places, sizeof(*flows), limit);

	ended = on_end;
	flows = places.at;
	chains_open(&chains);
	return error;
}

struct flow *flow_at(uint32_t index)
{
	return &flows[index];
}

uint32_t flow_index(const struct flow *f)
{
	return (uint32_t)(f - flows);
}

static uint32_t *chain(uint16_t port, const struct address *client, const struct address *local)
{
	return chain_of(&chains, address_hash(address_hash(chains.seed ^ port, client), local));
}

struct flow *flow_find(uint16_t port, const struct address *client, const struct address *local)
{
	for (uint32_t next = *chain(port, client, local); next; next = flows[next - 1].next) {
		struct flow *f = &flows[next - 1];

		if (f->port == port && address_equal(&f->client, client) && address_equal(&f->local, local))
			return f;
	}
	return 0;
}

static void put_in_order(struct flow *f)
{
	struct order *o = &orders[f->replied];
	uint32_t index = flow_index(f);

	f->older = o->newest;
	f->newer = NONE;
	if (o->newest == NONE)
		o->oldest = index;
	else
		flows[o->newest].newer = index;
	o->newest = index;
}

static void take_out_of_order(struct flow *f)
{
	struct order *o = &orders[f->replied];

	if (f->older == NONE)
		o->oldest = f->newer;
	else
		flows[f->older].newer = f->newer;
	if (f->newer == NONE)
		o->newest = f->older;
	else
		flows[f->newer].older = f->older;
}

static void make_room(void)
{
	if (places_full(&places))
		flow_end(&flows[orders[orders[0].oldest == NONE].oldest]);
}

struct flow *flow_new(uint16_t port, const struct address *client, const struct address *local, int64_t now)
{
	uint32_t index;
	struct flow *f;

	make_room();
	index = place_take(&places);
	f = &flows[index];
	*f = (struct flow){.fd = -1, .port = port, .client = *client, .local = *local, .last = now};
	chain_put(&places, chain(port, client, local), index);
	put_in_order(f);
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
	uint32_t index = flow_index(f);

	ended(f);
	io_close(&f->fd);
	chain_remove(&places, chain(f->port, &f->client, &f->local), index);
	take_out_of_order(f);
	place_give(&places, index);
}

int flow_shares_source(const struct flow *f)
{
	for (uint32_t i = 0; i < places.used; i++) {
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
		while (orders[replied].oldest != NONE) {
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
	return places.live;
}

void flows_trim(void)
{
	places_trim(&places);
}
