/*
 * outward.h - the way out for connections of containers on bridges, another life of the hub's binary:
 * `tsrun-outward READY LIFELINE QUEUE LISTENER [DATAGRAMS RAW]`.
 */
#ifndef TSRUN_FORWARD_OUTWARD_H
#define TSRUN_FORWARD_OUTWARD_H

#define OUTWARD_NAME "tsrun-outward"

/* The arguments are descriptors in decimal. Its exit status. */
int outward_main(int argc, char **argv);

#endif
