/* descriptors.h - what the supervisor was started with, at the numbers that protocol.h fixes. */
#ifndef TSRUN_SUPERVISOR_DESCRIPTORS_H
#define TSRUN_SUPERVISOR_DESCRIPTORS_H

#include "../sys.h"

#include <asm/fcntl.h>

/* FD as it is, or -1 when it is not open. It is kept out of every program. */
static inline int descriptor_inherited(int fd)
{
	return SYS3(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : fd;
}

/* If FD is not open, it leads nowhere from now on; so it does not become somebody else's. */
static inline void descriptor_hold(int fd)
{
	if (descriptor_inherited(fd) < 0)
		SYS3(__NR_dup3, 0, fd, O_CLOEXEC);
}

#endif
