/*
 * log-journal.c - see log-journal.h
 *
 * A journal that is busy is waited for, a second at most; one that still takes nothing is not waited for again until it has
 * taken something: the container must be stoppable while journald hangs. One that was restarted is connected to anew.
 */
#include "log-journal.h"
#include "io.h"

#include <asm/socket.h>
#include <linux/time_types.h>
#include <linux/un.h>

#define AF_UNIX_ 1
#define SOCK_DGRAM_ 2
#define PATIENCE 1 /* seconds */
#define PARTS 5

static struct log_options options;
static int fd = -1, hangs;
static uint64_t dropped;

static void connect_journal(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX_};
	struct __kernel_old_timeval patience = {PATIENCE, 0};
	size_t len = strlen(options.path);

	io_close(&fd);
	hangs = 0;
	if (len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, options.path, len);
	fd = (int)SYS3(__NR_socket, AF_UNIX_, SOCK_DGRAM_ | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	SYS5(__NR_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO_OLD, &patience, sizeof(patience));
	if (SYS3(__NR_connect, fd, &address, sizeof(address)) < 0)
		io_close(&fd);
}

static struct iovec part(const void *bytes, size_t n)
{
	return (struct iovec){(void *)(uintptr_t)bytes, n};
}

/* One datagram. What writev(2) returns, or -ENOTCONN. */
static long send_parts(const struct iovec *parts)
{
	long ret;
	int late;

	if (fd < 0)
		return -ENOTCONN;
	ret = io_writev(fd, parts, PARTS);
	late = ret == -EAGAIN;
	if (late != hangs)
		SYS3(__NR_fcntl, fd, F_SETFL, late ? O_NONBLOCK : 0);
	hangs = late;
	return ret;
}

void log_journal_record(const struct log_record *record)
{
	const char *head = record->stream == LOG_STDOUT ? "PRIORITY=6\n" : "PRIORITY=3\n";
	const char *partial = record->partial ? "CONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=" : "MESSAGE=";
	struct iovec parts[PARTS] = {part(options.fields, strlen(options.fields)), part(head, strlen(head)),
				     part(partial, strlen(partial)), part(record->text, record->n), part("\n", 1)};
	long ret = send_parts(parts);

	if (ret < 0 && ret != -EAGAIN) {
		connect_journal();
		ret = send_parts(parts);
	}
	if (ret < 0)
		dropped += record->n;
}

void log_journal_open(const struct log_options *given)
{
	options = *given;
	connect_journal();
}

uint64_t log_journal_dropped(void)
{
	return dropped;
}
