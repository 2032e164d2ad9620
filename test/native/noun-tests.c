/* noun-tests.c - parts of the supervisor that can be tested alone: the calendar against gmtime(3), the log byte for byte in its formats. */
#define _GNU_SOURCE
#include "supervisor/clock.h"
#include "supervisor/log.h"
#include "supervisor/notify.h"
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

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
	struct log_options options = {LOG_K8S_FILE, directory, "", "log", 100000, 900, ""};

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

/* A line of characters of 3 bytes, longer than a record and written in pieces that cut them, is whole in JSON. */
static void test_json_log(int directory)
{
	struct log_options options = {LOG_JSON_FILE, directory, "", "json", 0, 1, "\"attrs\":{\"tag\":\"t\"},"};
	static unsigned char line[3 * 10000 + 1];
	size_t size, characters = 0;
	unsigned char *bytes;

	for (unsigned i = 0; i + 3 <= sizeof(line); i += 3)
		memcpy(line + i, "\xe2\x82\xac", 3);
	line[sizeof(line) - 1] = '\n';
	log_open(&options);
	for (size_t at = 0; at < sizeof(line);) {
		uint32_t n = 1 + any(5000);

		if (n > sizeof(line) - at)
			n = (uint32_t)(sizeof(line) - at);
		log_write(LOG_STDOUT, line + at, n);
		at += n;
	}
	memset(line, 1, 8192); /* the longest record there is */
	line[8192] = '\n';
	log_write(LOG_STDERR, line, 8193);
	log_finish();
	CHECK(log_dropped() == 0);
	bytes = read_file(directory, "json", &size);
	CHECK(bytes && bytes[size - 1] == '\n');
	bytes[size] = 0;
	for (unsigned char *at = bytes; (at = (unsigned char *)strstr((char *)at, "\xe2\x82\xac")); at += 3)
		characters++;
	CHECK(characters == 10000 && !strstr((char *)bytes, "fffd"));
	CHECK(strstr((char *)bytes, "\\n\",\"stream\":\"stdout\",\"attrs\":{\"tag\":\"t\"},\"time\":\"2"));
	CHECK(strstr((char *)bytes, "\\u0001\\u0001\\n\",\"stream\":\"stderr\""));
	free(bytes);
	unlinkat(directory, "json", 0);
}

static int journal(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	unlink(path);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void expect_datagram(int fd, const char *expected)
{
	char got[16384];
	ssize_t n = recv(fd, got, sizeof(got), 0);

	CHECK(n == (ssize_t)strlen(expected) && !memcmp(got, expected, (size_t)n));
}

/* One datagram for each record; a journal that hangs does not stop the container, and one that was restarted is found again. */
static void test_journal(const char *directory)
{
	char path[100], line[100];
	struct log_options options = {LOG_JOURNALD, -1, path, "", 0, 0, "CONTAINER_NAME=web\n"};
	uint64_t before;
	int fd;

	snprintf(path, sizeof(path), "%s/journal", directory);
	fd = journal(path);
	log_open(&options);
	log_write(LOG_STDOUT, (const unsigned char *)"one\ntwo\nrest", 12);
	log_write(LOG_STDERR, (const unsigned char *)"oh\n", 3);
	log_finish();
	expect_datagram(fd, "CONTAINER_NAME=web\nPRIORITY=6\nMESSAGE=one\n");
	expect_datagram(fd, "CONTAINER_NAME=web\nPRIORITY=6\nMESSAGE=two\n");
	expect_datagram(fd, "CONTAINER_NAME=web\nPRIORITY=3\nMESSAGE=oh\n");
	expect_datagram(fd, "CONTAINER_NAME=web\nPRIORITY=6\nCONTAINER_PARTIAL_MESSAGE=true\nMESSAGE=rest\n");
	CHECK(log_dropped() == 0);
	for (int i = 0; i < 5000; i++) { /* more than a queue holds, read by nobody: this must come to its end */
		snprintf(line, sizeof(line), "line %d\n", i);
		log_write(LOG_STDOUT, (const unsigned char *)line, (uint32_t)strlen(line));
	}
	before = log_dropped();
	CHECK(before > 0);
	close(fd);
	fd = journal(path);
	log_write(LOG_STDOUT, (const unsigned char *)"again\n", 6);
	expect_datagram(fd, "CONTAINER_NAME=web\nPRIORITY=6\nMESSAGE=again\n");
	CHECK(log_dropped() == before);
	close(fd);
	unlink(path);
}

static void test_filter(const char *from, const char *to)
{
	char *text = strdup(from); /* of the very size, for the sanitizer */
	size_t size = notify_filter(text, strlen(from));

	CHECK(size == strlen(to) && !memcmp(text, to, size));
	free(text);
}

/* What a container may say to the service manager, and what would be said of the user's unit. */
static void test_notify(void)
{
	static const char letters[] = "READY=1\nSTATUS=x\nMAINPID=7";

	test_filter("", "");
	test_filter("READY=1", "READY=1");
	test_filter("READY=1\n", "READY=1");
	test_filter("\n\nREADY=1\n\n", "READY=1");
	test_filter("MAINPID=7\nREADY=1\nSTATUS=half way\nFDSTORE=1", "READY=1\nSTATUS=half way");
	test_filter("STATUS=a\nNOTIFYACCESS=all\nWATCHDOG=1", "STATUS=a\nWATCHDOG=1");
	test_filter("READY=10\nREADY=\nREADY\nWATCHDOG=trigger\nWATCHDOG_USEC=1\nBARRIER=1\n STATUS=x\nFDNAME=y", "");
	test_filter("RELOADING=1\nMONOTONIC_USEC=5", "RELOADING=1\nMONOTONIC_USEC=5");
	for (int i = 0; i < 10000; i++) {
		size_t n = any(64), size;
		char *text = malloc(n + 1);

		for (size_t at = 0; at < n; at++)
			text[at] = letters[any(sizeof(letters) - 1)];
		size = notify_filter(text, n);
		CHECK(size <= n);
		CHECK(notify_filter(text, size) == size); /* what may pass passes again */
		free(text);
	}
}

int main(int argc, char **argv)
{
	int directory = open(argc > 1 ? argv[1] : ".", O_RDONLY | O_DIRECTORY);

	CHECK(directory >= 0);
	test_calendar();
	test_log(directory);
	test_json_log(directory);
	test_journal(argc > 1 ? argv[1] : ".");
	test_notify();
	printf("noun-tests: ok\n");
	return 0;
}
