/*
 * tcp.h - published ports of TCP: connections are taken at the host's side and made again inside the container.
 */
#ifndef TSRUN_FORWARD_TCP_H
#define TSRUN_FORWARD_TCP_H

#include "config.h"

#include <stdint.h>

/* CONFIG stays. At most DESCRIPTORS may be open. 0 or -errno. */
int tcp_open(const struct forward_config *config, uint32_t descriptors);

/* Begins to listen at port INDEX of the config. 0 or -errno. */
int tcp_listen(uint32_t index);

void tcp_accept(uint32_t index);
void tcp_end_ready(uint32_t index, unsigned side, uint32_t events);

/* After each round of events. */
void tcp_round(void);

/* Nothing has come for a moment: to be called before the forwarder sleeps. */
void tcp_before_sleep(void);

/* When tcp_round() must be called again, in ms of CLOCK_MONOTONIC; -1: after the next event. */
int64_t tcp_deadline(int64_t now);

/* From now on nothing is taken, and what the container has closed is closed once its last bytes are passed on. */
void tcp_drain(void);

#endif
