/*
 * signals.h - the supervisor outlives whatever ends other programs: a hang-up, ^C, SIGTERM, a broken pipe. Two signals tell it
 * something: SIGUSR1 and SIGUSR2 (protocol.h). They need no socket, no memory and no space on a disk, and a signal that is pending while
 * the supervisor executes itself anew is not lost.
 *
 * Nothing of this reaches the container: children of a program of system calls start with default dispositions and an
 * empty mask (reset_signals() in program.c).
 */
#ifndef TSRUN_SUPERVISOR_SIGNALS_H
#define TSRUN_SUPERVISOR_SIGNALS_H

#include "poll.h"

/* Signal NUMBER has no effect from now on: so a broken pipe (SIGPIPE) is an error of write(2) or splice(2), not an end. */
void signals_ignore(int number);

/* Ignores the signals that would end the supervisor, and blocks those that it reads, whatever the starting process had set. */
void signals_protect(void);

/* 0 or -errno. */
int signals_open(void);

/* Adds the descriptor that is readable after a child changed its state, or one of the two signals came: its index. */
int signals_poll(struct poll_set *set);

/* Takes note of what has come. Never waits. */
void signals_read(void);

/* As far as signals_read() has seen. */
int signals_stop_wanted(void);
int signals_keep_wanted(void);

#endif
