/* Each algorithm, chosen through method_pref, carries a login and a file there and back, with new
 * keys exchanged in the middle of both. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* All that sshd has, and new keys again and again. */
#define SERVER                                                                                     \
    "RekeyLimit 512K\nLogLevel DEBUG1\nCompression yes\n"                                          \
    "KexAlgorithms +diffie-hellman-group14-sha1,diffie-hellman-group1-sha1,"                       \
    "diffie-hellman-group-exchange-sha1\n"                                                         \
    "HostKeyAlgorithms +ssh-rsa\n"                                                                 \
    "Ciphers +aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc\n"                                         \
    "MACs +hmac-sha1,hmac-sha1-etm@openssh.com,hmac-sha1-96,hmac-md5,hmac-md5-96\n"

enum { SIZE = 3 << 19 };

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

static bool upload(struct conn *c, const char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    size_t done = 0;
    ssize_t rc = file ? 1 : -1;
    while(done < SIZE && rc > 0) {
        rc = CALL(c, libssh2_sftp_write(file, data + done, SIZE - done));
        done += rc > 0 ? (size_t)rc : 0;
    }
    return rc > 0 && CALL(c, libssh2_sftp_close(file)) == 0 &&
           file_is(temp_path("file"), data, SIZE);
}

static bool download(struct conn *c, const char *data)
{
    static char buffer[SIZE];
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"), LIBSSH2_FXF_READ, 0));
    size_t done = 0;
    ssize_t rc = file ? 1 : -1;
    while(done < SIZE && rc > 0) {
        size_t left = SIZE - done;
        rc = CALL(c, libssh2_sftp_read(file, buffer + done, left < 100000 ? left : 100000));
        done += rc > 0 ? (size_t)rc : 0;
    }
    return rc > 0 && CALL(c, libssh2_sftp_close(file)) == 0 && memcmp(buffer, data, SIZE) == 0;
}

/* Handshake as preferred, login, and a file there and back. */
static void works(struct conn *c, const char *what)
{
    char *data = make_data(SIZE, 9);
    memset(data, 'x', SIZE / 2); /* something for compression to do */
    int before = server_rekeys();
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    ok(upload(c, data), "%s: the upload is whole", what);
    int middle = server_rekeys();
    ok(download(c, data), "%s: the download is whole", what);
    int after = server_rekeys();
    /* The connection itself counts as minus one until it is there. */
    ok(middle - before >= 1 && after - middle >= 1, "%s: new keys %d and %d times", what,
       middle - before, after - middle);
    trace("%s works", what);
    free(data);
}

static void pairs(const char *const *names, size_t count, int out, int in)
{
    for(size_t i = 0; i < count; i++) {
        struct conn *c = conn_new();
        if(out == LIBSSH2_METHOD_COMP_CS)
            is_number(libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1), 0, "flag");
        prefer(c, LIBSSH2_METHOD_KEX, "curve25519-sha256");
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
        /* What is quickest, so that the time goes where it should. */
        if(kind != LIBSSH2_METHOD_KEX)
            prefer(c, LIBSSH2_METHOD_KEX, "curve25519-sha256");
        prefer(c, kind, names[i]);
        works(c, names[i]);
        trace_methods(c, kind);
        conn_drop(c);
    }
}

/* What is weak is refused by nobody who names it, and offered to nobody who does not. */
static void only_on_request(int kind, int other, const char *name, const char *server)
{
    server_config(server);
    struct conn *c = conn_new();
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    is_number(rc, LIBSSH2_ERROR_KEX_FAILURE, "not offered unless named");
    conn_drop(c);
    c = conn_new();
    prefer(c, kind, name);
    prefer(c, other, name);
    conn_handshake(c);
    ok(strcmp(libssh2_session_methods(c->session, kind), name) == 0, "%s if named", name);
    conn_drop(c);
}

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
    snprintf(server, sizeof(server), "RekeyLimit 512K\nLogLevel DEBUG1\nHostKeyAlgorithms +%s\n%s",
             rsa[0], server_certificates());
    server_config(server);
    singles(names, COUNT(names), LIBSSH2_METHOD_HOSTKEY);
    if(!ours) /* the original leaves the others out as it is built here */
        return;
    trace_off(true);
    singles(rsa, COUNT(rsa), LIBSSH2_METHOD_HOSTKEY);
    if(access(key_path("host_dsa"), R_OK) == 0) { /* as far as OpenSSH knows it */
        snprintf(server, sizeof(server),
                 "RekeyLimit 512K\nLogLevel DEBUG1\nHostKeyAlgorithms ssh-dss\nHostKey %s\n",
                 key_path("host_dsa"));
        server_config(server);
        singles(dsa, COUNT(dsa), LIBSSH2_METHOD_HOSTKEY);
        only_on_request(LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_HOSTKEY, dsa[0], server);
    }
    trace_off(false);
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
    static const char *const ciphers[] = { "aes256-gcm@openssh.com", "aes128-gcm@openssh.com",
                                           "chacha20-poly1305@openssh.com", "aes256-ctr",
                                           "aes192-ctr", "aes128-ctr" };
    static const char *const chained[] = { "aes256-cbc", "aes192-cbc", "aes128-cbc" };
    static const char *const macs[] = { "hmac-sha2-256", "hmac-sha2-512",
                                        "hmac-sha2-256-etm@openssh.com",
                                        "hmac-sha2-512-etm@openssh.com" };
    static const char *const compressions[] = { "zlib@openssh.com", "none" };
    watchdog(140);
    server_config(SERVER);
    singles(kex, COUNT(kex), LIBSSH2_METHOD_KEX);
    singles(host_keys, COUNT(host_keys), LIBSSH2_METHOD_HOSTKEY);
    pairs(ciphers, COUNT(ciphers), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
    pairs(chained, COUNT(chained), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
    pairs(macs, COUNT(macs), LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC);
    pairs(compressions, 1, LIBSSH2_METHOD_COMP_CS, LIBSSH2_METHOD_COMP_SC);
    if(ours) { /* what the original leaves out as it is built here */
        static const char *const more_kex[] = { "sntrup761x25519-sha512@openssh.com",
                                                "diffie-hellman-group-exchange-sha1",
                                                "diffie-hellman-group14-sha1",
                                                "diffie-hellman-group1-sha1" };
        static const char *const rsa[] = { "ssh-rsa" };
        static const char *const legacy[] = { "3des-cbc", "aes128-cbc" };
        static const char *const more_macs[] = { "hmac-sha1", "hmac-sha1-96", "hmac-md5",
                                                 "hmac-sha1-etm@openssh.com", "hmac-md5-96" };
        trace_off(true);
        singles(more_kex, COUNT(more_kex), LIBSSH2_METHOD_KEX);
        singles(rsa, COUNT(rsa), LIBSSH2_METHOD_HOSTKEY);
        pairs(legacy, COUNT(legacy), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
        pairs(more_macs, COUNT(more_macs), LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC);
        pairs(compressions, COUNT(compressions), LIBSSH2_METHOD_COMP_CS, LIBSSH2_METHOD_COMP_SC);
        only_on_request(LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_KEX, "diffie-hellman-group14-sha1",
                        "KexAlgorithms diffie-hellman-group14-sha1");
        only_on_request(LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_HOSTKEY, "ssh-rsa",
                        "HostKeyAlgorithms ssh-rsa");
        only_on_request(LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC, "3des-cbc", "Ciphers 3des-cbc");
        only_on_request(LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC, "hmac-sha1",
                        "Ciphers aes128-ctr\nMACs hmac-sha1");
        trace_off(false);
    }
    more_host_keys();
    server_config(SERVER);
    preferences();
    supported();
    nothing_in_common();
}
