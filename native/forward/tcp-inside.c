/* tcp-inside.c - see tcp-inside.h */
#include "tcp-inside.h"

#include "../supervisor/io.h"

/* Binds FD to the client's address: with its port, or if that is taken, with any. */
static int bind_to(int fd, const struct address *source)
{
	struct address any_port = *source;
	union socket_address name;
	uint32_t len = address_to(&name, source);
	long ret = SYS3(__NR_bind, fd, &name, len);

	if (ret != -EADDRINUSE && ret != -EACCES)
		return (int)ret;
	any_port.port = 0;
	len = address_to(&name, &any_port);
	return (int)SYS3(__NR_bind, fd, &name, len);
}

int tcp_inside(const struct way *way, uint32_t mark)
{
	int is6 = way->source.is6, error;
	int fd = (int)SYS3(__NR_socket, is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	net_set(fd, SOL_TCP, TCP_NODELAY, 1);
	if (!mark)
		return fd;
	net_set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	net_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!way->source.port) /* connect(2) chooses one, that may be in use towards others */
		net_set(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	error = is6 ? net_set(fd, SOL_IPV6, IPV6_TRANSPARENT, 1) : net_set(fd, SOL_IP, IP_TRANSPARENT, 1);
	if (!error)
		error = bind_to(fd, &way->source);
	if (error)
		io_close(&fd);
	return error ? error : fd;
}
