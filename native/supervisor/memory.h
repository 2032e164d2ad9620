/* memory.h - the pages that queues and buffers have used are given back to the kernel when nothing happens. */
#ifndef TSRUN_SUPERVISOR_MEMORY_H
#define TSRUN_SUPERVISOR_MEMORY_H

#include "poll.h"

void memory_poll(struct poll_set *set);
void memory_ready(const struct poll_set *set);

#endif
