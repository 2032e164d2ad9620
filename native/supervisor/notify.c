/* notify.c - see notify.h */
#include "notify.h"
#include "io.h"

#include <asm/socket.h>
#include <linux/un.h>

#define AF_UNIX_ 1
#define SOCK_DGRAM_ 2
#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000
#define MESSAGE_MAX 4096 /* PIPE_BUF, which is systemd's limit, too */
#define LAST_MESSAGES 1024 /* more than its queue holds (net.unix.max_dgram_qlen) */

static const char *manager = "";
static int own = -1;	 /* what the container speaks to */
static int to = -1;	 /* the manager's, while MESSAGE waits */
static int own_poll = -1, to_poll = -1, healthy_wanted;
static size_t waiting;	 /* bytes of MESSAGE that the manager is to get; 0 = none */
static char message[MESSAGE_MAX] __attribute__((aligned(PAGE)));

static int begins(const char *line, size_t size, const char *with)
{
	size_t n = strlen(with);

	return size >= n && !memcmp(line, with, n);
}

/* "NAME=" allows any value, all else is a whole line. */
static int may_pass(const char *line, size_t size)
{
	static const char *const allowed[] = {"READY=1",  "RELOADING=1", "STOPPING=1",	   "WATCHDOG=1",	"STATUS=",
					      "ERRNO=", "BUSERROR=",	"MONOTONIC_USEC=", "EXTEND_TIMEOUT_USEC=", "EXIT_STATUS="};

	for (unsigned i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		size_t n = strlen(allowed[i]);

		if (begins(line, size, allowed[i]) && (allowed[i][n - 1] == '=' || size == n))
			return 1;
	}
	return 0;
}

size_t notify_filter(char *text, size_t size)
{
	size_t kept = 0, at = 0;

	while (at < size) {
		size_t end = at;

		while (end < size && text[end] != '\n')
			end++;
		if (may_pass(text + at, end - at)) {
			if (kept)
				text[kept++] = '\n';
			for (; at < end; at++)
				text[kept++] = text[at];
		}
		at = end + 1;
	}
	return kept;
}

static int connect_manager(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX_};
	size_t len = strlen(manager);
	int fd;

	if (!len || len >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, manager, len);
	if (manager[0] == '@')
		address.sun_path[0] = 0;
	fd = (int)SYS3(__NR_socket, AF_UNIX_, SOCK_DGRAM_ | O_CLOEXEC, 0);
	if (fd >= 0 && SYS3(__NR_connect, fd, &address, offsetof(struct sockaddr_un, sun_path) + len) < 0)
		io_close(&fd);
	return fd;
}

/* A manager that is not there any more is told nothing. */
static void pass_on(void)
{
	long ret;

	if (!waiting)
		return;
	if (to < 0)
		to = connect_manager();
	do
		ret = to < 0 ? to : SYS6(__NR_sendto, to, message, waiting, MSG_DONTWAIT_ | MSG_NOSIGNAL_, 0, 0);
	while (ret == -EINTR);
	if (ret == -EAGAIN)
		return;
	waiting = 0;
	io_close(&to);
}

/* One message of the container's: 1 if there was one. */
static int take(void)
{
	long n;

	do
		n = SYS6(__NR_recvfrom, own, message, sizeof(message), MSG_DONTWAIT_, 0, 0);
	while (n == -EINTR);
	if (n < 0)
		return 0;
	waiting = notify_filter(message, (size_t)n);
	pass_on();
	return 1;
}

void notify_open(const char *to_manager, int fd, int when_healthy)
{
	manager = to_manager;
	own = fd;
	healthy_wanted = when_healthy;
}

void notify_healthy(void)
{
	static const char ready[] = "READY=1";

	if (!healthy_wanted)
		return;
	healthy_wanted = 0;
	memcpy(message, ready, sizeof(ready) - 1);
	waiting = sizeof(ready) - 1;
	pass_on();
}

void notify_finish(void)
{
	pass_on();
	for (unsigned i = 0; i < LAST_MESSAGES && own >= 0 && !waiting && take(); i++)
		;
	io_close(&own);
	io_close(&to);
	waiting = 0;
}

void notify_poll(struct poll_set *set)
{
	to_poll = waiting ? poll_add(set, to, POLLOUT) : -1;
	own_poll = waiting ? -1 : poll_add(set, own, POLLIN);
}

void notify_ready(struct poll_set *set)
{
	if (poll_got(set, to_poll))
		pass_on();
	else if (poll_got(set, own_poll))
		take();
}
