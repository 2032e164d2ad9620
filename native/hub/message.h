/* message.h - the bytes of a DNS message (RFC 1035, section 4): one question is read, and answered. No state, no I/O. */
#ifndef TSRUN_HUB_MESSAGE_H
#define TSRUN_HUB_MESSAGE_H

#include "names.h"

#define DNS_HEADER 12u
#define DNS_NAME_MAX 255u

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_ANY = 255,
};

enum dns_code {
	DNS_FORMAT_ERROR = 1,
	DNS_SERVER_FAILURE = 2,
	DNS_NO_SUCH_NAME = 3,
	DNS_NOT_IMPLEMENTED = 4,
	DNS_REFUSED = 5,
};

struct question {
	uint16_t id;
	uint16_t type;
	uint16_t class;
	char name[DNS_NAME_MAX + 1]; /* lower case, labels joined by dots; "" is the root */
	size_t name_length;
	size_t end; /* of the question in the message */
};

/* Reads the one question of a query: 0, or the DNS_… code to answer with; -1 when nothing is to be answered. */
int message_question(const uint8_t *message, size_t length, struct question *q);

/* Turns the query at MESSAGE, of which Q was read, into an answer without records: its length. */
size_t message_answer(uint8_t *message, const struct question *q, int code);

/* Append a record to an answer of LENGTH bytes in a buffer of SIZE: the new length. What does not fit sets TC and changes nothing. */
size_t message_add_address(uint8_t *message, size_t length, size_t size, const uint8_t *address, unsigned bytes);
size_t message_add_name(uint8_t *message, size_t length, size_t size, const uint8_t *name, unsigned bytes);

/* The address that a name under in-addr.arpa or ip6.arpa asks for: 1, or 0 when it is none. */
int message_reverse(const struct question *q, struct address *address);

#endif
