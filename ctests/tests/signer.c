/* Public keys that the program signs with itself, certificates, and host keys. */
#include "testd.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

static int calls;      /* how often the callback was called */
static int not_ready;  /* how often it says EAGAIN before */
static int unsupported; /* how often it says ALGO_UNSUPPORTED before */
static int failure;    /* what it returns instead of signing */
static bool nothing;   /* it returns 0 and no signature */
static const char *signing_key;
static void *given;

/* The n-th string behind the session id, the number and the flag of what is to be signed. */
static void field(const unsigned char *data, size_t size, int n, char *out, size_t room)
{
    size_t at = 0, length = 0;
    for(int i = 0; i <= n && at + 4 <= size; i++) {
        if(i == 1)
            at += 1; /* the message number */
        if(i == 4)
            at += 1; /* "signed" */
        length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 |
                 data[at + 3];
        at += 4 + length;
    }
    snprintf(out, room, "%.*s", (int)length, data + at - length);
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    char user[100], service[100], method[100], algorithm[100];
    calls++;
    field(data, data_len, 1, user, sizeof(user));
    field(data, data_len, 2, service, sizeof(service));
    field(data, data_len, 3, method, sizeof(method));
    field(data, data_len, 4, algorithm, sizeof(algorithm));
    trace("callback %d: %s %s %s %s", calls, strcmp(user, user_name()) ? user : "the user", service,
          method, algorithm);
    ok(abstract == &given, "abstract is what was given");
    ok(libssh2_userauth_authenticated(session) == 0, "the session can be asked meanwhile");
    if(not_ready > 0) {
        not_ready--;
        return LIBSSH2_ERROR_EAGAIN;
    }
    if(unsupported > 0) {
        unsupported--;
        return LIBSSH2_ERROR_ALGO_UNSUPPORTED;
    }
    if(failure || nothing)
        return failure;
    FILE *file = fopen(key_path(signing_key), "r");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if(!key)
        bail("can not read %s", signing_key);
    fclose(file);
    const EVP_MD *hash = EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL
                         : strstr(algorithm, "512")               ? EVP_sha512()
                         : strcmp(algorithm, "ssh-rsa") == 0      ? EVP_sha1()
                                                                  : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *sig_len = (size_t)EVP_PKEY_get_size(key);
    *sig = malloc(*sig_len);
    if(EVP_DigestSignInit(context, NULL, hash, NULL, key) != 1 ||
       EVP_DigestSign(context, *sig, sig_len, data, data_len) != 1)
        bail("can not sign");
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return 0;
}

/* The blob in a .pub file; free() it. */
static unsigned char *blob_of(const char *name, size_t *size)
{
    size_t length;
    char *text = read_whole(key_path(name), &length);
    if(!text)
        bail("no %s", name);
    char *digits = strchr(text, ' ') + 1;
    size_t count = strcspn(digits, " \n");
    unsigned char *blob = malloc(count);
    int decoded = EVP_DecodeBlock(blob, (unsigned char *)digits, (int)count);
    for(size_t i = count; i > 0 && digits[i - 1] == '='; i--)
        decoded--;
    *size = (size_t)decoded;
    free(text);
    return blob;
}

static int log_in_as(struct conn *c, const char *user, const char *public_name)
{
    size_t size;
    unsigned char *blob = blob_of(public_name, &size);
    void *data = &given;
    given = data;
    calls = 0;
    int rc = CALL(c, libssh2_userauth_publickey(c->session, user, blob, size, sign, &given));
    free(blob);
    return rc;
}

static struct conn *greeted(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    return c;
}

static void accepted(const char *public_name, const char *private_name)
{
    struct conn *c = greeted();
    signing_key = private_name;
    int rc = log_in_as(c, user_name(), public_name);
    trace_rc(c, rc, "%s", public_name);
    is_number(rc, 0, public_name);
    is_number(calls, 1, "the callback was called once");
    is_number(libssh2_userauth_authenticated(c->session), 1, "is in");
    conn_close(c);
}

static void not_signed(void)
{
    struct conn *c = greeted();
    signing_key = "user_rsa.pkcs8";
    failure = -1;
    trace_rc(c, log_in_as(c, user_name(), "user_rsa.pub"), "the callback fails");
    failure = 0;
    nothing = true;
    trace_rc(c, log_in_as(c, user_name(), "user_rsa.pub"), "the callback signs nothing");
    nothing = false;
    signing_key = "user_ed25519.pkcs8";
    trace_rc(c, log_in_as(c, user_name(), "user_rsa.pub"), "the callback signs with another key");
    trace_rc(c, log_in_as(c, user_name(), "refused.pub"), "a key that the server does not know");
    is_number(calls, 0, "nobody was asked to sign");
    static const unsigned char none[8] = { 0 }, overlong[8] = { 0, 0, 0, 9, 'a' },
                               nul[12] = { 0, 0, 0, 8, 'a', 0, 'b' };
    int rc;
    rc = CALL(c, libssh2_userauth_publickey(c->session, user_name(), none, 3, sign, &given));
    trace_rc(c, rc, "a key of 3 bytes");
    rc = CALL(c, libssh2_userauth_publickey(c->session, user_name(), none, 8, sign, &given));
    trace_rc(c, rc, "a key without a name");
    rc = CALL(c, libssh2_userauth_publickey(c->session, user_name(), overlong, 8, sign, &given));
    trace_rc(c, rc, "a key whose name is too long");
    rc = CALL(c, libssh2_userauth_publickey(c->session, user_name(), nul, 12, sign, &given));
    trace_rc(c, rc, "a key with a NUL in its name");
    signing_key = "user_rsa.pkcs8";
    rc = log_in_as(c, user_name(), "user_rsa.pub");
    trace_rc(c, rc, "after all that");
    is_number(rc, 0, "the session can still be used");
    conn_close(c);
}

static void slow(void)
{
    if(!nonblocking && !ours) {
        skip("the original calls the callback once and waits for the server");
        return;
    }
    trace_off(!nonblocking);
    struct conn *c = greeted();
    signing_key = "user_ed25519.pkcs8";
    not_ready = 3;
    int rc;
    if(nonblocking) {
        /* Nothing comes from the server meanwhile, so the program asks again by itself. */
        size_t size;
        unsigned char *blob = blob_of("user_ed25519.pub", &size);
        calls = 0;
        for(int left = 5000; left > 0; left--) {
            rc = libssh2_userauth_publickey(c->session, user_name(), blob, size, sign, &given);
            if(rc != LIBSSH2_ERROR_EAGAIN)
                break;
            run((const char *const[]){ "sleep", "0.001", NULL });
        }
        free(blob);
    }
    else
        rc = log_in_as(c, user_name(), "user_ed25519.pub");
    trace_rc(c, rc, "a callback that is not ready three times");
    is_number(rc, 0, "is in");
    is_number(calls, 4, "calls");
    conn_close(c);
    trace_off(false);
}

static void old_signer(void)
{
    if(!ours) {
        skip("the original waits for an answer that it has had, or tries for ever");
        return;
    }
    trace_off(true);
    /* Without ssh-rsa the server refuses the second attempt; the callback is not asked for it. */
    struct conn *c = greeted();
    signing_key = "user_rsa.pkcs8";
    unsupported = 1;
    int rc = log_in_as(c, user_name(), "user_rsa.pub");
    trace_rc(c, rc, "a callback that knows no SHA-2, and a server that wants it");
    conn_close(c);
    server_config("PubkeyAcceptedAlgorithms +ssh-rsa\n");
    c = greeted();
    unsupported = 1;
    rc = log_in_as(c, user_name(), "user_rsa.pub");
    trace_rc(c, rc, "a callback that knows no SHA-2, and a server that does not mind");
    is_number(rc, 0, "is in");
    is_number(calls, 2, "calls");
    conn_close(c);
    server_config(NULL);
    c = greeted();
    unsupported = 2;
    signing_key = "user_ed25519.pkcs8";
    rc = log_in_as(c, user_name(), "user_ed25519.pub");
    trace_rc(c, rc, "a callback that knows nothing");
    ok(rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "is told");
    unsupported = 0;
    conn_close(c);
    trace_off(false);
}

/* A certificate for each key, by an authority that the server trusts. */
static void certificates(void)
{
    static const char *const types[] = { "ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa" };
    char config[500];
    const char *authority = temp_path("ca");
    if(run((const char *const[]){ "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority,
                                  NULL }) != 0)
        bail("ssh-keygen failed");
    snprintf(config, sizeof(config), "TrustedUserCAKeys %s.pub\nAuthorizedKeysFile none\n",
             authority);
    server_config(config);
    for(size_t i = 0; i < COUNT(types); i++) {
        char name[50], public_key[200], certificate[210];
        snprintf(name, sizeof(name), "user_%s.pub", types[i]);
        snprintf(public_key, sizeof(public_key), "%s", temp_path(name));
        snprintf(certificate, sizeof(certificate), "%.*s-cert.pub", (int)strlen(public_key) - 4,
                 public_key);
        if(run((const char *const[]){ "cp", key_path(name), public_key, NULL }) != 0 ||
           run((const char *const[]){ "ssh-keygen", "-q", "-s", authority, "-I", "test", "-n",
                                      user_name(), public_key, NULL }) != 0)
            bail("no certificate for %s", name);
        snprintf(name, sizeof(name), "user_%s.openssh", types[i]);
        struct conn *c = greeted();
        int rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), public_key,
                                                             key_path(name), NULL));
        trace_rc(c, rc, "%s without a certificate", types[i]);
        is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "the key alone is refused");
        rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), certificate,
                                                         key_path("refused"), NULL));
        trace_rc(c, rc, "%s with a certificate, but another key", types[i]);
        is_number(rc, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "another key than the certificate's");
        rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), certificate,
                                                         key_path(name), NULL));
        trace_rc(c, rc, "%s with a certificate", types[i]);
        is_number(rc, 0, "the certificate is accepted");
        conn_close(c);
    }
    server_config(NULL);
}

static int log_in_from(struct conn *c, const char *type, const char *host, const char *local_user)
{
    char public_name[50], private_name[50];
    snprintf(public_name, sizeof(public_name), "host_%s.pub", type);
    snprintf(private_name, sizeof(private_name), "host_%s", type);
    return CALL(c, libssh2_userauth_hostbased_fromfile_ex(
                       c->session, TESTD_USER, sizeof(TESTD_USER) - 1, key_path(public_name),
                       key_path(private_name), NULL, host, (unsigned)strlen(host), local_user,
                       (unsigned)strlen(local_user)));
}

static void hostbased(void)
{
    static const char *const types[] = { "ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa" };
    for(size_t i = 0; i < COUNT(types); i++) {
        bool ecdsa = strncmp(types[i], "ecdsa", 5) == 0;
        if(!ours && !ecdsa)
            continue; /* it signs RSA with SHA-1 only, and Ed25519 not at all */
        trace_off(!ecdsa);
        struct conn *c = testd("--host me@client.example");
        conn_handshake(c);
        int rc = log_in_from(c, types[i], "other.example", "me");
        trace_rc(c, rc, "%s from an unknown host", types[i]);
        is_number(rc, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "an unknown host");
        rc = log_in_from(c, types[i], "client.example", "you");
        trace_rc(c, rc, "%s of an unknown user", types[i]);
        rc = log_in_from(c, types[i], "client.example", "me");
        trace_rc(c, rc, "%s", types[i]);
        is_number(rc, 0, types[i]);
        conn_drop(c);
    }
    trace_off(false);
    struct conn *c = testd("--host me@client.example");
    conn_handshake(c);
    int rc = CALL(c, libssh2_userauth_hostbased_fromfile(c->session, TESTD_USER, "/nonexistent.pub",
                                                         "/nonexistent", NULL, "client.example"));
    trace_rc(c, rc, "files that are not there");
    ok(rc == LIBSSH2_ERROR_FILE, "files that are not there");
    conn_drop(c);
}

void test(void)
{
    watchdog(120);
    accepted("user_ed25519.pub", "user_ed25519.pkcs8");
    accepted("user_rsa.pub", "user_rsa.pkcs8");
    not_signed();
    slow();
    old_signer();
    certificates();
    hostbased();
}
