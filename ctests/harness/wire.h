/* A wire between a connection and its server that fails when it is told to. */
#ifndef CTESTS_WIRE_H
#define CTESTS_WIRE_H

#include "harness.h"

struct wire;

enum wire_state {
    WIRE_WORKS = 'w',
    /* Nothing passes any more, in either direction. It may work again: nothing is lost. */
    WIRE_SILENT = 's',
    /* With the next that the client says, or soon if it says nothing: the client's end of the
     * stream, as when the server hangs up, or a reset, as when it has forgotten the connection.
     * Nothing comes from the server before that. */
    WIRE_ENDS = 'e',
    WIRE_RESETS = 'r',
};

/* Leads a connection, to be made before its handshake, over a wire that works or is silent. */
struct wire *wire_new(struct conn *c, enum wire_state state);
/* From now on. */
void wire_set(struct wire *wire, enum wire_state state);
/* Takes it away, with what it carried. */
void wire_free(struct wire *wire);

#endif
