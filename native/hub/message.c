/* message.c - see message.h */
#include "message.h"
#include "../sys.h"

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Reads the name at AT: where it ends, or 0 when it does not, or is compressed, which a question's is not. */
static size_t read_name(const uint8_t *message, size_t length, size_t at, struct question *q)
{
	q->name_length = 0;
	while (at < length && message[at]) {
		size_t n = message[at++];

		if (n > 63 || n > length - at || q->name_length + n + 1 > DNS_NAME_MAX)
			return 0;
		if (q->name_length)
			q->name[q->name_length++] = '.';
		for (size_t i = 0; i < n; i++)
			q->name[q->name_length++] = lower(message[at + i]);
		at += n;
	}
	q->name[q->name_length] = 0;
	return at < length ? at + 1 : 0;
}

int message_question(const uint8_t *message, size_t length, struct question *q)
{
	if (length < DNS_HEADER || (message[2] & 0x80))
		return -1;
	q->id = get16(message);
	q->end = DNS_HEADER;
	if (message[2] & 0x78)
		return DNS_NOT_IMPLEMENTED;
	if (get16(message + 4) != 1)
		return DNS_FORMAT_ERROR;
	q->end = read_name(message, length, DNS_HEADER, q);
	if (!q->end || length - q->end < 4) {
		q->end = DNS_HEADER;
		return DNS_FORMAT_ERROR;
	}
	q->type = get16(message + q->end);
	q->class = get16(message + q->end + 2);
	q->end += 4;
	return 0;
}

size_t message_answer(uint8_t *message, const struct question *q, int code)
{
	message[2] = (uint8_t)(0x80 | (message[2] & 0x79) | (code == 0 || code == DNS_NO_SUCH_NAME ? 0x04 : 0)); /* QR, opcode, RD; AA */
	message[3] = (uint8_t)(0x80 | code);									  /* RA */
	put16(message + 4, q->end > DNS_HEADER);
	put16(message + 6, 0);
	put16(message + 8, 0);
	put16(message + 10, 0);
	return q->end;
}

/* The fixed part of a record for the name of the question (RFC 1035, 4.1.4: a pointer to it), of lifetime 0: containers come and go. */
static size_t begin(uint8_t *message, size_t length, size_t size, unsigned type, unsigned bytes)
{
	static const uint8_t fixed[12] = {0xc0, DNS_HEADER, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};

	if (size < length || size - length < sizeof(fixed) + bytes) {
		message[2] |= 0x02;
		return 0;
	}
	memcpy(message + length, fixed, sizeof(fixed));
	put16(message + length + 2, type);
	put16(message + length + 10, bytes);
	put16(message + 6, get16(message + 6) + 1u);
	return length + sizeof(fixed);
}

size_t message_add_address(uint8_t *message, size_t length, size_t size, const uint8_t *address, unsigned bytes)
{
	size_t at = begin(message, length, size, bytes == 4 ? DNS_A : DNS_AAAA, bytes);

	if (!at)
		return length;
	memcpy(message + at, address, bytes);
	return at + bytes;
}

size_t message_add_name(uint8_t *message, size_t length, size_t size, const uint8_t *name, unsigned bytes)
{
	size_t at = begin(message, length, size, DNS_PTR, bytes + 2), label = at;

	if (!at)
		return length;
	message[label] = 0;
	for (unsigned i = 0; i < bytes; i++) {
		message[at + 1 + i] = name[i];
		if (name[i] == '.') {
			label = at + 1 + i;
			message[label] = 0;
		} else {
			message[label]++;
		}
	}
	message[at + 1 + bytes] = 0;
	return at + bytes + 2;
}

static int ends_with(const struct question *q, const char *suffix)
{
	size_t n = strlen(suffix);

	return q->name_length > n && memcmp(q->name + q->name_length - n, suffix, n) == 0;
}

/* 4.3.2.1 in front of in-addr.arpa, the address's last byte first */
static int reverse_ipv4(const struct question *q, struct address *address)
{
	size_t at = 0;

	for (int byte = 15; byte >= 12; byte--) {
		unsigned value = 0, digits = 0;

		while (q->name[at] >= '0' && q->name[at] <= '9' && digits++ < 3)
			value = value * 10 + (unsigned)(q->name[at++] - '0');
		if (!digits || value > 255 || q->name[at++] != '.')
			return 0;
		address->bytes[byte] = (uint8_t)value;
	}
	return at + strlen("in-addr.arpa") == q->name_length;
}

/* 32 hexadecimal digits in front of ip6.arpa, the last one first */
static int reverse_ipv6(const struct question *q, struct address *address)
{
	if (q->name_length != 64 + strlen("ip6.arpa"))
		return 0;
	for (unsigned i = 0; i < 32; i++) {
		char c = q->name[2 * i];
		unsigned value = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;

		if (value > 15 || q->name[2 * i + 1] != '.')
			return 0;
		address->bytes[15 - i / 2] |= (uint8_t)(value << (i % 2 ? 4 : 0));
	}
	return 1;
}

int message_reverse(const struct question *q, struct address *address)
{
	memset(address, 0, sizeof(*address));
	if (ends_with(q, ".in-addr.arpa")) {
		address->bytes[10] = address->bytes[11] = 0xff;
		return reverse_ipv4(q, address);
	}
	return ends_with(q, ".ip6.arpa") && reverse_ipv6(q, address);
}
