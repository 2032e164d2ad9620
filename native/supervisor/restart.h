/*
 * restart.h - starting the container again after its end: whether, when, and how.
 *
 * The pause before a start begins at RESTART_PAUSE_MIN and doubles with each up to RESTART_PAUSE_MAX; a container that ran for
 * RESTART_SETTLED has it at the minimum again. (These are docker's figures.) A failed *first* start is not repeated: whoever asked for it
 * is told.
 *
 * The start itself is an execve of the supervisor's own binary: all state of the last run, its memory and all descriptors but those that it
 * was started with, go with the old image, whatever the start program has made of them. Pid, children, session and namespaces stay.
 */
#ifndef TSRUN_SUPERVISOR_RESTART_H
#define TSRUN_SUPERVISOR_RESTART_H

#include "record.h"

#include "../protocol.h"

#define RESTART_PAUSE_MIN 100	/* ms */
#define RESTART_PAUSE_MAX 60000 /* ms */
#define RESTART_SETTLED 10000	/* ms */

/*
 * What the last image has left in the arguments: the number of restarts, the last pause and, if one came from a client, the policy that
 * holds instead of the spec's; and from FD_EXTRA on. Before any descriptor is opened.
 */
void restart_open(int argc, char **argv);

/* How many starts there were before this one; 0 in the first. */
uint32_t restart_count(void);

/* From now on this policy holds: FLAGS are SPEC_RESTART_*, LIMIT is that of SPEC_RESTART_ON_FAILURE. 0, or -EBADF: the spec was let go. */
int restart_policy(uint32_t flags, uint32_t limit);

/* Is the container that has ended so to be started again? */
int restart_is_due(const struct supervisor_spec *spec, const struct ending *ending);

/* Whatever the policy says: it is to be started again, or not. */
void restart_force(int again);

/* The pause before that, in ms, for a container that has run so long. */
uint32_t restart_pause(int64_t ran);

/* Becomes the next image; returns -errno if it could not. */
int restart_now(char **envp);

#endif
