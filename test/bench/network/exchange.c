/*
 * exchange serve PORT                            answers lines; after one that begins with "c" it closes the connection
 * exchange dial ADDRESS PORT MS connections      one connection after the other, each for one line
 * exchange dial ADDRESS PORT MS requests         line after line on one connection
 *
 * dial prints how many there were in a second. One side in each place, so that what lies between them is all that differs.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE 16

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line has LINE bytes. 0 when one came. */
static int receive(int fd, char *line)
{
	size_t n = 0;

	while (n < LINE) {
		ssize_t got = read(fd, line + n, LINE - n);

		if (got <= 0)
			return -1;
		n += (size_t)got;
	}
	return 0;
}

static int serve(struct sockaddr_in *name)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	name->sin_addr.s_addr = INADDR_ANY;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)name, sizeof(*name)) < 0 || listen(listener, 1024) < 0)
		return fail("listen");
	for (;;) {
		int fd = accept(listener, 0, 0);
		char line[LINE];

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		while (receive(fd, line) == 0)
			if (send(fd, line, LINE, MSG_NOSIGNAL) != LINE || line[0] == 'c')
				break;
		close(fd);
	}
}

static int dial(const struct sockaddr_in *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int ask(int fd, char first)
{
	char line[LINE + 1] = "               \n", answer[LINE];

	line[0] = first;
	if (send(fd, line, LINE, MSG_NOSIGNAL) != LINE || receive(fd, answer) < 0)
		return -1;
	return memcmp(line, answer, LINE) ? -1 : 0;
}

static int measure(const struct sockaddr_in *name, double length, int anew)
{
	double start, now;
	unsigned long count = 0;
	int fd = anew ? -1 : dial(name);

	if (!anew && (fd < 0 || ask(fd, 'r') < 0))
		return fail("first request");
	for (start = now = seconds(); now - start < length; now = seconds(), count++) {
		if (anew)
			fd = dial(name);
		if (fd < 0 || ask(fd, anew ? 'c' : 'r') < 0)
			return fail("request");
		if (anew)
			close(fd);
	}
	printf("%.1f\n", (double)count / (now - start));
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in name = {.sin_family = AF_INET};

	if (argc == 3 && !strcmp(argv[1], "serve")) {
		name.sin_port = htons((unsigned short)atoi(argv[2]));
		return serve(&name);
	}
	if (argc == 6 && !strcmp(argv[1], "dial") && inet_pton(AF_INET, argv[2], &name.sin_addr) == 1) {
		name.sin_port = htons((unsigned short)atoi(argv[3]));
		return measure(&name, atoi(argv[4]) / 1e3, !strcmp(argv[5], "connections"));
	}
	fprintf(stderr, "exchange: see its source\n");
	return 2;
}
