/*
 * pipes.h - pipes that bytes pass through on their way between two sockets, by splice(2).
 *
 * A pipe belongs to a connection only while there is something in it, that is, while the receiver is slower than the sender. So a few
 * serve thousands of connections, and a connection that is idle has none.
 */
#ifndef TSRUN_FORWARD_PIPES_H
#define TSRUN_FORWARD_PIPES_H

#include <stdint.h>

struct pipe {
	int fds[2]; /* read end, write end; -1: none */
	uint32_t held;	/* bytes in it */
};

#define NO_PIPE ((struct pipe){{-1, -1}, 0})

/* Makes sure that P has a pipe: 0, or -errno. */
int pipe_take(struct pipe *p);

/* P has none any more: an empty one is kept for others, a full one is thrown away with its bytes. */
void pipe_give(struct pipe *p);

/* Closes those that are kept. */
void pipes_trim(void);

#endif
