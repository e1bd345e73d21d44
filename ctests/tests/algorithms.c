/* Each algorithm, chosen through method_pref, carries a login and 10 MiB there and back, with new
 * keys exchanged in the middle of both. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REKEYS "RekeyLimit 4M\nLogLevel DEBUG1\n"
/* All that sshd has, and new keys again and again. */
#define SERVER                                                                                     \
    REKEYS "Compression yes\n"                                                                     \
    "KexAlgorithms +diffie-hellman-group14-sha1,diffie-hellman-group1-sha1,"                       \
    "diffie-hellman-group-exchange-sha1\n"                                                         \
    "HostKeyAlgorithms +ssh-rsa\n"                                                                 \
    "Ciphers +aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc\n"                                         \
    "MACs +hmac-sha1,hmac-sha1-etm@openssh.com,hmac-sha1-96,hmac-md5,hmac-md5-96\n"

enum { SIZE = 10 << 20 };

static const char *const kinds[] = { "kex",    "host key", "cipher out", "cipher in",
                                     "mac out", "mac in",   "comp out",   "comp in" };

/* All that has been chosen, each name between two commas. */
static char tried[8000] = ",";

static void trace_methods(struct conn *c, int kind)
{
    const char *name = libssh2_session_methods(c->session, kind);
    trace("%s %s", kinds[kind], name ? name : "NULL");
}

static void prefer(struct conn *c, int kind, const char *names)
{
    trace_rc(c, libssh2_session_method_pref(c->session, kind, names), "prefer %s", names);
    size_t length = strlen(tried);
    snprintf(tried + length, sizeof(tried) - length, "%s,", names);
}

static const char *file_data(void)
{
    static char *data;
    if(!data) {
        data = make_data(SIZE, 9);
        memset(data, 'x', SIZE / 2); /* something for compression to do */
    }
    return data;
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
    const char *data = file_data();
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
        if(out == LIBSSH2_METHOD_CRYPT_CS) { /* as which the libraries do not prefer the same */
            prefer(c, LIBSSH2_METHOD_MAC_CS, "hmac-sha2-512");
            prefer(c, LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256");
        }
        prefer(c, out, names[i]);
        prefer(c, in, names[(i + 1) % count]); /* the directions are independent */
        works(c, names[i]);
        trace_methods(c, out);
        trace_methods(c, in);
        if(out == LIBSSH2_METHOD_CRYPT_CS) { /* a cipher may have a MAC of its own */
            trace_methods(c, LIBSSH2_METHOD_MAC_CS);
            trace_methods(c, LIBSSH2_METHOD_MAC_SC);
        }
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
    snprintf(server, sizeof(server), REKEYS "HostKeyAlgorithms +%s\n%s",
             rsa[0], server_certificates());
    server_config(server);
    singles(names, COUNT(names), LIBSSH2_METHOD_HOSTKEY);
    if(!ours) /* the original leaves the others out as it is built here */
        return;
    trace_off(true);
    singles(rsa, COUNT(rsa), LIBSSH2_METHOD_HOSTKEY);
    if(access(key_path("host_dsa"), R_OK) == 0) { /* as far as OpenSSH knows it */
        snprintf(server, sizeof(server),
                 REKEYS "HostKeyAlgorithms ssh-dss\nHostKey %s\n",
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
    diag("%s: %s", kinds[kind], all);
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
    ok(!ours || strncmp(all, want, strlen(want)) == 0, "%s: the order", kinds[kind]);
    if(ours && kind == LIBSSH2_METHOD_CRYPT_CS) {
        ok(strncmp(all, "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20", 54) == 0 ||
               strncmp(all, "chacha20-poly1305@openssh.com,aes256-gcm", 40) == 0,
           "what authenticates comes first");
        ok(strstr(all, "aes128-ctr,aes256-cbc,rijndael-cbc@lysator.liu.se,aes192-cbc,aes128-cbc,") !=
               NULL, "chained blocks come last");
    }
}

static void supported(void)
{
    for(int kind = LIBSSH2_METHOD_KEX; kind <= LIBSSH2_METHOD_COMP_SC; kind++) {
        struct conn *c = conn_new();
        const char **names = NULL;
        int count = libssh2_session_supported_algs(c->session, kind, &names);
        if(ok(count > 0 && names && names[0] && names[count - 1], "%s: %d names", kinds[kind],
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

/* Whatever else ours and this OpenSSH know, of which `query` lists the names. */
static void all_others(int kind, const char *query)
{
    char command[100], name[100], between[110];
    const char **names = NULL;
    LIBSSH2_SESSION *session = libssh2_session_init();
    int count = libssh2_session_supported_algs(session, kind, &names), missing = 0;
    for(int i = 0; i < count; i++) {
        bool known = false;
        snprintf(command, sizeof(command), "ssh -Q %s 2>/dev/null", query);
        FILE *list = popen(command, "r");
        while(list && fgets(name, sizeof(name), list)) {
            name[strcspn(name, "\n")] = '\0';
            known = known || strcmp(name, names[i]) == 0;
        }
        if(list)
            pclose(list);
        snprintf(between, sizeof(between), ",%s,", names[i]);
        if(known && !strstr(tried, between))
            singles(&names[i], 1, kind);
        else if(!known)
            diag("no OpenSSH here has %s%s", names[i], missing++ ? "" : ": other servers do");
    }
    libssh2_free(session, (void *)names);
    libssh2_session_free(session);
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
        server_config(SERVER);
        all_others(LIBSSH2_METHOD_KEX, "kex");
        all_others(LIBSSH2_METHOD_CRYPT_CS, "cipher");
        all_others(LIBSSH2_METHOD_MAC_CS, "mac");
        trace_off(false);
    }
    more_host_keys();
    server_config(SERVER);
    preferences();
    supported();
    nothing_in_common();
}
