/* text.h - builds short texts in a fixed buffer. What does not fit is cut, and `cut` says so: callers check it where it matters. */
#ifndef TSRUN_SUPERVISOR_TEXT_H
#define TSRUN_SUPERVISOR_TEXT_H

#include "../sys.h"

struct text {
	char *buf;
	unsigned size;
	unsigned len;
	int cut;
};

static inline void text_bytes(struct text *t, const void *from, size_t n)
{
	if (n > t->size - t->len) {
		n = t->size - t->len;
		t->cut = 1;
	}
	memcpy(t->buf + t->len, from, n);
	t->len += (unsigned)n;
}

static inline void text_string(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

static inline void text_number(struct text *t, uint64_t n)
{
	char digits[20];

	text_bytes(t, digits, decimal(digits, n));
}

/* N in decimal, with zeros in front up to WIDTH (at most 20) digits. */
static inline void text_padded(struct text *t, uint64_t n, unsigned width)
{
	char digits[20];
	unsigned len = decimal(digits, n);

	for (; width > len; width--)
		text_bytes(t, "0", 1);
	text_bytes(t, digits, len);
}

#endif
