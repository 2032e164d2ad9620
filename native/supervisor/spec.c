/* spec.c - see spec.h */
#include "spec.h"
#include "io.h"

#include <linux/mman.h>

_Static_assert(sizeof(struct supervisor_spec) == 184, "src/supervisor/spec.ts writes it");

#define TEXTS_MAX 16384u

static int fd = FD_SPEC;
static char texts[TEXTS_MAX] __attribute__((aligned(PAGE)));
static uint32_t texts_size;

const char *spec_text(uint32_t offset)
{
	return offset < texts_size ? texts + offset : "";
}

static int is_name(const char *name)
{
	unsigned i;

	for (i = 0; name[i]; i++)
		if (name[i] == '/')
			return 0;
	return i > 0 && i < 64 && !(name[0] == '.' && (i == 1 || (i == 2 && name[1] == '.')));
}

static int part_ok(const struct supervisor_spec *spec, const struct spec_part *part, uint32_t least, uint32_t most)
{
	return part->offset % 8 == 0 && part->offset >= sizeof(*spec) && part->size >= least && part->size <= most &&
	       part->offset <= spec->size && part->size <= spec->size - part->offset;
}

static int program_ok(const struct supervisor_spec *spec, const struct spec_part *part)
{
	return part_ok(spec, part, sizeof(struct program), PROGRAM_MAX_SIZE);
}

static int header_ok(const struct supervisor_spec *spec)
{
	return spec->magic == SPEC_MAGIC && program_ok(spec, &spec->start) &&
	       (!spec->cleanup.size || program_ok(spec, &spec->cleanup)) &&
	       (!spec->sweep.size || program_ok(spec, &spec->sweep)) &&
	       (!spec->health.size || program_ok(spec, &spec->health)) && spec->log_driver <= LOG_JOURNALD &&
	       spec->health_action <= HEALTH_STOP && spec->stop_signal <= 64 &&
	       (!spec->texts.size || part_ok(spec, &spec->texts, 1, TEXTS_MAX));
}

static int log_ok(const struct supervisor_spec *spec)
{
	return strlen(spec_text(spec->log_fields)) <= LOG_FIELDS_MAX &&
	       (spec->log_driver == LOG_JOURNALD || is_name(spec_text(spec->log_name)));
}

int spec_load(struct supervisor_spec *spec)
{
	int error = io_read_at(fd, spec, 0, sizeof(*spec));

	if (error)
		return error;
	if (!header_ok(spec))
		return -EINVAL;
	error = io_read_at(fd, texts, spec->texts.offset, spec->texts.size);
	if (error)
		return error;
	texts_size = spec->texts.size;
	if (texts_size && (texts[0] || texts[texts_size - 1]))
		return -EINVAL;
	if (strlen(spec_text(spec->event_fields)) > EVENT_FIELDS_MAX)
		return -EINVAL;
	return (spec->flags & SPEC_LOG) && !log_ok(spec) ? -EINVAL : 0;
}

int spec_is_open(void)
{
	return fd >= 0;
}

void spec_close(void)
{
	io_close(&fd);
}

/* The copy is page-aligned. */
int spec_program(const struct spec_part *part, struct program **to)
{
	long at;
	int error;

	*to = 0;
	if (!part->size)
		return 0;
	at = SYS6(__NR_mmap, 0, part->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0 && at > -4096)
		return (int)at;
	*to = (struct program *)at;
	error = io_read_at(fd, *to, part->offset, part->size);
	if (error)
		spec_free(to, part);
	return error;
}

void spec_free(struct program **program, const struct spec_part *part)
{
	if (*program)
		SYS2(__NR_munmap, *program, part->size);
	*program = 0;
}
