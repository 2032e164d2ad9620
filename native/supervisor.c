/*
 * supervisor.c - lives as long as its container: starts it, holds its streams, its log and its clients, knows its status, cleans up.
 *
 * It is made to be forgotten: static, no libc, no allocation (fixed tables; a client's queue is mapped when it is needed),
 * one thread, well below 100 KiB of memory. What it is given and what it says is in protocol.h. Each part is a file of
 * supervisor/, named after its noun; a part owns its state, and has two functions for the loop: x_poll() says what it
 * waits for now, x_ready() deals with what came. The order of life, as in program_main():
 *
 *   protect     signals that would end it are ignored; its descriptors stay out of the container; orphans become its
 *               children (PR_SET_CHILD_SUBREAPER), so that they are reaped. It is a session leader already.
 *   start       the start program makes streams, namespaces and the init, which stops before the user's command.
 *   announce    state.json is there before the command can do anything. Had the client hung up by now, nothing was started.
 *   let go      a byte on SLOT_GO; the report pipe then says whether execve succeeded: STARTED or FAILED.
 *   relay       until the init is dead and its last byte read.
 *   again?      what is left of its processes is ended. If it is to be started again: exit.json says when, the clients hear of this
 *               end, and after a pause the supervisor becomes a new image of itself (supervisor/restart.h).
 *   bury        exit.json; the cleanup program, before it, or after it if it removes the container.
 *   deliver     output that a slow client has not yet taken, and EXIT. Only then, as nobody else has to wait for it.
 *   sweep       the space of a container that was removed; its mounts go with us.
 *
 * A failure on the way jumps to `bury`: a container that did not start leaves no more behind than one that ended.
 */
#include "program.h"
#include "protocol.h"
#include "start.h"
#include "forward/forward.h"
#include "supervisor/children.h"
#include "supervisor/cleanup.h"
#include "supervisor/clients.h"
#include "supervisor/clock.h"
#include "supervisor/descriptors.h"
#include "supervisor/event-log.h"
#include "supervisor/health.h"
#include "supervisor/helpers.h"
#include "supervisor/io.h"
#include "supervisor/log.h"
#include "supervisor/memory.h"
#include "supervisor/notify.h"
#include "supervisor/oom.h"
#include "supervisor/record.h"
#include "supervisor/report.h"
#include "supervisor/restart.h"
#include "supervisor/signals.h"
#include "supervisor/spec.h"
#include "supervisor/stdio.h"

#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/prctl.h>

#define BLOCKED_LIMIT 2000 /* ms that a dead container's last output keeps its exit from being recorded */

static struct supervisor_spec spec;
static struct program *start_program;
static struct ending ending;

static int init_pid = -1;
static int starting; /* the init has not yet execve'd the user's command */
static int64_t started_at, ended_at = -1;
static int64_t limit_at = -1; /* when the init is killed; -1 = never */
static int64_t wake_at = -1; /* when the loop is to look around, whatever happens; -1 = never */

/* The value that the start program left in slot S, -1 for none. */
static int slot(enum slot s)
{
	int64_t value = -1;

	if (start_program && s < start_program->slot_count)
		value = program_slots(start_program)[s];
	return value < 0 || value > INT32_MAX ? -1 : (int)value;
}

static int fail(uint32_t op, int error)
{
	ending.failed = 1;
	ending.failure = (struct failure_record){op, error};
	return -1;
}

static void protect(void)
{
	SYS3(__NR_close_range, FD_SPEC, ~0u, CLOSE_RANGE_CLOEXEC);
	signals_protect();
	SYS5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* If the init failed, the start program often fails too, as it waits for the init: then the init's report is the cause, and is told. */
static int start(void)
{
	int64_t ret = program_run(start_program, spec.start.size);
	int error = children_watch(slot(SLOT_INIT_PID), slot(SLOT_INIT_PIDFD));

	ending.started = clock_now();
	started_at = clock_monotonic();
	init_pid = slot(SLOT_INIT_PID);
	report_open(slot(SLOT_REPORT));
	helpers_open(slot(SLOT_HELPERS), FD_DIRECTORY);
	stdio_open(slot(SLOT_STDIN), slot(SLOT_STDOUT), slot(SLOT_STDERR), slot(SLOT_TERMINAL));
	if (ret < 0) {
		if (report_read(&ending.failure) == REPORT_FAILED)
			ending.failed = 1;
		else
			fail(start_program->failed_errno ? start_program->failed_op : NO_OP, (int)-ret);
		return -1;
	}
	if (error || init_pid < 0)
		return fail(NO_OP, error ? -error : ESRCH);
	return 0;
}

/* state.json as it is now: 0 or -errno. */
static int record(void)
{
	struct running running = {spec.boot_id,    init_pid, ending.started, restart_count(), health_status(), health_failing()};

	return record_state(FD_DIRECTORY, &running);
}

static int announce(int first_client)
{
	struct log_options options = {
	    (enum log_driver)spec.log_driver, FD_DIRECTORY,	spec_text(spec.log_directory), spec_text(spec.log_name), spec.log_max,
	    spec.log_files,		      spec_text(spec.log_fields),
	};
	int error;

	if (restart_count() == 0 && poll_hung_up(first_client))
		return fail(NO_OP, ECANCELED);
	oom_open(spec_text(spec.oom_file));
	health_open(&spec, FD_DIRECTORY, slot(SLOT_INIT_PIDFD));
	notify_open(spec_text(spec.notify_socket), slot(SLOT_NOTIFY), spec.flags & SPEC_NOTIFY_HEALTHY);
	error = record();
	if (error)
		return fail(NO_OP, -error);
	if (spec.flags & SPEC_LOG)
		log_open(&options);
	return 0;
}

/* The user's command runs: first on record, then said. */
static void tell_started(void)
{
	event_log_started(restart_count() > 0, restart_count() == 0 && (spec.flags & (SPEC_ATTACH_STDOUT | SPEC_ATTACH_STDERR)));
	clients_started(init_pid);
}

static void let_go(void)
{
	int go = slot(SLOT_GO);

	starting = report_is_open();
	if (spec.run_limit)
		limit_at = started_at + (int64_t)spec.run_limit;
	if (go >= 0)
		io_write(go, "", 1); /* if it failed, the init is dead, as will be seen */
	io_close(&go);
	spec_free(&start_program, &spec.start);
	if (!starting)
		tell_started();
}

/* Has the init execve'd? At its death at the latest the question is answered. */
static void check_report(int answer_now)
{
	enum report found = report_read(&ending.failure);

	if (found == REPORT_NONE && !answer_now)
		return;
	starting = 0;
	report_close();
	if (found == REPORT_FAILED)
		ending.failed = 1;
	else
		tell_started();
}

/* One round of the loop. Until STARTED is said, output stays where it is: it must not come first. */
static void wait_and_act(void)
{
	struct poll_set set;
	int relaying = !starting;

	poll_begin(&set);
	children_poll(&set);
	clients_poll(&set);
	report_poll(&set);
	memory_poll(&set);
	if (relaying) {
		stdio_poll(&set, ended_at);
		log_poll(&set);
		helpers_poll(&set);
		health_poll(&set);
		notify_poll(&set);
	}
	if (limit_at >= 0)
		poll_until(&set, limit_at);
	if (wake_at >= 0)
		poll_until(&set, wake_at);
	poll_wait(&set);

	children_ready(&set);
	if (report_came(&set))
		check_report(0);
	if (relaying) {
		stdio_ready(&set, ended_at);
		log_ready(&set);
		helpers_ready(&set);
		health_ready(&set);
		notify_ready(&set);
	}
	clients_ready(&set);
	memory_ready(&set);
}

/* Is the container over, so that its exit can be recorded? */
static int is_over(void)
{
	int64_t now = clock_monotonic(), blocked = stdio_blocked_since();

	if (ending.failed)
		return 1;
	if (!children_init_ended(&ending.status))
		return 0;
	if (ended_at < 0) {
		ended_at = now;
		ending.finished = clock_now();
		if (starting)
			check_report(1);
	}
	return ending.failed || stdio_drained(now, ended_at) || (blocked >= 0 && now - blocked >= BLOCKED_LIMIT);
}

static void record_health(void)
{
	static const char *told;

	record();
	if (told != health_status() && health_status()[0] != 's') /* "starting" is nothing that happens */
		event_log_health(health_status());
	told = health_status();
}

static void relay(void)
{
	while (!is_over()) {
		if (clients_first_gone() && (starting || (spec.flags & SPEC_KILL_ORPHAN)))
			children_signal_init(SIGKILL);
		if (limit_at >= 0 && clock_monotonic() >= limit_at) {
			children_signal_init(SIGKILL);
			limit_at = -1;
		}
		wait_and_act();
		if (health_changed() && !children_init_ended(&ending.status))
			record_health();
	}
	limit_at = -1;
	log_finish();
	health_close();
}

/* The processes of this start end; what happened has its times. */
static void end_processes(void)
{
	children_end_all();
	notify_finish();
	ending.oom_killed = oom_happened();
	if (!ending.finished.seconds)
		ending.finished = clock_now();
	if (ending.failed && restart_count() > 0) { /* it is this start that exit.json speaks of */
		init_pid = 0;
		record();
	}
}

/*
 * The pause before the next start, which the clients have to take what they were sent. Comes back only if the end of the container
 * is wanted meanwhile (or the next image cannot be executed): then it is over.
 */
static void start_again(char **envp)
{
	uint32_t pause = restart_pause(ended_at < 0 ? 0 : ended_at - started_at);
	int64_t now = clock_monotonic();

	wake_at = now + pause;
	ending.restarting = 1;
	ending.restart_at = clock_in(pause);
	record_exit(FD_DIRECTORY, &ending);
	event_log_ended(&ending);
	clients_hurry();
	while (!ending.failed && !stdio_drained(clock_monotonic(), ended_at))
		wait_and_act();
	log_finish();
	clients_exit(ending.status.kind, ending.status.value);
	for (;;) {
		signals_read();
		now = clock_monotonic();
		if (now >= wake_at)
			wake_at = -1; /* from here on it is the clients that are waited for */
		if (signals_stop_wanted() || (wake_at < 0 && clients_delivered(now)))
			break;
		wait_and_act();
	}
	if (!signals_stop_wanted()) {
		clients_close(1);
		restart_now(envp);
	}
	wake_at = -1;
	ending.restarting = 0;
}

/* Whoever sees that a container has ended may start it again: by then nothing of this start is left, or the container itself goes. */
static void bury(void)
{
	int removes = spec.flags & SPEC_REMOVE, removed;

	if (!removes)
		cleanup_run(&ending);
	record_exit(FD_DIRECTORY, &ending);
	if (!ending.restart_at.seconds && (!ending.failed || restart_count() > 0))
		event_log_ended(&ending);
	removed = removes ? cleanup_run(&ending) : 0;
	if (removed > 0)
		event_log_removed();
	if (removed < 0)
		record_exit(FD_DIRECTORY, &ending); /* fails if the directory is gone: then the client alone is told */
}

static void deliver(void)
{
	char words[HELPERS_WORDS];

	while (!ending.failed && !stdio_drained(clock_monotonic(), ended_at))
		wait_and_act();
	log_finish();
	if (ending.cleanup_failed)
		clients_failed(1, ending.cleanup, "", 0);
	if (ending.failed)
		clients_failed(0, ending.failure, words, helpers_words(words));
	else
		clients_exit(ending.status.kind, ending.status.value);
	while (!clients_delivered(clock_monotonic()))
		wait_and_act();
	clients_close(0);
	record_sync();
}

/* The memfd is let go when nothing of it will be needed again. */
static int load(void)
{
	int error = spec_load(&spec);

	if (!error)
		error = spec_program(&spec.start, &start_program);
	if (!error)
		error = cleanup_load(&spec);
	if (!(spec.flags & (SPEC_RESTART_ALWAYS | SPEC_RESTART_ON_FAILURE)) && !spec.health.size && !restart_count())
		spec_close();
	return error;
}

int program_main(int argc, char **argv, char **envp)
{
	int first_client, error;

	if (argc > 0 && !memcmp(argv[0], FORWARD_NAME, sizeof(FORWARD_NAME)))
		return forward_main(argc, argv);
	restart_open(argc, argv);
	protect();
	error = load();
	if (restart_count() > 0)
		descriptor_hold(FD_TRACE); /* a trace is of the first start: later it leads nowhere */
	first_client = restart_count() ? -1 : descriptor_inherited(FD_CLIENT);
	clients_open(first_client, descriptor_inherited(FD_LISTEN), error ? 0 : spec.flags);
	if (error)
		fail(NO_OP, -error);
	else
		event_log_open(&(struct event_options){spec_text(spec.event_log), spec_text(spec.event_fields), spec.flags & SPEC_EXEC});
	if (!error && start() == 0 && announce(first_client) == 0)
		let_go();
	relay();
	end_processes();
	if (restart_is_due(&spec, &ending))
		start_again(envp);
	bury();
	deliver();
	cleanup_sweep();
	return record_exit_code(&ending);
}
