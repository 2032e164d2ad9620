/* segments.h - datagrams that are sent in one call, and where that can be as one, which the kernel parts again (UDP_SEGMENT, udp(7)). */
#ifndef TSRUN_FORWARD_SEGMENTS_H
#define TSRUN_FORWARD_SEGMENTS_H

#include "net.h"

/* struct cmsghdr of UDP_SEGMENT, padded. */
#define SEGMENTS_CONTROL 24u

/*
 * Sends the first of the N datagrams in PARTS by FD, all by the name and control message of M, whose parts are of no meaning; its control has room for
 * SEGMENTS_CONTROL bytes more. How many went, or -errno. ONE_BY_ONE is set when they cannot be sent as one where they go, and not looked for again:
 * then none went, and it is to be called anew.
 */
long segments_send(int fd, struct iovec *parts, unsigned n, const struct net_message *m, uint8_t *one_by_one);

#endif
