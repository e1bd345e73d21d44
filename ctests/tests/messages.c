/* What the server says beside the point reaches the program's functions, in time and whole, and
 * from there the session can be called. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>

static struct conn *c;
static int mark; /* what session_abstract leads to */
static int ignores, debugs, disconnects, mac_errors;

/* What every function may do and must find. */
static void look_around(LIBSSH2_SESSION *session, void **abstract)
{
    ok(session == c->session, "the session is the session");
    ok(abstract == libssh2_session_abstract(session) && *abstract == &mark,
       "abstract is where session_abstract says");
    (void)libssh2_session_last_errno(session);
    (void)libssh2_session_block_directions(session);
    ok(libssh2_session_get_blocking(session) == !nonblocking, "get_blocking from within");
    ok(libssh2_session_methods(session, LIBSSH2_METHOD_KEX) != NULL, "methods from within");
    ok(libssh2_session_hostkey(session, NULL, NULL) != NULL, "hostkey from within");
    if(ours)
        is_number(libssh2_session_free(session), LIBSSH2_ERROR_BAD_USE,
                  "a session is not freed from within its own function");
}

static LIBSSH2_IGNORE_FUNC(on_ignore)
{
    trace("ignore: %d bytes", message_len);
    ok(!message == !message_len, "bytes where there is a length");
    ignores++;
    look_around(session, abstract);
}

static LIBSSH2_DEBUG_FUNC(on_debug)
{
    trace("debug: display %d, \"%.*s\", language \"%.*s\"", always_display, message_len,
          message ? message : "", language_len, language ? language : "");
    debugs++;
    look_around(session, abstract);
}

static LIBSSH2_DISCONNECT_FUNC(on_disconnect)
{
    trace("disconnect: reason %d, \"%.*s\", language \"%.*s\"", reason, message_len,
          message ? message : "", language_len, language ? language : "");
    disconnects++;
    look_around(session, abstract);
}

static LIBSSH2_MACERROR_FUNC(on_mac_error)
{
    ok(packet && packet_len > 0, "a packet of %d bytes", packet_len);
    mac_errors++;
    look_around(session, abstract);
    return -1;
}

/* Up to the login, with `fault` in an answer to the request after it. Returns what that gives. */
static int meet(const char *arguments)
{
    char path[512];
    diag("%s", arguments);
    ignores = debugs = disconnects = mac_errors = 0;
    c = testd("%s", arguments);
    *libssh2_session_abstract(c->session) = &mark;
    ok(!libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_IGNORE,
                                      (libssh2_cb_generic *)on_ignore) &&
           !libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_DEBUG,
                                          (libssh2_cb_generic *)on_debug) &&
           !libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_DISCONNECT,
                                          (libssh2_cb_generic *)on_disconnect) &&
           !libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_MACERROR,
                                          (libssh2_cb_generic *)on_mac_error),
       "there were no functions before");
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    int rc = CALL(c, libssh2_sftp_realpath(c->sftp, "/", path, sizeof(path)));
    trace("realpath = %s", rc > 0 ? "path" : error_name(rc));
    trace("heard: %d %d %d %d", ignores, debugs, disconnects, mac_errors);
    return rc;
}

void test(void)
{
    ok(meet("--fault ignore@reply") > 0, "after an IGNORE all goes on");
    is_number(ignores, 1, "one IGNORE");
    ok(libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_IGNORE, NULL) ==
           (libssh2_cb_generic *)on_ignore, "the function set before comes back");
    conn_drop(c);

    ok(meet("--fault debug@reply") > 0, "after a DEBUG all goes on");
    is_number(debugs, 1, "one DEBUG");
    conn_drop(c);

    is_number(meet("--fault disconnect@reply"), LIBSSH2_ERROR_SOCKET_DISCONNECT,
              "a DISCONNECT ends the call");
    is_number(disconnects, 1, "one DISCONNECT, heard before the call returned");
    conn_drop(c);

    meet("--fault flip@reply --cipher aes128-ctr --mac hmac-sha2-256-etm@openssh.com");
    is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_INVALID_MAC, "a wrong MAC");
    is_number(mac_errors, 1, "one wrong MAC");
    conn_drop(c);

    meet("--fault flip@reply --cipher aes256-gcm@openssh.com");
    is_number(mac_errors, 0, "ciphers that authenticate by themselves do not ask");
    conn_drop(c);
}
