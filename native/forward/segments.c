/* segments.c - see segments.h */
#include "segments.h"

#define BATCH 32u
#define TOGETHER_MAX 64u /* as the kernels that have fewest allow */
#define TOTAL_MAX 65000u /* bytes */

/* How many of the N go as one: all of one size but the last, which may be shorter. */
static unsigned alike(const struct iovec *parts, unsigned n)
{
	size_t size = parts->iov_len, total = size;
	unsigned count = 1;

	while (count < n && count < TOGETHER_MAX && parts[count].iov_len && parts[count].iov_len <= size &&
	       (total += parts[count].iov_len) <= TOTAL_MAX)
		if (parts[count++].iov_len < size)
			break;
	return count;
}

static long send_as_one(int fd, struct iovec *parts, unsigned n, const struct net_message *m, uint8_t *one_by_one)
{
	struct net_control header = {sizeof(header) + sizeof(uint16_t), SOL_UDP, UDP_SEGMENT};
	uint16_t size = (uint16_t)parts->iov_len;
	struct net_messages one = {.message = *m};
	uint8_t *control = (uint8_t *)m->control + m->control_len;
	long ret;

	memset(control, 0, SEGMENTS_CONTROL);
	memcpy(control, &header, sizeof(header));
	memcpy(control + sizeof(header), &size, sizeof(size));
	one.message.control_len += SEGMENTS_CONTROL;
	one.message.parts = parts;
	one.message.part_count = n;
	ret = SYS4(__NR_sendmmsg, fd, &one, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* Longer than the packets of the way, or it leads over what cannot part them. */
	*one_by_one |= ret == -EINVAL || ret == -EMSGSIZE || ret == -EIO;
	return ret == 1 ? (long)n : ret;
}

long segments_send(int fd, struct iovec *parts, unsigned n, const struct net_message *m, uint8_t *one_by_one)
{
	unsigned together = *one_by_one ? 1 : alike(parts, n);
	struct net_messages messages[BATCH];

	if (together > 1)
		return send_as_one(fd, parts, together, m, one_by_one);
	if (n > BATCH)
		n = BATCH;
	for (unsigned i = 0; i < n; i++) {
		messages[i].message = *m;
		messages[i].message.parts = &parts[i];
		messages[i].message.part_count = 1;
	}
	return SYS4(__NR_sendmmsg, fd, messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}
