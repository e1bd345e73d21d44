/* Logging in by password: accepted, refused, and changed because the server wants another one. */
#include "testd.h"

#include <stdlib.h>

static int changes;
static const char *new_password;

/* The new password comes from the session's allocator, which here is malloc. */
static LIBSSH2_PASSWD_CHANGEREQ_FUNC(on_change)
{
    (void)session, (void)abstract;
    changes++;
    if(new_password) {
        *newpw = strdup(new_password);
        *newpw_len = (int)strlen(new_password);
    }
}

static int log_in(struct conn *c, const char *password, bool with_callback)
{
    changes = 0;
    return CALL(c, libssh2_userauth_password_ex(c->session, TESTD_USER, strlen(TESTD_USER), password,
                                                (unsigned)strlen(password),
                                                with_callback ? on_change : NULL));
}

static void is_in(struct conn *c, bool in)
{
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    is_number(libssh2_userauth_authenticated(c->session), in, in ? "is in" : "is not in");
}

static void accepted(void)
{
    struct conn *c = testd("--banner Hello");
    conn_handshake(c);
    is_in(c, false);
    trace_rc(c, log_in(c, TESTD_PASSWORD, true), "the right password");
    is_number(changes, 0, "nobody asked for another one");
    is_in(c, true);
    char *banner = NULL;
    int rc = libssh2_userauth_banner(c->session, &banner);
    trace("banner: the original keeps only that of userauth_list");
    ok(!ours || (rc == 0 && strcmp(banner, "Hello") == 0), "the banner was kept");
    conn_close(c);
}

static void refused(void)
{
    struct conn *c = testd(" ");
    conn_handshake(c);
    int rc = log_in(c, "wrong", true);
    trace_rc(c, rc, "a wrong password");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "a wrong password");
    ok(has_words(c, rc), "it says: %s", last_words(c));
    is_in(c, false);
    trace_rc(c, log_in(c, "", true), "an empty password");
    is_number(changes, 0, "nobody asked for another one");
    trace_rc(c, log_in(c, TESTD_PASSWORD, true), "the right password after that");
    is_in(c, true);
    conn_close(c);
}

static void changed(int times)
{
    struct conn *c = testd("--change %d --new-password better", times);
    conn_handshake(c);
    new_password = "better";
    int rc = log_in(c, TESTD_PASSWORD, true);
    trace_rc(c, rc, "an expired password, asked %d times", times);
    is_number(rc, 0, "with the new password");
    is_number(changes, times, "the callback was asked as often as the server asked");
    is_in(c, true);
    conn_close(c);
}

static void change_refused(void)
{
    struct conn *c = testd("--change 1 --new-password better");
    conn_handshake(c);
    new_password = "worse";
    int rc = log_in(c, TESTD_PASSWORD, true);
    trace_rc(c, rc, "a new password that the server does not like");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "the change is refused");
    is_in(c, false);
    conn_close(c);
}

static void expired(void)
{
    /* The original's manual promises PASSWORD_EXPIRED, its code gives AUTHENTICATION_FAILED. */
    struct conn *c = testd("--change 1");
    conn_handshake(c);
    int rc = log_in(c, TESTD_PASSWORD, false);
    trace_differs(c, rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PASSWORD_EXPIRED,
                  "an expired password without a callback");
    ok(has_words(c, rc) || !ours, "it says: %s", last_words(c));
    is_in(c, false);
    conn_close(c);

    c = testd("--change 1");
    conn_handshake(c);
    new_password = NULL;
    rc = log_in(c, TESTD_PASSWORD, true);
    trace_rc(c, rc, "an expired password and a callback that gives none");
    is_number(rc, LIBSSH2_ERROR_PASSWORD_EXPIRED, "a callback that gives none");
    is_number(changes, 1, "the callback was asked");
    is_in(c, false);
    conn_close(c);
}

void test(void)
{
    accepted();
    refused();
    changed(1);
    changed(2);
    change_refused();
    expired();
}
