/*
 * near.h - sockets whose peer is on this machine: there is no wire in between, which others use as well, and no congestion to be found out.
 *
 * So these send as TCP's plainest congestion control lets them (reno), whatever the machine's own is. Where that is bbr, which sends
 * at a pace that it keeps by timers, a stream through the loopback has a third more of it so.
 */
#ifndef TSRUN_FORWARD_NEAR_H
#define TSRUN_FORWARD_NEAR_H

/* Is the peer of FD, which is connected, this machine, by what their addresses say? */
int near_is(int fd);

/* What is sent over FD, or over what it accepts, stays on this machine. */
void near_settle(int fd);

#endif
