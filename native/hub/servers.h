/* servers.h - the host's DNS servers, as /etc/resolv.conf has them at the moment: a VPN or another network changes them at any time. */
#ifndef TSRUN_HUB_SERVERS_H
#define TSRUN_HUB_SERVERS_H

#include "names.h"

#define SERVERS_MAX 3u /* MAXNS of the C library */

/* The addresses of the `nameserver` lines of TEXT: how many, at most SERVERS_MAX. */
unsigned servers_parse(const char *text, size_t length, struct address *servers);

/* The host's, read again at most once a second; 127.0.0.1 where there is none (resolv.conf(5)). At least 1. */
unsigned servers_of_host(struct address *servers);

#endif
