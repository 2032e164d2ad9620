/*
 * log.h - the container's log, in the k8s-file format that podman writes too:
 *
 *     2006-01-02T15:04:05.000000000Z stdout F a line
 *     2006-01-02T15:04:05.000000000Z stderr P the beginning of a line that
 *     2006-01-02T15:04:05.100000000Z stderr F  is longer than LOG_LINE
 *
 * F: a newline of the output follows the text; P: none does. So the texts put together, each F with a newline, are the
 * output byte for byte. A line is P when it is longer than LOG_LINE, when half a second passed without its end (a prompt),
 * and at the end of a stream. Records are written whole, and never span a rotation.
 *
 * Nothing here ever fails: what cannot be written (a full disk) is counted, and the container goes on.
 */
#ifndef TSRUN_SUPERVISOR_LOG_H
#define TSRUN_SUPERVISOR_LOG_H

#include "poll.h"

#define LOG_LINE 8192 /* longest text of one record */

enum log_stream {
	LOG_STDOUT = 0,
	LOG_STDERR = 1,
	LOG_STREAMS = 2,
};

struct log_options {
	int directory;
	const char *name;  /* at most 63 bytes, no slash */
	uint64_t max_size; /* bytes; 0 = never rotated */
	uint32_t files;	   /* kept, the current one included */
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
