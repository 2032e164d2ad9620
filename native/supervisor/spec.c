/* spec.c - see spec.h */
#include "spec.h"
#include "io.h"

#include <linux/mman.h>

_Static_assert(sizeof(struct supervisor_spec) == 144, "src/supervisor/spec.ts writes it");

static int is_name(const char *name, unsigned size)
{
	unsigned i;

	for (i = 0; i < size && name[i]; i++)
		if (name[i] == '/')
			return 0;
	return i > 0 && i < size && !(name[0] == '.' && (i == 1 || (i == 2 && name[1] == '.')));
}

static int part_ok(const struct supervisor_spec *spec, uint32_t offset, uint32_t size)
{
	return offset % 8 == 0 && offset >= sizeof(*spec) && size >= sizeof(struct program) && size <= PROGRAM_MAX_SIZE &&
	       offset <= spec->size && size <= spec->size - offset;
}

static int check(const struct supervisor_spec *spec)
{
	if (spec->magic != SPEC_MAGIC)
		return 0;
	if ((spec->flags & SPEC_LOG) && !is_name(spec->log_name, sizeof(spec->log_name)))
		return 0;
	if (spec->cleanup_offset && !part_ok(spec, spec->cleanup_offset, spec->cleanup_size))
		return 0;
	return part_ok(spec, spec->start_offset, spec->start_size);
}

/* Reads exactly SIZE bytes: 0 or -errno. */
static int read_at(void *to, uint64_t offset, uint32_t size)
{
	for (uint32_t done = 0; done < size;) {
		long n = SYS4(__NR_pread64, FD_SPEC, (char *)to + done, size - done, offset + done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EINVAL;
		done += (uint32_t)n;
	}
	return 0;
}

/* A private copy, page-aligned: 0 or -errno. */
static int copy_program(struct program **to, uint32_t offset, uint32_t size)
{
	long at = SYS6(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	*to = 0;
	if (at < 0 && at > -4096)
		return (int)at;
	*to = (struct program *)at;
	error = read_at(*to, offset, size);
	if (error)
		spec_free(to, size);
	return error;
}

int spec_load(struct supervisor_spec *spec, struct program **start, struct program **cleanup)
{
	int fd = FD_SPEC, error = read_at(spec, 0, sizeof(*spec));

	*start = *cleanup = 0;
	if (!error && !check(spec))
		error = -EINVAL;
	if (!error)
		error = copy_program(start, spec->start_offset, spec->start_size);
	if (!error && spec->cleanup_offset)
		error = copy_program(cleanup, spec->cleanup_offset, spec->cleanup_size);
	io_close(&fd);
	return error;
}

void spec_free(struct program **program, uint32_t size)
{
	if (*program)
		SYS2(__NR_munmap, *program, size);
	*program = 0;
}
