/* spec.h - what the supervisor is to do: the memfd on FD_SPEC, checked and copied. */
#ifndef TSRUN_SUPERVISOR_SPEC_H
#define TSRUN_SUPERVISOR_SPEC_H

#include "../program.h"
#include "../protocol.h"

/*
 * Reads FD_SPEC into SPEC, and copies its programs to memory of their own (the cleanup is 0 when there is none). The memfd
 * is closed: whoever made it can change nothing any more, and its memory is free. 0 or -errno.
 */
int spec_load(struct supervisor_spec *spec, struct program **start, struct program **cleanup);

/* Gives a program's memory back. */
void spec_free(struct program **program, uint32_t size);

#endif
