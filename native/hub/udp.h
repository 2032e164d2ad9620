/* udp.h - DNS over UDP: questions of containers, and those of them that a server of the host's is asked. */
#ifndef TSRUN_HUB_UDP_H
#define TSRUN_HUB_UDP_H

#include <stdint.h>

/* Serves HUB_FD_UDP: bound to port 53 in the bridges' namespace, IP_PKTINFO or IPV6_RECVPKTINFO on. 0 or -errno. */
int udp_open(void);

void udp_ready(void);
void udp_answered(uint32_t number);

/* Asks the next server where one takes too long; when to come back, -1 = never. */
int64_t udp_tick(void);

#endif
