/*
 * log.h - the container's log, in one of three formats. k8s-file, which podman writes too:
 *
 *     2006-01-02T15:04:05.000000000Z stdout F a line
 *     2006-01-02T15:04:05.000000000Z stderr P the beginning of a line that
 *     2006-01-02T15:04:05.100000000Z stderr F  is longer than LOG_LINE
 *
 * F: a newline of the output follows the text; P: none does. So the texts put together, each F with a newline, are the
 * output byte for byte. A line is P when it is longer than LOG_LINE, when half a second passed without its end (a prompt),
 * and at the end of a stream. Records are written whole, and never span a rotation.
 *
 * json-file is docker's: the newline is part of the text, and a text without one is what P is above. Bytes that are no UTF-8
 * are U+FFFD. FIELDS are spec.log_fields, as they are (`"attrs":{"tag":"x"},`):
 *
 *     {"log":"a line\n","stream":"stdout",FIELDS"time":"2006-01-02T15:04:05.000000000Z"}
 *
 * journald has them in its own datagrams (log-journal.h); FIELDS are lines `NAME=value`.
 *
 * Nothing here ever fails: what cannot be written (a full disk) is counted, and the container goes on.
 */
#ifndef TSRUN_SUPERVISOR_LOG_H
#define TSRUN_SUPERVISOR_LOG_H

#include "../protocol.h"
#include "clock.h"
#include "poll.h"

#define LOG_LINE 8192 /* longest text of one record */

enum log_stream {
	LOG_STDOUT = 0,
	LOG_STDERR = 1,
	LOG_STREAMS = 2,
};

struct log_options {
	enum log_driver driver;
	int directory;	   /* where the file is, if path is empty */
	const char *path;  /* directory of the file; the socket of LOG_JOURNALD */
	const char *name;  /* at most 63 bytes, no slash */
	uint64_t max_size; /* bytes; 0 = never rotated */
	uint32_t files;	   /* kept, the current one included */
	const char *fields; /* at most LOG_FIELDS_MAX bytes */
};

/* What log.c hands to a driver. */
struct log_record {
	const char *stamp; /* CLOCK_TEXT bytes */
	enum log_stream stream;
	const unsigned char *text; /* no newline in it */
	uint32_t n;
	int partial; /* no newline behind it */
};

/* Before this is called, log_write() does nothing. A file that is there is continued. */
void log_open(const struct log_options *options);

void log_write(enum log_stream stream, const unsigned char *bytes, uint32_t n);

/* What is left of unfinished lines is written as P. */
void log_finish(void);

/* Asks the loop to come back when an unfinished line has waited long enough, and writes it then. */
void log_poll(struct poll_set *set);
void log_ready(struct poll_set *set);

/* Bytes of records that could not be written. */
uint64_t log_dropped(void);

/* Gives the memory of the buffers back; for when it has been quiet for a while. */
void log_trim(void);

#endif
