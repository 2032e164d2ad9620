/*
 * program.c - the interpreter of programs of system calls. The format is drawn in program.h.
 *
 * Theory of operation. The caller's thread executes the ops in order. CLONE makes a child that goes on at another op of the
 * same image: copy-on-write for an ordinary clone; sharing it for CLONE_VM|CLONE_VFORK, where the caller sleeps until the
 * child has execve'd, and the child runs on a stack of its own. A child never returns from here: it execve's or exits.
 *
 * It runs inside Node, so between clone3 and execve there is no allocation, no lock, no libc, and no signal handler: signals
 * are blocked around the clone, and the child sets every disposition to its default before it unblocks them. (Node ignores
 * SIGPIPE, and an ignored signal would stay ignored through execve. See signal(7), execve(2).)
 *
 * Checking. program_check() (program-check.c) proves once that every index and data offset of the image is inside it. What it cannot prove is
 * that a system call writes no more than the buffer it was given: that is the encoder's duty (src/sys/encode.ts).
 */
#include "program.h"
#include "make-path.h"
#include "remove-tree.h"
#include "sys.h"

#include <linux/sched.h>
#include <linux/time.h>

#define SIG_SETMASK_ 2
#define SIGNALS 64
#define EXIT_FAILURE_OURS 125
#define VFORK_STACK_SIZE 32768

struct machine {
	struct program *p;
	int64_t *slots;
	const struct op *ops;
	unsigned char *data;
	int report_fd;
	int32_t kept_errno;
	int is_child;
};

/* struct sigaction as rt_sigaction(2) wants it: zeroed it means SIG_DFL, no flags, empty mask. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

static uint64_t now_ns(void)
{
	int64_t ts[2] = {0, 0};

	SYS2(__NR_clock_gettime, CLOCK_MONOTONIC, ts);
	return (uint64_t)ts[0] * 1000000000u + (uint64_t)ts[1];
}

static void reset_signals(void)
{
	static const struct kernel_sigaction defaults;
	uint64_t none = 0;
	int sig;

	for (sig = 1; sig <= SIGNALS; sig++)
		SYS4(__NR_rt_sigaction, sig, &defaults, 0, 8);
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK_, &none, 0, 8);
}

static uint64_t argument(const struct machine *m, const struct op *op, unsigned i)
{
	switch (op->arg_kind[i]) {
	case ARG_SLOT:
		return (uint64_t)m->slots[op->arg[i]];
	case ARG_DATA:
		return (uint64_t)(uintptr_t)(m->data + op->arg[i]);
	default:
		return op->arg[i];
	}
}

/* Whether a call that returned RET is to be made again; TRIES counts those that openat2(2) gave up. */
static int is_to_repeat(const struct op *op, long ret, unsigned *tries)
{
	if (ret == -EINTR)
		return op->flags & OP_RETRY;
	return op->nr == __NR_openat2 && ret == -EAGAIN && ++*tries < OPENAT2_TRIES;
}

static int64_t op_syscall(const struct machine *m, const struct op *op)
{
	long a[6], ret;
	unsigned i, tries = 0;

	for (i = 0; i < 6; i++)
		a[i] = (long)argument(m, op, i);
	do
		ret = syscall6(op->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	while (is_to_repeat(op, ret, &tries));
	return ret;
}

/* Appends a string, or a slot in decimal, to the NUL-terminated string at arg[0] of capacity arg[1]. Returns its length then. */
static int64_t op_text(const struct machine *m, const struct op *op)
{
	char *dst = (char *)(m->data + op->arg[0]);
	char digits[20];
	const char *src;
	size_t used = strlen(dst), len;

	if (op->arg_kind[2] == ARG_SLOT) {
		int64_t v = m->slots[op->arg[2]];
		if (v < 0)
			return -EINVAL;
		src = digits;
		len = decimal(digits, (uint64_t)v);
	} else {
		src = (const char *)(m->data + op->arg[2]);
		len = strlen(src);
	}
	if (used + len + 1 > op->arg[1])
		return -ENAMETOOLONG;
	memcpy(dst + used, src, len);
	dst[used + len] = 0;
	return (int64_t)(used + len);
}

static int64_t op_store(const struct machine *m, const struct op *op)
{
	uint64_t v = argument(m, op, 1);

	memcpy(m->data + op->arg[0], &v, op->nr);
	return 0;
}

static int64_t op_load(const struct machine *m, const struct op *op)
{
	int32_t narrow;
	int64_t wide;

	if (op->nr == 4) {
		memcpy(&narrow, m->data + op->arg[0], 4);
		return narrow;
	}
	memcpy(&wide, m->data + op->arg[0], 8);
	return wide;
}

static int64_t op_expect(const struct machine *m, const struct op *op)
{
	if ((argument(m, op, 0) & argument(m, op, 3)) == argument(m, op, 1))
		return 0;
	return -(int64_t)op->arg[2];
}

/* An errno that came in a message, as netlink(7) answers: negative, and below the largest there is. */
static int64_t op_check(const struct machine *m, const struct op *op)
{
	int64_t v = (int64_t)argument(m, op, 0);

	return v >= 0 ? 0 : v > -4096 ? v : -EPROTO;
}

static int64_t op_compare(const struct machine *m, const struct op *op)
{
	if (memcmp(m->data + op->arg[0], m->data + op->arg[1], op->nr) == 0)
		return 0;
	return -(int64_t)op->arg[2];
}

static int run_from(struct machine *m, uint32_t index);

/* The child's life: never returns. */
static __attribute__((noreturn)) void child_main(struct machine *m, uint32_t index)
{
	reset_signals();
	m->is_child = 1;
	m->kept_errno = 0;
	run_from(m, index); /* comes back only at OP_END: a failure exits in fail() */
	for (;;)
		SYS1(__NR_exit_group, 0);
}

struct vfork_child {
	struct machine machine;
	uint32_t index;
};

static __attribute__((noreturn, used)) void vfork_child_main(struct vfork_child *c)
{
	child_main(&c->machine, c->index);
}

/*
 * clone3 with a stack of the child's own: the child calls vfork_child_main(arg) on it and never comes back, so that the
 * parent's frames, which it shares under CLONE_VM, stay as they are.
 */
static long clone3_on_stack(const void *args, size_t size, struct vfork_child *arg)
{
	long ret;
#if defined(__x86_64__)
	register struct vfork_child *r12 __asm__("r12") = arg;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%[fn]\n\t"
			 "hlt\n\t"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)__NR_clone3), "D"(args), "S"(size), "r"(r12), [fn] "r"(vfork_child_main)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = __NR_clone3;
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = (long)size;
	register struct vfork_child *x19 __asm__("x19") = arg;
	register void (*x20)(struct vfork_child *) __asm__("x20") = vfork_child_main;
	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x19\n\t"
			 "blr x20\n\t"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x19), "r"(x20)
			 : "memory");
	ret = x0;
#endif
	return ret;
}

/* clone3 itself, with signals blocked around it; the child goes on at op->nr. */
static int64_t clone_child(const struct machine *m, const struct op *op, struct clone_args *args, uint64_t size)
{
	struct machine child = *m;
	long ret;

	if (args->flags & CLONE_VM) {
		static unsigned char stack[VFORK_STACK_SIZE] __attribute__((aligned(64)));
		struct vfork_child c = {.machine = *m, .index = op->nr};

		if (!(args->flags & CLONE_VFORK)) /* the stack would be shared by two running processes */
			return -EINVAL;
		args->stack = (uint64_t)(uintptr_t)stack;
		args->stack_size = sizeof(stack);
		return clone3_on_stack(args, size, &c);
	}
	ret = SYS2(__NR_clone3, args, size);
	if (ret == 0)
		child_main(&child, op->nr);
	return ret;
}

static int64_t op_clone(const struct machine *m, const struct op *op)
{
	struct clone_args args;
	uint64_t all = ~0ull, old = 0, size = op->arg[1];
	int64_t ret;

	memset(&args, 0, sizeof(args));
	memcpy(&args, m->data + op->arg[0], size); /* size <= sizeof(args): program_check */
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK_, &all, &old, 8);
	ret = clone_child(m, op, &args, size);
	SYS4(__NR_rt_sigprocmask, SIG_SETMASK_, &old, 0, 8);
	return ret;
}

static int64_t execute(struct machine *m, const struct op *op)
{
	switch (op->kind) {
	case OP_SYSCALL:
		return op_syscall(m, op);
	case OP_CLONE:
		return op_clone(m, op);
	case OP_TEXT:
		return op_text(m, op);
	case OP_STORE:
		return op_store(m, op);
	case OP_LOAD:
		return op_load(m, op);
	case OP_EXPECT:
		return op_expect(m, op);
	case OP_COMPARE:
		return op_compare(m, op);
	case OP_REMOVE_TREE:
		return (op->nr ? remove_directories : remove_tree)((int)argument(m, op, 0),
								  (const char *)(m->data + op->arg[1]));
	case OP_MAKE_PATH:
		return make_path((int)argument(m, op, 0), (const char *)(m->data + op->arg[1]), op->nr, (int)op->arg[2]);
	case OP_CHECK:
		return op_check(m, op);
	case OP_REPORT:
		m->report_fd = (int)argument(m, op, 0);
		return 0;
	}
	return -EINVAL;
}

static int tolerated(struct machine *m, const struct op *op, int32_t error)
{
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (op->tolerate[i] == 0 || op->tolerate[i] != error)
			continue;
		if (error == EACCES && (op->flags & OP_KEEP_EACCES))
			m->kept_errno = EACCES;
		return 1;
	}
	return 0;
}

static void trace(const struct machine *m, uint32_t index, int64_t result, uint64_t started)
{
	struct trace_record r = {.op = index, .result = result, .started_ns = started, .ended_ns = now_ns()};

	r.pid = (int32_t)SYS0(__NR_getpid);
	SYS3(__NR_write, m->p->trace_fd, &r, sizeof(r));
}

static void fail(struct machine *m, uint32_t index, int32_t error)
{
	struct failure_record r = {.op = index, .error = error};

	if (m->is_child) {
		if (m->report_fd >= 0)
			SYS3(__NR_write, m->report_fd, &r, sizeof(r));
		for (;;)
			SYS1(__NR_exit_group, EXIT_FAILURE_OURS);
	}
	m->p->failed_op = index;
	m->p->failed_errno = error;
}

static int run_from(struct machine *m, uint32_t index)
{
	uint32_t count = m->p->op_count;

	for (; index < count && m->ops[index].kind != OP_END; index++) {
		const struct op *op = &m->ops[index];
		uint64_t started = m->p->trace_fd >= 0 ? now_ns() : 0;
		int64_t ret = execute(m, op);
		int32_t error;

		if (m->p->trace_fd >= 0)
			trace(m, index, ret, started);
		if (op->result != NO_SLOT)
			m->slots[op->result] = ret;
		if (ret >= 0 || op->kind == OP_LOAD)
			continue;
		error = (int32_t)-ret;
		if (tolerated(m, op, error))
			continue;
		if ((op->flags & OP_KEEP_EACCES) && m->kept_errno)
			error = m->kept_errno;
		fail(m, index, error);
		return -error;
	}
	return 0;
}

/* Turns the offsets of the relocation table into pointers. Once per image: they are consumed. */
static void relocate(struct program *p)
{
	unsigned char *data = program_data(p);
	uint32_t i;

	for (i = 0; i < p->reloc_count; i++) {
		unsigned char *at = data + program_relocs(p)[i];
		uint64_t pointer;

		memcpy(&pointer, at, 8);
		pointer += (uint64_t)(uintptr_t)data;
		memcpy(at, &pointer, 8);
	}
}

int64_t program_run(struct program *p, uint64_t size)
{
	struct machine m;
	int error = program_check(p, size);

	if (error)
		return error;
	relocate(p);
	m.p = p;
	m.slots = program_slots(p);
	m.ops = program_ops(p);
	m.data = program_data(p);
	m.report_fd = -1;
	m.kept_errno = 0;
	m.is_child = 0;
	return run_from(&m, 0);
}
