/*
 * patience.h - whether the next event is looked for, for a moment, before the forwarder sleeps.
 *
 * To wake somebody on another processor takes an interrupt there, and often the end of its sleep: in a virtual machine longer than passing a
 * request on, and it is the waker who waits for much of it. Who looks instead of sleeping need not be woken. But it has a processor
 * meanwhile, that whoever it waits for might need. So it looks only as long as that finds something: it begins after some short sleeps
 * in a row, goes on while few looks are in vain, and begins the later again the more often it had to stop.
 */
#ifndef TSRUN_FORWARD_PATIENCE_H
#define TSRUN_FORWARD_PATIENCE_H

#include <stdint.h>

#define PATIENCE_NS 50000	/* it looks so long */
#define PATIENCE_NEAR_NS 150000 /* a sleep shorter than this, being woken and all, is a short one */
#define PATIENCE_SOON 8u	/* it begins after so many of these, */
#define PATIENCE_LATE 1024u	/* or after so many when it had to stop again and again */
#define PATIENCE_CREDIT 16u	/* at most: a look that finds something earns 1, */
#define PATIENCE_PRICE 4u	/* and one in vain costs so much */

struct patience {
	uint32_t credit; /* it looks while there is some */
	uint32_t near;	 /* short sleeps in a row */
	uint32_t needed; /* of them, until it looks again */
};

#define PATIENCE_NONE {0, 0, PATIENCE_SOON}

static inline int patience_looks(const struct patience *p)
{
	return p->credit > 0;
}

/* WAITED ns went by until something came, whether it looked for it or slept. */
void patience_learn(struct patience *p, int64_t waited);

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
