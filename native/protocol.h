/*
 * protocol.h - what the supervisor is given when it starts, and what it says on its sockets.
 *
 * Descriptors at the supervisor's execve (all others are closed; 0-2 are /dev/null unless SPEC_PASSTHROUGH):
 *
 *   3  the spec: a sealed memfd holding struct supervisor_spec and the programs it points to; closed at once, unless parts of
 *      it are needed again: for a restart, or a health check
 *   4  the listening AF_UNIX SOCK_STREAM socket that later clients (attach, wait, kill) connect to, or closed
 *   5  the first client: one end of a socketpair whose other end the starting tsrun holds, or closed
 *   6  the container's directory (or the exec session's): state.json, exit.json (supervisor/record.h), the log
 *      (supervisor/log.h) and helpers.log are written there, by openat(2)
 *   7  where traced ops are written, or closed
 *   8  and the next ones, without a gap: what the start program knows by number (the connection to the hub of the bridge networks), or closed
 *
 * When it starts the container again (SPEC_RESTART_*), the supervisor executes itself, with 3, 4, 6 and from 8 on as they were, and the number
 * of restarts and the last pause in ms as its arguments, and the policy of the last FRAME_POLICY if there was one. Each start is so a
 * process image that knows nothing of the one before. If there is a file RESTART_SPEC in the directory 6 by then, it is the spec from now on:
 * the container's networks became others while it ran. Whoever starts a supervisor removes what an earlier one has left of it.
 *
 * Signals: SIGUSR1 says that the end of the container is wanted, so that it is not started again; SIGUSR2 says the same, and that the
 * cleanup program is not to be run (`tsrun restart` of a --rm container). All others that could end it are ignored.
 *
 * The start program makes the streams and clones the container's init; the supervisor finds them in these slots:
 * (a slot left at -1 means "none").
 *
 * Frames, in both directions: 8 bytes of header (type, 3 bytes of zero, payload length as uint32 little-endian), payload.
 *
 *     client                                        supervisor
 *       |  (start: the socketpair on fd 5)              |
 *       |                                               | run the start program, write state.json
 *       | <------------------------- STARTED {pid} ---- | the init has execve'd
 *       | <--- FAILED {program, op, errno} ------------ | or it could not: said after all is cleaned up; then the socket closes
 *       | ---- ATTACH {flags} ------------------------> | streams wanted; the first client is attached by SPEC_ATTACH_*
 *       | ---- STDIN bytes / STDIN_EOF ---------------> |
 *       | ---- RESIZE {rows, cols, xpixel, ypixel} ---> |
 *       | ---- SIGNAL {number} -----------------------> | to the init, by pidfd
 *       | ---- DETACH --------------------------------> | the client will go, and the init is to go on
 *       | ---- PROBE ---------------------------------> | a health check, now
 *       | <------------------------- PROBED {status} -- | its exit status
 *       | ---- POLICY {flags, limit} -----------------> | another restart policy than the spec's
 *       | <------------------- POLICY_TAKEN {0 or 1} -- |
 *       | <------------------------- STDOUT / STDERR -- | with a terminal everything is STDOUT
 *       | <------------------------- LOST {bytes} ----- | this client was slow while another was not (supervisor/clients.c)
 *       | <--- FAILED {1, op, errno} ------------------ | the cleanup program failed; EXIT follows
 *       | <--- EXIT {kind, value} --------------------- | after the last byte of output, to every client; then the socket closes
 *
 * STARTED comes before any output, and only to the first client. EXIT comes after exit.json was written and the cleanup program
 * has run. A client whose socket closes without EXIT or FAILED came too late, or the supervisor was killed: exit.json tells.
 * A client that sends to a supervisor that has just closed may see ECONNRESET, after it has read all that was sent to it.
 * Frame types that a side does not know are skipped; a frame that is malformed ends the connection.
 *
 * test/unit/supervisor/protocol.test.ts checks that the names and numbers are those of src/supervisor/protocol.ts.
 */
#ifndef TSRUN_PROTOCOL_H
#define TSRUN_PROTOCOL_H

#include <stdint.h>

#define SPEC_MAGIC 0x31535354u /* "TSS1" */

#define FD_SPEC 3
#define FD_LISTEN 4
#define FD_CLIENT 5
#define FD_DIRECTORY 6
#define FD_TRACE 7
#define FD_EXTRA 8

#define RESTART_SPEC "restart.spec"

enum slot {
	SLOT_INIT_PID = 0,   /* pid of the container's init in the supervisor's pid namespace */
	SLOT_INIT_PIDFD = 1, /* its pidfd (CLONE_PIDFD) */
	SLOT_STDIN = 2,	     /* write end of the init's stdin */
	SLOT_STDOUT = 3,     /* read end of its stdout */
	SLOT_STDERR = 4,     /* read end of its stderr */
	SLOT_TERMINAL = 5,   /* pty master, instead of the three above */
	SLOT_REPORT = 6,     /* read end of the report pipe: {NO_OP, 0} when the init is let go, then EOF at execve; or a struct failure_record */
	SLOT_GO = 7,	     /* write end of the barrier: one byte lets the init execve the user's command */
	SLOT_HELPERS = 8,    /* read end of the helpers' stderr pipe, kept for error texts */
	SLOT_TARGET = 9,     /* of a health program: the pidfd of the container's init, put there before it runs */
	SLOT_NOTIFY = 10,    /* the datagram socket that the container notifies (supervisor/notify.h) */
	SLOT_FIRST_FREE = 11,
};

enum spec_flag {
	SPEC_ATTACH_STDIN = 1,	/* the first client's STDIN frames are passed on */
	SPEC_ATTACH_STDOUT = 2, /* the first client gets STDOUT */
	SPEC_ATTACH_STDERR = 4, /* the first client gets STDERR */
	SPEC_STDIN_ONCE = 8,	/* stdin is closed when the first attached client goes */
	SPEC_KILL_ORPHAN = 16,	/* the init is killed when the first client goes (exec without -d) */
	SPEC_LOG = 32,		/* output is written to the log */
	SPEC_RESTART_ON_FAILURE = 64,
	SPEC_RESTART_ALWAYS = 128,
	SPEC_EXEC = 256,	/* it is a command in a container: its events are named so */
	SPEC_REMOVE = 512,	/* the cleanup program removes the container: it runs when the exit is on record, not before */
	SPEC_NOTIFY_HEALTHY = 1024, /* the service manager is told READY=1 when the first health check has succeeded */
};

/* A part of the memfd, 8-byte aligned; size 0 = there is none. */
struct spec_part {
	uint32_t offset, size;
};

struct supervisor_spec {
	uint32_t magic;
	uint32_t size; /* of the whole memfd */
	uint32_t flags;
	uint32_t restart_limit;	  /* of SPEC_RESTART_ON_FAILURE: how many times; 0 = without end */
	struct spec_part start;	  /* the start program; run once per start */
	struct spec_part cleanup; /* run after the last exit was recorded */
	struct spec_part sweep;	  /* run when nobody waits any more: frees the space of what the cleanup program removed */
	struct spec_part health;  /* run for each health check (supervisor/health.h); its slots are PID, STDOUT, REPORT, GO, TARGET */
	struct spec_part texts;	  /* strings that end with NUL, the first of them empty; others name them by their offset in it */
	uint64_t log_max;	  /* bytes after which the log is rotated; 0 = never */
	uint64_t run_limit;	  /* ms that a start may last before it is killed; 0 = without end */
	uint32_t log_driver;	  /* enum log_driver */
	uint32_t log_files;	  /* how many files a rotated log keeps, the current one included; 0 or 1 = only the current one */
	uint32_t log_directory;	  /* text: where the log's file is; "" = the container's directory. Of LOG_JOURNALD: the socket */
	uint32_t log_name;	  /* text: of the log's file */
	uint32_t log_fields;	  /* text: what each record has besides (supervisor/log.h) */
	uint32_t oom_file;	  /* text: memory.events or memory.oom_control of the container's cgroup; "" = it has none */
	uint32_t stop_signal;
	uint32_t stop_timeout;	  /* ms between that and SIGKILL; NEVER = no SIGKILL */
	uint32_t health_interval; /* ms from the end of a check to the next; 0 = only when it is asked for */
	uint32_t health_timeout;  /* ms */
	uint32_t health_start_period;	/* ms after the start in which a failure does not count, until the first success */
	uint32_t health_start_interval; /* ms between checks until then */
	uint32_t health_retries;	/* failures in a row that make it unhealthy */
	uint32_t health_action;		/* enum health_action */
	uint32_t event_log;	  /* text: the file that events are added to (supervisor/event-log.h); "" = none */
	uint32_t event_fields;	  /* text: what each event has besides */
	uint32_t notify_socket;	  /* text: the service manager's (supervisor/notify.h); "" = none */
	uint32_t zero;
	char boot_id[40];	  /* copied to state.json */
};

#define LOG_FIELDS_MAX 4096 /* bytes of log_fields */
#define EVENT_FIELDS_MAX 4096 /* bytes of event_fields */
#define EVENT_LOG_MAX 1048576u /* bytes after which the log of events is rotated */

enum log_driver {
	LOG_K8S_FILE = 0,
	LOG_JSON_FILE = 1,
	LOG_JOURNALD = 2,
};

/* What becomes of a container that is unhealthy. */
enum health_action {
	HEALTH_NONE = 0,
	HEALTH_KILL = 1,    /* its restart policy says what comes then */
	HEALTH_RESTART = 2, /* stopped, and started again whatever the policy */
	HEALTH_STOP = 3,
};

#define NEVER 0xffffffffu

enum frame_type {
	FRAME_STARTED = 1,   /* uint32 pid */
	FRAME_FAILED = 2,    /* uint32 program (0 start, 1 cleanup), uint32 op (or NO_OP), int32 errno; then the helpers' stderr */
	FRAME_STDOUT = 3,
	FRAME_STDERR = 4,
	FRAME_EXIT = 5,	     /* uint32 kind (enum exit_kind), uint32 value */
	FRAME_LOST = 6,	     /* uint64 bytes of output that this client was too slow to get; only with several attached */
	FRAME_PROBED = 7,    /* uint32 exit status of the health check that this client asked for */
	FRAME_POLICY_TAKEN = 8, /* uint32 1, or 0: what would be started again was let go, as the spec had no policy */
	FRAME_ATTACH = 16,   /* uint32 flags: SPEC_ATTACH_* */
	FRAME_STDIN = 17,
	FRAME_STDIN_EOF = 18,
	FRAME_RESIZE = 19,   /* uint16 rows, cols, xpixel, ypixel: a struct winsize */
	FRAME_SIGNAL = 20,   /* uint32 number */
	FRAME_DETACH = 21,   /* the client goes because its user wants to: SPEC_KILL_ORPHAN is off from now on */
	FRAME_PROBE = 22,    /* run a health check now */
	FRAME_POLICY = 23,   /* uint32 flags: SPEC_RESTART_*; uint32 restart_limit */
};

enum exit_kind {
	EXIT_EXITED = 0,   /* value: the exit status, 0-255 */
	EXIT_SIGNALED = 1, /* value: the signal */
	EXIT_UNKNOWN = 2,  /* the status was lost; value 0. Never shown as a success. */
};

struct frame_header {
	uint8_t type;
	uint8_t zero[3];
	uint32_t length;
};

#define NO_OP 0xffffffffu /* in FAILED: not an op of the program, but the spec (EINVAL) or state.json could not be dealt with */

#define FRAME_MAX 65536u /* longest payload in either direction */

#endif
