/*
 * event-log.h - what happens to the container, for `tsrun events`: a line for each event, added to the log that all containers of the user
 * share. Nobody else is there to write it: no command of tsrun need be alive when a container ends.
 *
 *     {"time":"2006-01-02T15:04:05.000000000Z","status":"died","exitCode":0,FIELDS}
 *
 * FIELDS are spec.event_fields: type, id, name, image, labels. A line is one writev(2) to a file opened with O_APPEND, so lines of several
 * writers never mix. A file that has grown to EVENT_LOG_MAX is renamed to NAME.1 first, in place of an older one; src/store/event-log.ts does
 * the same. Nothing here ever fails: a log that cannot be written is no reason for a container to end.
 */
#ifndef TSRUN_SUPERVISOR_EVENT_LOG_H
#define TSRUN_SUPERVISOR_EVENT_LOG_H

#include "record.h"

struct event_options {
	const char *path;   /* "" = events are not logged */
	const char *fields; /* at most EVENT_FIELDS_MAX bytes */
	int is_exec;	    /* it is a command in a container: `exec` and `exec_died` */
};

void event_log_open(const struct event_options *options);

/* Its command runs. AGAIN: started by its supervisor, not by a user. ATTACHED: somebody sees its output. */
void event_log_started(int again, int attached);

/* A later client wants the streams. */
void event_log_attached(void);

void event_log_health(const char *status);

/* It has ended; one that did not start has not. */
void event_log_ended(const struct ending *ending);

/* The cleanup program has removed it. */
void event_log_removed(void);

#endif
