/* Password authentication, as far as it goes without knowing anybody's password. */
#include "harness.h"

#include <stdlib.h>

static int changes;

static LIBSSH2_PASSWD_CHANGEREQ_FUNC(on_change)
{
    (void)session, (void)newpw, (void)newpw_len, (void)abstract;
    changes++;
}

static int try(struct conn *c, const char *user, const char *password, size_t length)
{
    return CALL(c, libssh2_userauth_password_ex(c->session, user, (unsigned)strlen(user), password,
                                                (unsigned)length, on_change));
}

static void refused(void)
{
    char *huge = malloc(40000);
    memset(huge, 'x', 40000);
    struct conn *c = conn_new();
    conn_handshake(c);
    int rc = try(c, user_name(), "not the password", 16);
    trace_rc(c, rc, "wrong password");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "a wrong password is refused");
    trace_rc(c, try(c, user_name(), "", 0), "empty password");
    trace_rc(c, try(c, user_name(), huge, 1000), "password of 1000 bytes");
    trace_rc(c, try(c, user_name(), huge, 40000), "password of 40000 bytes");
    trace_rc(c, CALL(c, libssh2_userauth_password_ex(c->session, huge, 40000, "x", 1, NULL)),
             "user name of 40000 bytes");
    rc = CALL(c, libssh2_userauth_password(c->session, user_name(), "wrong again"));
    trace_rc(c, rc, "wrong password by the macro");
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    is_number(changes, 0, "nobody asked for a new password");
    conn_login(c);
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    conn_close(c);
    free(huge);
}

static void unknown_user(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    int rc = try(c, "no-such-user-here", "password", 8);
    trace_rc(c, rc, "unknown user");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "an unknown user is refused");
    conn_close(c);
}

static void method_is_off(void)
{
    server_config("PasswordAuthentication no");
    struct conn *c = conn_new();
    conn_handshake(c);
    trace_rc(c, try(c, user_name(), "password", 8), "the server takes no passwords");
    conn_login(c);
    conn_close(c);
}

void test(void)
{
    refused();
    unknown_user();
    method_is_off();
}
