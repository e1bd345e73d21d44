/* Security keys that an agent holds: an agent of our own with authenticators made of software. */
#include "authenticator.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* draft-ietf-sshm-ssh-agent, section 6.1 */
enum { FAILURE = 5, REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12, SIGN_REQUEST = 13, SIGN_RESPONSE = 14 };

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
        put(answer, &(unsigned char){ FAILURE }, 1);
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
    put(&signature, &key->flags, 1);
    put_u32(&signature, key->counter);
    put(answer, &(unsigned char){ SIGN_RESPONSE }, 1);
    put_bytes(answer, &signature);
}

static void serve(int fd, enum manner manner)
{
    unsigned char length[4], request[3000];
    while(recv(fd, length, sizeof(length), MSG_WAITALL) == (ssize_t)sizeof(length)) {
        size_t size = (size_t)length[2] << 8 | length[3];
        struct bytes answer = { .size = 0 }, framed = { .size = 0 };
        if(size > sizeof(request) || recv(fd, request, size, MSG_WAITALL) != (ssize_t)size)
            return;
        if(request[0] == REQUEST_IDENTITIES) {
            put(&answer, &(unsigned char){ IDENTITIES_ANSWER }, 1);
            put_u32(&answer, KEYS);
            for(int i = 0; i < KEYS; i++) {
                put_bytes(&answer, &blobs[i]);
                put_text(&answer, i % 2 ? "a certificate" : "a key");
            }
        } else
            answer_sign(request + 1, manner, &answer);
        put_bytes(&framed, &answer);
        if(write(fd, framed.data, framed.size) != (ssize_t)framed.size)
            return;
    }
}

/* One that serves one program. */
static pid_t agent_of(enum manner manner)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char *path = temp_path("agent");
    remove(path);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 1) != 0)
        bail("can not listen at %s", path);
    pid_t pid = fork();
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(accept(listener, NULL, NULL), manner);
        _exit(0);
    }
    close(listener);
    setenv("SSH_AUTH_SOCK", path, 1);
    return pid;
}

static LIBSSH2_AGENT *connected(struct conn *c)
{
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    if(!agent || libssh2_agent_connect(agent) != 0 || libssh2_agent_list_identities(agent) != 0)
        bail("no agent");
    return agent;
}

static struct libssh2_agent_publickey *nth(LIBSSH2_AGENT *agent, int n)
{
    struct libssh2_agent_publickey *key = NULL;
    for(int i = 0; i <= n; i++)
        if(libssh2_agent_get_identity(agent, &key, key) != 0)
            return NULL;
    return key;
}

static void over(LIBSSH2_AGENT *agent, pid_t pid)
{
    libssh2_agent_free(agent);
    signal_tree(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* --- the tests --- */

static void listed(void)
{
    struct conn *c = conn_new();
    pid_t pid = agent_of(SIGNS);
    LIBSSH2_AGENT *agent = connected(c);
    for(int i = 0; i < KEYS; i++) {
        struct libssh2_agent_publickey *key = nth(agent, i);
        trace("%.*s, %s", key->blob[3], key->blob + 4, key->comment);
        ok(key->blob_len == blobs[i].size && memcmp(key->blob, blobs[i].data, blobs[i].size) == 0,
           "key %d is the one that the agent has", i);
    }
    over(agent, pid);
    conn_drop(c);
}

static void log_in(int n, enum manner manner, int want, const char *what)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    pid_t pid = agent_of(manner);
    LIBSSH2_AGENT *agent = connected(c);
    int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), nth(agent, n)));
    /* The original drops what the key has added to the signature, so it never gets in. */
    trace_differs(c, rc, want ? want : LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, want, "%s%s, %s",
                  sk_name(authenticators[n / 2].type), n % 2 ? " with certificate" : "", what);
    is_number(libssh2_userauth_authenticated(c->session), rc == 0, "is in");
    over(agent, pid);
    conn_drop(c);
}

/* What a security key adds to its signature is part of what the caller gets. */
static void sign_alone(int n)
{
    struct conn *c = conn_new();
    pid_t pid = agent_of(SIGNS);
    LIBSSH2_AGENT *agent = connected(c);
    const char *name = sk_name(authenticators[n / 2].type);
    unsigned char *signature = NULL;
    size_t size = 0;
    int rc = libssh2_agent_sign(agent, nth(agent, n), &signature, &size,
                                (const unsigned char *)"data", 4, name, (unsigned)strlen(name));
    trace("%s, sign = %s", name, error_name(rc));
    is_number(rc, 0, "sign");
    if(ours) {
        size_t inner = size > 9 ? (size_t)signature[2] << 8 | signature[3] : 0;
        ok(size == 4 + inner + 5 && signature[size - 5] == SK_PRESENT && signature[size - 1] == 1,
           "the signature, the flags and the counter");
    }
    libssh2_free(c->session, signature);
    over(agent, pid);
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
    char *digits = strchr(certificate, ' ') + 1;
    int length = (int)strcspn(digits, " \n");
    int decoded = EVP_DecodeBlock(blobs[2 * n + 1].data, (unsigned char *)digits, length);
    blobs[2 * n + 1].size = (size_t)decoded - (digits[length - 1] == '=') - (digits[length - 2] == '=');
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
        log_in(n, WITH_THE_OTHER, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "another key signs");
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
