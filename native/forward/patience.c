/* patience.c - see patience.h */
#include "patience.h"

static void looked_in_vain(struct patience *p, int64_t now)
{
	if (p->credit > PATIENCE_PRICE) {
		p->credit -= PATIENCE_PRICE;
		return;
	}
	p->credit = p->near = 0;
	p->until = now + p->rest;
	if (p->rest < PATIENCE_REST_MAX_NS)
		p->rest *= 2;
}

static void found(struct patience *p)
{
	if (p->credit < PATIENCE_CREDIT)
		p->credit++;
	else
		p->rest = PATIENCE_REST_NS;
}

void patience_learn(struct patience *p, int64_t waited, int64_t now)
{
	if (p->credit) {
		if (waited > PATIENCE_NS)
			looked_in_vain(p, now);
		else
			found(p);
		return;
	}
	p->near = waited > PATIENCE_NEAR_NS ? 0 : p->near + 1;
	if (p->near >= PATIENCE_SOON && now >= p->until)
		p->credit = PATIENCE_CREDIT - PATIENCE_PRICE;
}
