/*
 * clients.c - see clients.h
 *
 * Who waits for whom. Each client has a bounded queue of what it has not yet taken.
 *
 * - One client is attached: it is waited for, however long that takes. Not a byte is lost, and a pipeline throttles the
 *   container as a shell's pipeline throttles a command. (`tsrun run … | less` may stop it for hours, as `command | less` does.)
 * - Several are attached: one that has had no room for a second, while another has, is *lagging*. It is no longer waited for,
 *   and what it misses is counted. Once it has emptied its queue it is told with LOST how many bytes are missing, and gets
 *   output again. So a client stopped with ^Z stalls nobody, and finds its connection and the exit status in order later.
 * - Clients that are not attached get a few short frames that always fit.
 *
 * After EXIT was queued, every client may take its time as long as it takes something every two seconds; the only attached
 * client, as above, as long as it likes. By then the exit is recorded and the cleanup done, so nobody else waits for it.
 *
 * How a frame is sent or queued is client-send.c's part, what clients send is client-receive.c's.
 */
#include "clients.h"
#include "client.h"
#include "clock.h"
#include "stdio.h"

#define CLIENTS_MAX 32
#define LAG_AFTER 1000 /* ms */
#define EXIT_GRACE 2000 /* ms without progress */
#define WORDS_MAX 4096u

static struct client clients[CLIENTS_MAX];
static int listener = -1, listener_poll = -1;
static uint32_t spec_flags;
static int had_first, first_gone, exiting, hurried;
static struct client *only; /* at the exit: the one attached client, which is waited for */

#define FOR_EACH(c) \
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++) \
		if (c->fd >= 0)

static void add_client(int fd, uint32_t attach, int first)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++) {
		if (c->fd >= 0)
			continue;
		*c = (struct client){.fd = fd, .poll = -1, .attach = attach, .first = first, .reading = 1, .full_since = -1};
		return;
	}
}

void clients_open(int first, int listening, uint32_t flags)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		c->fd = -1;
	listener = listening;
	spec_flags = flags;
	had_first = first >= 0;
	first_gone = exiting = hurried = 0;
	if (listener >= 0)
		io_nonblocking(listener);
	if (first >= 0) {
		io_nonblocking(first);
		add_client(first, flags & (SPEC_ATTACH_STDIN | SPEC_ATTACH_STDOUT | SPEC_ATTACH_STDERR), 1);
	}
}

int clients_first_gone(void)
{
	return had_first && first_gone;
}

void client_end_reading(struct client *c)
{
	if (c->reading && (c->attach & SPEC_ATTACH_STDIN) && (spec_flags & SPEC_STDIN_ONCE))
		stdio_input_end();
	c->reading = 0;
}

void client_disconnect(struct client *c)
{
	client_end_reading(c);
	client_free_queue(c);
	if (c->first)
		first_gone = 1;
	if (only == c)
		only = 0;
	io_close(&c->fd);
}

void client_peer_gone(struct client *c)
{
	if (!c->reading) {
		client_disconnect(c);
		return;
	}
	c->gone = 1;
	client_free_queue(c);
	if (c->first)
		first_gone = 1;
	if (only == c)
		only = 0;
}

static int wants(const struct client *c, uint32_t flag)
{
	return !c->gone && (c->attach & flag);
}

#define WANTS_OUTPUT (SPEC_ATTACH_STDOUT | SPEC_ATTACH_STDERR)

int clients_can_take(uint32_t flag)
{
	FOR_EACH(c)
		if (wants(c, flag) && !c->lagging && client_is_full(c))
			return 0;
	return 1;
}

void clients_output(uint32_t flag, const unsigned char *bytes, uint32_t n)
{
	uint8_t type = flag == SPEC_ATTACH_STDOUT ? FRAME_STDOUT : FRAME_STDERR;

	FOR_EACH(c) {
		if (!wants(c, flag))
			continue;
		if (c->lagging)
			c->lost += n;
		else
			client_send(c, type, bytes, n);
	}
}

/* Marks who is lagging: see the rule at the top. */
static void find_lagging(struct poll_set *set)
{
	int others_have_room = 0;

	FOR_EACH(c) {
		if (!wants(c, WANTS_OUTPUT) || c->lagging || !client_is_full(c)) {
			c->full_since = -1;
			others_have_room |= wants(c, WANTS_OUTPUT) && !c->lagging;
		} else if (c->full_since < 0) {
			c->full_since = set->now;
		}
	}
	if (!others_have_room)
		return;
	FOR_EACH(c) {
		if (c->full_since < 0)
			continue;
		if (set->now - c->full_since >= LAG_AFTER) {
			c->lagging = 1;
			c->full_since = -1;
		} else {
			poll_until(set, c->full_since + LAG_AFTER);
		}
	}
}

void clients_started(int pid)
{
	uint32_t payload = (uint32_t)pid;

	FOR_EACH(c)
		if (c->first)
			client_send(c, FRAME_STARTED, &payload, sizeof(payload));
}

void clients_probed(uint32_t status)
{
	FOR_EACH(c) {
		if (!c->probing)
			continue;
		c->probing = 0;
		client_send(c, FRAME_PROBED, &status, sizeof(status));
	}
}

void clients_let_first_go(void)
{
	had_first = 0;
}

/* Nothing but what is queued, and the farewell, is said from now on. */
static void begin_farewell(void)
{
	int64_t now = clock_monotonic();
	int attached = 0;

	exiting = 1;
	if (!hurried)
		io_close(&listener);
	FOR_EACH(c) {
		c->last_progress = now;
		if (!hurried && wants(c, WANTS_OUTPUT))
			only = attached++ ? 0 : c;
		if (c->lagging)
			client_say_lost(c);
	}
}

void clients_hurry(void)
{
	hurried = 1;
	only = 0;
	FOR_EACH(c)
		if (wants(c, WANTS_OUTPUT) && client_is_full(c))
			c->lagging = 1;
}

void clients_failed(uint32_t program, struct failure_record failure, const char *words, uint32_t words_len)
{
	unsigned char payload[12 + WORDS_MAX];
	uint32_t n = words_len < WORDS_MAX ? words_len : WORDS_MAX;

	if (program == 0)
		begin_farewell();
	memcpy(payload, &program, 4);
	memcpy(payload + 4, &failure.op, 4);
	memcpy(payload + 8, &failure.error, 4);
	memcpy(payload + 12, words, n);
	FOR_EACH(c)
		if (program == 0 || c->first)
			client_send(c, FRAME_FAILED, payload, 12 + n);
}

void clients_exit(uint32_t kind, uint32_t value)
{
	uint32_t payload[2] = {kind, value};

	if (exiting) /* it was said already, when the container was still to be started again */
		return;
	begin_farewell();
	FOR_EACH(c)
		client_send(c, FRAME_EXIT, payload, sizeof(payload));
}

int clients_delivered(int64_t now)
{
	int waiting = 0;

	FOR_EACH(c)
		waiting |= c->queue.len && (c == only || now - c->last_progress < EXIT_GRACE);
	return !waiting;
}

static int has_place(void)
{
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
		if (c->fd < 0)
			return 1;
	return 0;
}

/* Those for whom there is no place stay in the listener's backlog. */
static void accept_clients(void)
{
	while (has_place()) {
		long fd = SYS4(__NR_accept4, listener, 0, 0, O_NONBLOCK | O_CLOEXEC);

		if (fd < 0)
			return;
		add_client((int)fd, 0, 0);
	}
}

void clients_poll(struct poll_set *set)
{
	find_lagging(set);
	listener_poll = !exiting && has_place() ? poll_add(set, listener, POLLIN) : -1;
	FOR_EACH(c) {
		int events = (c->reading && !client_must_wait(c) ? POLLIN : 0) | (c->queue.len ? POLLOUT : 0);

		/* A closed socket always polls as hung up: one that must wait is left out, or the loop would spin. */
		c->poll = c->gone && !events ? -1 : poll_add(set, c->fd, events);
		if (exiting && c->queue.len && c != only)
			poll_until(set, c->last_progress + EXIT_GRACE);
	}
}

void clients_ready(struct poll_set *set)
{
	FOR_EACH(c) {
		int got = poll_got(set, c->poll);

		if (c->queue.len && (got & POLLOUT))
			client_send_queued(c, set->now);
		if (c->fd >= 0 && !c->gone && (got & (POLLHUP | POLLERR)))
			client_peer_gone(c);
		if (c->fd >= 0 && c->reading && (got & (POLLIN | POLLHUP | POLLERR)))
			client_receive(c);
	}
	if (poll_got(set, listener_poll))
		accept_clients();
}

/* Reads what a client has sent but nobody will want: closing a socket with unread bytes would take away what its peer has not yet read. */
static void discard_rest(struct client *c)
{
	unsigned char rest[1024];

	for (int round = 0; round < 1024 && io_read(c->fd, rest, sizeof(rest)) > 0; round++)
		;
}

void clients_close(int listening)
{
	FOR_EACH(c) {
		discard_rest(c);
		client_disconnect(c);
	}
	if (!listening)
		io_close(&listener);
}

void clients_trim(void)
{
	FOR_EACH(c)
		if (!c->queue.len)
			client_free_queue(c);
}
