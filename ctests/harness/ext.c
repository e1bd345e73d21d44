#include "ext.h"

#include <dlfcn.h>

#define LOOKED_UP(name)                                                                            \
    ({                                                                                             \
        static __typeof__(&name) function;                                                         \
        if(!function && !(*(void **)&function = dlsym(RTLD_DEFAULT, #name)))                       \
            bail("the library has no " #name);                                                     \
        function;                                                                                  \
    })

int ext_ready(LIBSSH2_SESSION *session, LIBSSH2_EXT_READY *entries, size_t most, int *directions,
              int *timeout_ms)
{
    return LOOKED_UP(libssh2_ext_session_ready)(session, entries, most, directions, timeout_ms);
}

void **ext_channel(LIBSSH2_CHANNEL *channel)
{
    return LOOKED_UP(libssh2_ext_channel_abstract)(channel);
}

void **ext_listener(LIBSSH2_LISTENER *listener)
{
    return LOOKED_UP(libssh2_ext_listener_abstract)(listener);
}
