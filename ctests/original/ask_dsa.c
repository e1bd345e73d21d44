/* Preloaded into the test with a DSA key: asks for ssh-dss, which our library uses on request alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libssh2.h>

LIBSSH2_SESSION *libssh2_session_init_ex(LIBSSH2_ALLOC_FUNC((*my_alloc)), LIBSSH2_FREE_FUNC((*my_free)),
                                         LIBSSH2_REALLOC_FUNC((*my_realloc)), void *abstract)
{
    LIBSSH2_SESSION *(*next)(void *, void *, void *, void *) =
        (LIBSSH2_SESSION * (*)(void *, void *, void *, void *)) dlsym(RTLD_NEXT, "libssh2_session_init_ex");
    LIBSSH2_SESSION *session = next(my_alloc, my_free, my_realloc, abstract);
    libssh2_session_method_pref(session, LIBSSH2_METHOD_SIGN_ALGO, "ssh-dss");
    return session;
}
