/* noun-tests.c - parts of the supervisor that can be tested alone: the calendar against gmtime(3), the log byte for byte. */
#define _GNU_SOURCE
#include "supervisor/clock.h"
#include "supervisor/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("noun-tests: line %d: %s\n", __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static uint64_t state = 1;

static uint32_t any(uint32_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % below;
}

static void test_time(int64_t seconds, uint32_t nanoseconds)
{
	char ours[CLOCK_TEXT + 1] = {0}, theirs[64], whole[80];
	struct text text = {ours, CLOCK_TEXT, 0, 0};
	time_t t = (time_t)seconds;
	struct tm tm;

	clock_format(&text, (struct clock_time){seconds, nanoseconds});
	gmtime_r(&t, &tm);
	strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%09uZ", theirs, nanoseconds);
	CHECK(text.len == CLOCK_TEXT && !text.cut);
	CHECK(!memcmp(ours, whole, CLOCK_TEXT + 1));
}

/* Every day from 1970 to 9999, and each end of a day. */
static void test_calendar(void)
{
	for (int64_t day = 0; day < 2932897; day++) {
		test_time(day * 86400, 0);
		if (any(50) == 0)
			test_time(day * 86400 + 86399, any(1000000000));
	}
}

static unsigned char *read_file(int directory, const char *name, size_t *len)
{
	int fd = openat(directory, name, O_RDONLY);
	unsigned char *bytes;
	struct stat st;

	if (fd < 0)
		return 0;
	CHECK(fstat(fd, &st) == 0);
	bytes = malloc((size_t)st.st_size + 1);
	CHECK(read(fd, bytes, (size_t)st.st_size) == st.st_size);
	close(fd);
	*len = (size_t)st.st_size;
	return bytes;
}

/* Appends what the records of a log say was written to a stream. */
static size_t replay(const unsigned char *log, size_t len, const char *stream, unsigned char *to)
{
	size_t n = 0, at = 0;

	while (at < len) {
		const unsigned char *record = log + at, *end = memchr(record, '\n', len - at);
		size_t text = CLOCK_TEXT + 10;

		CHECK(end && (size_t)(end - record) >= text && record[CLOCK_TEXT - 1] == 'Z');
		CHECK(record[CLOCK_TEXT + 8] == 'F' || record[CLOCK_TEXT + 8] == 'P');
		if (!memcmp(record + CLOCK_TEXT + 1, stream, 6)) {
			memcpy(to + n, record + text, (size_t)(end - record) - text);
			n += (size_t)(end - record) - text;
			if (record[CLOCK_TEXT + 8] == 'F')
				to[n++] = '\n';
		}
		at += (size_t)(end - record) + 1;
	}
	return n;
}

#define WRITTEN (2u << 20)

/* Random output in random pieces, in many small files: put together again it is the same. */
static void test_log(int directory)
{
	static unsigned char written[2][WRITTEN + 70000], replayed[2][WRITTEN + 70000];
	size_t len[2] = {0}, got[2] = {0};
	struct log_options options = {directory, "log", 100000, 900};

	log_open(&options);
	while (len[0] < WRITTEN && len[1] < WRITTEN) {
		uint32_t stream = any(2), n = any(any(20) ? 300 : 65536), lines = 1 + any(200);

		for (uint32_t i = 0; i < n; i++)
			written[stream][len[stream] + i] = any(lines) ? (unsigned char)any(256) : '\n';
		log_write((enum log_stream)stream, written[stream] + len[stream], n);
		len[stream] += n;
	}
	log_finish();
	CHECK(log_dropped() == 0);
	for (int number = 899; number >= 0; number--) {
		char name[16] = "log";
		unsigned char *bytes;
		size_t size;

		if (number)
			snprintf(name, sizeof(name), "log.%d", number);
		bytes = read_file(directory, name, &size);
		if (!bytes)
			continue;
		CHECK(size <= 100000);
		got[0] += replay(bytes, size, "stdout", replayed[0] + got[0]);
		got[1] += replay(bytes, size, "stderr", replayed[1] + got[1]);
		free(bytes);
		unlinkat(directory, name, 0);
	}
	for (int stream = 0; stream < 2; stream++)
		CHECK(got[stream] == len[stream] && !memcmp(replayed[stream], written[stream], len[stream]));
}

int main(int argc, char **argv)
{
	int directory = open(argc > 1 ? argv[1] : ".", O_RDONLY | O_DIRECTORY);

	CHECK(directory >= 0);
	test_calendar();
	test_log(directory);
	printf("noun-tests: ok\n");
	return 0;
}
