/* What libssh2_ext.h has: numbers, layout, and what its functions make of NULL. */
#include <libssh2_ext.h>

#include <stddef.h>

#include "check.h"

int main(void)
{
    int directions = 77, timeout = 77;
    LIBSSH2_EXT_READY entry;
    LIBSSH2_SESSION *session;

    check_number("LIBSSH2_EXT_READ", LIBSSH2_EXT_READ, 0x0001);
    check_number("LIBSSH2_EXT_READ_EXTENDED", LIBSSH2_EXT_READ_EXTENDED, 0x0002);
    check_number("LIBSSH2_EXT_WRITE", LIBSSH2_EXT_WRITE, 0x0004);
    check_number("LIBSSH2_EXT_EOF", LIBSSH2_EXT_EOF, 0x0008);
    check_number("LIBSSH2_EXT_CLOSED", LIBSSH2_EXT_CLOSED, 0x0010);
    check_number("LIBSSH2_EXT_EXIT", LIBSSH2_EXT_EXIT, 0x0020);
    check_number("LIBSSH2_EXT_ACCEPT", LIBSSH2_EXT_ACCEPT, 0x0040);
    check_number("LIBSSH2_EXT_AGAIN", LIBSSH2_EXT_AGAIN, 0x0080);
    check_number("LIBSSH2_EXT_ENDED", LIBSSH2_EXT_ENDED, 0x0100);
    check_number("listener stands behind channel",
                 (long)offsetof(LIBSSH2_EXT_READY, listener), (long)sizeof(void *));
    check_number("events stands behind listener", (long)offsetof(LIBSSH2_EXT_READY, events),
                 2 * (long)sizeof(void *));

    check_number("no session", libssh2_ext_session_ready(NULL, &entry, 1, NULL, NULL),
                 LIBSSH2_ERROR_BAD_USE);
    check_number("no channel", libssh2_ext_channel_abstract(NULL) == NULL, 1);
    check_number("no listener", libssh2_ext_listener_abstract(NULL) == NULL, 1);
    libssh2_init(0);
    session = libssh2_session_init();
    check_number("no connection",
                 libssh2_ext_session_ready(session, &entry, 1, &directions, &timeout),
                 LIBSSH2_ERROR_BAD_USE);
    check_number("directions are left alone", directions, 77);
    check_number("so is the time", timeout, 77);
    check_number("no entries", libssh2_ext_session_ready(session, NULL, 1, NULL, NULL),
                 LIBSSH2_ERROR_BAD_USE);
    libssh2_session_free(session);
    libssh2_exit();
    return checked();
}
