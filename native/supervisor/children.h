/*
 * children.h - the supervisor's children: the container's init, its helpers (pasta, slirp4netns, fuse-overlayfs), and, as
 * it is a subreaper, orphans of both. All are reaped, the init's exit status is kept.
 */
#ifndef TSRUN_SUPERVISOR_CHILDREN_H
#define TSRUN_SUPERVISOR_CHILDREN_H

#include "poll.h"

struct exit_status {
	uint32_t kind; /* enum exit_kind */
	uint32_t value;
};

/* From now on children are reaped, and PID (its pidfd too, or -1) is the init. 0 or -errno. */
int children_watch(int pid, int pidfd);

void children_poll(struct poll_set *set);
void children_ready(struct poll_set *set);

/* 1 once the init is dead; its status is then in *STATUS. */
int children_init_ended(struct exit_status *status);

/* PID is a health check's process: its exit status is kept, too. 0: none. */
void children_watch_probe(int pid);

/* 1 once that is dead; its status is then in *STATUS. */
int children_probe_ended(struct exit_status *status);

/* Ends the health check's process, and what is left of its session's first group. */
void children_kill_probe(void);

/* Sends NUMBER to the init, unless it is dead. 0 or -errno. */
int children_signal_init(int number);

/* Ends every child: the init by SIGKILL, others by SIGTERM and, for those that take too long, SIGKILL. Returns when all are reaped, or 3 s later. */
void children_end_all(void);

#endif
