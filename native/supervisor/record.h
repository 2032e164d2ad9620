/*
 * record.h - what the supervisor leaves in the container's directory for commands that come later:
 *
 *     state.json  {"bootId":"…","supervisor":{"pid":N,"startTime":N},"init":{"pid":N,"startTime":N},"startedAt":"…","restarts":0}
 *                 and with health checks "health":{"status":"starting","failing":0}
 *     exit.json   {"kind":"exited","value":0,"startedAt":"…","finishedAt":"…","oomKilled":false,"logDroppedBytes":0}
 *
 * A pid alone could be another process by now: with the boot id and its start time (field 22 of /proc/PID/stat) it cannot.
 * Both files appear by rename, so a reader sees all of one or nothing. In exit.json `kind` is "exited" (value: exit status),
 * "signaled" (value: signal), "unknown" (the status was lost; never a made-up 0), or "failed" (the container did not start;
 * value: errno; with "op":N, the step of the start program). A failed cleanup adds "cleanup":{"op":N,"errno":N}; "restartAt":"…" says when
 * the supervisor, as long as it lives, starts the container again. `restarts` says how often it has.
 */
#ifndef TSRUN_SUPERVISOR_RECORD_H
#define TSRUN_SUPERVISOR_RECORD_H

#include "children.h"
#include "clock.h"

#include "../program.h"

struct ending {
	int failed; /* the container did not start, because of `failure`; else `status` holds */
	struct failure_record failure;
	struct exit_status status;
	int oom_killed;
	struct clock_time started, finished;
	int cleanup_failed;
	struct failure_record cleanup;
	int restarting; /* the container is to be started again, `restart_at` */
	struct clock_time restart_at;
};

/* Who runs, and how it is. */
struct running {
	const char *boot_id; /* cut at its first character that is not printable ASCII */
	int init_pid;
	struct clock_time started;
	uint32_t restarts;
	const char *health; /* 0: there are no health checks */
	uint32_t failing;   /* health checks that failed in a row */
};

/* 0 or -errno. */
int record_state(int directory, const struct running *running);

#define CHECK_OUTPUT 4096 /* bytes of its output that a health check keeps */

/* A health check. */
struct check {
	struct clock_time started, finished;
	int status; /* exit status; -1: it took too long */
	const unsigned char *output;
	uint32_t output_len;
};

/*
 * health.0 … health.4 are the last five checks, NUMBER counts them: {"Start":"…","End":"…","ExitCode":0,"Output":"…"}, as docker's inspect
 * has them. 0 or -errno.
 */
int record_check(int directory, uint32_t number, const struct check *check);

/* 0 or -errno. The file is in place, but not yet on the disk. May be called again when more is known. */
int record_exit(int directory, const struct ending *ending);

/* The container's exit status, as a service manager that was told MAINPID= wants to know it; 125 if nobody knows, or it could not start. */
int record_exit_code(const struct ending *ending);

/*
 * Brings exit.json to the disk. Apart from record_exit(), so that nobody waits for the disk: clients have their EXIT already.
 * A power cut in between leaves an older or an empty file, which readers take as "unknown".
 */
void record_sync(void);

#endif
