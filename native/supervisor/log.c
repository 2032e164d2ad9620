/*
 * log.c - see log.h
 *
 * Output is cut into lines in a buffer per stream; lines are made records by log-file.c and log-journal.c.
 */
#include "log.h"
#include "clock.h"
#include "io.h"
#include "log-file.h"
#include "log-journal.h"

#include <linux/mman.h>

#define PARTIAL_AFTER 500 /* ms */

static struct log_options options;
static int is_open;
static char stamp[CLOCK_TEXT]; /* of the bytes being written: one for all lines that came in one read */

static struct {
	unsigned char line[LOG_LINE] __attribute__((aligned(PAGE)));
	uint32_t len;
	int64_t since; /* clock_monotonic() of its last byte */
} pending[LOG_STREAMS];

static void take_time(void)
{
	struct text text = {stamp, sizeof(stamp), 0, 0};

	clock_format(&text, clock_now());
}

static void write_record(enum log_stream stream, const unsigned char *text, uint32_t n, int partial)
{
	struct log_record record = {stamp, stream, text, n, partial};

	if (options.driver == LOG_JOURNALD)
		log_journal_record(&record);
	else
		log_file_record(&record);
}

static void flush(void)
{
	if (options.driver != LOG_JOURNALD)
		log_file_flush();
}

/* How many bytes at the end of a text are the beginning of a UTF-8 sequence: 0 to 3. */
static uint32_t unfinished(const unsigned char *text, uint32_t n)
{
	for (uint32_t back = 1; back <= 3 && back <= n; back++) {
		unsigned char first = text[n - back];

		if (first < 0x80)
			return 0;
		if (first >= 0xc0)
			return back < (first < 0xe0 ? 2u : first < 0xf0 ? 3u : 4u) ? back : 0;
	}
	return 0;
}

/* JSON holds characters, not bytes: half of one waits for the other half, unless nothing follows. */
static void write_partial(enum log_stream stream, int at_end)
{
	unsigned char *line = pending[stream].line;
	uint32_t len = pending[stream].len;
	uint32_t rest = options.driver == LOG_JSON_FILE && !at_end ? unfinished(line, len) : 0;

	if (len > rest)
		write_record(stream, line, len - rest, 1);
	memmove(line, line + len - rest, rest);
	pending[stream].len = rest;
}

/* Adds bytes without a newline to the unfinished line. */
static void add_pending(enum log_stream stream, const unsigned char *bytes, uint32_t n)
{
	while (n) {
		uint32_t room = LOG_LINE - pending[stream].len, part = n < room ? n : room;

		if (!part) {
			write_partial(stream, 0);
			continue;
		}
		memcpy(pending[stream].line + pending[stream].len, bytes, part);
		pending[stream].len += part;
		bytes += part;
		n -= part;
	}
	pending[stream].since = clock_monotonic();
}

static void write_line(enum log_stream stream, const unsigned char *bytes, uint32_t n)
{
	if (!pending[stream].len && n <= LOG_LINE) { /* the usual case: no copy */
		write_record(stream, bytes, n, 0);
		return;
	}
	add_pending(stream, bytes, n);
	write_record(stream, pending[stream].line, pending[stream].len, 0);
	pending[stream].len = 0;
}

void log_open(const struct log_options *given)
{
	options = *given;
	is_open = 1;
	if (options.driver == LOG_JOURNALD)
		log_journal_open(&options);
	else
		log_file_open(&options);
}

void log_write(enum log_stream stream, const unsigned char *bytes, uint32_t n)
{
	uint32_t start = 0;

	if (!is_open)
		return;
	take_time();
	for (uint32_t i = 0; i < n; i++) {
		if (bytes[i] != '\n')
			continue;
		write_line(stream, bytes + start, i - start);
		start = i + 1;
	}
	if (start < n)
		add_pending(stream, bytes + start, n - start);
	flush();
}

void log_finish(void)
{
	if (!is_open)
		return;
	take_time();
	write_partial(LOG_STDOUT, 1);
	write_partial(LOG_STDERR, 1);
	flush();
}

void log_poll(struct poll_set *set)
{
	for (int stream = 0; stream < LOG_STREAMS; stream++)
		if (pending[stream].len)
			poll_until(set, pending[stream].since + PARTIAL_AFTER);
}

void log_ready(struct poll_set *set)
{
	for (int stream = 0; stream < LOG_STREAMS; stream++) {
		if (!pending[stream].len || set->now < pending[stream].since + PARTIAL_AFTER)
			continue;
		take_time();
		write_partial((enum log_stream)stream, 0);
		pending[stream].since = set->now;
		flush();
	}
}

uint64_t log_dropped(void)
{
	return log_file_dropped() + log_journal_dropped();
}

void log_trim(void)
{
	log_file_trim();
	for (int stream = 0; stream < LOG_STREAMS; stream++)
		if (!pending[stream].len)
			SYS3(__NR_madvise, pending[stream].line, LOG_LINE, MADV_DONTNEED);
}
