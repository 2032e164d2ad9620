/* begin.h - what both forwarders do when they begin. */
#ifndef TSRUN_FORWARD_BEGIN_H
#define TSRUN_FORWARD_BEGIN_H

#include <stdint.h>

/* Says on stderr, which whoever started us keeps, what could not be done: the exit status. */
int begin_failed(const char *who, const char *what, int error);

/* How many descriptors may be open, but for RESERVED of them. */
uint32_t begin_descriptors(uint32_t reserved);

#endif
