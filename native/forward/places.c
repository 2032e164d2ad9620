/* places.c - see places.h */
#include "places.h"

#include "../sys.h"

#include <linux/mman.h>

static uint32_t *next_of(const struct places *p, uint32_t index)
{
	return (void *)((uint8_t *)p->at + (size_t)index * p->size);
}

int places_open(struct places *p, uint32_t size, uint32_t limit)
{
	long at = SYS6(__NR_mmap, 0, (size_t)limit * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at < 0 && at > -4096)
		return (int)at;
	*p = (struct places){.at = (void *)at, .size = size, .limit = limit};
	return 0;
}

uint32_t place_take(struct places *p)
{
	uint32_t index;

	if (places_full(p))
		return NO_PLACE;
	p->live++;
	if (!p->unused)
		return p->used++;
	index = p->unused - 1;
	p->unused = *next_of(p, index);
	return index;
}

void place_give(struct places *p, uint32_t index)
{
	*next_of(p, index) = p->unused;
	p->unused = index + 1;
	p->live--;
}

void places_trim(struct places *p)
{
	if (p->live || !p->used)
		return;
	SYS3(__NR_madvise, p->at, (size_t)p->limit * p->size, MADV_DONTNEED);
	p->used = p->unused = 0;
}

void chains_open(struct chains *c)
{
	SYS3(__NR_getrandom, &c->seed, sizeof(c->seed), 0);
}

uint32_t *chain_of(struct chains *c, uint32_t hash)
{
	return &c->first[(hash ^ hash >> 16) % CHAINS];
}

void chain_put(struct places *p, uint32_t *chain, uint32_t index)
{
	*next_of(p, index) = *chain;
	*chain = index + 1;
}

void chain_remove(struct places *p, uint32_t *chain, uint32_t index)
{
	while (*chain != index + 1)
		chain = next_of(p, *chain - 1);
	*chain = *next_of(p, index);
}
