/* report.h - the pipe on which the init says how its start goes. Closed by its execve, and by its death. */
#ifndef TSRUN_SUPERVISOR_REPORT_H
#define TSRUN_SUPERVISOR_REPORT_H

#include "poll.h"
#include "../program.h"

enum report {
	REPORT_NONE,	/* nothing is known yet */
	REPORT_STARTED, /* the user's command runs, or has run */
	REPORT_FAILED,
};

/* FD: the reading end, -1 for none. */
void report_open(int fd);
void report_close(void);

/* Is there still something to learn? */
int report_is_open(void);

/* What has come; *failure says what failed. After anything but REPORT_NONE it is closed. */
enum report report_read(struct failure_record *failure);

void report_poll(struct poll_set *set);
int report_came(const struct poll_set *set);

#endif
