/*
 * helpers.h - what the container's helpers (pasta, slirp4netns, newuidmap, fuse-overlayfs) write to stderr. It belongs to
 * the error message when the container does not start. Later it goes to helpers.log in the container's directory, which
 * is made when there is something to put in it, and never grows beyond HELPERS_LOG_MAX.
 */
#ifndef TSRUN_SUPERVISOR_HELPERS_H
#define TSRUN_SUPERVISOR_HELPERS_H

#include "poll.h"

#define HELPERS_WORDS 4096
#define HELPERS_LOG_MAX 65536

void helpers_open(int fd, int directory);

/* What was said until now, at most HELPERS_WORDS - 1 bytes, in TO: its length. */
uint32_t helpers_words(char *to);

void helpers_poll(struct poll_set *set);
void helpers_ready(struct poll_set *set);

#endif
