/*
 * clients.h - the processes at the supervisor's sockets: the tsrun that started it, and later `attach`, `wait`, `kill`.
 * The frames are those of protocol.h.
 */
#ifndef TSRUN_SUPERVISOR_CLIENTS_H
#define TSRUN_SUPERVISOR_CLIENTS_H

#include "poll.h"

#include "../program.h"
#include "../protocol.h"

#define CLIENTS_CHUNK 65536u /* most bytes that clients_output() takes at once */

/* FIRST and LISTENER may be -1; FLAGS are those of the spec, for the first client. */
void clients_open(int first, int listener, uint32_t flags);

/* 1 when the first client is gone (0 when there never was one). */
int clients_first_gone(void);

/* May output of the stream FLAG (SPEC_ATTACH_STDOUT or _STDERR) be read now, or must it wait for a client? */
int clients_can_take(uint32_t flag);

/* Output for all who want it. Only after clients_can_take(). */
void clients_output(uint32_t flag, const unsigned char *bytes, uint32_t n);

void clients_started(int pid);

/* PROGRAM 0: the container did not start, said to every client. 1: the cleanup failed, said to the first. */
void clients_failed(uint32_t program, struct failure_record failure, const char *words, uint32_t words_len);

/* A health check has ended: those who wait for one are told its exit status. */
void clients_probed(uint32_t status);

/* The first client goes because its user wants to: clients_first_gone() says nothing of it. */
void clients_let_first_go(void);

/* Sends EXIT; from now on no client is accepted: those that come wait at the socket for the next start, or find it closed. */
void clients_exit(uint32_t kind, uint32_t value);

/* The container is to be started again: no client is waited for any more. */
void clients_hurry(void);

/* 1 when everything is delivered, or nobody is left to wait for. */
int clients_delivered(int64_t now);

/* LISTENING: the socket for later clients stays as it is. */
void clients_close(int listening);

void clients_poll(struct poll_set *set);
void clients_ready(struct poll_set *set);
void clients_trim(void);

#endif
