/*
 * relay.c - see relay.h
 *
 * Each direction is splice(2) from a socket into a pipe, and from the pipe into the other socket: the kernel passes pages on and copies
 * nothing. Nothing more is read while something is in the pipe, so a slow receiver is felt by the sender. A short message, as requests are, is
 * copied instead, which takes less time than two splices; what the receiver does not take of it at once goes into the pipe.
 *
 * Ends. End-of-file on one side is passed on as such (shutdown(2)) once the pipe is empty; the other direction goes on. Behind a short
 * message it goes into the same packet (MSG_MORE). A reset is passed on
 * as a reset. A side that takes nothing more (it was closed with bytes unread, and the kernel answered RST) may have sent
 * something before, an answer to a request that it did not read to its end: that is still passed on, and then the reset.
 */
#include "relay.h"
#include "near.h"
#include "net.h"

#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2

#define TURN 32		   /* moves in a row, before others have their turn */
#define MOVE_MAX (1 << 20) /* bytes */
#define SHORT 4096	   /* bytes of a message that is copied: any pipe has room for them */
#define STREAMS 8	   /* short reads in a row after which a stream is one of messages */

static long move(int from, int to, uint32_t n)
{
	long ret;

	do
		ret = SYS6(__NR_splice, from, 0, to, 0, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (ret == -EINTR);
	return ret;
}

/* Reads from A into its empty pipe: how much, 0 at the end, or -errno. */
static long take_stream(struct end *a)
{
	long n = move(a->fd, a->pipe.fds[1], MOVE_MAX);

	if (n > 0)
		a->pipe.held = (uint32_t)n;
	return n;
}

static long receive(const struct end *e, uint8_t *bytes, long max)
{
	return SYS6(__NR_recvfrom, e->fd, bytes, max, MSG_DONTWAIT, 0, 0);
}

/*
 * As take_stream(), but what B takes at once does not come into the pipe. What is shorter than asked for was all that there was: an event
 * tells of more, and with LAST there is nothing but end-of-file. Only at urgent data a read stops before.
 */
static long take_message(struct end *a, struct end *b, int last)
{
	uint8_t bytes[SHORT];
	long n = receive(a, bytes, SHORT), sent = 0;

	if (n <= 0)
		return n;
	if (n < SHORT && !a->urgent) {
		a->readable = 0;
		a->ended = last != 0;
	}
	if (b->writable)
		sent = SYS6(__NR_sendto, b->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL | (a->ended ? MSG_MORE : 0), 0, 0);
	if (sent < 0) /* empty() will be told the same */
		sent = 0;
	b->spoken |= sent > 0;
	if (sent == n)
		return n;
	a->pipe.held = (uint32_t)(n - sent);
	if (SYS3(__NR_write, a->pipe.fds[1], bytes + sent, n - sent) != n - sent)
		return -ENOMEM; /* and what was read is lost */
	return n;
}

/* Before much is sent to E. */
static void settle(struct end *e)
{
	e->settled = 1;
	if (e->here || near_is(e->fd))
		near_settle(e->fd);
}

/* Reads from FROM, whose pipe is empty. */
static enum relay_result fill(struct relay *r, enum side from)
{
	struct end *a = &r->ends[from];
	long n;

	if (!a->readable || a->ended || a->pipe.held || r->broken == 1 + !from)
		return RELAY_WAIT;
	if (pipe_take(&a->pipe) < 0)
		return RELAY_STARVED;
	n = a->streams ? take_stream(a) : take_message(a, &r->ends[!from], a->ending && !r->broken);
	if (n > 0) {
		a->streams = n >= SHORT ? STREAMS : a->streams - (a->streams > 0);
		if (a->streams && !r->ends[!from].settled)
			settle(&r->ends[!from]);
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
		b->spoken = 1;
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
		if (!a->shut) /* else both ways have come to their end */
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
