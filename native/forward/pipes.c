/* pipes.c - see pipes.h */
#include "pipes.h"

#include "../supervisor/io.h"

#define KEPT_MAX 16
#define PIPE_BYTES (512 << 10) /* F_SETPIPE_SZ: a segment of a loopback connection takes two or three of its 128 places */

#define PIPE_BYTES_USUAL (64 << 10)
#define SUBORDINATE_IDS 65535 /* that a user has, usually */

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif

static struct pipe kept[KEPT_MAX], reserved[PIPES_RESERVED];
static unsigned kept_count, reserved_count;

/* What is left of the user's pages is enough for less, maybe; if not it stays as small as the kernel has made it. */
static void widen(int fd)
{
	for (int bytes = PIPE_BYTES; bytes > PIPE_BYTES_USUAL && SYS3(__NR_fcntl, fd, F_SETPIPE_SZ, bytes) < 0; bytes /= 2)
		;
}

static int make(struct pipe *p)
{
	int fds[2];
	long ret = SYS2(__NR_pipe2, fds, O_CLOEXEC | O_NONBLOCK);

	if (ret < 0)
		return (int)ret;
	widen(fds[1]);
	*p = (struct pipe){{fds[0], fds[1]}, 0, 0};
	return 0;
}

/*
 * A pipe is counted for the real user id of who makes it. Each process takes another id, as those of a hundred containers would be too many for one. The
 * effective id stays, and with it all rights.
 */
void pipes_reserve(unsigned count)
{
	long other = 1 + SYS0(__NR_getpid) % SUBORDINATE_IDS;

	if (SYS0(__NR_getuid) != 0 || SYS3(__NR_setresuid, other, -1, -1) < 0)
		return;
	while (reserved_count < count && reserved_count < PIPES_RESERVED && make(&reserved[reserved_count]) == 0)
		reserved[reserved_count++].reserved = 1;
	SYS3(__NR_setresuid, 0, -1, -1);
}

int pipe_take(struct pipe *p)
{
	if (p->fds[0] >= 0)
		return 0;
	if (reserved_count)
		*p = reserved[--reserved_count];
	else if (kept_count)
		*p = kept[--kept_count];
	else
		return make(p);
	return 0;
}

static void close_pipe(struct pipe *p)
{
	io_close(&p->fds[0]);
	io_close(&p->fds[1]);
	p->held = 0;
}

static void throw_away(struct pipe *p)
{
	uint8_t bytes[4096];

	while (p->held && SYS3(__NR_read, p->fds[0], bytes, sizeof(bytes)) > 0)
		;
	p->held = 0;
}

void pipe_give(struct pipe *p)
{
	if (p->fds[0] < 0)
		return;
	if (p->reserved) {
		throw_away(p);
		reserved[reserved_count++] = *p;
	} else if (p->held || kept_count == KEPT_MAX) {
		close_pipe(p);
	} else {
		kept[kept_count++] = *p;
	}
	*p = NO_PIPE;
}

void pipes_trim(void)
{
	while (kept_count)
		close_pipe(&kept[--kept_count]);
}
