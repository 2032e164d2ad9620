/*
 * log-journal.h - the log as records of systemd-journald, in its native protocol: one datagram for each record,
 * FIELD=value lines (systemd's JOURNAL_NATIVE_PROTOCOL). The field names are those that conmon writes.
 */
#ifndef TSRUN_SUPERVISOR_LOG_JOURNAL_H
#define TSRUN_SUPERVISOR_LOG_JOURNAL_H

#include "log.h"

void log_journal_open(const struct log_options *options);
void log_journal_record(const struct log_record *record);

/* Bytes of output that the journal did not take. */
uint64_t log_journal_dropped(void);

#endif
