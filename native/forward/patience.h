/*
 * patience.h - whether the next event is looked for, for a moment, before the forwarder sleeps.
 *
 * To wake somebody on another processor takes an interrupt there, and often the end of its sleep: in a virtual machine longer than passing a
 * request on, and it is the waker who waits for much of it. Who looks instead of sleeping need not be woken. But it has a processor
 * meanwhile, that whoever it waits for might need. So it looks only as long as that finds something: it begins after some short sleeps
 * in a row, goes on while few looks are in vain, and rests for the longer the more often it had to stop: for a time, and not for a number of
 * short sleeps in a row, which a machine where now and then one takes longer never comes to again.
 */
#ifndef TSRUN_FORWARD_PATIENCE_H
#define TSRUN_FORWARD_PATIENCE_H

#include <stdint.h>

#define PATIENCE_NS 50000	/* it looks so long */
#define PATIENCE_NEAR_NS 150000 /* a sleep shorter than this, being woken and all, is a short one */
#define PATIENCE_SOON 8u	/* it begins after so many of these in a row, */
#define PATIENCE_REST_NS 1000000 /* so long after it had to stop, and twice as long each time it has to stop again, */
#define PATIENCE_REST_MAX_NS (64 * PATIENCE_REST_NS) /* but no longer: by then four looks in vain are 0.3 % of a processor's time */
#define PATIENCE_CREDIT 16u	/* at most: a look that finds something earns 1, */
#define PATIENCE_PRICE 4u	/* and one in vain costs so much */

struct patience {
	uint32_t credit; /* it looks while there is some */
	uint32_t near;	 /* short sleeps in a row */
	int64_t rest;	 /* the next one, in ns */
	int64_t until;	 /* of CLOCK_MONOTONIC, in ns: it rests */
};

#define PATIENCE_NONE {0, 0, PATIENCE_REST_NS, 0}

static inline int patience_looks(const struct patience *p)
{
	return p->credit > 0;
}

/* WAITED ns went by until something came, which was NOW, whether it looked for it or slept. */
void patience_learn(struct patience *p, int64_t waited, int64_t now);

/* Between two looks: leaves a core's other thread alone. */
static inline void patience_pause(void)
{
	for (int i = 0; i < 8; i++)
#if defined(__x86_64__)
		__asm__ volatile("pause");
#else
		__asm__ volatile("isb");
#endif
}

#endif
