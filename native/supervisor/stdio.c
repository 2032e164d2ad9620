/*
 * stdio.c - see stdio.h
 *
 * Output is read only when every client that must be waited for can take a whole chunk (clients_can_take), so a slow reader
 * at the far end fills its client's queue, then the pipe, then blocks the container's write: nothing is lost and nothing
 * grows. Input goes the other way through one bounded queue: while it is full, STDIN frames stay in their sockets.
 *
 * A pty master reads EIO while no process has the other side open. That is its end only after the init has ended; before,
 * somebody may open /dev/console again, so reading is tried again after a pause that doubles up to a second.
 */
#include "stdio.h"
#include "clients.h"
#include "io.h"
#include "log.h"
#include "ring.h"

#include <asm/ioctls.h>
#include <linux/mman.h>

#define INPUT_SIZE 65536
#define SILENCE 100 /* ms without output after the init's end that count as its end */
#define PAUSE_MIN 20
#define PAUSE_MAX 1000

struct output {
	int fd;
	enum log_stream stream;
	uint32_t flag; /* SPEC_ATTACH_STDOUT or _STDERR: who gets it */
	int terminal;
	int poll;
	int blocked;	      /* not polled: a client is waited for */
	int64_t paused_until; /* a terminal that nobody has open */
	int pause;
};

static struct output outputs[2] = {{.fd = -1, .poll = -1}, {.fd = -1, .poll = -1}};
static unsigned char chunk[CLIENTS_CHUNK] __attribute__((aligned(PAGE)));

static unsigned char input_bytes[INPUT_SIZE] __attribute__((aligned(PAGE)));
static struct ring input = {input_bytes, INPUT_SIZE, 0, 0};
static int input_fd = -1, input_is_terminal, input_ending, input_poll = -1;

static int64_t last_output, blocked_since = -1;
static int silent; /* the last round found no output */

static void open_output(struct output *o, int fd, enum log_stream stream, uint32_t flag, int terminal)
{
	*o = (struct output){.fd = fd, .stream = stream, .flag = flag, .terminal = terminal, .poll = -1};
	if (fd >= 0)
		io_nonblocking(fd);
}

void stdio_open(int in, int out, int err, int terminal)
{
	open_output(&outputs[0], terminal >= 0 ? terminal : out, LOG_STDOUT, SPEC_ATTACH_STDOUT, terminal >= 0);
	open_output(&outputs[1], err, LOG_STDERR, SPEC_ATTACH_STDERR, 0);
	input_fd = terminal >= 0 ? terminal : in;
	input_is_terminal = terminal >= 0;
	input_ending = 0;
	if (input_fd >= 0)
		io_nonblocking(input_fd);
}

unsigned char *stdio_input_space(uint32_t *n)
{
	unsigned char *space = ring_space(&input, n);

	if (ring_room(&input) == 0)
		*n = 0;
	return space;
}

void stdio_input_filled(uint32_t n)
{
	input.len += n;
}

int stdio_input_closed(void)
{
	return input_fd < 0 || input_ending;
}

static void close_input(void)
{
	if (input_is_terminal)
		input_fd = -1; /* the same fd as the output's, which closes it */
	else
		io_close(&input_fd);
	ring_drop(&input, input.len);
}

void stdio_input_end(void)
{
	if (input_is_terminal || input_fd < 0)
		return;
	input_ending = 1;
	if (!input.len)
		close_input();
}

static void write_input(void)
{
	while (input_fd >= 0 && input.len) {
		long ret = ring_write(&input, input_fd);

		if (ret == -EAGAIN)
			return;
		if (ret == -EIO && input_is_terminal) /* nobody has it open now */
			ring_drop(&input, input.len);
		else if (ret <= 0)
			close_input();
	}
	if (input_ending && input_fd >= 0)
		close_input();
}

void stdio_resize(const struct winsize_frame *size)
{
	if (input_is_terminal && outputs[0].fd >= 0)
		SYS3(__NR_ioctl, outputs[0].fd, TIOCSWINSZ, size);
}

static void end_output(struct output *o)
{
	if (o->terminal)
		close_input();
	io_close(&o->fd);
}

static void pause_output(struct output *o, int64_t now)
{
	o->pause = o->pause ? o->pause * 2 : PAUSE_MIN;
	if (o->pause > PAUSE_MAX)
		o->pause = PAUSE_MAX;
	o->paused_until = now + o->pause;
}

static void read_output(struct output *o, int64_t now, int draining)
{
	long n = io_read(o->fd, chunk, sizeof(chunk));

	if (n == -EAGAIN)
		return;
	if (n == -EIO && o->terminal && !draining) {
		pause_output(o, now);
		return;
	}
	if (n <= 0) {
		end_output(o);
		return;
	}
	o->pause = 0;
	last_output = now;
	log_write(o->stream, chunk, (uint32_t)n);
	clients_output(o->flag, chunk, (uint32_t)n);
}

static int is_open(void)
{
	return outputs[0].fd >= 0 || outputs[1].fd >= 0;
}

static int64_t quiet_since(int64_t ended_at)
{
	return last_output > ended_at ? last_output : ended_at;
}

static void poll_output(struct output *o, struct poll_set *set, int64_t ended_at)
{
	o->poll = -1;
	o->blocked = o->fd >= 0 && !clients_can_take(o->flag);
	if (o->fd < 0 || o->blocked)
		return;
	if (ended_at < 0 && o->paused_until > set->now)
		poll_until(set, o->paused_until);
	else
		o->poll = poll_add(set, o->fd, POLLIN);
}

void stdio_poll(struct poll_set *set, int64_t ended_at)
{
	poll_output(&outputs[0], set, ended_at);
	poll_output(&outputs[1], set, ended_at);
	if (!outputs[0].blocked && !outputs[1].blocked) {
		blocked_since = -1;
	} else {
		if (blocked_since < 0)
			blocked_since = set->now;
		last_output = set->now; /* not read is not silent */
	}
	if (ended_at >= 0 && is_open())
		poll_until(set, quiet_since(ended_at) + SILENCE);
	input_poll = input.len ? poll_add(set, input_fd, POLLOUT) : -1;
}

void stdio_ready(struct poll_set *set, int64_t ended_at)
{
	silent = 1;
	for (int i = 0; i < 2; i++) {
		if (!poll_got(set, outputs[i].poll))
			continue;
		silent = 0;
		if (clients_can_take(outputs[i].flag))
			read_output(&outputs[i], set->now, ended_at >= 0);
	}
	if (input.len || input_ending)
		write_input();
}

int stdio_drained(int64_t now, int64_t ended_at)
{
	return !is_open() || (silent && blocked_since < 0 && now - quiet_since(ended_at) >= SILENCE);
}

int64_t stdio_blocked_since(void)
{
	return blocked_since;
}

void stdio_trim(void)
{
	SYS3(__NR_madvise, chunk, sizeof(chunk), MADV_DONTNEED);
	if (!input.len)
		SYS3(__NR_madvise, input_bytes, sizeof(input_bytes), MADV_DONTNEED);
}
