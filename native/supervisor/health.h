/*
 * health.h - health checks: a program that clones a process into the container is run every now and then, and its exit status tells.
 *
 *      start ──► starting ──── success ────► healthy ◄─── success ───┐
 *                   │                           │                    │
 *                   └── retries failures in a row, not counting ─────┴──► unhealthy ──► the action
 *                       those in the start period before a success
 *
 * A check that takes longer than its timeout is killed, and has failed. While the container is paused (a file `paused` is in its directory)
 * none is begun. The times are docker's: the first check comes an interval after the start, each other an interval after the end of the last.
 */
#ifndef TSRUN_SUPERVISOR_HEALTH_H
#define TSRUN_SUPERVISOR_HEALTH_H

#include "poll.h"

#include "../protocol.h"

/* The init runs, INIT_PIDFD is its pidfd; nothing happens if the spec has no health program. */
void health_open(const struct supervisor_spec *spec, int directory, int init_pidfd);

/* The container has ended: no checks any more. */
void health_close(void);

/* Run one now; when it is done, clients_probed() is told. */
void health_request(void);

/* "starting", "healthy", "unhealthy", or 0 without health checks. */
const char *health_status(void);

/* How many checks failed in a row. */
uint32_t health_failing(void);

/* 1 once after each change of these two. */
int health_changed(void);

void health_poll(struct poll_set *set);
void health_ready(struct poll_set *set);

#endif
