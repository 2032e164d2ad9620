/* clock.h - time of day for people, a steady clock for deadlines. */
#ifndef TSRUN_SUPERVISOR_CLOCK_H
#define TSRUN_SUPERVISOR_CLOCK_H

#include "text.h"

/* "2006-01-02T15:04:05.000000000Z" */
#define CLOCK_TEXT 30

struct clock_time {
	int64_t seconds; /* since 1970-01-01T00:00:00Z */
	uint32_t nanoseconds;
};

struct clock_time clock_now(void);

/* The time of day that many milliseconds from now. */
struct clock_time clock_in(uint32_t milliseconds);

/* Of CLOCK_MONOTONIC; and in milliseconds. */
int64_t clock_monotonic_ns(void);
int64_t clock_monotonic(void);

/* Of two deadlines; a negative one is none. */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Appends the RFC 3339 form in UTC, always with nine digits of fraction: CLOCK_TEXT bytes. */
void clock_format(struct text *to, struct clock_time time);

#endif
