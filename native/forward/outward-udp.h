/* outward-udp.h - datagrams of IPv6 from containers on bridges to the outside. */
#ifndef TSRUN_FORWARD_OUTWARD_UDP_H
#define TSRUN_FORWARD_OUTWARD_UDP_H

#include "queue.h"

/*
 * QUEUE and RAW are of the bridges' network namespace: the datagrams wait in one, by the other their answers go back. At most DESCRIPTORS may be
 * open. 0 or -errno.
 */
int outward_udp_open(int queue, int raw, uint32_t descriptors);

void outward_udp_queue_ready(int64_t now);
void outward_udp_flow_ready(uint32_t index, int64_t now);

void outward_udp_trim(void);

#endif
