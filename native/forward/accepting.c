/* accepting.c - see accepting.h */
#include "accepting.h"
#include "connections.h"

#include "../supervisor/clock.h"

#define REST 50 /* ms */

static void (*listen_for)(uint32_t events); /* 0: none is taken any more */
static int64_t rest_until = -1;

void accepting_open(void (*listen)(uint32_t events))
{
	listen_for = listen;
}

void accepting_rest(void)
{
	if (rest_until < 0 && listen_for)
		listen_for(0);
	rest_until = clock_monotonic() + REST;
}

int accepting_take(int listener, union socket_address *client)
{
	uint32_t len;
	int fd;

	if (connections_full())
		accepting_rest();
	if (rest_until >= 0 || !listen_for)
		return -EAGAIN;
	do {
		len = sizeof(*client);
		fd = (int)SYS4(__NR_accept4, listener, client, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd == -ECONNABORTED || fd == -EINTR);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM)
		accepting_rest();
	return fd;
}

void accepting_end(void)
{
	listen_for = 0;
	rest_until = -1;
}

void accepting_round(void)
{
	if (rest_until < 0 || clock_monotonic() < rest_until)
		return;
	rest_until = -1;
	if (listen_for)
		listen_for(EPOLLIN);
}

int64_t accepting_deadline(void)
{
	return rest_until;
}
