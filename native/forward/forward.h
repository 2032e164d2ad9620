/* forward.h - the port forwarder, another life of the supervisor's binary: `tsrun-forward CONFIG READY [PORT…]`. */
#ifndef TSRUN_FORWARD_H
#define TSRUN_FORWARD_H

#define FORWARD_NAME "tsrun-forward"

/* ARGV[1] and ARGV[2] are descriptors in decimal; the rest is for people who look at `ps`. Its exit status. */
int forward_main(int argc, char **argv);

#endif
