/*
 * spawn.c - the library that tsrun loads through FFI: one function, which runs a program of system calls (program.h) in the
 * calling thread. Everything that Node cannot do (clone3 into namespaces, setns in a child, mount, xattrs) is such a program.
 */
#include "program.h"
#include "sys.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * IMAGE: a program image of SIZE bytes, changed in place (slots, failed_op, failed_errno, data). Returns 0 or -errno.
 * The address that FFI hands over need not be aligned: Node's pool gives 8-byte alignment, and program_check() refuses others.
 */
EXPORT int32_t tsrun_run(unsigned char *image, uint64_t size);

int32_t tsrun_run(unsigned char *image, uint64_t size)
{
	return (int32_t)program_run((struct program *)(void *)image, size);
}
