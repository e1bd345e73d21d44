/* What libssh2_ext.h declares. The original has none of it, so that it is looked up when the program runs. */
#ifndef CTESTS_EXT_H
#define CTESTS_EXT_H

#include "harness.h"

#include <libssh2_ext.h>

int ext_ready(LIBSSH2_SESSION *session, LIBSSH2_EXT_READY *entries, size_t most, int *directions,
              int *timeout_ms);
void **ext_channel(LIBSSH2_CHANNEL *channel);
void **ext_listener(LIBSSH2_LISTENER *listener);

#endif
