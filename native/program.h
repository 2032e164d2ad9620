/*
 * program.h - the format of a program of system calls.
 *
 * TypeScript decides, C executes: src/sys/encode.ts lays a list of steps out as below, program_run() executes it, in
 * the process that calls it and in the children that it clones. All integers are little-endian, all offsets are from
 * the start of the data area unless said otherwise. One contiguous, writable image, 8-byte aligned:
 *
 *   +--------------------+
 *   | struct program     |  header: magic, counts, where it failed
 *   +--------------------+
 *   | int64 slots[]      |  results of system calls; -1 until written
 *   +--------------------+
 *   | struct op ops[]    |  executed in order; CLONE gives the child another place to go on
 *   +--------------------+
 *   | uint32 relocs[]    |  offsets in data where a 64-bit offset becomes a pointer (argv arrays, iovecs, clone_args)
 *   +--------------------+
 *   | data               |  strings, structs and buffers; the last byte is 0, so no string runs past the end
 *   +--------------------+
 *
 * The image is checked as a whole before its first op runs: every index, offset and count is inside the image.
 * test/unit/sys-format.test.ts checks that the names and numbers below are those of src/sys/format.ts.
 */
#ifndef TSRUN_PROGRAM_H
#define TSRUN_PROGRAM_H

#include <stdint.h>

#define PROGRAM_MAGIC 0x31505354u /* "TSP1" */
#define PROGRAM_MAX_SIZE (64u << 20)
#define PROGRAM_MAX_SLOTS 32768u
#define NO_SLOT 0xffffu

enum op_kind {
	OP_SYSCALL = 0,	    /* nr(arg[0..5]) */
	OP_CLONE = 1,	    /* clone3(arg[0] = clone_args, arg[1] = its size); the child goes on at op nr */
	OP_TEXT = 2,	    /* append to the string at data arg[0], capacity arg[1]: the string arg[2], or slot arg[2] in decimal; its length */
	OP_STORE = 3,	    /* data[arg[0]] = arg[1], nr bytes wide (4 or 8) */
	OP_LOAD = 4,	    /* result = data[arg[0]], nr bytes wide (4 or 8) */
	OP_EXPECT = 5,	    /* (arg[0] & arg[3]) must be arg[1]; otherwise this op fails with errno arg[2] */
	OP_COMPARE = 6,	    /* nr bytes at data arg[0] must be those at data arg[1]; otherwise it fails with errno arg[2] */
	OP_REMOVE_TREE = 7, /* remove the name arg[1] in directory fd arg[0] and all below it, as `rm -rf`; nr = 1: cgroups */
	OP_REPORT = 8,	    /* from here on this process reports failures to fd arg[0] */
	OP_END = 9,	    /* the process's list is done: program_run() returns 0, a child exits with status 0 */
	OP_MAKE_PATH = 10,  /* in root fd arg[0], make arg[1] a directory of mode nr, or (arg[2] = 1) a file: `mkdir -p` along links */
	OP_CHECK = 11,	    /* arg[0] is what a message of the kernel says: if it is negative, this op fails with that errno */
	OP_KINDS = 12,
};

enum op_flag {
	OP_RETRY = 1,	    /* call again on EINTR */
	OP_KEEP_EACCES = 2, /* a tolerated EACCES is remembered, and is what a later failure says (execvp's rule for PATH) */
};

enum arg_kind {
	ARG_IMMEDIATE = 0,
	ARG_SLOT = 1,
	ARG_DATA = 2, /* offset in data, passed as a pointer */
};

struct op {
	uint8_t kind;	     /* enum op_kind */
	uint8_t flags;	     /* enum op_flag */
	uint16_t result;     /* slot that receives the result, or NO_SLOT */
	uint32_t nr;	     /* system call number; op index (CLONE); width (STORE, LOAD); length (COMPARE); mode (MAKE_PATH); 1 (REMOVE_TREE) */
	uint16_t tolerate[4]; /* errnos that are no failure here; 0 = none */
	uint8_t arg_kind[6]; /* enum arg_kind */
	uint8_t pad[2];
	uint64_t arg[6];
};

struct program {
	uint32_t magic;
	uint32_t size; /* of the whole image in bytes */
	uint32_t slot_count;
	uint32_t op_count;
	uint32_t reloc_count;
	uint32_t data_size;
	int32_t trace_fd;	/* -1, or where each executed op is written as a struct trace_record */
	uint32_t failed_op;	/* out: index of the op that failed in the calling process */
	int32_t failed_errno;	/* out: its errno, 0 when none failed */
	uint32_t pad;
};

/* What a child writes to its report fd when an op fails, in one write(2); then it exits. EOF without a record: it execve'd. */
struct failure_record {
	uint32_t op;
	int32_t error;
};

/* One executed op, written to trace_fd in one write(2) (less than PIPE_BUF, so records of several processes never mix). */
struct trace_record {
	uint32_t op;
	int32_t pid;	     /* as the executing process sees itself */
	int64_t result;	     /* >= 0, or -errno */
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t ended_ns;
};

/* Checks the image of SIZE bytes at P: 0, or -EINVAL. Nothing of it is trusted before. */
int program_check(const struct program *p, uint64_t size);

/*
 * Checks and runs. Returns 0 when the last op succeeded, -EINVAL for a bad image, else -errno of the failing op, which is
 * also left in failed_op and failed_errno. Children never return from it: they execve or exit (status 125 after a failure).
 */
int64_t program_run(struct program *p, uint64_t size);

/* Where the parts of an image are. Before program_check() has seen it, only of sizes that are known to be inside. */
static inline int64_t *program_slots(struct program *p)
{
	return (int64_t *)(p + 1);
}

static inline const struct op *program_ops(const struct program *p)
{
	return (const struct op *)((const unsigned char *)(p + 1) + 8ull * p->slot_count);
}

static inline const uint32_t *program_relocs(const struct program *p)
{
	return (const uint32_t *)(program_ops(p) + p->op_count);
}

static inline unsigned char *program_data(const struct program *p)
{
	return (unsigned char *)(uintptr_t)program_relocs(p) + 8ull * ((p->reloc_count + 1ull) / 2);
}

#endif
