/* record.c - see record.h */
#include "record.h"
#include "../protocol.h"
#include "io.h"
#include "log.h"

#include <linux/mman.h>

#define RECORD_SIZE 768
#define CHECK_SIZE (CHECK_OUTPUT * TEXT_JSON_MOST + PAGE) /* whole pages: they are given back */
#define CHECK_END 8
#define TEMPORARY_NAME ".record.new"

static int exit_fd = -1;

/* Field 22 of /proc/PID/stat, in clock ticks since boot; 0 when there is no such process. */
static uint64_t start_time(int pid)
{
	char buf[1024];
	struct text path = {buf, sizeof(buf) - 1, 0, 0};
	uint64_t value = 0;
	long n, i;
	int fd, spaces = 0;

	text_string(&path, "/proc/");
	text_number(&path, (uint64_t)pid);
	text_string(&path, "/stat");
	buf[path.len] = 0;
	fd = (int)SYS4(__NR_openat, AT_FDCWD, buf, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	n = io_read(fd, buf, sizeof(buf));
	io_close(&fd);
	for (i = n - 1; i > 0 && buf[i] != ')'; i--) /* the name, field 2, may itself hold spaces and parentheses */
		;
	for (; i < n && spaces < 20; i++)
		spaces += buf[i] == ' ';
	for (; i > 0 && i < n && buf[i] >= '0' && buf[i] <= '9'; i++)
		value = value * 10 + (uint64_t)(buf[i] - '0');
	return value;
}

/* Puts a file of that content behind NAME by rename: its open fd, or -errno. */
static int replace_file(int directory, const char *name, const struct text *content)
{
	int fd, error = 0;
	long ret;

	if (content->cut)
		return -EOVERFLOW;
	fd = (int)SYS4(__NR_openat, directory, TEMPORARY_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	io_write_all(fd, content->buf, content->len, &error);
	ret = error ? -error : SYS5(__NR_renameat2, directory, TEMPORARY_NAME, directory, name, 0);
	if (ret == 0)
		return fd;
	SYS3(__NR_unlinkat, directory, TEMPORARY_NAME, 0);
	io_close(&fd);
	return (int)ret;
}

static void put_number(struct text *t, const char *before, uint64_t n)
{
	text_string(t, before);
	text_number(t, n);
}

static void put_time(struct text *t, const char *before, struct clock_time time)
{
	text_string(t, before);
	clock_format(t, time);
	text_string(t, "\"");
}

int record_state(int directory, const struct running *r)
{
	const char *boot_id = r->boot_id;
	char buf[RECORD_SIZE];
	struct text t = {buf, sizeof(buf), 0, 0};
	int self = (int)SYS0(__NR_getpid), fd;

	text_string(&t, "{\"bootId\":\"");
	for (unsigned i = 0; i < 40 && boot_id[i] > ' ' && boot_id[i] < 127 && boot_id[i] != '"' && boot_id[i] != '\\'; i++)
		text_bytes(&t, boot_id + i, 1);
	put_number(&t, "\",\"supervisor\":{\"pid\":", (uint64_t)self);
	put_number(&t, ",\"startTime\":", start_time(self));
	put_number(&t, "},\"init\":{\"pid\":", r->init_pid > 0 ? (uint64_t)r->init_pid : 0);
	put_number(&t, ",\"startTime\":", r->init_pid > 0 ? start_time(r->init_pid) : 0);
	put_time(&t, "},\"startedAt\":\"", r->started);
	put_number(&t, ",\"restarts\":", r->restarts);
	if (r->health) {
		text_string(&t, ",\"health\":{\"status\":\"");
		text_string(&t, r->health);
		put_number(&t, "\",\"failing\":", r->failing);
		text_string(&t, "}");
	}
	text_string(&t, "}\n");
	fd = replace_file(directory, "state.json", &t);
	if (fd < 0)
		return fd;
	io_close(&fd);
	return 0;
}

int record_check(int directory, uint32_t number, const struct check *check)
{
	static char buf[CHECK_SIZE] __attribute__((aligned(PAGE)));
	struct text t = {buf, sizeof(buf) - CHECK_END, 0, 0};
	char name[] = "health.0";
	int fd;

	text_string(&t, "{\"Start\":\"");
	clock_format(&t, check->started);
	text_string(&t, "\",\"End\":\"");
	clock_format(&t, check->finished);
	text_string(&t, check->status < 0 ? "\",\"ExitCode\":-" : "\",\"ExitCode\":");
	text_number(&t, (uint64_t)(check->status < 0 ? -check->status : check->status));
	text_string(&t, ",\"Output\":\"");
	text_json(&t, check->output, check->output_len);
	t.size = sizeof(buf);
	text_string(&t, "\"}\n");
	name[sizeof(name) - 2] = (char)('0' + number % 5);
	fd = replace_file(directory, name, &t);
	SYS3(__NR_madvise, buf, sizeof(buf), MADV_DONTNEED);
	if (fd < 0)
		return fd;
	io_close(&fd);
	return 0;
}

int record_exit(int directory, const struct ending *e)
{
	static const char *const kinds[] = {"exited", "signaled", "unknown"};
	char buf[RECORD_SIZE];
	struct text t = {buf, sizeof(buf), 0, 0};

	text_string(&t, "{\"kind\":\"");
	text_string(&t, e->failed ? "failed" : kinds[e->status.kind]);
	put_number(&t, "\",\"value\":", e->failed ? (uint64_t)e->failure.error : e->status.value);
	if (e->failed)
		put_number(&t, ",\"op\":", e->failure.op);
	put_time(&t, ",\"startedAt\":\"", e->started);
	put_time(&t, ",\"finishedAt\":\"", e->finished);
	text_string(&t, ",\"oomKilled\":");
	text_string(&t, e->oom_killed ? "true" : "false");
	put_number(&t, ",\"logDroppedBytes\":", log_dropped());
	if (e->cleanup_failed) {
		put_number(&t, ",\"cleanup\":{\"op\":", e->cleanup.op);
		put_number(&t, ",\"errno\":", (uint64_t)e->cleanup.error);
		text_string(&t, "}");
	}
	if (e->restarting)
		put_time(&t, ",\"restartAt\":\"", e->restart_at);
	text_string(&t, "}\n");
	io_close(&exit_fd);
	exit_fd = replace_file(directory, "exit.json", &t);
	return exit_fd < 0 ? exit_fd : 0;
}

int record_exit_code(const struct ending *e)
{
	if (e->failed || e->status.kind == EXIT_UNKNOWN)
		return 125;
	return (int)e->status.value + (e->status.kind == EXIT_SIGNALED ? 128 : 0);
}

void record_sync(void)
{
	if (exit_fd >= 0)
		SYS1(__NR_fsync, exit_fd);
	io_close(&exit_fd);
}
