/*
 * members.h - who keeps the hub alive: the connections of starting tsruns and of supervisors, and the processes whose containers
 * were connected to a network while they ran. What they say is answered here.
 */
#ifndef TSRUN_HUB_MEMBERS_H
#define TSRUN_HUB_MEMBERS_H

#include <stdint.h>

/* Takes connections from HUB_FD_LISTEN. 0 or -errno. */
int members_open(void);

/* The uplink is there (0), or could not be started (-errno): answered to every JOIN. */
void members_uplink(int status);

void members_accept(void);
void members_ready(uint32_t number);

/* Is there none any more, and nobody waiting to be one? */
int members_none(void);

#endif
