/* spec.h - what the supervisor is to do: the memfd on FD_SPEC, checked. Its programs are copied when they are to run. */
#ifndef TSRUN_SUPERVISOR_SPEC_H
#define TSRUN_SUPERVISOR_SPEC_H

#include "../program.h"
#include "../protocol.h"

/* Reads the header and the texts. 0 or -errno. */
int spec_load(struct supervisor_spec *spec);

/* Is the memfd still there? */
int spec_is_open(void);

/* The memfd is not needed any more: its memory is free. */
void spec_close(void);

/* The text at OFFSET; "" for 0. */
const char *spec_text(uint32_t offset);

/* A fresh copy of a program, in memory of its own; *TO is 0 when there is none. 0 or -errno. */
int spec_program(const struct spec_part *part, struct program **to);

/* Gives a program's memory back. */
void spec_free(struct program **program, const struct spec_part *part);

#endif
