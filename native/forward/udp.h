/* udp.h - datagrams: each client has a flow, with a socket of its own inside. */
#ifndef TSRUN_FORWARD_UDP_H
#define TSRUN_FORWARD_UDP_H

#include "config.h"

/* CONFIG stays. At most DESCRIPTORS may be open. 0 or -errno. */
int udp_open(const struct forward_config *config, uint32_t descriptors);

/* Begins to take datagrams at port INDEX of the config. 0 or -errno. */
int udp_listen(uint32_t index);

void udp_listener_ready(uint32_t index, int64_t now);
void udp_flow_ready(uint32_t index, int64_t now);

void udp_trim(void);

#endif
