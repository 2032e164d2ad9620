/* event-log.c - see event-log.h */
#include "event-log.h"
#include "../protocol.h"
#include "io.h"

#include <linux/stat.h>

#define LOCK_EX 2
#define LOCK_NB 4
#define PATH_SIZE 4096
#define LINES 4 /* most that are written at once */
#define HEAD 160

static struct event_options options = {"", "", 0};

static char heads[LINES][HEAD];
static struct iovec parts[LINES * 3];
static unsigned lines;

/* NAME is 0, or of a value, as in JSON with quotes and colon (`"health":`): NAME, VALUE and a comma are written. */
static void put(const char *status, const char *name, const char *value)
{
	struct text t = {heads[lines], HEAD, 0, 0};

	text_string(&t, "{\"time\":\"");
	clock_format(&t, clock_now());
	text_string(&t, "\",\"status\":\"");
	text_string(&t, status);
	text_string(&t, "\",");
	if (name) {
		text_string(&t, name);
		text_string(&t, value);
		text_string(&t, ",");
	}
	parts[lines * 3] = (struct iovec){t.buf, t.len};
	parts[lines * 3 + 1] = (struct iovec){(void *)options.fields, strlen(options.fields)};
	parts[lines * 3 + 2] = (struct iovec){"}\n", 2};
	lines++;
}

static int open_log(void)
{
	return (int)SYS4(__NR_openat, AT_FDCWD, options.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Is FD what the log's name leads to? */
static int is_current(int fd)
{
	struct statx ours, named;

	return SYS5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &ours) == 0 &&
	       SYS5(__NR_statx, AT_FDCWD, options.path, AT_SYMLINK_NOFOLLOW, STATX_INO, &named) == 0 &&
	       ours.stx_ino == named.stx_ino && ours.stx_dev_major == named.stx_dev_major && ours.stx_dev_minor == named.stx_dev_minor;
}

/* Who holds the lock of a full file, and finds that it is still the current one, renames it: of several at once one does. */
static void rotate(int *fd)
{
	char old[PATH_SIZE];
	struct text t = {old, sizeof(old) - 1, 0, 0};
	int next;

	text_string(&t, options.path);
	text_string(&t, ".1");
	old[t.len] = 0;
	if (t.cut || SYS2(__NR_flock, *fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (is_current(*fd) && SYS5(__NR_renameat2, AT_FDCWD, options.path, AT_FDCWD, old, 0) != 0)
		return;
	next = open_log();
	if (next < 0)
		return;
	io_close(fd);
	*fd = next;
}

static void write_lines(void)
{
	unsigned count = lines * 3;
	int fd;

	lines = 0;
	if (!options.path[0])
		return;
	fd = open_log();
	if (fd < 0)
		return;
	if (SYS3(__NR_lseek, fd, 0, 2 /* SEEK_END */) >= (long)EVENT_LOG_MAX)
		rotate(&fd);
	io_writev(fd, parts, count);
	io_close(&fd);
}

void event_log_open(const struct event_options *given)
{
	options = *given;
}

void event_log_started(int again, int attached)
{
	if (options.is_exec) {
		put("exec", 0, 0);
	} else {
		if (again)
			put("restart", 0, 0);
		put("init", 0, 0);
		put("start", 0, 0);
		if (attached)
			put("attach", 0, 0);
	}
	write_lines();
}

void event_log_attached(void)
{
	if (options.is_exec)
		return;
	put("attach", 0, 0);
	write_lines();
}

void event_log_health(const char *status)
{
	char quoted[24];
	struct text t = {quoted, sizeof(quoted) - 1, 0, 0};

	text_string(&t, "\"");
	text_string(&t, status);
	text_string(&t, "\"");
	quoted[t.len] = 0;
	put("health_status", "\"health\":", quoted);
	write_lines();
}

void event_log_ended(const struct ending *e)
{
	uint32_t status = e->status.kind == EXIT_SIGNALED ? 128 + e->status.value : e->status.value;
	char digits[24] = {0};

	decimal(digits, e->failed ? 125 : status);
	if (e->oom_killed)
		put("oom", 0, 0);
	put(options.is_exec ? "exec_died" : "died", e->failed || e->status.kind != EXIT_UNKNOWN ? "\"exitCode\":" : 0, digits);
	write_lines();
}

void event_log_removed(void)
{
	if (options.is_exec)
		return;
	put("remove", 0, 0);
	write_lines();
}
