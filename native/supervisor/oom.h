/* oom.h - did the kernel kill a process of the container because its memory limit was reached? */
#ifndef TSRUN_SUPERVISOR_OOM_H
#define TSRUN_SUPERVISOR_OOM_H

/*
 * Remembers the count of the file FROM, memory.events of cgroup v2 or memory.oom_control of v1: both have a line "oom_kill N". "" for a
 * container without a cgroup of its own, of which nothing is known.
 */
void oom_open(const char *from);

/* 1 if the count has grown since. */
int oom_happened(void);

#endif
