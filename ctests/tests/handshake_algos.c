/* Each algorithm, chosen through method_pref, carries a login and an SFTP request. */
#include "harness.h"

#include <stdlib.h>

static const char *const kinds[] = { "kex",    "host key", "cipher out", "cipher in",
                                     "mac out", "mac in",   "comp out",   "comp in" };

static void trace_methods(struct conn *c, int kind)
{
    const char *name = libssh2_session_methods(c->session, kind);
    trace("%s %s", kinds[kind], name ? name : "NULL");
}

static void prefer(struct conn *c, int kind, const char *names)
{
    trace_rc(c, libssh2_session_method_pref(c->session, kind, names), "prefer %s", names);
}

/* Handshake as preferred, login, and one request there and back. */
static void works(struct conn *c, const char *what)
{
    char path[512] = "";
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    int rc = CALL(c, libssh2_sftp_realpath(c->sftp, "/usr/..", path, sizeof(path)));
    trace_sftp(c, rc, "realpath \"%s\"", path);
    is_number(rc, 1, what);
}

static void pairs(const char *const *names, size_t count, int out, int in)
{
    for(size_t i = 0; i < count; i++) {
        struct conn *c = conn_new();
        if(out == LIBSSH2_METHOD_MAC_CS) { /* which a cipher with a MAC of its own would hide */
            prefer(c, LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr");
            prefer(c, LIBSSH2_METHOD_CRYPT_SC, "aes256-ctr");
        }
        prefer(c, out, names[i]);
        prefer(c, in, names[(i + 1) % count]); /* the directions are independent */
        works(c, names[i]);
        trace_methods(c, out);
        trace_methods(c, in);
        if(strstr(names[i], "gcm"))
            trace_methods(c, LIBSSH2_METHOD_MAC_CS);
        conn_drop(c);
    }
}

static void singles(const char *const *names, size_t count, int kind)
{
    for(size_t i = 0; i < count; i++) {
        struct conn *c = conn_new();
        prefer(c, kind, names[i]);
        works(c, names[i]);
        trace_methods(c, kind);
        conn_drop(c);
    }
}

static void preferences(void)
{
    struct conn *c = conn_new();
    prefer(c, LIBSSH2_METHOD_CRYPT_CS, "no-such-cipher,aes128-ctr,another@example.com");
    prefer(c, LIBSSH2_METHOD_CRYPT_CS, "no-such-cipher");
    prefer(c, LIBSSH2_METHOD_CRYPT_CS, "");
    prefer(c, LIBSSH2_METHOD_LANG_CS, "de");
    prefer(c, LIBSSH2_METHOD_LANG_CS, "");
    prefer(c, LIBSSH2_METHOD_SIGN_ALGO, "rsa-sha2-256");
    prefer(c, LIBSSH2_METHOD_COMP_CS, "none");
    prefer(c, 99, "aes128-ctr");
    trace_rc(c, libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX, NULL), "prefer NULL");
    /* A wish list as programs have it: what is not known any more is passed over. */
    prefer(c, LIBSSH2_METHOD_HOSTKEY, "ssh-dss-cert-v01@openssh.com,rsa-sha2-256,ssh-ed25519");
    works(c, "handshake after a wish list");
    trace_methods(c, LIBSSH2_METHOD_CRYPT_CS);
    trace_methods(c, LIBSSH2_METHOD_HOSTKEY);
    trace_methods(c, LIBSSH2_METHOD_COMP_CS);
    trace("lang \"%s\"", libssh2_session_methods(c->session, LIBSSH2_METHOD_LANG_CS));
    trace("sign algo %s", libssh2_session_methods(c->session, LIBSSH2_METHOD_SIGN_ALGO)
                              ? "some"
                              : error_name(libssh2_session_last_errno(c->session)));
    conn_close(c);
}

static void supported(void)
{
    struct conn *c = conn_new();
    for(int kind = LIBSSH2_METHOD_KEX; kind <= LIBSSH2_METHOD_COMP_SC; kind++) {
        const char **names = NULL;
        int count = libssh2_session_supported_algs(c->session, kind, &names);
        ok(count > 0 && names && names[0] && names[count - 1], "%s: %d names", kinds[kind], count);
        libssh2_free(c->session, (void *)names);
    }
    const char **names = NULL;
    trace_rc(c, libssh2_session_supported_algs(c->session, LIBSSH2_METHOD_KEX, NULL),
             "supported_algs without a place");
    trace_rc(c, libssh2_session_supported_algs(c->session, LIBSSH2_METHOD_LANG_SC, &names),
             "supported_algs LANG");
    trace_rc(c, libssh2_session_supported_algs(c->session, LIBSSH2_METHOD_SIGN_ALGO, &names),
             "supported_algs SIGN_ALGO");
    trace_rc(c, libssh2_session_supported_algs(c->session, 77, &names), "supported_algs 77");
    conn_drop(c);
}

/* Nothing in common with the server, one kind at a time. */
static void nothing_in_common(void)
{
    static const struct {
        const char *server;
        int kind;
        const char *names;
    } cases[] = {
        { "KexAlgorithms ecdh-sha2-nistp521", LIBSSH2_METHOD_KEX, "ecdh-sha2-nistp256" },
        { "HostKeyAlgorithms ssh-ed25519", LIBSSH2_METHOD_HOSTKEY, "ecdsa-sha2-nistp256" },
        { "Ciphers aes256-ctr", LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr" },
        { "MACs hmac-sha2-512\nCiphers aes256-ctr", LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256" },
    };
    for(size_t i = 0; i < COUNT(cases); i++) {
        server_config(cases[i].server);
        struct conn *c = conn_new();
        prefer(c, cases[i].kind, cases[i].names);
        int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
        trace_rc(c, rc, "handshake without common %s", kinds[cases[i].kind]);
        ok(rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE,
           "no common %s", kinds[cases[i].kind]);
        conn_drop(c);
    }
    server_config(NULL);
}

void test(void)
{
    static const char *const kex[] = { "curve25519-sha256", "curve25519-sha256@libssh.org",
                                       "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
                                       "ecdh-sha2-nistp521" };
    static const char *const host_keys[] = { "ssh-ed25519",         "ecdsa-sha2-nistp256",
                                             "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
                                             "rsa-sha2-256",        "rsa-sha2-512" };
    static const char *const ciphers[] = { "aes256-gcm@openssh.com", "aes128-gcm@openssh.com",
                                           "chacha20-poly1305@openssh.com", "aes256-ctr",
                                           "aes192-ctr", "aes128-ctr" };
    static const char *const macs[] = { "hmac-sha2-256", "hmac-sha2-512",
                                        "hmac-sha2-256-etm@openssh.com",
                                        "hmac-sha2-512-etm@openssh.com" };
    singles(kex, COUNT(kex), LIBSSH2_METHOD_KEX);
    singles(host_keys, COUNT(host_keys), LIBSSH2_METHOD_HOSTKEY);
    pairs(ciphers, COUNT(ciphers), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
    pairs(macs, COUNT(macs), LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC);
    preferences();
    supported();
    nothing_in_common();
}
