/* lock.h - after its start the forwarder needs few rights: it gives up all others. */
#ifndef TSRUN_FORWARD_LOCK_H
#define TSRUN_FORWARD_LOCK_H

/* Keeps the capabilities that its sockets need in the container's network namespace, and the system calls of its loop. 0 or -errno. */
int lock_in(void);

#endif
