/* cleanup.c - see cleanup.h */
#include "cleanup.h"
#include "../program.h"
#include "signals.h"
#include "spec.h"

static struct program *cleanup_program, *sweep_program;
static uint32_t cleanup_size, sweep_size;
static int removed;

int cleanup_load(const struct supervisor_spec *spec)
{
	int error = spec_program(&spec->cleanup, &cleanup_program);

	cleanup_size = spec->cleanup.size;
	sweep_size = spec->sweep.size;
	return error ? error : spec_program(&spec->sweep, &sweep_program);
}

int cleanup_run(struct ending *ending)
{
	if (!cleanup_program || signals_keep_wanted())
		return 0;
	if (program_run(cleanup_program, cleanup_size) == 0)
		return removed = 1;
	ending->cleanup_failed = 1;
	ending->cleanup.op = cleanup_program->failed_errno ? cleanup_program->failed_op : NO_OP;
	ending->cleanup.error = cleanup_program->failed_errno ? cleanup_program->failed_errno : EINVAL;
	return -1;
}

void cleanup_sweep(void)
{
	if (sweep_program && removed)
		program_run(sweep_program, sweep_size);
}
