/* outward-udp.h - datagrams from containers on bridges to the outside. */
#ifndef TSRUN_FORWARD_OUTWARD_UDP_H
#define TSRUN_FORWARD_OUTWARD_UDP_H

#include <stdint.h>

/*
 * All three are of the bridges' network namespace: the datagrams wait in QUEUE, by the others, RAW6 or -1, their answers go back. At most DESCRIPTORS
 * may be open. 0 or -errno.
 */
int outward_udp_open(int queue, int raw4, int raw6, uint32_t descriptors);

void outward_udp_queue_ready(int64_t now);
void outward_udp_flow_ready(uint32_t index, uint32_t events, int64_t now);

void outward_udp_trim(void);

#endif
