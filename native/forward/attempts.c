/* attempts.c - see attempts.h */
#include "attempts.h"

#include <linux/mman.h>

#define HEADS 1024u
#define LOOK_EVERY 1000 /* ms between two looks for those whose time is over */

static struct attempt *attempts;
static uint32_t limit, used, live, unused;
static uint32_t heads[HEADS]; /* index + 1, so that zero is empty */
static uint32_t seed; /* so that nobody can choose ports that fall into one chain */
static int64_t look_at = -1;

int attempts_open(uint32_t max)
{
	long at;

	limit = max;
	SYS3(__NR_getrandom, &seed, sizeof(seed), 0);
	at = SYS6(__NR_mmap, 0, limit * sizeof(*attempts), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	attempts = (struct attempt *)at;
	return 0;
}

struct attempt *attempt_at(uint32_t index)
{
	return &attempts[index];
}

uint32_t attempt_index(const struct attempt *a)
{
	return (uint32_t)(a - attempts);
}

static uint32_t mixed(uint32_t hash, const struct address *a)
{
	for (unsigned i = 0; i < sizeof(a->ip); i++)
		hash = (hash ^ a->ip[i]) * 16777619u; /* FNV-1a */
	hash = (hash ^ (a->port & 0xff)) * 16777619u;
	return (hash ^ a->port >> 8) * 16777619u;
}

static uint32_t *head_of(const struct address *client, const struct address *target)
{
	uint32_t hash = mixed(mixed(2166136261u ^ seed, client), target);

	return &heads[(hash ^ hash >> 16) % HEADS];
}

struct attempt *attempt_find(const struct address *client, const struct address *target)
{
	for (uint32_t next = *head_of(client, target); next; next = attempts[next - 1].next) {
		struct attempt *a = &attempts[next - 1];

		if (address_equal(&a->client, client) && address_equal(&a->target, target))
			return a;
	}
	return 0;
}

struct attempt *attempt_new(int fd, const struct address *client, const struct address *target)
{
	uint32_t *head = head_of(client, target), index;

	if (!unused && used == limit)
		return 0;
	if (unused) {
		index = unused - 1;
		unused = attempts[index].next;
	} else {
		index = used++;
	}
	attempts[index] = (struct attempt){.fd = fd, .client = *client, .target = *target, .next = *head};
	*head = index + 1;
	live++;
	return &attempts[index];
}

void attempt_end(struct attempt *a)
{
	uint32_t *link = head_of(&a->client, &a->target), index = attempt_index(a);

	while (*link != index + 1)
		link = &attempts[*link - 1].next;
	*link = a->next;
	a->fd = -1;
	a->next = unused;
	unused = index + 1;
	live--;
}

int64_t attempts_expire(int64_t now, void (*give_up)(struct attempt *))
{
	if (!live)
		return look_at = -1;
	if (look_at < 0)
		look_at = now + LOOK_EVERY;
	if (now < look_at)
		return look_at;
	for (uint32_t i = 0; i < used; i++)
		if (attempts[i].fd >= 0 && attempts[i].until <= now)
			give_up(&attempts[i]);
	return look_at = live ? now + LOOK_EVERY : -1;
}

uint32_t attempts_count(void)
{
	return live;
}
