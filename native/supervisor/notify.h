/*
 * notify.h - sd_notify(3): what is said to the service manager that has started tsrun. The container speaks to a socket of the supervisor's,
 * which passes on what a container may say of itself:
 *
 *      container ──► /run/notify/notify.sock, SLOT_NOTIFY ──► lines that may pass ──► the manager's NOTIFY_SOCKET
 *
 * MAINPID=, FDSTORE= and the like stay here, as do descriptors that come along: its pids mean nothing outside, and the unit is the user's.
 * While the container runs, a manager that takes nothing for now is waited for, and the container's socket fills meanwhile: nothing is lost.
 */
#ifndef TSRUN_SUPERVISOR_NOTIFY_H
#define TSRUN_SUPERVISOR_NOTIFY_H

#include "poll.h"

/* MANAGER is the path of the manager's socket, or @ and an abstract name; "" = there is none. FD is the container's, -1 for none. */
void notify_open(const char *manager, int fd, int when_healthy);

/* A health check has succeeded: READY=1 the first time, if it is WHEN_HEALTHY that the container is ready. */
void notify_healthy(void);

/* All processes of the container have ended: what they have said is passed on, if the manager takes it now. */
void notify_finish(void);

void notify_poll(struct poll_set *set);
void notify_ready(struct poll_set *set);

/* Keeps of the SIZE bytes of MESSAGE the lines that a container may say; returns how many bytes that are. */
size_t notify_filter(char *message, size_t size);

#endif
