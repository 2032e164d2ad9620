/*
 * places.h - a table of places of one size, which stay where they are; and chains of places, to find one by what is in it.
 *
 * The table is a mapping as large as its limit, of which only what was ever used takes memory. What is in a place is its user's, and begins
 * with a uint32_t by which places form lists: 1 + the index of the next one, 0 for none. Of free places it is the table's, of those
 * in a chain the chain's.
 */
#ifndef TSRUN_FORWARD_PLACES_H
#define TSRUN_FORWARD_PLACES_H

#include <stdint.h>

#define NO_PLACE 0xffffffffu
#define CHAINS 1024u

struct places {
	void *at;
	uint32_t size, limit;
	uint32_t used; /* those behind were never taken */
	uint32_t live; /* how many are taken */
	uint32_t unused;
};

/* LIMIT places of SIZE bytes, all zero. 0 or -errno. */
int places_open(struct places *p, uint32_t size, uint32_t limit);

/* Takes one, with what it had before in it: its index, or NO_PLACE when places_full(). */
uint32_t place_take(struct places *p);
void place_give(struct places *p, uint32_t index);

static inline int places_full(const struct places *p)
{
	return !p->unused && p->used == p->limit;
}

/* Gives memory back, if no place is taken. */
void places_trim(struct places *p);

struct chains {
	uint32_t first[CHAINS];
	uint32_t seed; /* of the hashes, so that nobody can choose what falls into one chain */
};

void chains_open(struct chains *c);

/* The chain of HASH: its first place. */
uint32_t *chain_of(struct chains *c, uint32_t hash);

void chain_put(struct places *p, uint32_t *chain, uint32_t index);
void chain_remove(struct places *p, uint32_t *chain, uint32_t index);

#endif
