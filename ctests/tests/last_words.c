/* What the server says for a reason reaches last_error, and the number stays what it was. */
#include "testd.h"

/* The last error is `code`, and on ours its text has `words`. */
static void says(struct conn *c, const char *what, int code, const char *words)
{
    int number = libssh2_session_last_errno(c->session);
    is_number(number, code, what);
    trace("%s: %s", what, error_name(number));
    ok(!ours || strstr(last_words(c), words), "it says: %s", last_words(c));
    conn_drop(c);
}

enum {
    GONE = LIBSSH2_ERROR_SOCKET_DISCONNECT,
    KEX = LIBSSH2_ERROR_KEX_FAILURE,
    EXCHANGE = LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE,
    REFUSED = LIBSSH2_ERROR_CHANNEL_FAILURE,
    DENIED = LIBSSH2_ERROR_AUTHENTICATION_FAILED,
    UNVERIFIED = LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
};

#define ENOUGH "the server has had enough (reason 11)"

/* --- DISCONNECT --- */

static void disconnects(void)
{
    LIBSSH2_SFTP_ATTRIBUTES about;
    struct conn *c = testd("--fault disconnect@kexinit");
    ok(CALL(c, libssh2_session_handshake(c->session, c->fd)) < 0, "no handshake");
    says(c, "DISCONNECT instead of KEXINIT", KEX, ENOUGH);

    c = testd("--fault disconnect@kex-reply");
    ok(CALL(c, libssh2_session_handshake(c->session, c->fd)) < 0, "no handshake");
    says(c, "DISCONNECT in the key exchange", EXCHANGE, ENOUGH);

    c = testd("--fault disconnect@auth");
    conn_handshake(c);
    ok(CALL(c, libssh2_userauth_password(c->session, TESTD_USER, "x")) < 0, "no login");
    says(c, "DISCONNECT in the login", GONE, ENOUGH);

    c = testd("--fault disconnect@open");
    conn_handshake(c);
    testd_login(c);
    ok(!CALLP(c, libssh2_channel_open_session(c->session)), "no channel");
    says(c, "DISCONNECT instead of a channel", GONE, ENOUGH);

    c = testd("--fault disconnect@reply");
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    ok(CALL(c, libssh2_sftp_stat(c->sftp, "/", &about)) < 0, "no stat");
    says(c, "DISCONNECT in SFTP", GONE, ENOUGH);

    c = testd("--fault disconnect-short@reply");
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    ok(CALL(c, libssh2_sftp_stat(c->sftp, "/", &about)) < 0, "no stat");
    says(c, "DISCONNECT without a text", GONE, "reason 11");
}

/* --- CHANNEL_OPEN_FAILURE --- */

static void channels(void)
{
    static const char *const reasons[] = { "prohibited", "connect failed", "unknown channel type",
                                           "resource shortage" };
    for(int i = 0; i < 4; i++) {
        struct conn *c = testd("--fault open-refused-%d", i + 1);
        conn_handshake(c);
        testd_login(c);
        ok(!CALLP(c, libssh2_channel_open_session(c->session)), "no channel");
        ok(!ours || strstr(last_words(c), reasons[i]), "why: %s", last_words(c));
        says(c, reasons[i], REFUSED, "the server's reason");
    }
    struct conn *c = testd(" ");
    conn_handshake(c);
    testd_login(c);
    ok(!CALLP(c, libssh2_channel_direct_tcpip(c->session, "127.0.0.1", 9)), "no forwarding");
    says(c, "direct-tcpip", REFUSED, "the server's reason");
    c = testd("--fault open-refused-4");
    conn_handshake(c);
    testd_login(c);
    ok(!CALLP(c, libssh2_scp_send64(c->session, "file", 0644, 1, 0, 0)), "no SCP");
    says(c, "SCP", REFUSED, "the server's reason");
}

/* --- USERAUTH_FAILURE --- */

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    (void)name, (void)name_len, (void)instruction, (void)instruction_len;
    (void)num_prompts, (void)prompts, (void)responses, (void)abstract;
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    (void)session, (void)sig, (void)sig_len, (void)data, (void)data_len, (void)abstract;
    return -1;
}

static int by_key(struct conn *c)
{
    return libssh2_userauth_publickey_fromfile(c->session, TESTD_USER,
                                               key_path("user_ed25519.pub"),
                                               key_path("user_ed25519.openssh"), NULL);
}

static struct conn *meet(const char *arguments)
{
    struct conn *c = testd("%s", arguments);
    conn_handshake(c);
    return c;
}

static void logins(void)
{
    static const unsigned char key[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20"
                                       "0123456789abcdef0123456789abcdef";
    struct conn *c = meet(" ");
    ok(CALL(c, libssh2_userauth_password(c->session, TESTD_USER, "wrong")) != 0, "no password");
    says(c, "password", DENIED, "publickey,password");

    c = meet("--ask Name=x");
    ok(CALL(c, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, respond)) != 0,
       "no answer");
    says(c, "keyboard-interactive", DENIED, "keyboard-interactive");

    c = meet(" ");
    ok(CALL(c, by_key(c)) != 0, "no key");
    says(c, "publickey", DENIED, "publickey,password");

    c = meet(" ");
    ok(CALL(c, libssh2_userauth_publickey(c->session, TESTD_USER, key, sizeof(key) - 1, sign,
                                          NULL)) != 0,
       "no key of the program");
    says(c, "publickey by a function", DENIED, "publickey,password");

    c = meet(" ");
    ok(CALL(c, libssh2_userauth_hostbased_fromfile(c->session, TESTD_USER,
                                                   key_path("user_ecdsa256.pub"),
                                                   key_path("user_ecdsa256.openssh"), NULL,
                                                   "host")) != 0,
       "no host");
    says(c, "hostbased", UNVERIFIED, "publickey,password");

    /* The first of two is right, and what is left is the second. */
    c = meet("--public-keys --require publickey,password");
    ok(CALL(c, by_key(c)) != 0, "one method is not enough");
    ok(!ours || strstr(last_words(c), "wants more"), "what it was: %s", last_words(c));
    says(c, "partial success", UNVERIFIED, "offers: password");
}

void test(void)
{
    disconnects();
    channels();
    logins();
}
