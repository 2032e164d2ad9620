/* patience.c - see patience.h */
#include "patience.h"

static void looked_in_vain(struct patience *p)
{
	if (p->credit > PATIENCE_PRICE) {
		p->credit -= PATIENCE_PRICE;
		return;
	}
	p->credit = p->near = 0;
	if (p->needed < PATIENCE_LATE)
		p->needed *= 2;
}

static void found(struct patience *p)
{
	if (p->credit < PATIENCE_CREDIT)
		p->credit++;
	else
		p->needed = PATIENCE_SOON;
}

void patience_learn(struct patience *p, int64_t waited)
{
	if (p->credit) {
		if (waited > PATIENCE_NS)
			looked_in_vain(p);
		else
			found(p);
		return;
	}
	p->near = waited > PATIENCE_NEAR_NS ? 0 : p->near + 1;
	if (p->near >= p->needed)
		p->credit = PATIENCE_CREDIT - PATIENCE_PRICE;
}
