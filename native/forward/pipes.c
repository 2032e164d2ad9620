/* pipes.c - see pipes.h */
#include "pipes.h"

#include "../supervisor/io.h"

#define KEPT_MAX 16
#define PIPE_BYTES (512 << 10) /* F_SETPIPE_SZ: a segment of a loopback connection takes two or three of its 128 places */

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif

static struct pipe kept[KEPT_MAX];
static unsigned kept_count;

int pipe_take(struct pipe *p)
{
	int fds[2];
	long ret;

	if (p->fds[0] >= 0)
		return 0;
	if (kept_count) {
		*p = kept[--kept_count];
		return 0;
	}
	ret = SYS2(__NR_pipe2, fds, O_CLOEXEC | O_NONBLOCK);
	if (ret < 0)
		return (int)ret;
	SYS3(__NR_fcntl, fds[1], F_SETPIPE_SZ, PIPE_BYTES); /* refused to one who has many: then it stays small */
	*p = (struct pipe){{fds[0], fds[1]}, 0};
	return 0;
}

static void close_pipe(struct pipe *p)
{
	io_close(&p->fds[0]);
	io_close(&p->fds[1]);
	p->held = 0;
}

void pipe_give(struct pipe *p)
{
	if (p->fds[0] < 0)
		return;
	if (p->held || kept_count == KEPT_MAX)
		close_pipe(p);
	else
		kept[kept_count++] = *p;
	*p = NO_PIPE;
}

void pipes_trim(void)
{
	while (kept_count)
		close_pipe(&kept[--kept_count]);
}
