/* Security keys: logging in with an authenticator that is made of software. */
#include "authenticator.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define HANDLE "handle of the key" /* by which a real authenticator finds its key */
#define PRESENT LIBSSH2_SK_PRESENCE_REQUIRED

static struct authenticator authenticator;
static int calls, result, not_ready;
static void *given;

static unsigned char *copy(const struct bytes *bytes)
{
    return bytes->size ? memcpy(malloc(bytes->size), bytes->data, bytes->size) : NULL;
}

static LIBSSH2_USERAUTH_SK_SIGN_FUNC(sign)
{
    struct bytes r, s;
    calls++;
    trace("authenticator: algorithm %d flags %d application %s handle %.*s", algorithm, flags,
          application, (int)key_handle_len, key_handle);
    ok(abstract == &given && session, "abstract and session are what was given");
    if(not_ready > 0) {
        not_ready--;
        return LIBSSH2_ERROR_EAGAIN;
    }
    if(result)
        return result;
    authenticator_sign(&authenticator, data, data_len, &r, &s);
    sig_info->flags = authenticator.flags;
    sig_info->counter = authenticator.counter;
    sig_info->sig_r = copy(&r);
    sig_info->sig_r_len = r.size;
    sig_info->sig_s = copy(&s);
    sig_info->sig_s_len = s.size;
    return 0;
}

/* --- its files --- */

static void write_files(void)
{
    struct bytes blob = { .size = 0 }, secret = { .size = 0 }, file = { .size = 0 };
    authenticator_public(&authenticator, &blob);
    put_u32(&secret, 0x12345678);
    put_u32(&secret, 0x12345678);
    put(&secret, blob.data, blob.size);
    put_u8(&secret, PRESENT);
    put_text(&secret, HANDLE);
    put_text(&secret, "");
    put_text(&secret, "a comment");
    for(unsigned i = 1; secret.size % 8; i++)
        put_u8(&secret, i);
    put(&file, "openssh-key-v1", 15);
    put_text(&file, "none");
    put_text(&file, "none");
    put_text(&file, "");
    put_u32(&file, 1);
    put_bytes(&file, &blob);
    put_bytes(&file, &secret);
    char text[3500];
    snprintf(text, sizeof(text),
             "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n",
             base64(&file));
    write_whole(temp_path("sk"), text, strlen(text));
    write_whole(temp_path("sk.enc"), text, strlen(text));
    chmod(temp_path("sk.enc"), 0600);
    if(run((const char *const[]){ "ssh-keygen", "-q", "-p", "-a", "2", "-P", "", "-N", "secret",
                                  "-f", temp_path("sk.enc"), NULL }) != 0)
        bail("ssh-keygen can not read the key");
    authenticator_public_text(&authenticator, text, sizeof(text));
    write_whole(temp_path("sk.pub"), text, strlen(text));
}

/* --- the tests --- */

static int log_in(struct conn *c, const char *public_name, const char *private_name,
                  const char *passphrase)
{
    size_t public_size = 0, private_size = 0;
    char *public_key = public_name ? read_whole(public_name, &public_size) : NULL;
    char *private_key = private_name ? read_whole(private_name, &private_size) : NULL;
    const char *user = user_name();
    calls = 0;
    int rc = CALL(c, libssh2_userauth_publickey_sk(
                         c->session, user, strlen(user), (unsigned char *)public_key, public_size,
                         private_key, private_size, passphrase, sign, &given));
    free(public_key);
    free(private_key);
    return rc;
}

static struct conn *greeted(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    return c;
}

static void accepted(const char *what, const char *public_name, const char *private_name,
                     const char *passphrase)
{
    struct conn *c = greeted();
    int rc = log_in(c, public_name, private_name, passphrase);
    trace_rc(c, rc, "%s, %s", sk_name(authenticator.type), what);
    is_number(rc, 0, what);
    is_number(calls, 1, "the authenticator was asked once");
    is_number(libssh2_userauth_authenticated(c->session), 1, "is in");
    conn_close(c);
}

static void refused(void)
{
    struct conn *c = greeted();
    authenticator.flags = 0;
    trace_rc(c, log_in(c, NULL, temp_path("sk"), NULL), "nobody touched the authenticator");
    authenticator.flags = PRESENT;
    result = -1;
    trace_rc(c, log_in(c, NULL, temp_path("sk"), NULL), "the authenticator fails");
    result = 0;
    trace_rc(c, log_in(c, NULL, NULL, NULL), "no key");
    trace_rc(c, log_in(c, NULL, key_path("user_ed25519.openssh"), NULL), "an ordinary key");
    trace_rc(c, log_in(c, NULL, key_path("user_rsa.pem"), NULL), "an ordinary key in PEM");
    int rc = log_in(c, NULL, temp_path("sk.enc"), "wrong");
    trace_differs(c, rc, LIBSSH2_ERROR_FILE, LIBSSH2_ERROR_KEYFILE_AUTH_FAILED,
                  "a wrong passphrase");
    is_number(calls, 0, "the authenticator was not asked");
    rc = log_in(c, NULL, temp_path("sk"), NULL);
    trace_rc(c, rc, "after all that");
    is_number(rc, 0, "the session can still be used");
    conn_close(c);
    if(ours) {
        trace_off(true);
        c = greeted();
        not_ready = 2;
        is_number(log_in(c, NULL, temp_path("sk"), NULL), 0, "an authenticator that is slow");
        is_number(calls, 3, "it was asked again");
        conn_close(c);
        c = greeted();
        rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL,
                                                         temp_path("sk"), NULL));
        is_number(rc, LIBSSH2_ERROR_FILE, "a security key is no ordinary key");
        conn_close(c);
        trace_off(false);
    }
}

static void certificate(void)
{
    char config[600], pattern[300];
    const char *authority = temp_path(authenticator.type == SK_ED25519 ? "ca1" : "ca2");
    snprintf(pattern, sizeof(pattern), "%s", temp_path("sk-cert.pub"));
    if(run((const char *const[]){ "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority,
                                  NULL }) != 0 ||
       run((const char *const[]){ "ssh-keygen", "-q", "-s", authority, "-I", "test", "-n",
                                  user_name(), temp_path("sk.pub"), NULL }) != 0)
        bail("no certificate");
    snprintf(config, sizeof(config), "TrustedUserCAKeys %s.pub\nAuthorizedKeysFile none\n",
             authority);
    server_config(config);
    accepted("with a certificate", pattern, temp_path("sk"), NULL);
}

/* libssh2_sign_sk by itself. */
static void sign_alone(void)
{
    struct conn *c = greeted();
    LIBSSH2_PRIVKEY_SK device = {
        .algorithm = authenticator.type == SK_ED25519 ? LIBSSH2_HOSTKEY_TYPE_ED25519
                                         : LIBSSH2_HOSTKEY_TYPE_ECDSA_256,
        .flags = PRESENT,
        .application = SK_APPLICATION,
        .key_handle = (const unsigned char *)HANDLE,
        .handle_len = strlen(HANDLE),
        .sign_callback = sign,
        .orig_abstract = &given,
    };
    void *pointer = &device;
    unsigned char *signature = NULL;
    size_t size = 0;
    int rc = libssh2_sign_sk(c->session, &signature, &size, (const unsigned char *)"data", 4,
                             &pointer);
    trace("sign_sk = %s", error_name(rc));
    ok(rc == 0 && signature && size > 5 && signature[size - 5] == PRESENT,
       "flags and counter come last");
    if(authenticator.type == SK_ED25519)
        trace("signature of %zu bytes, the first is of %d", size, signature[3]);
    libssh2_free(c->session, signature);
    result = -1234;
    rc = libssh2_sign_sk(c->session, &signature, &size, (const unsigned char *)"data", 4, &pointer);
    trace("sign_sk, the authenticator fails = %d", rc);
    is_number(rc, -1234, "the authenticator's own number");
    result = 0;
    device.handle_len = 0;
    rc = libssh2_sign_sk(c->session, &signature, &size, (const unsigned char *)"data", 4, &pointer);
    trace("sign_sk without a handle = %s", error_name(rc));
    pointer = NULL;
    rc = libssh2_sign_sk(c->session, &signature, &size, (const unsigned char *)"data", 4, &pointer);
    trace("sign_sk without a key = %s", error_name(rc));
    is_number(rc, LIBSSH2_ERROR_BAD_USE, "no key");
    conn_drop(c);
}

void test(void)
{
    char config[300];
    snprintf(config, sizeof(config), "AuthorizedKeysFile %s\n", temp_path("sk.pub"));
    for(enum sk_type type = SK_ED25519; type <= SK_ECDSA; type++) {
        server_config(config);
        authenticator_make(&authenticator, type);
        remove(temp_path("sk-cert.pub"));
        write_files();
        accepted("public key from the private one", NULL, temp_path("sk"), NULL);
        accepted("public key given", temp_path("sk.pub"), temp_path("sk"), NULL);
        accepted("encrypted", NULL, temp_path("sk.enc"), "secret");
        refused();
        sign_alone();
        certificate();
        authenticator_free(&authenticator);
    }
}
