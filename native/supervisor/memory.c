/* memory.c - see memory.h */
#include "memory.h"
#include "clients.h"
#include "log.h"
#include "stdio.h"

#define TRIM_AFTER 1000 /* ms without events after which memory is given back */

static int64_t busy_at = -1; /* of the last event since then; -1 = none */

void memory_poll(struct poll_set *set)
{
	if (busy_at >= 0)
		poll_until(set, busy_at + TRIM_AFTER);
}

void memory_ready(const struct poll_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		if (set->fds[i].revents)
			busy_at = set->now;
	if (busy_at < 0 || set->now - busy_at < TRIM_AFTER)
		return;
	busy_at = -1;
	clients_trim();
	stdio_trim();
	log_trim();
}
