/*
 * exchange serve PORT                            answers lines; after one that begins with "c" it closes the connection
 * exchange http PORT                             answers requests of HTTP, for ab
 * exchange splice PORT TARGET                    passes connections on to that port of the loopback by splice(2), and does nothing else
 * exchange repeat PORT TARGET                    the same for connections of one line and its answer, one after the other: so many system calls
 *                                                it takes at least
 * exchange dial ADDRESS PORT MS connections      one connection after the other, each for one line
 * exchange dial ADDRESS PORT MS requests         line after line on one connection
 * exchange wake                                  a byte to and fro between two processors, which sleep until it comes
 * exchange serve PORT one                        serve, or dial, on the first processor: two of these need no other one
 *
 * dial prints how many there were in a second, wake how many microseconds one way takes. One side in each place, so that what lies between them is all that differs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
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

/* What is accepted inherits TCP_NODELAY. */
static int listen_on(struct sockaddr_in *name)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	name->sin_addr.s_addr = INADDR_ANY;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)name, sizeof(*name)) < 0 || listen(listener, 1024) < 0)
		exit(fail("listen"));
	return listener;
}

static _Noreturn void serve(struct sockaddr_in *name)
{
	int listener = listen_on(name);

	for (;;) {
		int fd = accept(listener, 0, 0);
		char line[LINE];

		while (receive(fd, line) == 0)
			if (send(fd, line, LINE, MSG_NOSIGNAL) != LINE || line[0] == 'c')
				break;
		close(fd);
	}
}

#define CLIENTS 256
#define BODY "It works!\n"
#define HEAD "HTTP/1.0 200 OK\r\nContent-Length: 10\r\nConnection: "

/* One request, which comes in one piece: ab's do. 0 when more may follow on this connection. */
static int answer_http(int fd)
{
	static const char kept[] = HEAD "Keep-Alive\r\n\r\n" BODY, last[] = HEAD "close\r\n\r\n" BODY;
	char request[2048];
	ssize_t n = read(fd, request, sizeof(request) - 1);
	int keep;

	if (n <= 0)
		return -1;
	request[n] = 0;
	keep = strcasestr(request, "connection: keep-alive") != 0;
	if (send(fd, keep ? kept : last, keep ? sizeof(kept) - 1 : sizeof(last) - 1, MSG_NOSIGNAL) < 0)
		return -1;
	return keep ? 0 : -1;
}

static _Noreturn void serve_http(struct sockaddr_in *name)
{
	struct pollfd fds[CLIENTS + 1] = {{listen_on(name), POLLIN, 0}};
	unsigned count = 1;

	for (;;) {
		fds[0].events = count <= CLIENTS ? POLLIN : 0;
		poll(fds, count, -1);
		for (unsigned i = count - 1; i > 0; i--) {
			if (!fds[i].revents || answer_http(fds[i].fd) == 0)
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
		}
		if (fds[0].revents) {
			fds[count].fd = accept(fds[0].fd, 0, 0);
			fds[count].events = POLLIN;
			fds[count].revents = 0;
			count += fds[count].fd >= 0;
		}
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

/* One direction, to its end. */
static _Noreturn void pass_on(int from, int to)
{
	int fds[2];
	ssize_t n, m;

	if (pipe(fds) < 0)
		exit(fail("pipe"));
	fcntl(fds[1], F_SETPIPE_SZ, 512 << 10);
	while ((n = splice(from, 0, fds[1], 0, 1 << 20, SPLICE_F_MOVE)) > 0)
		for (; n > 0; n -= m)
			if ((m = splice(fds[0], 0, to, 0, (size_t)n, SPLICE_F_MOVE)) <= 0)
				exit(0);
	shutdown(to, SHUT_WR);
	exit(0);
}

static _Noreturn void splice_all(struct sockaddr_in *name, unsigned short target)
{
	struct sockaddr_in inside = {.sin_family = AF_INET, .sin_port = htons(target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = listen_on(name);

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int client = accept(listener, 0, 0), server = dial(&inside);

		if (client >= 0 && server >= 0) {
			if (fork() == 0)
				pass_on(client, server);
			if (fork() == 0)
				pass_on(server, client);
		}
		close(client);
		close(server);
	}
}

static _Noreturn void repeat(struct sockaddr_in *name, unsigned short target)
{
	struct sockaddr_in inside = {.sin_family = AF_INET, .sin_port = htons(target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = listen_on(name);

	for (;;) {
		int client = accept(listener, 0, 0), server = dial(&inside);
		char line[LINE];
		ssize_t n = recv(client, line, LINE, 0);

		if (n > 0 && send(server, line, (size_t)n, MSG_NOSIGNAL) == n && (n = recv(server, line, LINE, 0)) > 0)
			send(client, line, (size_t)n, MSG_NOSIGNAL);
		close(client);
		close(server);
	}
}

/* On the processor that is number INDEX of those that we may have: 0, or -1 when there are not so many. */
static int stay_on(int index)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || index-- > 0)
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one);
	}
	return -1;
}

#define WAKES 200

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Prints the median; 0 with one processor. */
static int wake(void)
{
	int there[2], back[2];
	double took[WAKES];
	char byte = 0;
	pid_t other;

	if (pipe(there) < 0 || pipe(back) < 0 || (other = fork()) < 0)
		return fail("wake");
	if (other == 0) {
		close(there[1]);
		if (stay_on(1) < 0)
			_exit(1);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	close(back[1]);
	close(there[0]);
	signal(SIGPIPE, SIG_IGN);
	stay_on(0);
	for (int i = 0; i < WAKES; i++) {
		double start = seconds();

		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) {
			memset(took, 0, sizeof(took));
			break;
		}
		took[i] = (seconds() - start) / 2 * 1e6;
	}
	qsort(took, WAKES, sizeof(*took), by_size);
	printf("%.1f\n", took[WAKES / 2]);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in name = {.sin_family = AF_INET};

	if (argc == 2 && !strcmp(argv[1], "wake"))
		return wake();
	if (argc > 3 && !strcmp(argv[argc - 1], "one")) {
		stay_on(0);
		argc--;
	}
	if (argc >= 3)
		name.sin_port = htons((unsigned short)atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(&name);
	if (argc == 3 && !strcmp(argv[1], "http"))
		serve_http(&name);
	if (argc == 4 && !strcmp(argv[1], "splice"))
		splice_all(&name, (unsigned short)atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "repeat"))
		repeat(&name, (unsigned short)atoi(argv[3]));
	if (argc == 6 && !strcmp(argv[1], "dial") && inet_pton(AF_INET, argv[2], &name.sin_addr) == 1) {
		name.sin_port = htons((unsigned short)atoi(argv[3]));
		return measure(&name, atoi(argv[4]) / 1e3, !strcmp(argv[5], "connections"));
	}
	fprintf(stderr, "exchange: see its source\n");
	return 2;
}
