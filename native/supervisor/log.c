/*
 * log.c - see log.h
 *
 * Output is cut into lines in a buffer per stream, lines are made records in `batch`, and a batch is one write(2). A record
 * that would pass max_size starts a new file: name.1 becomes name.2 and so on, name becomes name.1. Followers see the new
 * inode behind the old name.
 */
#include "log.h"
#include "clock.h"
#include "io.h"

#include <linux/mman.h>

#define BATCH_SIZE 32768
#define RECORD_OVERHEAD (CLOCK_TEXT + 11) /* " stdout F ", newline */
#define PARTIAL_AFTER 500		  /* ms */
#define NAME_SIZE 80
#define FILES_MAX 1000

static const struct log_options *options;
static struct log_options copy;
static int fd = -1;
static uint64_t file_size; /* of what is written; the batch comes on top */
static uint64_t dropped;
static char stamp[CLOCK_TEXT]; /* of the bytes being written: one for all lines that came in one read */

static unsigned char batch[BATCH_SIZE] __attribute__((aligned(PAGE)));
static uint32_t batch_len;

static struct {
	unsigned char line[LOG_LINE] __attribute__((aligned(PAGE)));
	uint32_t len;
	int64_t since; /* clock_monotonic() of its last byte */
} pending[LOG_STREAMS];

/* Opens the current file. One that does not end with a newline lost its end in a crash: the next record gets a line of its own. */
static void open_file(void)
{
	char last = '\n';
	long size;

	fd = (int)SYS4(__NR_openat, options->directory, options->name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	if (fd < 0)
		return;
	size = SYS3(__NR_lseek, fd, 0, 2 /* SEEK_END */);
	file_size = size < 0 ? 0 : (uint64_t)size;
	if (file_size && SYS4(__NR_pread64, fd, &last, 1, file_size - 1) == 1 && last != '\n' && io_write(fd, "\n", 1) == 1)
		file_size++;
}

static void take_time(void)
{
	struct text text = {stamp, sizeof(stamp), 0, 0};

	clock_format(&text, clock_now());
}

/* Writes the batch. After a short write the torn last record is cut off again. */
static void flush(void)
{
	uint32_t len = batch_len, whole = 0;
	size_t done;
	int error;

	batch_len = 0;
	if (!len)
		return;
	if (fd < 0)
		open_file();
	if (fd < 0) {
		dropped += len;
		return;
	}
	done = io_write_all(fd, batch, len, &error);
	for (whole = (uint32_t)done; whole && batch[whole - 1] != '\n';)
		whole--;
	if (whole < done)
		SYS2(__NR_ftruncate, fd, file_size + whole);
	file_size += whole;
	dropped += len - whole;
}

/* "name" for 0, "name.N" for others. */
static void numbered_name(char *to, uint32_t n)
{
	struct text text = {to, NAME_SIZE - 1, 0, 0};

	text_string(&text, options->name);
	if (n) {
		text_bytes(&text, ".", 1);
		text_number(&text, n);
	}
	to[text.len] = 0;
}

static void rotate(void)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	if (options->files <= 1) {
		SYS3(__NR_unlinkat, options->directory, options->name, 0);
	} else {
		for (uint32_t n = options->files - 1; n > 0; n--) {
			numbered_name(from, n - 1);
			numbered_name(to, n);
			SYS5(__NR_renameat2, options->directory, from, options->directory, to, 0);
		}
	}
	io_close(&fd);
	file_size = 0;
	open_file();
}

static void write_record(enum log_stream stream, const unsigned char *line, uint32_t n, const char *end)
{
	struct text record;

	if (options->max_size && file_size + batch_len && file_size + batch_len + n + RECORD_OVERHEAD > options->max_size) {
		flush();
		rotate();
	}
	if (batch_len + n + RECORD_OVERHEAD > BATCH_SIZE)
		flush();
	record = (struct text){(char *)batch + batch_len, BATCH_SIZE - batch_len, 0, 0};
	text_bytes(&record, stamp, sizeof(stamp));
	text_string(&record, stream == LOG_STDOUT ? " stdout " : " stderr ");
	text_string(&record, end);
	text_bytes(&record, line, n);
	text_bytes(&record, "\n", 1);
	batch_len += record.len;
}

static void write_partial(enum log_stream stream)
{
	if (pending[stream].len)
		write_record(stream, pending[stream].line, pending[stream].len, "P ");
	pending[stream].len = 0;
}

/* Adds bytes without a newline to the unfinished line. */
static void add_pending(enum log_stream stream, const unsigned char *bytes, uint32_t n)
{
	while (n) {
		uint32_t room = LOG_LINE - pending[stream].len, part = n < room ? n : room;

		if (!part) {
			write_partial(stream);
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
		write_record(stream, bytes, n, "F ");
		return;
	}
	add_pending(stream, bytes, n);
	write_record(stream, pending[stream].line, pending[stream].len, "F ");
	pending[stream].len = 0;
}

void log_open(const struct log_options *given)
{
	copy = *given;
	if (copy.files > FILES_MAX)
		copy.files = FILES_MAX;
	options = &copy;
	open_file();
}

void log_write(enum log_stream stream, const unsigned char *bytes, uint32_t n)
{
	uint32_t start = 0;

	if (!options)
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
	if (!options)
		return;
	take_time();
	write_partial(LOG_STDOUT);
	write_partial(LOG_STDERR);
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
		write_partial((enum log_stream)stream);
		flush();
	}
}

uint64_t log_dropped(void)
{
	return dropped;
}

void log_trim(void)
{
	SYS3(__NR_madvise, batch, sizeof(batch), MADV_DONTNEED);
	for (int stream = 0; stream < LOG_STREAMS; stream++)
		if (!pending[stream].len)
			SYS3(__NR_madvise, pending[stream].line, LOG_LINE, MADV_DONTNEED);
}
