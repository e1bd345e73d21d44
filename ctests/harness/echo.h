/* A server on loopback that says again what it hears. */
#ifndef CTESTS_ECHO_H
#define CTESTS_ECHO_H

#include "harness.h"

/* Starts one process that echoes all connections, several hundred at a time; stores its port. */
pid_t echo_all(int *port);
/* A TCP connection to a port of loopback, or -1. Reading from it waits for 20 s at most. */
int connect_to(int port);

#endif
