/* How often a connection waits for its server. A turn is that bytes are sent and then bytes are
 * received, not sooner than server_delay() lets an answer come. */
#ifndef CTESTS_TURNS_H
#define CTESTS_TURNS_H

#include "harness.h"

/* From now on those of this connection are counted. */
void turns_count(struct conn *c);
/* How many `step` has taken, which are all since the last one. */
int turns_taken(const char *step);

#endif
