/*
 * stdio.h - the container's standard streams: its output goes to the log and the attached clients, their input to it.
 */
#ifndef TSRUN_SUPERVISOR_STDIO_H
#define TSRUN_SUPERVISOR_STDIO_H

#include "poll.h"

struct winsize_frame {
	uint16_t rows, cols, xpixel, ypixel;
};

/* Each may be -1. With a terminal the other three are not there. */
void stdio_open(int in, int out, int err, int terminal);

/* Where input can be put: *N bytes at the result; *N = 0 while the container reads slower than clients write. */
unsigned char *stdio_input_space(uint32_t *n);
void stdio_input_filled(uint32_t n);

/* 1 when nobody reads input any more: it is thrown away. */
int stdio_input_closed(void);

/* The end of input: once what was put is read, the container sees end-of-file. Nothing happens on a terminal. */
void stdio_input_end(void);

void stdio_resize(const struct winsize_frame *size);

/*
 * Has all output been read? ENDED_AT: when the init ended. After that output is at its end with end-of-file, or when for a
 * while nothing came: a process outside the container may hold the pipe open.
 */
int stdio_drained(int64_t now, int64_t ended_at);

/* Since when output is not read because a client must be waited for; -1 when it is read. */
int64_t stdio_blocked_since(void);

/* ENDED_AT is -1 while the init lives. */
void stdio_poll(struct poll_set *set, int64_t ended_at);
void stdio_ready(struct poll_set *set, int64_t ended_at);
void stdio_trim(void);

#endif
