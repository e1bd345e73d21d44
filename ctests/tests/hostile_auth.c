/* Wrong answers to login requests. */
#include "meeting.h"

static void passwords(void)
{
    static const struct meeting meetings[] = {
        { "--banner Hello", DONE, 0, SAME },
        /* The original takes no packet of more than 40000 bytes. */
        { "--fault auth-banner-long", DONE, 0, OURS },
        { "--user somebody", LOGIN, DENIED, SAME },
        { "--fault auth-partial --user somebody", LOGIN, DENIED, SAME },
        { "--fault disconnect@auth --user somebody", LOGIN, GONE, SAME },
        { "--fault truncate@auth", LOGIN, RECV, SAME },
        /* The original does not read what follows the number of the message. */
        { "--fault auth-failure-short", LOGIN, PROTO, OURS },
        { "--fault cut@auth --user somebody", LOGIN, PROTO, OURS },
        { "--fault cut@auth --keep 5 --user somebody", LOGIN, PROTO, OURS },
        /* The original waits for a message that is one of those that it knows. */
        { "--fault auth-wrong-number", LOGIN, PROTO, OURS },
        { "--fault auth-request", LOGIN, PROTO, OURS },
        { "--fault auth-banners", LOGIN, TIMEOUT, OURS },
    };
    MEET(meetings);
}

/* A SUCCESS before anybody asks ends the connection, or answers the request that has just left:
 * then the answer to that is one too many. */
static void unasked(void)
{
    if(!ours) {
        skip("the original keeps the second SUCCESS for a request to come");
        return;
    }
    struct conn *c = testd("--fault auth-unasked");
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    if(rc == 0)
        rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD));
    if(rc == 0 && !CALLP(c, libssh2_sftp_init(c->session)))
        rc = libssh2_session_last_errno(c->session);
    is_number(rc, PROTO, "SUCCESS before any request");
    ok(has_words(c, PROTO), "it says: %s", last_words(c));
    conn_drop(c);
}

/* userauth_list against `arguments`: the list, or NULL with `code`. */
static void list(const char *arguments, const char *want, int code, bool in, enum whose whose)
{
    if(whose == OURS && !ours) {
        skip(arguments);
        return;
    }
    struct conn *c = testd("%s", arguments);
    conn_handshake(c);
    const char *names =
        CALLP(c, libssh2_userauth_list(c->session, TESTD_USER, sizeof(TESTD_USER) - 1));
    ok(want ? names && strcmp(names, want) == 0 : !names, "the list with %s: %s", arguments,
       names ? names : "none");
    if(code) {
        is_number(libssh2_session_last_errno(c->session), code, "last_errno");
        ok(has_words(c, code), "it says: %s", last_words(c));
    }
    is_number(libssh2_userauth_authenticated(c->session), in, "authenticated");
    if(whose == SAME)
        trace("list with %s: %s, in %d", arguments, names ? names : "none",
              libssh2_userauth_authenticated(c->session));
    conn_drop(c);
}

static void lists(void)
{
    list(" ", "publickey,password", 0, false, SAME);
    list("--none", NULL, 0, true, SAME);
    list("--fault cut@auth --keep 1", NULL, PROTO, false, SAME);
    list("--fault cut@auth --keep 4", NULL, PROTO, false, SAME);
    list("--fault close@auth", NULL, RECV, false, SAME);
    /* The original gives two codes for lists that are too short. */
    list("--fault auth-failure-short", NULL, PROTO, false, OURS);
    list("--fault auth-banner-long", "publickey,password", 0, false, OURS);
}

/* A login with a key: the server answers the probe, then the signature. */
static void key(const char *arguments, int want, enum whose whose)
{
    if(whose == OURS && !ours) {
        skip(arguments);
        return;
    }
    struct conn *c = testd("%s", arguments);
    conn_handshake(c);
    int rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, TESTD_USER, NULL,
                                                         key_path("user_ed25519.openssh"), NULL));
    if(whose == SAME)
        trace_rc(c, rc, "a key with %s", arguments);
    is_number(rc, want, arguments);
    ok(rc == 0 || has_words(c, rc), "it says: %s", last_words(c));
    is_number(libssh2_userauth_authenticated(c->session), rc == 0, "authenticated");
    conn_drop(c);
}

static void keys(void)
{
    key("--public-keys", 0, SAME);
    key("--public-keys --banner Hello", 0, SAME);
    key("--none", 0, SAME);
    key(" ", DENIED, SAME);
    /* To the original whatever comes is a key that is not taken. */
    key("--public-keys --fault close@auth", RECV, OURS);
    key("--public-keys --fault disconnect@auth", GONE, OURS);
    key("--public-keys --fault auth-failure-short", PROTO, OURS);
    key("--public-keys --fault auth-wrong-number", PROTO, OURS);
    key("--public-keys --fault auth-request", PROTO, OURS);
}

void test(void)
{
    watchdog(120);
    passwords();
    unasked();
    lists();
    keys();
}
