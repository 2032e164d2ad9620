/*
 * program-check.c - what must be true of an image before its first op runs. Nothing of the image is trusted: every sum is made so that
 * it cannot overflow, every index, offset and length is compared with what the image has.
 */
#include "program.h"
#include "sys.h"

#include <linux/sched.h>

static int op_ok(const struct program *p, const struct op *op)
{
	unsigned i;

	if (op->kind >= OP_KINDS || (op->result != NO_SLOT && op->result >= p->slot_count))
		return 0;
	for (i = 0; i < 6; i++) {
		if (op->arg_kind[i] > ARG_DATA)
			return 0;
		if (op->arg_kind[i] == ARG_SLOT && op->arg[i] >= p->slot_count)
			return 0;
		if (op->arg_kind[i] == ARG_DATA && op->arg[i] >= p->data_size)
			return 0;
	}
	return 1;
}

/* Is [arg[i], arg[i] + size) inside the data area? */
static int in_data(const struct program *p, const struct op *op, unsigned i, uint64_t size)
{
	return op->arg_kind[i] == ARG_DATA && size <= p->data_size && op->arg[i] <= p->data_size - size;
}

static int operands_ok(const struct program *p, const struct op *op)
{
	switch (op->kind) {
	case OP_CLONE:
		return op->nr < p->op_count && op->arg_kind[1] == ARG_IMMEDIATE && op->arg[1] >= CLONE_ARGS_SIZE_VER0 &&
		       op->arg[1] <= sizeof(struct clone_args) && in_data(p, op, 0, op->arg[1]);
	case OP_TEXT:
		return op->arg_kind[1] == ARG_IMMEDIATE && op->arg[1] > 0 && in_data(p, op, 0, op->arg[1]) &&
		       op->arg_kind[2] != ARG_IMMEDIATE;
	case OP_STORE: /* + 1: the data area's last byte stays NUL */
		return (op->nr == 4 || op->nr == 8) && in_data(p, op, 0, op->nr + 1u);
	case OP_LOAD:
		return (op->nr == 4 || op->nr == 8) && in_data(p, op, 0, op->nr);
	case OP_EXPECT:
		return op->arg[2] > 0 && op->arg[2] < 4096;
	case OP_COMPARE:
		return op->arg[2] > 0 && op->arg[2] < 4096 && in_data(p, op, 0, op->nr) && in_data(p, op, 1, op->nr);
	case OP_REMOVE_TREE:
		return op->arg_kind[1] == ARG_DATA && op->nr <= 1;
	case OP_CHECK:
		return op->arg_kind[0] == ARG_SLOT;
	case OP_MAKE_PATH:
		return op->arg_kind[1] == ARG_DATA && op->arg_kind[2] == ARG_IMMEDIATE && op->arg[2] <= 1;
	}
	return 1;
}

static uint64_t image_size(const struct program *p)
{
	return sizeof(*p) + 8ull * p->slot_count + (uint64_t)sizeof(struct op) * p->op_count +
	       /* keeps the data area aligned */ 8ull * ((p->reloc_count + 1ull) / 2) + p->data_size;
}

int program_check(const struct program *p, uint64_t size)
{
	uint32_t i;

	if (size < sizeof(*p) || size > PROGRAM_MAX_SIZE || (uintptr_t)p % 8 != 0)
		return -EINVAL;
	if (p->magic != PROGRAM_MAGIC || p->size != size || p->slot_count > PROGRAM_MAX_SLOTS)
		return -EINVAL;
	if (p->op_count > size / sizeof(struct op) || p->reloc_count > size / 4 || p->data_size > size || p->data_size == 0)
		return -EINVAL;
	if (image_size(p) != size || program_data(p)[p->data_size - 1] != 0)
		return -EINVAL;
	for (i = 0; i < p->op_count; i++)
		if (!op_ok(p, &program_ops(p)[i]) || !operands_ok(p, &program_ops(p)[i]))
			return -EINVAL;
	for (i = 0; i < p->reloc_count; i++) {
		uint32_t at = program_relocs(p)[i];
		uint64_t target;

		if (p->data_size < 8 || at > p->data_size - 8)
			return -EINVAL;
		memcpy(&target, program_data(p) + at, 8);
		if (target >= p->data_size)
			return -EINVAL;
	}
	return 0;
}
