/* tcp.h - DNS over TCP (RFC 7766), for answers that are too long for UDP: one question per connection, two bytes of length before each message. */
#ifndef TSRUN_HUB_TCP_H
#define TSRUN_HUB_TCP_H

#include <stdint.h>

/* Serves HUB_FD_TCP: listens on port 53 in the bridges' namespace. 0 or -errno. */
int tcp_open(void);

void tcp_accept(void);
void tcp_client(uint32_t number);
void tcp_server(uint32_t number);

/* Ends conversations that take too long; when to come back, -1 = never. */
int64_t tcp_tick(void);

#endif
