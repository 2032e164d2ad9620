/* begin.h - what both forwarders do when they begin. */
#ifndef TSRUN_FORWARD_BEGIN_H
#define TSRUN_FORWARD_BEGIN_H

#include <stdint.h>

/* A descriptor in decimal. */
int begin_number(const char *digits);

/* Says on stderr, which whoever started us keeps, what could not be done: the exit status. */
int begin_failed(const char *who, const char *what, int error);

/* A broken pipe is an error of splice(2), not an end. */
void begin_ignore_sigpipe(void);

/* How many descriptors may be open, but for RESERVED of them. */
uint32_t begin_descriptors(uint32_t reserved);

static inline int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

#endif
