/*
 * cleanup.h - what is left to do when a container has ended for good: two programs of its spec.
 */
#ifndef TSRUN_SUPERVISOR_CLEANUP_H
#define TSRUN_SUPERVISOR_CLEANUP_H

#include "../protocol.h"
#include "record.h"

/* 0 or -errno. */
int cleanup_load(const struct supervisor_spec *spec);

/* Runs the cleanup program, unless it is not wanted: 1 = done, 0 = not wanted, -1 = it failed, which is in ENDING. */
int cleanup_run(struct ending *ending);

/* Frees the space of what cleanup_run() has removed. What it fails to free, or a kill leaves, the next command finds in the store's tmp/. */
void cleanup_sweep(void);

#endif
