/* attempts.c - see attempts.h */
#include "attempts.h"
#include "places.h"

#define LOOK_EVERY 1000 /* ms between two looks for those whose time is over */

static struct places places;
static struct chains chains;
static struct attempt *attempts;
static int64_t look_at = -1;

int attempts_open(uint32_t limit)
{
	int error = places_open(&places, sizeof(*attempts), limit);

	attempts = places.at;
	chains_open(&chains);
	return error;
}

struct attempt *attempt_at(uint32_t index)
{
	return &attempts[index];
}

uint32_t attempt_index(const struct attempt *a)
{
	return (uint32_t)(a - attempts);
}

static uint32_t *chain(const struct address *client, const struct address *target)
{
	return chain_of(&chains, address_hash(address_hash(chains.seed, client), target));
}

struct attempt *attempt_find(const struct address *client, const struct address *target)
{
	for (uint32_t next = *chain(client, target); next; next = attempts[next - 1].next) {
		struct attempt *a = &attempts[next - 1];

		if (address_equal(&a->client, client) && address_equal(&a->target, target))
			return a;
	}
	return 0;
}

struct attempt *attempt_find_connected(const struct address *client, const struct address *target)
{
	for (uint32_t i = 0; i < places.used; i++) {
		struct attempt *a = &attempts[i];
		struct address asked = a->client;

		asked.port = client->port;
		if (a->fd >= 0 && a->connected && address_equal(&asked, client) && address_equal(&a->target, target))
			return a;
	}
	return 0;
}

struct attempt *attempt_new(int fd, const struct address *client, const struct address *target)
{
	uint32_t index = place_take(&places);

	if (index == NO_PLACE)
		return 0;
	attempts[index] = (struct attempt){.fd = fd, .client = *client, .target = *target};
	chain_put(&places, chain(client, target), index);
	return &attempts[index];
}

void attempt_end(struct attempt *a)
{
	uint32_t index = attempt_index(a);

	chain_remove(&places, chain(&a->client, &a->target), index);
	a->fd = -1;
	place_give(&places, index);
}

void attempts_each(int64_t until, void (*give_up)(struct attempt *))
{
	for (uint32_t i = 0; i < places.used; i++)
		if (attempts[i].fd >= 0 && attempts[i].until <= until)
			give_up(&attempts[i]);
}

int64_t attempts_expire(int64_t now, void (*give_up)(struct attempt *))
{
	if (!places.live)
		return look_at = -1;
	if (look_at < 0)
		look_at = now + LOOK_EVERY;
	if (now < look_at)
		return look_at;
	attempts_each(now, give_up);
	return look_at = places.live ? now + LOOK_EVERY : -1;
}

uint32_t attempts_count(void)
{
	return places.live;
}
