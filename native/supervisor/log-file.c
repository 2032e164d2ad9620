/*
 * log-file.c - see log-file.h
 *
 * Records are put together in `batch`, and a batch is one write(2). A record that would pass max_size starts a new file: name.1
 * becomes name.2 and so on, name becomes name.1. Followers see the new inode behind the old name.
 */
#include "log-file.h"
#include "clock.h"
#include "io.h"

#include <linux/mman.h>

#define JSON_OVERHEAD (LOG_FIELDS_MAX + CLOCK_TEXT + 48) /* {"log":"\n","stream":"stdout",FIELDS"time":""}, newline */
#define BATCH_SIZE 65536
#define BATCH_FULL 32768 /* is written, though more would fit */
#define NAME_SIZE 80
#define FILES_MAX 1000

_Static_assert(LOG_LINE * TEXT_JSON_MOST + JSON_OVERHEAD <= BATCH_SIZE, "the longest record fits");

static struct log_options options;
static int fd = -1, directory = -1;
static uint64_t file_size; /* of what is written; the batch comes on top */
static uint64_t dropped;

static unsigned char batch[BATCH_SIZE] __attribute__((aligned(PAGE)));
static uint32_t batch_len;

/* Opens the current file. One that does not end with a newline lost its end in a crash: the next record gets a line of its own. */
static void open_file(void)
{
	char last = '\n';
	long size;

	fd = (int)SYS4(__NR_openat, directory, options.name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	if (fd < 0)
		return;
	size = SYS3(__NR_lseek, fd, 0, 2 /* SEEK_END */);
	file_size = size < 0 ? 0 : (uint64_t)size;
	if (file_size && SYS4(__NR_pread64, fd, &last, 1, file_size - 1) == 1 && last != '\n' && io_write(fd, "\n", 1) == 1)
		file_size++;
}

/* Writes the batch. After a short write the torn last record is cut off again. */
void log_file_flush(void)
{
	uint32_t len = batch_len, whole = 0;
	size_t done;
	int error;

	batch_len = 0;
	if (!len)
		return;
	if (fd < 0)
		open_file();
	if (fd < 0) {
		dropped += len;
		return;
	}
	done = io_write_all(fd, batch, len, &error);
	for (whole = (uint32_t)done; whole && batch[whole - 1] != '\n';)
		whole--;
	if (whole < done)
		SYS2(__NR_ftruncate, fd, file_size + whole);
	file_size += whole;
	dropped += len - whole;
}

/* "name" for 0, "name.N" for others. */
static void numbered_name(char *to, uint32_t n)
{
	struct text text = {to, NAME_SIZE - 1, 0, 0};

	text_string(&text, options.name);
	if (n) {
		text_bytes(&text, ".", 1);
		text_number(&text, n);
	}
	to[text.len] = 0;
}

static void rotate(void)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	if (options.files <= 1) {
		SYS3(__NR_unlinkat, directory, options.name, 0);
	} else {
		for (uint32_t n = options.files - 1; n > 0; n--) {
			numbered_name(from, n - 1);
			numbered_name(to, n);
			SYS5(__NR_renameat2, directory, from, directory, to, 0);
		}
	}
	io_close(&fd);
	file_size = 0;
	open_file();
}

static void put_k8s(struct text *to, const struct log_record *record)
{
	text_bytes(to, record->stamp, CLOCK_TEXT);
	text_string(to, record->stream == LOG_STDOUT ? " stdout " : " stderr ");
	text_string(to, record->partial ? "P " : "F ");
	text_bytes(to, record->text, record->n);
	text_bytes(to, "\n", 1);
}

static void put_json(struct text *to, const struct log_record *record)
{
	text_string(to, "{\"log\":\"");
	text_json(to, record->text, record->n);
	text_string(to, record->partial ? "\",\"stream\":\"" : "\\n\",\"stream\":\"");
	text_string(to, record->stream == LOG_STDOUT ? "stdout\"," : "stderr\",");
	text_string(to, options.fields);
	text_string(to, "\"time\":\"");
	text_bytes(to, record->stamp, CLOCK_TEXT);
	text_string(to, "\"}\n");
}

/* Where the batch goes on; a record that is put there is part of it only when batch_len says so. */
static struct text put(const struct log_record *record)
{
	struct text to = {(char *)batch + batch_len, BATCH_SIZE - batch_len, 0, 0};

	if (options.driver == LOG_JSON_FILE)
		put_json(&to, record);
	else
		put_k8s(&to, record);
	return to;
}

void log_file_record(const struct log_record *record)
{
	struct text written = put(record);

	if (written.cut) { /* no room behind the others */
		log_file_flush();
		written = put(record);
	}
	if (options.max_size && file_size + batch_len && file_size + batch_len + written.len > options.max_size) {
		log_file_flush();
		rotate();
		written = put(record);
	}
	batch_len += written.len;
	if (batch_len >= BATCH_FULL)
		log_file_flush();
}

void log_file_open(const struct log_options *given)
{
	options = *given;
	if (options.files > FILES_MAX)
		options.files = FILES_MAX;
	directory = options.directory;
	if (*options.path)
		directory = (int)SYS4(__NR_openat, AT_FDCWD, options.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	open_file();
}

uint64_t log_file_dropped(void)
{
	return dropped;
}

void log_file_trim(void)
{
	SYS3(__NR_madvise, batch, sizeof(batch), MADV_DONTNEED);
}
