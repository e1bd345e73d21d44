/* The library that is loaded and the header that was included are of one version. */
#include <libssh2.h>

#include "check.h"

int main(void)
{
    check_text("libssh2_version(0)", libssh2_version(0), LIBSSH2_VERSION);
    check_text("libssh2_version of the header", libssh2_version(LIBSSH2_VERSION_NUM),
               LIBSSH2_VERSION);
    check_number("libssh2_version of a later one", libssh2_version(LIBSSH2_VERSION_NUM + 1) == NULL,
                 1);
    check_number("LIBSSH2_VERSION_NUM", LIBSSH2_VERSION_NUM,
                 LIBSSH2_VERSION_MAJOR * 0x10000L + LIBSSH2_VERSION_MINOR * 0x100L +
                     LIBSSH2_VERSION_PATCH);
    check_number("libssh2_crypto_engine", libssh2_crypto_engine(), libssh2_openssl);
    check_number("libssh2_build_options names libssh2-rs",
                 strstr(libssh2_build_options(), " libssh2-rs:") != NULL, 1);
    check_number("libssh2_init", libssh2_init(0), 0);
    libssh2_exit();
    libssh2_exit();
    return checked();
}
