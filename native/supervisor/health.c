/* health.c - see health.h */
#include "health.h"
#include "children.h"
#include "clients.h"
#include "clock.h"
#include "io.h"
#include "notify.h"
#include "record.h"
#include "restart.h"
#include "spec.h"

#include <asm/signal.h>
#include <linux/mman.h>

#define NOT_EXECUTABLE 126
#define NOT_FOUND 127
#define TOO_LONG -1

static const struct supervisor_spec *spec; /* 0: no health checks */
static int directory, target = -1;

static const char *status;
static uint32_t failing, done_checks;
static int changed, requested;
static int64_t opened_at;
static int64_t next_at = -1;	/* when the next check begins; -1: it has begun, or comes only when it is asked for */
static int64_t kill_at = -1;	/* when an init that was asked to end is killed */

/* the check that runs */
static int running, timed_out;
static int64_t began_at;
static int output_fd = -1, report_fd = -1, output_poll = -1;
static struct check check;
static unsigned char output[CHECK_OUTPUT] __attribute__((aligned(PAGE)));

static int in_start_period(int64_t now)
{
	return status[0] == 's' && now - opened_at < spec->health_start_period;
}

static void plan_next(int64_t now)
{
	uint32_t interval = spec->health_interval;

	if (interval && in_start_period(now) && spec->health_start_interval)
		interval = spec->health_start_interval;
	next_at = interval ? now + interval : -1;
}

static void set_status(const char *to, uint32_t failures)
{
	changed |= status != to || failing != failures;
	status = to;
	failing = failures;
}

void health_open(const struct supervisor_spec *given, int dir, int init_pidfd)
{
	if (!given->health.size)
		return;
	spec = given;
	directory = dir;
	target = init_pidfd;
	opened_at = clock_monotonic();
	status = "starting";
	plan_next(opened_at);
}

void health_close(void)
{
	spec = 0;
	io_close(&output_fd);
	io_close(&report_fd);
}

const char *health_status(void)
{
	return status;
}

uint32_t health_failing(void)
{
	return failing;
}

int health_changed(void)
{
	int was = changed;

	changed = 0;
	return was;
}

void health_request(void)
{
	requested = 1;
}

/* What is done about an unhealthy container, once. */
static void act(int64_t now)
{
	if (spec->health_action == HEALTH_NONE || kill_at >= 0)
		return;
	if (spec->health_action == HEALTH_RESTART)
		restart_force(1);
	if (spec->health_action == HEALTH_STOP)
		restart_force(0);
	kill_at = now;
	if (spec->health_action != HEALTH_KILL && spec->stop_signal) {
		children_signal_init((int)spec->stop_signal);
		kill_at = spec->stop_timeout == NEVER ? INT64_MAX : now + spec->stop_timeout;
	}
}

static void judge(int64_t now)
{
	if (check.status == 0) {
		set_status("healthy", 0);
		notify_healthy();
	} else if (!in_start_period(now)) {
		int is_unhealthy = failing + 1 >= spec->health_retries;

		set_status(is_unhealthy ? "unhealthy" : status, failing + 1);
		if (is_unhealthy)
			act(now);
	}
}

static void finish(int64_t now)
{
	running = 0;
	children_watch_probe(0);
	io_close(&output_fd);
	io_close(&report_fd);
	check.finished = clock_now();
	record_check(directory, done_checks++, &check);
	judge(now);
	clients_probed((uint32_t)(check.status < 0 ? 1 : check.status));
	SYS3(__NR_madvise, output, sizeof(output), MADV_DONTNEED);
	plan_next(now);
}

static int64_t slot(struct program *program, enum slot s)
{
	return program_slots(program)[s];
}

/* Runs the health program, which leaves a process in the container. 0 or -errno. */
static int start_process(void)
{
	struct program *program;
	int error = spec_program(&spec->health, &program);
	int64_t pid, go;

	if (error)
		return error;
	if (program->slot_count <= SLOT_TARGET) {
		spec_free(&program, &spec->health);
		return -EINVAL;
	}
	program_slots(program)[SLOT_TARGET] = target;
	error = (int)program_run(program, spec->health.size);
	pid = slot(program, SLOT_INIT_PID);
	go = slot(program, SLOT_GO);
	output_fd = (int)slot(program, SLOT_STDOUT);
	report_fd = (int)slot(program, SLOT_REPORT);
	spec_free(&program, &spec->health);
	if (output_fd >= 0)
		io_nonblocking(output_fd);
	if (report_fd >= 0)
		io_nonblocking(report_fd);
	if (pid > 0)
		children_watch_probe((int)pid);
	if (go >= 0) {
		io_write((int)go, "", 1);
		SYS1(__NR_close, go);
	}
	return error ? error : pid > 0 ? 0 : -ECHILD;
}

static void begin(int64_t now)
{
	requested = timed_out = 0;
	next_at = -1;
	began_at = now;
	check = (struct check){.started = clock_now(), .output = output};
	running = 1;
	if (start_process() < 0) {
		children_kill_probe();
		check.status = NOT_EXECUTABLE;
		finish(now);
	}
}

static void read_output(void)
{
	unsigned char rest[512];

	while (output_fd >= 0) {
		uint32_t room = CHECK_OUTPUT - check.output_len;
		long n = room ? io_read(output_fd, output + check.output_len, room) : io_read(output_fd, rest, sizeof(rest));

		if (n == -EAGAIN)
			return;
		if (n <= 0)
			io_close(&output_fd);
		else if (room)
			check.output_len += (uint32_t)n;
	}
}

/* Its process is dead: what became of it? A command that could not be executed says so in the report pipe. */
static int exit_of(const struct exit_status *ended)
{
	struct failure_record failure;

	if (timed_out)
		return TOO_LONG;
	while (report_fd >= 0 && io_read(report_fd, &failure, sizeof(failure)) == sizeof(failure))
		if (failure.error) /* else it says that it was let go */
			return failure.error == ENOENT || failure.error == ENOTDIR ? NOT_FOUND : NOT_EXECUTABLE;
	return ended->kind == EXIT_EXITED ? (int)ended->value : 128 + (int)ended->value;
}

static int is_paused(void)
{
	return SYS3(__NR_faccessat, directory, "paused", 0 /* F_OK */) == 0;
}

void health_poll(struct poll_set *set)
{
	output_poll = -1;
	if (!spec)
		return;
	output_poll = running ? poll_add(set, output_fd, POLLIN) : -1;
	if (running && !timed_out)
		poll_until(set, began_at + spec->health_timeout);
	if (requested && !running)
		poll_until(set, set->now);
	else if (next_at >= 0)
		poll_until(set, next_at);
	if (kill_at >= 0 && kill_at < INT64_MAX)
		poll_until(set, kill_at);
}

void health_ready(struct poll_set *set)
{
	struct exit_status ended;

	if (!spec)
		return;
	if (poll_got(set, output_poll))
		read_output();
	if (running && !timed_out && set->now - began_at >= spec->health_timeout) {
		timed_out = 1;
		children_kill_probe();
	}
	if (running && children_probe_ended(&ended)) {
		read_output();
		check.status = exit_of(&ended);
		finish(set->now);
	}
	if (kill_at >= 0 && set->now >= kill_at) {
		kill_at = INT64_MAX;
		children_signal_init(SIGKILL);
	}
	if (running || children_init_ended(&ended) || (!requested && (next_at < 0 || set->now < next_at)))
		return;
	if (is_paused())
		plan_next(set->now); /* not now */
	else
		begin(set->now);
}
