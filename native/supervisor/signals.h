/*
 * signals.h - the supervisor outlives whatever ends other programs: a hang-up, ^C, SIGTERM, a broken pipe.
 *
 * Nothing of this reaches the container: children of a program of system calls start with default dispositions and an
 * empty mask (reset_signals() in program.c).
 */
#ifndef TSRUN_SUPERVISOR_SIGNALS_H
#define TSRUN_SUPERVISOR_SIGNALS_H

/* Ignores the signals that would end the supervisor, and blocks SIGCHLD alone, whatever the starting process had set. */
void signals_protect(void);

/* A non-blocking signalfd that is readable after a child changed its state; or -errno. */
int signals_child_fd(void);

#endif
