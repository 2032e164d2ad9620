/* clock.c - see clock.h */
#include "clock.h"

#include <linux/time.h>
#include <linux/time_types.h>

struct clock_time clock_now(void)
{
	struct __kernel_timespec ts = {0};

	SYS2(__NR_clock_gettime, CLOCK_REALTIME, &ts);
	return (struct clock_time){ts.tv_sec, (uint32_t)ts.tv_nsec};
}

struct clock_time clock_in(uint32_t milliseconds)
{
	struct clock_time time = clock_now();
	uint64_t nanoseconds = time.nanoseconds + milliseconds % 1000 * 1000000ull;

	time.seconds += milliseconds / 1000 + (int64_t)(nanoseconds / 1000000000);
	time.nanoseconds = (uint32_t)(nanoseconds % 1000000000);
	return time;
}

int64_t clock_monotonic_ns(void)
{
	struct __kernel_timespec ts = {0};

	SYS2(__NR_clock_gettime, CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_monotonic(void)
{
	return clock_monotonic_ns() / 1000000;
}

struct date {
	uint64_t year;
	unsigned month, day;
};

/*
 * The date of a day counted from 1970-01-01. The count is moved to the start of the 400-year era 0000-03-01: with years that
 * begin in March the leap day is the last of its year, and month lengths follow the line (153 m + 2) / 5.
 */
static struct date date_of_day(uint64_t day)
{
	uint64_t since = day + 719468, era = since / 146097, of_era = since % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t march = (5 * of_year + 2) / 153;
	struct date date;

	date.day = (unsigned)(of_year - (153 * march + 2) / 5 + 1);
	date.month = (unsigned)(march < 10 ? march + 3 : march - 9);
	date.year = year + era * 400 + (date.month <= 2);
	return date;
}

void clock_format(struct text *to, struct clock_time time)
{
	uint64_t seconds = time.seconds < 0 ? 0 : (uint64_t)time.seconds;
	struct date date = date_of_day(seconds / 86400);
	uint64_t of_day = seconds % 86400;

	text_padded(to, date.year, 4);
	text_bytes(to, "-", 1);
	text_padded(to, date.month, 2);
	text_bytes(to, "-", 1);
	text_padded(to, date.day, 2);
	text_bytes(to, "T", 1);
	text_padded(to, of_day / 3600, 2);
	text_bytes(to, ":", 1);
	text_padded(to, of_day / 60 % 60, 2);
	text_bytes(to, ":", 1);
	text_padded(to, of_day % 60, 2);
	text_bytes(to, ".", 1);
	text_padded(to, time.nanoseconds, 9);
	text_bytes(to, "Z", 1);
}
