/* Host certificates: which ones a handshake takes, and which ones known hosts vouch for. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define CERTIFIED "ssh-ed25519-cert-v01@openssh.com"

enum {
    RAW = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW,
    MATCH = LIBSSH2_KNOWNHOST_CHECK_MATCH,
    MISMATCH = LIBSSH2_KNOWNHOST_CHECK_MISMATCH,
    NOTFOUND = LIBSSH2_KNOWNHOST_CHECK_NOTFOUND,
};

/* Has the authority certify the server's Ed25519 key, as ssh-keygen's further words say, and the
 * server show that. The last of the words is NULL. */
static void certify(const char *authority, const char *const words[])
{
    static char config[600];
    const char *key = temp_path("host.pub"), *argv[20];
    size_t size, count = 0;
    char *text = read_whole(key_path("host_ed25519.pub"), &size);
    write_whole(key, text, size);
    free(text);
    argv[count++] = "ssh-keygen";
    argv[count++] = "-q";
    argv[count++] = "-s";
    argv[count++] = authority;
    argv[count++] = "-I";
    argv[count++] = "test";
    while(*words)
        argv[count++] = *words++;
    argv[count++] = key;
    argv[count] = NULL;
    if(run(argv) != 0)
        bail("ssh-keygen makes no such certificate");
    snprintf(config, sizeof(config), "HostCertificate %s\n", temp_path("host-cert.pub"));
    server_config(config);
}

static int handshake(struct conn *c)
{
    libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, CERTIFIED);
    return CALL(c, libssh2_session_handshake(c->session, c->fd));
}

/* The original looks at nothing but the key. */
static void refused(const char *what, const char *why, const char *authority,
                    const char *const words[])
{
    certify(authority, words);
    struct conn *c = conn_new();
    int rc = handshake(c);
    trace_differs(c, rc, 0, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, "%s", what);
    if(ours) {
        char *text;
        libssh2_session_last_error(c->session, &text, NULL, 0);
        ok(strstr(text, why) != NULL, "%s: %s", what, text);
    }
    conn_drop(c);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void validity(void)
{
    const char *ca = key_path("ca"), *rsa = key_path("host_rsa");
    refused("expired", "expired", ca, WORDS("-h", "-n", "localhost", "-V", "20200101:20200102"));
    refused("not valid yet", "not valid yet", ca,
            WORDS("-h", "-n", "localhost", "-V", "20990101:20990102"));
    refused("of a user", "not that of a host", ca, WORDS("-n", "localhost"));
    refused("a critical option", "critical option", ca,
            WORDS("-h", "-n", "localhost", "-O", "critical:name@example.com=data"));
    refused("signed with SHA-1", "too weak", rsa, WORDS("-h", "-n", "localhost", "-t", "ssh-rsa"));

    certify(ca, WORDS("-h", "-n", "localhost", "-O", "extension:name@example.com=data"));
    struct conn *c = conn_new();
    trace_rc(c, handshake(c), "an extension");
    conn_login(c);
    conn_close(c);
    certify(rsa, WORDS("-h", "-n", "localhost", "-V", "-1h:+1h", "-t", "rsa-sha2-256"));
    c = conn_new();
    is_number(handshake(c), 0, "signed by an RSA key, and good for two hours");
    conn_login(c);
    conn_close(c);
}

/* A line of known_hosts: the marker and the host, and the key in a ".pub" file. */
static void enter(LIBSSH2_KNOWNHOSTS *hosts, const char *host, const char *file)
{
    char line[1000];
    size_t size;
    char *key = read_whole(key_path(file), &size);
    snprintf(line, sizeof(line), "%s %s", host, key);
    is_number(libssh2_knownhost_readline(hosts, line, strlen(line),
                                         LIBSSH2_KNOWNHOST_FILE_OPENSSH),
              0, host);
    free(key);
}

/* What the collection says about the certificate that the server has shown. */
static int checked(struct conn *c, LIBSSH2_KNOWNHOSTS *hosts, const char *host, int port)
{
    size_t length;
    int type;
    const char *key = libssh2_session_hostkey(c->session, &length, &type);
    is_number(type, LIBSSH2_HOSTKEY_TYPE_UNKNOWN, "type");
    struct libssh2_knownhost *found;
    return libssh2_knownhost_checkp(hosts, host, port, key, length,
                                    RAW | LIBSSH2_KNOWNHOST_KEY_UNKNOWN, &found);
}

static void known(void)
{
    static const struct {
        const char *line, *file, *host;
        int expected;
    } cases[] = {
        { "@cert-authority localhost", "ca.pub", "localhost", MATCH },
        { "@cert-authority *", "ca.pub", "localhost", MATCH },
        { "@cert-authority [localhost]:2222", "ca.pub", "localhost", MATCH },
        { "@cert-authority *", "ca.pub", "127.0.0.1", NOTFOUND },
        { "@cert-authority other", "ca.pub", "localhost", NOTFOUND },
        { "@cert-authority *", "refused.pub", "localhost", NOTFOUND },
        { "localhost", "ca.pub", "localhost", MISMATCH },
        { "localhost", "host_ed25519.pub", "localhost", MATCH },
        { "localhost", "refused.pub", "localhost", MISMATCH },
        { "@revoked *", "ca.pub", "localhost", MISMATCH },
        { "@revoked *", "host_ed25519.pub", "localhost", MISMATCH },
    };
    certify(key_path("ca"), WORDS("-h", "-n", "localhost"));
    struct conn *c = conn_new();
    is_number(handshake(c), 0, "handshake");
    for(size_t i = 0; i < COUNT(cases); i++) {
        LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
        enter(hosts, cases[i].line, cases[i].file);
        int rc = checked(c, hosts, cases[i].host, 2222);
        /* The original knows neither markers nor what is in a certificate. */
        is_number(rc, ours ? cases[i].expected : NOTFOUND, cases[i].line);
        libssh2_knownhost_free(hosts);
    }
    conn_drop(c);
    /* One that is for no host by name would be for all of them. */
    certify(key_path("ca"), WORDS("-h"));
    c = conn_new();
    is_number(handshake(c), 0, "handshake, no principals");
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
    enter(hosts, "@cert-authority *", "ca.pub");
    int rc = checked(c, hosts, "localhost", -1);
    trace("no principals: %d", rc);
    is_number(rc, NOTFOUND, "no principals");
    libssh2_knownhost_free(hosts);
    conn_drop(c);
}

void test(void)
{
    validity();
    known();
}
