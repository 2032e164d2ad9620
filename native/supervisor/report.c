/* report.c - see report.h */
#include "report.h"
#include "io.h"
#include "../protocol.h"

static int fd = -1, place = -1;
static int is_let_go; /* the init has said so: if it dies now, its command has */

void report_open(int reading_end)
{
	fd = reading_end;
	if (fd >= 0)
		io_nonblocking(fd);
}

void report_close(void)
{
	io_close(&fd);
}

int report_is_open(void)
{
	return fd >= 0;
}

/*
 * An init that is killed before it is let go, by the kernel for want of memory say, has run no command, and its end is none of a
 * container: a failure, too.
 */
enum report report_read(struct failure_record *failure)
{
	struct failure_record record;
	long n;

	do
		n = fd < 0 ? -EAGAIN : io_read(fd, &record, sizeof(record));
	while (n == sizeof(record) && !record.error && (is_let_go = 1));
	if (n == -EAGAIN)
		return REPORT_NONE;
	report_close();
	if (n != sizeof(record) && is_let_go)
		return REPORT_STARTED;
	*failure = n == sizeof(record) ? record : (struct failure_record){NO_OP, ECHILD};
	return REPORT_FAILED;
}

void report_poll(struct poll_set *set)
{
	place = report_is_open() ? poll_add(set, fd, POLLIN) : -1;
}

int report_came(const struct poll_set *set)
{
	return poll_got(set, place);
}
