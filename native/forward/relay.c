/*
 * relay.c - see relay.h
 *
 * Each direction is splice(2) from a socket into a pipe, and from the pipe into the other socket: the kernel passes pages on and copies
 * nothing. Nothing more is read while something is in the pipe, so a slow receiver is felt by the sender.
 *
 * Ends. End-of-file on one side is passed on as such (shutdown(2)) once the pipe is empty; the other direction goes on. A reset is passed on
 * as a reset. A side that takes nothing more (it was closed with bytes unread, and the kernel answered RST) may have sent
 * something before, an answer to a request that it did not read to its end: that is still passed on, and then the reset.
 */
#include "relay.h"
#include "net.h"

#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2

#define TURN 32	       /* moves in a row, before others have their turn */
#define MOVE_MAX (1 << 20) /* bytes */

static long move(int from, int to, uint32_t n)
{
	long ret;

	do
		ret = SYS6(__NR_splice, from, 0, to, 0, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (ret == -EINTR);
	return ret;
}

/* Reads into the empty pipe of FROM. */
static enum relay_result fill(struct relay *r, enum side from)
{
	struct end *a = &r->ends[from];
	long n;

	if (!a->readable || a->ended || a->pipe.held || r->broken == 1 + !from)
		return RELAY_WAIT;
	if (pipe_take(&a->pipe) < 0)
		return RELAY_STARVED;
	n = move(a->fd, a->pipe.fds[1], MOVE_MAX);
	if (n > 0) {
		a->pipe.held = (uint32_t)n;
		return RELAY_MORE;
	}
	if (n == -EAGAIN) {
		a->readable = 0;
		return RELAY_WAIT;
	}
	if (n < 0 || r->broken)
		return RELAY_RESET;
	a->ended = 1;
	return RELAY_MORE;
}

/* Writes what the pipe of FROM holds. */
static enum relay_result empty(struct relay *r, enum side from)
{
	struct end *a = &r->ends[from], *b = &r->ends[!from];
	long n;

	if (!a->pipe.held || !b->writable)
		return RELAY_WAIT;
	n = move(a->pipe.fds[0], b->fd, a->pipe.held);
	if (n > 0) {
		a->pipe.held -= (uint32_t)n;
		return RELAY_MORE;
	}
	if (n == -EAGAIN) {
		b->writable = 0;
		return RELAY_WAIT;
	}
	pipe_give(&a->pipe); /* nobody will read it */
	if (r->broken || b->ended)
		return RELAY_RESET;
	r->broken = (uint8_t)(1 + !from);
	b->readable = 1;
	return RELAY_MORE;
}

static enum relay_result pass_on(struct relay *r, enum side from)
{
	struct end *a = &r->ends[from], *b = &r->ends[!from];
	enum relay_result filled = fill(r, from), emptied;

	if (filled > RELAY_MORE)
		return filled;
	emptied = empty(r, from);
	if (!a->pipe.held)
		pipe_give(&a->pipe);
	if (emptied > RELAY_MORE)
		return emptied;
	if (a->ended && !a->pipe.held && !b->shut) {
		SYS2(__NR_shutdown, b->fd, SHUT_WR);
		b->shut = 1;
	}
	return filled | emptied;
}

enum relay_result relay_pump(struct relay *r, int draining)
{
	for (int turn = 0; turn < TURN; turn++) {
		enum relay_result in = pass_on(r, CLIENT), out;

		if (in == RELAY_RESET)
			return in;
		out = pass_on(r, SERVER);
		if (out == RELAY_RESET)
			return out;
		if (r->ends[CLIENT].shut && (r->ends[SERVER].shut || draining))
			return RELAY_DONE;
		if (in == RELAY_WAIT && out == RELAY_WAIT)
			return RELAY_WAIT;
		if (in != RELAY_MORE && out != RELAY_MORE)
			return RELAY_STARVED;
	}
	return RELAY_MORE;
}
