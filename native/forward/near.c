/* near.c - see near.h */
#include "near.h"
#include "address.h"

int near_is(int fd)
{
	union socket_address name;
	struct address own, peer;
	uint32_t len = sizeof(name);

	if (SYS3(__NR_getsockname, fd, &name, &len) < 0 || address_from(&own, &name) < 0)
		return 0;
	len = sizeof(name);
	if (SYS3(__NR_getpeername, fd, &name, &len) < 0 || address_from(&peer, &name) < 0)
		return 0;
	peer.port = own.port;
	return address_is_loopback(&peer) || address_equal(&peer, &own); /* 127.0.0.1 talks to 127.0.0.2, too */
}

/* One that may not be had (reno can be had everywhere) changes nothing. */
void near_settle(int fd)
{
	static const char plain[] = "reno";

	SYS5(__NR_setsockopt, fd, SOL_TCP, TCP_CONGESTION, plain, sizeof(plain) - 1);
}
