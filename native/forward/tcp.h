/*
 * tcp.h - connections: taken at the host's side, made again inside the container, and the bytes of both directions passed on.
 */
#ifndef TSRUN_FORWARD_TCP_H
#define TSRUN_FORWARD_TCP_H

#include "config.h"

#include <linux/eventpoll.h>

/* CONFIG stays. At most DESCRIPTORS may be open. 0 or -errno. */
int tcp_open(const struct forward_config *config, uint32_t descriptors);

/* Begins to listen at port INDEX of the config. 0 or -errno. */
int tcp_listen(uint32_t index);

void tcp_accept(uint32_t index);
void tcp_end_ready(uint32_t index, unsigned side, uint32_t events);

/* After each round of events: goes on with connections that had more than their turn, and buries the closed. */
void tcp_round(void);

/* When tcp_round() must be called again, in ms of CLOCK_MONOTONIC; -1: after the next event. */
int64_t tcp_deadline(int64_t now);

/* From now on nothing is taken, and what the container has closed is closed once its last bytes are passed on. */
void tcp_drain(void);

uint32_t tcp_count(void);

/* Gives memory back, if there is no connection. */
void tcp_trim(void);

#endif
