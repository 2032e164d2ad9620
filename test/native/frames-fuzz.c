/*
 * frames-fuzz.c - clients that send anything: frames-fuzz [ROUNDS [SEED]]
 *
 * Most rounds: bytes that are mostly no frames, at random moments, with random disconnects. Nothing may crash, hang or be read
 * out of bounds (built with AddressSanitizer and UBSan). Every 20th: valid frames cut at random, input and output at once;
 * every byte must arrive, in order, in both directions.
 */
#define _GNU_SOURCE
#include "supervisor/children.h"
#include "supervisor/clients.h"
#include "supervisor/health.h"
#include "supervisor/restart.h"
#include "supervisor/ring.h"
#include "supervisor/stdio.h"

#include <stdlib.h>

int socketpair(int domain, int type, int protocol, int fds[2]);
int pipe2(int fds[2], int flags);
int close(int fd);
int printf(const char *format, ...);

#define HEADER_SIZE 8u
#define AF_UNIX 1
#define SOCK_STREAM 1
#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("frames-fuzz: round %d: %s\n", current, #what); \
			abort(); \
		} \
	} while (0)

static int current;
static uint64_t state;

static uint32_t any(uint32_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % below;
}

int children_signal_init(int number)
{
	CHECK(number >= 1 && number <= 64);
	return 0;
}

int restart_policy(uint32_t flags, uint32_t limit)
{
	return (flags ^ limit) & 1 ? -EBADF : 0;
}

void health_request(void)
{
}

static void one_round(void)
{
	struct poll_set set;

	poll_begin(&set);
	clients_poll(&set);
	stdio_poll(&set, -1);
	poll_until(&set, set.now);
	poll_wait(&set);
	stdio_ready(&set, -1);
	clients_ready(&set);
	if (any(100) == 0) {
		clients_trim();
		stdio_trim();
	}
}

/* One end of a socket pair, non-blocking; *OTHER is the supervisor's. */
static int client_socket(int *other)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	io_nonblocking(fds[0]);
	*other = fds[1];
	return fds[0];
}

struct streams {
	int in, out, err; /* the container's ends */
};

static struct streams open_streams(void)
{
	int in[2], out[2], err[2];

	CHECK(pipe2(in, O_NONBLOCK) == 0 && pipe2(out, O_NONBLOCK) == 0 && pipe2(err, O_NONBLOCK) == 0);
	stdio_open(in[1], out[0], err[0], -1);
	return (struct streams){in[0], out[1], err[1]};
}

/* Closes the container's ends, and lets the supervisor's see their end. */
static void close_streams(struct streams *s)
{
	close(s->in);
	close(s->out);
	close(s->err);
	stdio_input_end();
	for (int i = 0; i < 8 || !stdio_drained(0, 1); i++)
		one_round();
}

static void put_garbage(int fd)
{
	static const uint8_t types[] = {FRAME_ATTACH, FRAME_STDIN, FRAME_STDIN_EOF, FRAME_RESIZE, FRAME_SIGNAL, FRAME_EXIT, 200};
	unsigned char bytes[512];
	uint32_t n = 1 + any(sizeof(bytes) - 1);

	for (uint32_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)any(256);
	if (any(4)) { /* something like a header, so that the parser is passed more often */
		memset(bytes, 0, 8);
		bytes[0] = types[any(sizeof(types))];
		bytes[4] = (unsigned char)any(any(2) ? 16 : 256);
		bytes[5] = (unsigned char)any(4);
		bytes[1] = any(50) == 0;
	}
	io_write(fd, bytes, n);
}

static void garbage_round(void)
{
	static unsigned char chunk[4096];
	int theirs, client = client_socket(&theirs);
	struct streams streams = open_streams();

	clients_open(theirs, -1, any(64));
	for (int step = 0; step < 200; step++) {
		uint32_t what = any(8);

		if (what < 4 && client >= 0)
			put_garbage(client);
		else if (what == 4)
			io_write(any(2) ? streams.out : streams.err, chunk, any(sizeof(chunk)));
		else if (what == 5)
			io_read(streams.in, chunk, any(sizeof(chunk)));
		else if (what == 6 && client >= 0)
			io_read(client, chunk, any(sizeof(chunk)));
		else if (any(30) == 0)
			io_close(&client);
		one_round();
	}
	if (any(2))
		clients_exit(any(3), any(256));
	io_close(&client);
	one_round();
	close_streams(&streams);
	clients_close(0);
}

#define TOTAL (1u << 20)

static unsigned char pattern(uint32_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

/* Sends input in frames of random length, cut at random. What is left of the current frame is kept between calls. */
static void send_input(int fd, uint32_t *sent)
{
	static unsigned char frame[HEADER_SIZE + FRAME_MAX];
	static uint32_t len, at;

	if (*sent == 0 && at == len)
		len = at = 0;
	if (at == len && *sent < TOTAL) {
		uint32_t n = any(FRAME_MAX + 1);

		if (n > TOTAL - *sent)
			n = TOTAL - *sent;
		memset(frame, 0, HEADER_SIZE);
		frame[0] = FRAME_STDIN;
		memcpy(frame + 4, &n, 4);
		for (uint32_t i = 0; i < n; i++)
			frame[HEADER_SIZE + i] = pattern(*sent + i);
		*sent += n;
		len = HEADER_SIZE + n;
		at = 0;
	}
	if (at < len) {
		uint32_t part = 1 + any(20000);
		long n = io_write(fd, frame + at, part < len - at ? part : len - at);

		if (n > 0)
			at += (uint32_t)n;
	}
}

static void check_input(int fd, uint32_t *got)
{
	static unsigned char chunk[30000];
	long n = io_read(fd, chunk, 1 + any(sizeof(chunk) - 1));

	for (long i = 0; i < n; i++)
		CHECK(chunk[i] == pattern((*got)++));
}

static void write_output(int fd, uint32_t *written)
{
	static unsigned char chunk[30000];
	uint32_t n = 1 + any(sizeof(chunk) - 1);
	long ret;

	if (n > TOTAL - *written)
		n = TOTAL - *written;
	for (uint32_t i = 0; i < n; i++)
		chunk[i] = pattern(*written + i);
	ret = n ? io_write(fd, chunk, n) : 0;
	if (ret > 0)
		*written += (uint32_t)ret;
}

struct decoder {
	unsigned char header[HEADER_SIZE];
	uint32_t header_len, left, got;
};

static void check_output(int fd, struct decoder *d)
{
	static unsigned char chunk[40000];
	long n = io_read(fd, chunk, 1 + any(sizeof(chunk) - 1));

	for (long i = 0; i < n; i++) {
		if (d->left) {
			CHECK(chunk[i] == pattern(d->got++));
			d->left--;
			continue;
		}
		d->header[d->header_len++] = chunk[i];
		if (d->header_len < HEADER_SIZE)
			continue;
		CHECK(d->header[0] == FRAME_STDOUT);
		memcpy(&d->left, d->header + 4, 4);
		CHECK(d->left > 0 && d->left <= FRAME_MAX);
		d->header_len = 0;
	}
}

static void exact_round(void)
{
	int theirs, client = client_socket(&theirs);
	struct streams streams = open_streams();
	struct decoder output = {0};
	uint32_t sent = 0, got = 0, written = 0;

	clients_open(theirs, -1, SPEC_ATTACH_STDIN | SPEC_ATTACH_STDOUT);
	while (got < TOTAL || output.got < TOTAL) {
		if (any(2))
			send_input(client, &sent);
		if (any(3) == 0)
			check_input(streams.in, &got);
		if (any(2))
			write_output(streams.out, &written);
		if (any(3) == 0)
			check_output(client, &output);
		one_round();
	}
	close(client);
	close_streams(&streams);
	clients_close(0);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], 0, 10) : 1;

	SYS4(__NR_rt_sigaction, 13, ((uint64_t[4]){1}), 0, 8); /* SIGPIPE */
	for (current = 1; current <= rounds; current++) {
		state = seed * 1000003 + (uint64_t)current;
		if (current % 20 == 0)
			exact_round();
		else
			garbage_round();
	}
	printf("frames-fuzz: %d rounds, seed %llu\n", rounds, (unsigned long long)seed);
	return 0;
}
