/* servers.c - see servers.h */
#include "servers.h"
#include "../supervisor/clock.h"
#include "../supervisor/io.h"

#define FILE_MAX 8192
#define FRESH 1000 /* ms */

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "192.0.2.1" of exactly LENGTH characters: 1 or 0 */
static int parse_ipv4(const char *text, size_t length, uint8_t *to)
{
	size_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;

		while (at < length && text[at] >= '0' && text[at] <= '9' && digits < 3) {
			value = value * 10 + (unsigned)(text[at++] - '0');
			digits++;
		}
		if (!digits || value > 255)
			return 0;
		to[i] = (uint8_t)value;
		if (i < 3 && (at == length || text[at++] != '.'))
			return 0;
	}
	return at == length;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "2001:db8::1", without a scope: 1 or 0 */
static int parse_ipv6(const char *text, size_t length, uint8_t *to)
{
	uint8_t groups[16] = {0};
	size_t at = 0;
	int used = 0, gap = -1;

	if (length >= 2 && text[0] == ':' && text[1] == ':') {
		gap = 0;
		at = 2;
	}
	while (at < length) {
		unsigned value = 0, digits = 0;

		if (used == 16)
			return 0;
		while (at < length && digits < 4 && hex_digit(text[at]) >= 0) {
			value = value * 16 + (unsigned)hex_digit(text[at++]);
			digits++;
		}
		if (!digits)
			return 0;
		if (at < length && text[at] == '.') { /* ::ffff:192.0.2.1 */
			at -= digits;
			if (used > 12 || !parse_ipv4(text + at, length - at, groups + used))
				return 0;
			used += 4;
			break;
		}
		groups[used++] = (uint8_t)(value >> 8);
		groups[used++] = (uint8_t)value;
		if (at == length)
			break;
		if (text[at++] != ':' || at == length)
			return 0;
		if (text[at] == ':') {
			if (gap >= 0)
				return 0;
			gap = used;
			at++;
		}
	}
	if (gap < 0 ? used != 16 : used == 16)
		return 0;
	memset(to, 0, 16);
	if (gap < 0)
		gap = used;
	memcpy(to, groups, (size_t)gap);
	memcpy(to + 16 - (used - gap), groups + gap, (size_t)(used - gap));
	return 1;
}

static int parse_address(const char *text, size_t length, struct address *to)
{
	if (parse_ipv6(text, length, to->bytes))
		return 1;
	memset(to, 0, sizeof(*to));
	to->bytes[10] = to->bytes[11] = 0xff;
	return parse_ipv4(text, length, to->bytes + 12);
}

unsigned servers_parse(const char *text, size_t length, struct address *servers)
{
	static const char keyword[] = "nameserver";
	unsigned count = 0;
	size_t at = 0;

	while (at < length && count < SERVERS_MAX) {
		size_t end = at, from;

		while (end < length && text[end] != '\n')
			end++;
		from = at + sizeof(keyword) - 1;
		if (from < end && memcmp(text + at, keyword, sizeof(keyword) - 1) == 0 && is_blank(text[from])) {
			size_t to;

			while (from < end && is_blank(text[from]))
				from++;
			for (to = from; to < end && !is_blank(text[to]) && text[to] != '\r'; to++)
				;
			count += (unsigned)parse_address(text + from, to - from, &servers[count]);
		}
		at = end + 1;
	}
	return count;
}

unsigned servers_of_host(struct address *servers)
{
	static struct address known[SERVERS_MAX];
	static unsigned count;
	static int64_t read_at = -FRESH;
	static char text[FILE_MAX];
	int64_t now = clock_monotonic();

	if (now - read_at >= FRESH) {
		int fd = (int)SYS4(__NR_openat, AT_FDCWD, "/etc/resolv.conf", O_RDONLY | O_CLOEXEC, 0);
		long n = fd < 0 ? 0 : io_read(fd, text, sizeof(text));

		io_close(&fd);
		count = n > 0 ? servers_parse(text, (size_t)n, known) : 0;
		if (!count)
			count = servers_parse("nameserver 127.0.0.1", 20, known);
		read_at = now;
	}
	memcpy(servers, known, sizeof(known));
	return count;
}
