/* The methods that the server offers, and its banner. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

static void list(struct conn *c, const char *user, unsigned length, const char *what)
{
    char *methods = CALLP(c, libssh2_userauth_list(c->session, user, length));
    trace("%s: %s", what,
          methods ? methods : error_name(libssh2_session_last_errno(c->session)));
}

static void ordinary(void)
{
    const char *user = user_name();
    char *huge = make_data(40000, 3), *banner = (char *)"untouched";
    struct conn *c = conn_new();
    conn_handshake(c);
    list(c, user, (unsigned)strlen(user), "the user");
    list(c, user, (unsigned)strlen(user), "asked again");
    list(c, huge, 40000, "a name of 40000 bytes");
    trace_rc(c, libssh2_userauth_banner(c->session, &banner), "userauth_banner");
    trace("banner %s", banner);
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    conn_login(c);
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    conn_close(c);

    c = conn_new();
    conn_handshake(c);
    list(c, "no-such-user-here", 17, "an unknown user"); /* a session is bound to its user */
    conn_close(c);
    free(huge);
}

static void with_banner(void)
{
    static const char text[] = "First line\nsecond line\n";
    const char *user = user_name();
    char config[600], *banner = NULL;
    write_whole(temp_path("banner"), text, sizeof(text) - 1);
    snprintf(config, sizeof(config), "PasswordAuthentication no\nBanner %s", temp_path("banner"));
    server_config(config);

    struct conn *c = conn_new();
    conn_handshake(c);
    list(c, user, (unsigned)strlen(user), "with a banner");
    trace_rc(c, libssh2_userauth_banner(c->session, &banner), "userauth_banner");
    trace_rc(c, libssh2_userauth_banner(c->session, NULL), "userauth_banner without a place");
    ok(banner && strcmp(banner, text) == 0, "the banner is the server's");
    conn_login(c);
    conn_close(c);

    /* The original looks for a banner in userauth_list only. */
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    int rc = libssh2_userauth_banner(c->session, &banner);
    trace_differs(c, rc, LIBSSH2_ERROR_MISSING_USERAUTH_BANNER, 0, "banner met by a login");
    ok(!ours || strcmp(banner, text) == 0, "the banner is the server's");
    conn_close(c);
}

void test(void)
{
    ordinary();
    with_banner();
}
