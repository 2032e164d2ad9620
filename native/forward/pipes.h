/*
 * pipes.h - pipes that bytes pass through on their way between two sockets, by splice(2).
 *
 * A pipe belongs to a connection only while there is something in it, that is, while the receiver is slower than the sender. So a few
 * serve thousands of connections, and a connection that is idle has none.
 *
 * All pipes of a user have so many pages together (fs.pipe-user-pages-soft, 64 MiB; pipe(7)): what others of the user's programs have taken is
 * missing here, and a new pipe then has 8 KiB. So a few are made at the start that are counted for one of the user's subordinate ids.
 */
#ifndef TSRUN_FORWARD_PIPES_H
#define TSRUN_FORWARD_PIPES_H

#include <stdint.h>

struct pipe {
	int fds[2]; /* read end, write end; -1: none */
	uint32_t held;	/* bytes in it */
	uint8_t reserved; /* it is one of pipes_reserve(), and not closed */
};

#define NO_PIPE ((struct pipe){{-1, -1}, 0, 0})

/*
 * Makes COUNT pipes, PIPES_RESERVED at most, that are kept for as long as this process lives; before it gives up its rights. It makes none where
 * there are no subordinate ids.
 */
#define PIPES_RESERVED 8u
void pipes_reserve(unsigned count);

/* Makes sure that P has a pipe: 0, or -errno. */
int pipe_take(struct pipe *p);

/* P has none any more: it is kept for others; if it holds bytes, they are thrown away. */
void pipe_give(struct pipe *p);

/* Closes those that are kept and not reserved. */
void pipes_trim(void);

#endif
