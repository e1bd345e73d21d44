/* Key exchanges and host keys: each that can be had carries a login and a file there and back, what
 * is weak only on request. And what programs ask and say about algorithms of all kinds. */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Host keys for which the server needs more than its usual configuration. */
static void more_host_keys(void)
{
    static const char *const names[] = { "ssh-ed25519-cert-v01@openssh.com",
                                         "ecdsa-sha2-nistp256-cert-v01@openssh.com",
                                         "ecdsa-sha2-nistp384-cert-v01@openssh.com",
                                         "ecdsa-sha2-nistp521-cert-v01@openssh.com",
                                         "rsa-sha2-512-cert-v01@openssh.com",
                                         "rsa-sha2-256-cert-v01@openssh.com" };
    static const char *const rsa[] = { "ssh-rsa-cert-v01@openssh.com" };
    static const char *const dsa[] = { "ssh-dss" };
    static char server[4000];
    snprintf(server, sizeof(server), "%sHostKeyAlgorithms +%s\n%s", matrix_rekeys(),
             rsa[0], server_certificates());
    server_config(server);
    matrix_singles(names, COUNT(names), LIBSSH2_METHOD_HOSTKEY);
    if(!ours) /* the original leaves the others out as it is built here */
        return;
    trace_off(true);
    matrix_singles(rsa, COUNT(rsa), LIBSSH2_METHOD_HOSTKEY);
    if(access(key_path("host_dsa"), R_OK) == 0) { /* as far as OpenSSH knows it */
        snprintf(server, sizeof(server),
                 "%sHostKeyAlgorithms ssh-dss\nHostKey %s\n", matrix_rekeys(),
                 key_path("host_dsa"));
        server_config(server);
        matrix_singles(dsa, COUNT(dsa), LIBSSH2_METHOD_HOSTKEY);
        matrix_only_on_request(LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_HOSTKEY, dsa[0], server);
    }
    trace_off(false);
}

static void preferences(void)
{
    struct conn *c = conn_new();
    matrix_prefer(c, LIBSSH2_METHOD_CRYPT_CS, "no-such-cipher,aes128-ctr,another@example.com");
    matrix_prefer(c, LIBSSH2_METHOD_CRYPT_CS, "no-such-cipher");
    matrix_prefer(c, LIBSSH2_METHOD_CRYPT_CS, "");
    matrix_prefer(c, LIBSSH2_METHOD_LANG_CS, "de");
    matrix_prefer(c, LIBSSH2_METHOD_LANG_CS, "");
    matrix_prefer(c, LIBSSH2_METHOD_SIGN_ALGO, "rsa-sha2-256");
    matrix_prefer(c, LIBSSH2_METHOD_COMP_CS, "none");
    matrix_prefer(c, 99, "aes128-ctr");
    trace_rc(c, libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX, NULL), "prefer NULL");
    /* A wish list as programs have it: what is not known any more is passed over. */
    matrix_prefer(c, LIBSSH2_METHOD_HOSTKEY,
                  "ssh-dss-cert-v01@openssh.com,rsa-sha2-256,ssh-ed25519");
    matrix_works(c, "handshake after a wish list");
    matrix_agreed(c, LIBSSH2_METHOD_CRYPT_CS);
    matrix_agreed(c, LIBSSH2_METHOD_HOSTKEY);
    matrix_agreed(c, LIBSSH2_METHOD_COMP_CS);
    trace("lang \"%s\"", libssh2_session_methods(c->session, LIBSSH2_METHOD_LANG_CS));
    trace("sign algo %s", libssh2_session_methods(c->session, LIBSSH2_METHOD_SIGN_ALGO)
                              ? "some"
                              : error_name(libssh2_session_last_errno(c->session)));
    conn_close(c);
}

/* Each of these names can be asked for, but for those that only say what the client can. */
static void check_names(struct conn *c, int kind, const char *const *names, int count)
{
    char all[2000] = "";
    for(int i = 0; i < count; i++) {
        size_t length = strlen(all);
        snprintf(all + length, sizeof(all) - length, "%s,", names[i]);
        bool is_method = strcmp(names[i], "ext-info-c") != 0 && !strstr(names[i], "kex-strict");
        int rc = libssh2_session_method_pref(c->session, kind, names[i]);
        if(is_method && rc != 0)
            ok(false, "%s: %s", names[i], error_name(rc));
        for(int j = 0; j < i; j++)
            if(strcmp(names[i], names[j]) == 0)
                ok(false, "%s comes twice", names[i]);
    }
    diag("%s: %s", matrix_kind(kind), all);
    /* What ours offers, in its order; what comes behind it has to be asked for. */
    static const char *const offered[] = {
        [LIBSSH2_METHOD_KEX] = "mlkem768x25519-sha256,sntrup761x25519-sha512,"
                               "sntrup761x25519-sha512@openssh.com,mlkem768nistp256-sha256,"
                               "mlkem1024nistp384-sha384,curve25519-sha256,"
                               "curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
                               "ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
                               "diffie-hellman-group-exchange-sha256,"
                               "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
                               "diffie-hellman-group14-sha256,",
        [LIBSSH2_METHOD_HOSTKEY] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
                                   "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,",
        [LIBSSH2_METHOD_MAC_CS] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
                                  "hmac-sha2-256,hmac-sha2-512,",
    };
    const char *want = kind < (int)COUNT(offered) && offered[kind] ? offered[kind] : "";
    ok(!ours || strncmp(all, want, strlen(want)) == 0, "%s: the order", matrix_kind(kind));
    if(ours && kind == LIBSSH2_METHOD_CRYPT_CS) {
        ok(strncmp(all, "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20", 54) == 0 ||
               strncmp(all, "chacha20-poly1305@openssh.com,aes256-gcm", 40) == 0,
           "what authenticates comes first");
        ok(strstr(all, "aes128-ctr,aes256-cbc,rijndael-cbc@lysator.liu.se,aes192-cbc,aes128-cbc"),
           "chained blocks come last");
    }
}

static void supported(void)
{
    for(int kind = LIBSSH2_METHOD_KEX; kind <= LIBSSH2_METHOD_COMP_SC; kind++) {
        struct conn *c = conn_new();
        const char **names = NULL;
        int count = libssh2_session_supported_algs(c->session, kind, &names);
        if(ok(count > 0 && names && names[0] && names[count - 1], "%s: %d names", matrix_kind(kind),
              count))
            check_names(c, kind, names, count);
        libssh2_free(c->session, (void *)names);
        conn_drop(c);
    }
    struct conn *c = conn_new();
    const char **names = NULL;
    int count = libssh2_session_supported_algs(c->session, LIBSSH2_METHOD_COMP_CS, &names);
    trace("compressions: %d, %s", count, names[0]);
    libssh2_free(c->session, (void *)names);
    libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1);
    count = libssh2_session_supported_algs(c->session, LIBSSH2_METHOD_COMP_CS, &names);
    trace("with the flag: %d, at last %s", count, names[count - 1]);
    libssh2_free(c->session, (void *)names);
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
        matrix_prefer(c, cases[i].kind, cases[i].names);
        int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
        trace_rc(c, rc, "handshake without common %s", matrix_kind(cases[i].kind));
        ok(rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE,
           "no common %s", matrix_kind(cases[i].kind));
        conn_drop(c);
    }
    server_config(NULL);
}

void test(void)
{
    static const char *const kex[] = { "curve25519-sha256",
                                       "curve25519-sha256@libssh.org",
                                       "ecdh-sha2-nistp256",
                                       "ecdh-sha2-nistp384",
                                       "ecdh-sha2-nistp521",
                                       "diffie-hellman-group-exchange-sha256",
                                       "diffie-hellman-group16-sha512",
                                       "diffie-hellman-group18-sha512",
                                       "diffie-hellman-group14-sha256" };
    static const char *const host_keys[] = { "ssh-ed25519",         "ecdsa-sha2-nistp256",
                                             "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
                                             "rsa-sha2-256",        "rsa-sha2-512" };
    watchdog(220);
    server_config(matrix_server());
    matrix_singles(kex, COUNT(kex), LIBSSH2_METHOD_KEX);
    matrix_singles(host_keys, COUNT(host_keys), LIBSSH2_METHOD_HOSTKEY);
    if(ours) { /* what the original leaves out as it is built here */
        static const char *const more_kex[] = { "sntrup761x25519-sha512@openssh.com",
                                                "diffie-hellman-group-exchange-sha1",
                                                "diffie-hellman-group14-sha1",
                                                "diffie-hellman-group1-sha1" };
        static const char *const rsa[] = { "ssh-rsa" };
        trace_off(true);
        matrix_singles(more_kex, COUNT(more_kex), LIBSSH2_METHOD_KEX);
        matrix_singles(rsa, COUNT(rsa), LIBSSH2_METHOD_HOSTKEY);
        matrix_others(LIBSSH2_METHOD_KEX, "kex");
        matrix_only_on_request(LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_KEX,
                               "diffie-hellman-group14-sha1",
                               "KexAlgorithms diffie-hellman-group14-sha1");
        matrix_only_on_request(LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_HOSTKEY, "ssh-rsa",
                               "HostKeyAlgorithms ssh-rsa");
        trace_off(false);
    }
    more_host_keys();
    server_config(matrix_server());
    preferences();
    supported();
    nothing_in_common();
}
