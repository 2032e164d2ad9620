/*
 * quick-server PORT - answers each request with what it was, and the connection's end. One connection after the other, with room for as many
 * waiting ones as the kernel allows, so that whatever is refused or reset on the way here was not by this server.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int fd)
{
	char line[256];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(line) && (got = read(fd, line + n, sizeof(line) - n)) > 0) {
		n += (size_t)got;
		if (line[n - 1] != '\n')
			continue;
		if (send(fd, line, n, MSG_NOSIGNAL) != (ssize_t)n)
			perror("send");
		return;
	}
	fprintf(stderr, "a connection ended after %zu bytes\n", n);
}

int main(int argc, char **argv)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "80"))};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(listener, 4096) < 0) {
		perror("listen");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, 0, 0);

		if (fd < 0) {
			perror("accept");
			continue;
		}
		serve(fd);
		close(fd);
	}
}
