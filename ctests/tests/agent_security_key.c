/* Security keys that an agent holds: an agent of our own with authenticators made of software. */
#include "agent.h"
#include "authenticator.h"

#include <stdio.h>
#include <stdlib.h>

#define KEYS 4 /* each type alone, and with its certificate */

static struct authenticator authenticators[2];
static struct bytes blobs[KEYS]; /* what the agent shows */

enum manner { SIGNS, REFUSES, UNTOUCHED, VERIFIES, WITH_THE_OTHER };

/* --- the agent --- */

static struct authenticator *holder_of(const unsigned char *blob, size_t size)
{
    for(int i = 0; i < KEYS; i++)
        if(blobs[i].size == size && memcmp(blobs[i].data, blob, size) == 0)
            return &authenticators[i / 2];
    return NULL;
}

/* OpenSSH's PROTOCOL.u2f: what the key adds stands behind the signature. */
static void answer_sign(const unsigned char *request, enum manner manner, struct bytes *answer)
{
    struct bytes r, s, pair = { .size = 0 }, signature = { .size = 0 };
    uint32_t size = (uint32_t)request[2] << 8 | request[3];
    const unsigned char *blob = request + 4, *data = blob + size + 4;
    struct authenticator *key = holder_of(blob, size);
    size = (uint32_t)data[-2] << 8 | data[-1];
    if(!key || manner == REFUSES) {
        put_u8(answer, AGENT_FAILURE);
        return;
    }
    key->flags = manner == UNTOUCHED ? 0 : manner == VERIFIES ? SK_PRESENT | SK_VERIFIED : SK_PRESENT;
    if(manner == WITH_THE_OTHER)
        key = &authenticators[key == &authenticators[0]];
    authenticator_sign(key, data, size, &r, &s);
    put_text(&signature, sk_name(key->type));
    if(key->type == SK_ED25519)
        put_bytes(&signature, &r);
    else {
        struct bytes *numbers[] = { &r, &s };
        for(int i = 0; i < 2; i++) {
            bool negative = numbers[i]->data[0] >= 0x80;
            put_u32(&pair, (uint32_t)numbers[i]->size + negative);
            put(&pair, "", negative);
            put(&pair, numbers[i]->data, numbers[i]->size);
        }
        put_bytes(&signature, &pair);
    }
    put_u8(&signature, key->flags);
    put_u32(&signature, key->counter);
    put_u8(answer, SIGN_RESPONSE);
    put_bytes(answer, &signature);
}

static void serve(int fd, const void *how)
{
    struct bytes request;
    while(agent_request(fd, &request)) {
        struct bytes answer = { .size = 0 };
        if(request.data[0] == SIGN_REQUEST)
            answer_sign(request.data + 1, *(const enum manner *)how, &answer);
        else {
            put_u8(&answer, IDENTITIES_ANSWER);
            put_u32(&answer, KEYS);
            for(int i = 0; i < KEYS; i++) {
                put_bytes(&answer, &blobs[i]);
                put_text(&answer, i % 2 ? "a certificate" : "a key");
            }
        }
        if(!agent_answer(fd, &answer))
            return;
    }
}

/* --- the tests --- */

static void listed(void)
{
    struct conn *c = conn_new();
    pid_t pid = agent_start(serve, &(enum manner){ SIGNS });
    LIBSSH2_AGENT *agent = agent_connected(c);
    for(int i = 0; i < KEYS; i++) {
        struct libssh2_agent_publickey *key = agent_key(agent, i);
        trace("%.*s, %s", key->blob[3], key->blob + 4, key->comment);
        ok(key->blob_len == blobs[i].size && memcmp(key->blob, blobs[i].data, blobs[i].size) == 0,
           "key %d is the one that the agent has", i);
    }
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
}

static void log_in(int n, enum manner manner, int want, const char *what)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    pid_t pid = agent_start(serve, &manner);
    LIBSSH2_AGENT *agent = agent_connected(c);
    int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, n)));
    /* The original drops what the key has added to the signature, so it never gets in. */
    trace_differs(c, rc, want ? want : LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, want, "%s%s, %s",
                  sk_name(authenticators[n / 2].type), n % 2 ? " with certificate" : "", what);
    is_number(libssh2_userauth_authenticated(c->session), rc == 0, "is in");
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
}

/* What a security key adds to its signature is part of what the caller gets. */
static void sign_alone(int n)
{
    struct conn *c = conn_new();
    pid_t pid = agent_start(serve, &(enum manner){ SIGNS });
    LIBSSH2_AGENT *agent = agent_connected(c);
    const char *name = sk_name(authenticators[n / 2].type);
    unsigned char *signature = NULL;
    size_t size = 0;
    int rc = libssh2_agent_sign(agent, agent_key(agent, n), &signature, &size,
                                (const unsigned char *)"data", 4, name, (unsigned)strlen(name));
    trace("%s, sign = %s", name, error_name(rc));
    is_number(rc, 0, "sign");
    if(ours) {
        size_t inner = size > 9 ? (size_t)signature[2] << 8 | signature[3] : 0;
        ok(size == 4 + inner + 5 && signature[size - 5] == SK_PRESENT && signature[size - 1] == 1,
           "the signature, the flags and the counter");
    }
    libssh2_free(c->session, signature);
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
}

static void certify(const char *authority, int n)
{
    char text[3000], *certificate, path[40];
    size_t size;
    authenticator_public(&authenticators[n], &blobs[2 * n]);
    authenticator_public_text(&authenticators[n], text, sizeof(text));
    snprintf(path, sizeof(path), "sk%d.pub", n);
    write_whole(temp_path(path), text, strlen(text));
    if(run((const char *const[]){ "ssh-keygen", "-q", "-s", authority, "-I", "test", "-n",
                                  user_name(), temp_path(path), NULL }) != 0)
        bail("no certificate");
    snprintf(path, sizeof(path), "sk%d-cert.pub", n);
    certificate = read_whole(temp_path(path), &size);
    put_blob(&blobs[2 * n + 1], certificate);
    free(certificate);
}

static void authorize(const char *options)
{
    char lines[6500], text[3000];
    lines[0] = '\0';
    for(int i = 0; i < 2; i++) {
        authenticator_public_text(&authenticators[i], text, sizeof(text));
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s%s", options, text);
    }
    write_whole(temp_path("authorized"), lines, strlen(lines));
}

void test(void)
{
    char config[700];
    const char *authority = temp_path("ca");
    if(run((const char *const[]){ "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority,
                                  NULL }) != 0)
        bail("no authority");
    for(int i = 0; i < 2; i++) {
        authenticator_make(&authenticators[i], i == 0 ? SK_ED25519 : SK_ECDSA);
        certify(authority, i);
    }
    listed();
    snprintf(config, sizeof(config), "AuthorizedKeysFile %s\n", temp_path("authorized"));
    server_config(config);
    for(int n = 0; n < KEYS; n += 2) {
        authorize("");
        log_in(n, SIGNS, 0, "touched");
        log_in(n, REFUSES, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "the agent refuses");
        log_in(n, UNTOUCHED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "nobody touches it");
        if(ours) { /* the original tries for seven seconds */
            trace_off(true);
            log_in(n, WITH_THE_OTHER, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "another key signs");
            trace_off(false);
        }
        authorize("verify-required ");
        log_in(n, SIGNS, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "touched where that is not enough");
        log_in(n, VERIFIES, 0, "verified");
        authorize("no-touch-required ");
        log_in(n, UNTOUCHED, 0, "no touch asked for");
        write_whole(temp_path("authorized"), "", 0);
        log_in(n, SIGNS, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "not authorized");
        sign_alone(n);
    }
    snprintf(config, sizeof(config), "TrustedUserCAKeys %s.pub\nAuthorizedKeysFile none\n", authority);
    server_config(config);
    for(int n = 1; n < KEYS; n += 2) {
        log_in(n, SIGNS, 0, "touched");
        log_in(n, UNTOUCHED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "nobody touches it");
        log_in(n - 1, SIGNS, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "the key without its certificate");
    }
    for(int i = 0; i < 2; i++)
        authenticator_free(&authenticators[i]);
}
