/*
 * fuzz-program.c - hostile images for program_check() and the interpreter of native/program.c, under AddressSanitizer and UBSan.
 *
 *   fuzz-program -r SEED ROUNDS SEED_IMAGE…   mutates the images with a generator of its own; any compiler
 *   fuzz-program -c IMAGE…                    only checks them: "ok" or "refused" per line
 *   as a libFuzzer target with -DLIBFUZZER -fsanitize=fuzzer
 *
 * No system call is made: program.c is compiled with syscall6() replaced by a dry one, which looks whether the pointers that it
 * is handed lie in the image, and answers what the fuzzer likes: success, an error, "you are the child". The one call that is
 * assembly of its own (clone3 on a stack, for CLONE_VM) is given a number that no kernel knows.
 *
 * Each image lies at the very end of an allocation of its exact size, so that reading one byte too far is seen.
 */
#include "sys.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define _LINUX_TIME_H /* the C library's <time.h> has the same structs */
#undef __NR_clone3
#define __NR_clone3 0x7ffe
#define syscall6 dry_syscall

static long dry_syscall(long nr, long a, long b, long c, long d, long e, long f);

#include "program.c"
#include "program-check.c"

#undef syscall6

#define CALLS_MAX 20000 /* a child may be sent back to its own clone: such an image is not wrong, only endless */

static struct program *current;
static uint64_t state, checked, ran, calls;
static unsigned children;
static int tracing; /* the next write is of a record */
static jmp_buf ended;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-program: %s\n", what);
	abort();
}

/* May anything of the interpreter point at P? */
static int in_image(const void *p)
{
	const unsigned char *start = (const unsigned char *)current;

	return (const unsigned char *)p >= start && (const unsigned char *)p < start + current->size;
}

static long dry_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	static const int errors[] = {ENOENT, EACCES, EINVAL, EEXIST, EPERM};

	(void)d, (void)e, (void)f;
	if (nr == __NR_exit_group || ++calls > CALLS_MAX)
		longjmp(ended, 1);
	if (nr == __NR_clock_gettime || nr == __NR_rt_sigprocmask || nr == __NR_rt_sigaction)
		return 0;
	/* trace() asks for the pid, and then writes; a program may write as many bytes from anywhere. */
	if (nr == __NR_write && tracing) {
		tracing = 0;
		must(c == sizeof(struct trace_record), "a trace of another size");
		return must(((struct trace_record *)b)->op < current->op_count, "a trace of an op that is none"), c;
	}
	tracing = nr == __NR_getpid && current->trace_fd >= 0;
	if (nr == __NR_clone3) {
		must(b >= CLONE_ARGS_SIZE_VER0 && b <= (long)sizeof(struct clone_args), "clone_args of a wrong size");
		must(((struct clone_args *)a)->exit_signal || 1, "unreadable clone_args");
		return children++ < 3 && next_random() % 2 ? 0 : 42;
	}
	switch (next_random() % 8) {
	case 0:
		return -errors[next_random() % 5];
	case 1: /* at most a few times: OP_RETRY asks again */
		return -EINTR;
	}
	return (long)(next_random() % 100);
}

long remove_tree(int dirfd, const char *name)
{
	(void)dirfd;
	must(in_image(name) && in_image(name + strlen(name)), "a name outside the image");
	return 0;
}

long remove_directories(int dirfd, const char *name)
{
	return remove_tree(dirfd, name);
}

long make_path(int root, const char *path, uint32_t mode, int is_file)
{
	(void)mode, (void)is_file;
	return remove_tree(root, path);
}

/* Checks a copy of DATA and, if it is accepted, runs it dry. */
static int try_image(const unsigned char *data, size_t size)
{
	unsigned char *copy;
	int ok;

	if (size > PROGRAM_MAX_SIZE)
		return 0;
	copy = malloc(size); /* aligned to 8 at least; ASan's redzone begins right behind it */
	must(copy != NULL, "no memory");
	memcpy(copy, data, size);
	current = (struct program *)(void *)copy;
	calls = 0;
	children = 0;
	checked++;
	ok = program_check(current, size) == 0;
	if (ok) {
		ran++;
		if (!setjmp(ended)) {
			int64_t ret = program_run(current, size);

			must(ret <= 0 && ret > -4096, "a result that is no errno");
			must(ret == 0 || current->failed_op < current->op_count, "a failure of an op that is none");
		}
	}
	free(copy);
	return ok;
}

#ifdef LIBFUZZER

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	state = size * 2654435761u + 1;
	try_image(data, size);
	return 0;
}

#else

struct seed {
	unsigned char *data;
	size_t size;
};

static struct seed read_file(const char *name)
{
	FILE *file = fopen(name, "rb");
	struct seed s = {malloc(PROGRAM_MAX_SIZE + 1), 0};

	must(file && s.data, "cannot read a seed");
	s.size = fread(s.data, 1, PROGRAM_MAX_SIZE + 1, file);
	fclose(file);
	return s;
}

static const uint64_t interesting[] = {0, 1, 2, 3, 4, 7, 8, 64, 72, 88, 0xff, 0xffff, 0x7fffffff, 0xffffffff, ~0ull, 1ull << 63};

/* Changes a few places: mostly header and ops, where the rules are, with values that are at the edge of them. */
static void mutate(unsigned char *data, size_t size)
{
	unsigned changes = 1 + (unsigned)(next_random() % 4);

	while (changes--) {
		size_t at = next_random() % 4 ? (size_t)(next_random() % size) : (size_t)(next_random() % sizeof(struct program));
		uint64_t value = next_random() % 3 ? interesting[next_random() % 16] : next_random() % (2 * size);
		unsigned width = 1u << next_random() % 4;

		if (next_random() % 2)
			at &= ~(size_t)(width - 1);
		if (at + width <= size)
			memcpy(data + at, &value, width);
	}
}

static void random_rounds(const struct seed *seeds, int count, long rounds)
{
	static unsigned char buffer[PROGRAM_MAX_SIZE + 64];

	while (rounds--) {
		const struct seed *s = &seeds[next_random() % (unsigned)count];
		size_t size = s->size;

		memcpy(buffer, s->data, size);
		mutate(buffer, size);
		if (next_random() % 16 == 0) /* cut short, or longer than it says */
			size = next_random() % 2 ? next_random() % (size + 1) : size + next_random() % 64;
		try_image(buffer, size);
	}
}

int main(int argc, char **argv)
{
	int random = argc > 4 && strcmp(argv[1], "-r") == 0, first = random ? 4 : 2, i;
	static struct seed seeds[64];

	must(random || (argc > 2 && strcmp(argv[1], "-c") == 0), "usage: -r SEED ROUNDS IMAGE… | -c IMAGE…");
	must(argc - first <= 64, "at most 64 images");
	state = random ? strtoull(argv[2], NULL, 10) | 1 : 1;
	for (i = first; i < argc; i++) {
		seeds[i - first] = read_file(argv[i]);
		if (!random)
			puts(try_image(seeds[i - first].data, seeds[i - first].size) ? "ok" : "refused");
	}
	if (random) {
		random_rounds(seeds, argc - first, atol(argv[3]));
		printf("checked %llu, ran %llu\n", (unsigned long long)checked, (unsigned long long)ran);
	}
	for (i = 0; i < argc - first; i++)
		free(seeds[i].data);
	return 0;
}

#endif
