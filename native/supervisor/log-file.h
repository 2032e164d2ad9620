/* log-file.h - the log in a file of bounded size. Formats: log.h. */
#ifndef TSRUN_SUPERVISOR_LOG_FILE_H
#define TSRUN_SUPERVISOR_LOG_FILE_H

#include "log.h"

void log_file_open(const struct log_options *options);

/* Written at the latest by log_file_flush(). */
void log_file_record(const struct log_record *record);
void log_file_flush(void);

/* Bytes of records that could not be written. */
uint64_t log_file_dropped(void);

void log_file_trim(void);

#endif
