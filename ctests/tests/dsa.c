/* DSA, for old servers: host keys and user keys, only where the program asks for them. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *greeted(bool ask)
{
    struct conn *c = conn_new();
    if(ask) {
        const char *names = "rsa-sha2-512,rsa-sha2-256,ssh-dss";
        int rc = libssh2_session_method_pref(c->session, LIBSSH2_METHOD_SIGN_ALGO, names);
        is_number(rc, 0, "asking for DSA");
    }
    conn_handshake(c);
    return c;
}

static int from_file(struct conn *c, const char *public_file, const char *private_file,
                     const char *passphrase)
{
    return CALL(c, libssh2_userauth_publickey_fromfile(
                       c->session, user_name(), public_file ? key_path(public_file) : NULL,
                       key_path(private_file), passphrase));
}

static int from_memory(struct conn *c, const char *private_file, const char *passphrase)
{
    size_t size;
    char *key = read_whole(key_path(private_file), &size);
    int rc = CALL(c, libssh2_userauth_publickey_frommemory(c->session, user_name(),
                                                           strlen(user_name()), NULL, 0, key, size,
                                                           passphrase));
    free(key);
    return rc;
}

/* The original, built without DSA as it is by default, gives the same. */
static void not_asked_for(const char *server, int with_public)
{
    server_config(server);
    struct conn *c = greeted(false);
    int rc = from_file(c, NULL, "user_dsa.pem", NULL);
    trace_rc(c, rc, "DSA key that was not asked for");
    is_number(rc, LIBSSH2_ERROR_FILE, "not asked for");
    rc = from_memory(c, "user_dsa.openssh", NULL);
    trace_rc(c, rc, "DSA key in memory that was not asked for");
    rc = from_file(c, "user_dsa.pub", "user_dsa.pkcs8", NULL);
    trace_rc(c, rc, "DSA key with its public half that was not asked for");
    is_number(rc, with_public, "not asked for, with its public half");
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    conn_close(c);
}

static void user_keys(void)
{
    static const char *const formats[] = { "openssh", "pem", "pkcs8" };
    for(size_t f = 0; f < COUNT(formats); f++)
        for(int encrypted = 0; encrypted <= 1; encrypted++) {
            char name[40];
            snprintf(name, sizeof(name), "user_dsa.%s%s", formats[f], encrypted ? ".enc" : "");
            const char *passphrase = encrypted ? "secret" : NULL;
            struct conn *c = greeted(true);
            is_number(from_file(c, encrypted ? NULL : "user_dsa.pub", name, passphrase), 0, name);
            is_number(libssh2_userauth_authenticated(c->session), 1, "authenticated");
            conn_drop(c);
            c = greeted(true);
            if(encrypted)
                is_number(from_memory(c, name, "wrong"), LIBSSH2_ERROR_KEYFILE_AUTH_FAILED,
                          "wrong passphrase");
            is_number(from_memory(c, name, passphrase), 0, name);
            conn_drop(c);
        }
    struct conn *c = greeted(true);
    is_number(from_file(c, NULL, "user_rsa.openssh", NULL), 0, "RSA keys log in as before");
    conn_drop(c);
}

static void host_key(const char *server)
{
    server_config(server);
    struct conn *c = conn_new();
    int type;
    is_number(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, "ssh-dss"), 0,
              "asking for DSA");
    conn_handshake(c);
    size_t length;
    const char *key = libssh2_session_hostkey(c->session, &length, &type);
    is_number(type, LIBSSH2_HOSTKEY_TYPE_DSS, "type");
    ok(strcmp(libssh2_session_methods(c->session, LIBSSH2_METHOD_HOSTKEY), "ssh-dss") == 0, "name");

    size_t size;
    char line[1500], *text = read_whole(key_path("host_dsa.pub"), &size);
    snprintf(line, sizeof(line), "localhost %s", text);
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
    libssh2_knownhost_readline(hosts, line, strlen(line), LIBSSH2_KNOWNHOST_FILE_OPENSSH);
    int rc = libssh2_knownhost_check(hosts, "localhost", key, length,
                                     LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW |
                                         LIBSSH2_KNOWNHOST_KEY_SSHDSS,
                                     NULL);
    is_number(rc, LIBSSH2_KNOWNHOST_CHECK_MATCH, "the key of the file");
    libssh2_knownhost_free(hosts);
    free(text);
    conn_login(c);
    conn_close(c);
}

void test(void)
{
    char server[600];
    if(access(key_path("host_dsa"), R_OK) != 0) {
        skip("OpenSSH knows no DSA here");
        return;
    }
    snprintf(server, sizeof(server),
             "HostKey %s\nHostKeyAlgorithms +ssh-dss\nPubkeyAcceptedAlgorithms +ssh-dss\n",
             key_path("host_dsa"));
    not_asked_for(NULL, LIBSSH2_ERROR_AUTHENTICATION_FAILED);
    not_asked_for(server, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED);
    if(!ours) {
        skip("the original has no DSA as it is built here");
        return;
    }
    trace_off(true);
    host_key(server);
    user_keys();
}
