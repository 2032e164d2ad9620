/* check.h - what the tests of native parts have in common: a check that says where it failed, and chance that is the same each time. */
#ifndef TSRUN_TEST_CHECK_H
#define TSRUN_TEST_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("%s: line %d: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static uint64_t state = 1;

static inline uint32_t any(uint32_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % below;
}

#endif
