/* Public-key authentication: each key type in each format, from files and from memory. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

enum source { FROM_FILE, FROM_MEMORY };

static struct conn *greeted(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    return c;
}

/* Tries a key; `public_file` may be NULL. */
static int try_key(struct conn *c, enum source source, const char *public_file,
                   const char *private_file, const char *passphrase)
{
    const char *user = user_name();
    if(source == FROM_FILE)
        return CALL(c, libssh2_userauth_publickey_fromfile(c->session, user, public_file,
                                                           private_file, passphrase));
    size_t public_size = 0, private_size;
    char *public_key = public_file ? read_whole(public_file, &public_size) : NULL;
    char *private_key = read_whole(private_file, &private_size);
    if(!private_key)
        bail("%s is not there", private_file);
    int rc = CALL(c, libssh2_userauth_publickey_frommemory(
                         c->session, user, strlen(user), public_key, public_size, private_key,
                         private_size, passphrase));
    free(public_key);
    free(private_key);
    return rc;
}

static void accepted(const char *type, const char *format, enum source source, bool with_public,
                     bool encrypted)
{
    char public_name[64], private_name[64];
    snprintf(public_name, sizeof(public_name), "user_%s.pub", type);
    snprintf(private_name, sizeof(private_name), "user_%s.%s%s", type, format,
             encrypted ? ".enc" : "");
    struct conn *c = greeted();
    /* A passphrase that is not needed is ignored. */
    const char *passphrase = encrypted ? "secret" : with_public ? "not needed" : NULL;
    int rc = try_key(c, source, with_public ? key_path(public_name) : NULL,
                     key_path(private_name), passphrase);
    int authenticated = libssh2_userauth_authenticated(c->session);
    trace_rc(c, rc, "%s from %s, %s public key", private_name,
             source == FROM_FILE ? "file" : "memory", with_public ? "given" : "derived");
    trace("authenticated %d", authenticated);
    ok(rc == 0 && authenticated == 1, "%s is accepted", private_name);
    conn_drop(c);
}

static void all_accepted(void)
{
    static const char *const types[] = { "ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa" };
    static const char *const formats[] = { "openssh", "pem", "pkcs8" };
    for(size_t t = 0; t < COUNT(types); t++)
        for(size_t f = 0; f < COUNT(formats); f++) {
            if(strcmp(types[t], "ed25519") == 0 && strcmp(formats[f], "pem") == 0)
                continue; /* there is no such form */
            for(int encrypted = 0; encrypted <= 1; encrypted++) {
                /* Both sources each time; all four ways over the formats of a type. */
                bool with_public = (t + f + (size_t)encrypted) % 2;
                accepted(types[t], formats[f], FROM_FILE, with_public, encrypted);
                accepted(types[t], formats[f], FROM_MEMORY, !with_public, encrypted);
            }
        }
}

static void refused(void)
{
    struct conn *c = greeted();
    for(enum source source = FROM_FILE; source <= FROM_MEMORY; source++) {
        int rc = try_key(c, source, key_path("refused.pub"), key_path("refused"), NULL);
        trace_rc(c, rc, "a key that the server does not know, with public key");
        rc = try_key(c, source, NULL, key_path("refused"), NULL);
        trace_rc(c, rc, "a key that the server does not know");
        is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "refused");
    }
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    int rc = try_key(c, FROM_FILE, NULL, key_path("user_ed25519.openssh"), NULL);
    trace_rc(c, rc, "a known key after the unknown ones");
    is_number(rc, 0, "the session goes on after refusals");
    conn_close(c);
}

/* What the key files can be that makes them useless, with and without a public key. */
static void useless_keys(void)
{
    const char *public_key = key_path("user_rsa.pub"), *missing = temp_path("missing");
    const char *garbage = temp_path("garbage"), *empty = temp_path("empty");
    write_whole(garbage, "no key at all\n", 14);
    write_whole(empty, "", 0);
    struct conn *c = greeted();

    trace_rc(c, try_key(c, FROM_FILE, NULL, missing, NULL), "no private file");
    trace_rc(c, try_key(c, FROM_FILE, public_key, missing, NULL), "no private file, public given");
    trace_rc(c, try_key(c, FROM_FILE, missing, key_path("user_rsa.pem"), NULL), "no public file");
    trace_rc(c, try_key(c, FROM_FILE, NULL, garbage, NULL), "garbage as private key");
    trace_rc(c, try_key(c, FROM_FILE, public_key, garbage, NULL), "garbage, public given");
    trace_differs(c, try_key(c, FROM_FILE, garbage, key_path("user_rsa.pem"), NULL),
                  LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, LIBSSH2_ERROR_FILE, "garbage as public key");
    trace_rc(c, try_key(c, FROM_FILE, NULL, empty, NULL), "empty private key");
    trace_rc(c, try_key(c, FROM_FILE, empty, key_path("user_rsa.pem"), NULL), "empty public key");
    trace_rc(c, try_key(c, FROM_MEMORY, NULL, garbage, NULL), "garbage in memory");
    trace_differs(c, try_key(c, FROM_MEMORY, garbage, key_path("user_rsa.pem"), NULL),
                  LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, LIBSSH2_ERROR_FILE,
                  "garbage as public key in memory");
    trace_rc(c, try_key(c, FROM_FILE, public_key, key_path("user_ed25519.openssh"), NULL),
             "a private key of another type");
    trace_rc(c, try_key(c, FROM_FILE, public_key, key_path("host_rsa"), NULL),
             "another private key of the same type");
    trace_rc(c, try_key(c, FROM_FILE, NULL, key_path("user_rsa.pem"), NULL), "the right one");
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    conn_close(c);
}

/* With nothing but an encrypted key the original says FILE or KEYFILE_AUTH_FAILED, as left-over
 * state of its crypto library has it. Ours always names the passphrase as the reason. */
static void passphrase_refused(int rc, const char *file)
{
    trace("%s does not open", file);
    ok(rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED || (!ours && rc == LIBSSH2_ERROR_FILE),
       "%s: %s", file, error_name(rc));
}

static void wrong_passphrases(void)
{
    static const char *const files[] = { "user_ed25519.openssh.enc", "user_rsa.openssh.enc",
                                         "user_rsa.pem.enc",         "user_rsa.pkcs8.enc",
                                         "user_ecdsa256.pem.enc",    "user_ed25519.pkcs8.enc" };
    struct conn *c = greeted();
    for(size_t i = 0; i < COUNT(files); i++) {
        char public_name[64];
        snprintf(public_name, sizeof(public_name), "%.*s.pub", (int)strcspn(files[i], "."),
                 files[i]);
        for(int wrong = 0; wrong <= 1; wrong++) {
            const char *passphrase = wrong ? "wrong" : NULL, *path = key_path(files[i]);
            int rc = try_key(c, FROM_FILE, key_path(public_name), path, passphrase);
            trace_rc(c, rc, "%s with %s passphrase, public given", files[i],
                     wrong ? "wrong" : "no");
            passphrase_refused(try_key(c, FROM_FILE, NULL, path, passphrase), files[i]);
            passphrase_refused(try_key(c, FROM_MEMORY, NULL, path, passphrase), files[i]);
        }
    }
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    conn_close(c);
}

void test(void)
{
    all_accepted();
    refused();
    useless_keys();
    wrong_passphrases();
}
