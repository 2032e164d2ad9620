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

/* What DIGITS say in decimal, up to the first that is none; UINT32_MAX for more than that. */
static inline uint32_t text_to_number(const char *digits)
{
	uint64_t value = 0;

	for (; *digits >= '0' && *digits <= '9' && value < UINT32_MAX; digits++)
		value = value * 10 + (uint64_t)(*digits - '0');
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* The length of the UTF-8 sequence at S, which has N bytes; 0 for what is none (RFC 3629: no overlong forms, no surrogates). */
static inline unsigned text_utf8(const unsigned char *s, size_t n)
{
	unsigned len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (!len || len > n)
		return 0;
	for (unsigned i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

#define TEXT_JSON_MOST 6 /* bytes that a byte may become */

/* What is inside the quotes of a JSON string (RFC 8259); bytes that are no UTF-8 become U+FFFD, as in docker's logs. */
static inline void text_json(struct text *t, const unsigned char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	while (n) {
		unsigned len = text_utf8(s, n);

		if (!len) {
			text_string(t, "\\ufffd");
			len = 1;
		} else if (s[0] == '"' || s[0] == '\\') {
			text_bytes(t, "\\", 1);
			text_bytes(t, s, 1);
		} else if (s[0] == '\n' || s[0] == '\r' || s[0] == '\t') {
			text_string(t, s[0] == '\n' ? "\\n" : s[0] == '\r' ? "\\r" : "\\t");
		} else if (s[0] < ' ') {
			char escape[6] = {'\\', 'u', '0', '0', hex[s[0] >> 4], hex[s[0] & 15]};

			text_bytes(t, escape, sizeof(escape));
		} else {
			text_bytes(t, s, len);
		}
		s += len;
		n -= len;
	}
}

#endif
