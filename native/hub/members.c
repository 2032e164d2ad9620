/* members.c - see members.h */
#include "members.h"
#include "../supervisor/io.h"
#include "loop.h"
#include "names.h"
#include "protocol.h"

#include <asm/socket.h>
#include <linux/socket.h>

#define MEMBERS 4096u

_Static_assert(sizeof(struct hub_endpoint) == 100, "src/network/hub-protocol.ts writes it");

#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000
#define MSG_CMSG_CLOEXEC_ 0x40000000
#define SCM_RIGHTS_ 1

struct member {
	int fd; /* + 1; 0 = free */
	int is_process;
};

/* struct msghdr and a control message of two descriptors, as unix(7) has them on 64-bit machines. */
struct header {
	void *name;
	uint64_t name_length;
	struct iovec *parts;
	uint64_t part_count;
	void *control;
	uint64_t control_length;
	uint64_t flags;
};

struct rights {
	uint64_t length;
	int32_t level;
	int32_t type;
	int32_t fds[2];
};

static struct member table[MEMBERS];
static unsigned count;
static int own_pidfd = -1, uplink_status;

int members_open(void)
{
	own_pidfd = (int)SYS2(__NR_pidfd_open, SYS0(__NR_getpid), 0);
	if (own_pidfd < 0)
		return own_pidfd;
	io_nonblocking(HUB_FD_LISTEN);
	return loop_watch(HUB_FD_LISTEN, EPOLLIN, WATCH_LISTENER, 0);
}

void members_uplink(int status)
{
	uplink_status = status;
}

/* The number of a new member, from 1; 0 when there is no place: then FD is closed. */
static uint32_t add(int fd, int is_process)
{
	for (uint32_t i = 0; i < MEMBERS; i++) {
		if (table[i].fd)
			continue;
		if (loop_watch(fd, EPOLLIN, WATCH_MEMBER, i + 1) < 0)
			break;
		table[i] = (struct member){fd + 1, is_process};
		count++;
		return i + 1;
	}
	io_close(&fd);
	return 0;
}

static void drop(uint32_t number)
{
	struct member *m = &table[number - 1];
	int fd = m->fd - 1;

	names_end(number);
	io_close(&fd);
	m->fd = 0;
	count--;
}

void members_accept(void)
{
	for (;;) {
		long fd = SYS4(__NR_accept4, HUB_FD_LISTEN, 0, 0, O_CLOEXEC);

		if (fd == -EINTR)
			continue;
		if (fd < 0)
			return;
		add((int)fd, 0);
	}
}

int members_none(void)
{
	if (count == 0)
		members_accept();
	return count == 0;
}

/* Sends STATUS, and to one that says hello what it needs. A member that is gone, or does not read, will be noticed. */
static void answer(int to, int32_t status, int hello)
{
	struct rights rights = {sizeof(rights), SOL_SOCKET, SCM_RIGHTS_, {HUB_FD_NETNS, own_pidfd}};
	struct iovec part = {&status, sizeof(status)};
	struct header header = {.parts = &part, .part_count = 1};

	if (hello) {
		header.control = &rights;
		header.control_length = sizeof(rights);
	}
	SYS3(__NR_sendmsg, to, &header, MSG_DONTWAIT_ | MSG_NOSIGNAL_);
}

static int32_t join(const struct hub_endpoint *is, const uint8_t *names, size_t length, uint32_t number, int *pidfd)
{
	if (uplink_status)
		return uplink_status;
	if (is->flags & HUB_OF_PROCESS) {
		if (*pidfd < 0)
			return -EBADF;
		number = add(*pidfd, 1);
		*pidfd = -1;
		if (!number)
			return -ENOSPC;
	}
	return names_join(is, names, length, number);
}

/* Acts on one message of LENGTH bytes. PIDFD is closed by the caller, unless it was taken (-1). */
static void act(uint32_t number, const uint8_t *message, size_t length, int *pidfd)
{
	int fd = table[number - 1].fd - 1;
	struct hub_endpoint is;
	uint32_t request;

	if (length < sizeof(request)) {
		answer(fd, -EINVAL, 0);
		return;
	}
	memcpy(&request, message, sizeof(request));
	if (request == HUB_HELLO) {
		answer(fd, 0, 1);
		return;
	}
	if (length < sizeof(is) || (request != HUB_JOIN && request != HUB_LEAVE)) {
		answer(fd, -EINVAL, 0);
		return;
	}
	memcpy(&is, message, sizeof(is));
	if (request == HUB_LEAVE)
		names_leave(&is);
	answer(fd, request == HUB_LEAVE ? 0 : join(&is, message + sizeof(is), length - sizeof(is), number, pidfd), 0);
}

void members_ready(uint32_t number)
{
	static uint8_t message[HUB_MESSAGE_MAX];
	struct rights rights = {.fds = {-1, -1}};
	struct iovec part = {message, sizeof(message)};
	struct header header = {.parts = &part, .part_count = 1, .control = &rights, .control_length = sizeof(rights)};
	int pidfd = -1;
	long n;

	if (number == 0 || number > MEMBERS || !table[number - 1].fd)
		return;
	if (table[number - 1].is_process) { /* a pidfd is readable when its process has ended */
		drop(number);
		return;
	}
	n = SYS3(__NR_recvmsg, table[number - 1].fd - 1, &header, MSG_DONTWAIT_ | MSG_CMSG_CLOEXEC_);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		drop(number);
		return;
	}
	if (header.control_length >= sizeof(rights) - sizeof(rights.fds) + 4 && rights.level == SOL_SOCKET && rights.type == SCM_RIGHTS_)
		pidfd = rights.fds[0];
	act(number, message, (size_t)n, &pidfd);
	io_close(&pidfd);
}
