/* How often each way to log in waits for the server. A key whose private half is there is signed
 * with at once; whoever else signs is asked only when the server has said that it takes the key. */
#include "agent.h"
#include "testd.h"
#include "turns.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

static struct conn *c;
static int signatures;
static EVP_PKEY *private_key;

/* What one login has to give, and by how many turns; the original may take more. */
static void judge(int rc, int want, int turns, const char *what)
{
    int taken = turns_taken(what);
    trace_rc(c, rc, "%s", what);
    is_number(rc, want, what);
    ok(!ours || taken == turns, "%s: %d turns", what, taken);
}

static void greet(struct conn *connection)
{
    c = connection;
    turns_count(c);
    conn_handshake(c);
    /* With it the service is asked for, whose answer is still to come in ours. */
    turns_taken("handshake");
}

static int from_memory(const char *name)
{
    size_t size;
    const char *user = user_name();
    char *key = read_whole(key_path(name), &size);
    int rc = CALL(c, libssh2_userauth_publickey_frommemory(c->session, user, strlen(user), NULL, 0,
                                                           key, size, "secret"));
    free(key);
    return rc;
}

static int from_files(const char *public_name, const char *private_name)
{
    return CALL(c, libssh2_userauth_publickey_fromfile(
                       c->session, user_name(), public_name ? key_path(public_name) : NULL,
                       key_path(private_name), NULL));
}

static void keys(void)
{
    greet(conn_new());
    judge(from_files(NULL, "refused"), LIBSSH2_ERROR_AUTHENTICATION_FAILED, 1, "a key that is refused");
    judge(from_files("refused.pub", "refused"), LIBSSH2_ERROR_AUTHENTICATION_FAILED, 1,
          "the same, public half given");
    judge(from_files("user_ecdsa256.pub", "user_ed25519.openssh"), LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
          1, "a private half that belongs to another key");
    judge(from_memory("user_rsa.pem.enc"), 0, 1, "a key from memory");
    conn_close(c);
    greet(conn_new());
    judge(from_files("user_ed25519.pub", "user_ed25519.openssh"), 0, 1, "a key from two files");
    conn_close(c);
    greet(conn_new());
    judge(from_files(NULL, "user_ecdsa384.pkcs8"), 0, 1, "a key from one file");
    conn_close(c);
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    (void)session, (void)abstract;
    signatures++;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    *sig_len = 64;
    *sig = malloc(*sig_len);
    if(EVP_DigestSignInit(context, NULL, NULL, NULL, private_key) != 1 ||
       EVP_DigestSign(context, *sig, sig_len, data, data_len) != 1)
        bail("can not sign");
    EVP_MD_CTX_free(context);
    return 0;
}

/* The public half of an Ed25519 key as the wire has it. */
static void blob_of(const char *name, struct bytes *blob)
{
    unsigned char raw[32];
    size_t size = sizeof(raw);
    FILE *file = fopen(key_path(name), "r");
    private_key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if(!private_key || EVP_PKEY_get_raw_public_key(private_key, raw, &size) != 1)
        bail("no %s", name);
    fclose(file);
    blob->size = 0;
    put_text(blob, "ssh-ed25519");
    put_u32(blob, (uint32_t)size);
    put(blob, raw, size);
}

static void signers(void)
{
    struct bytes blob, unknown = { .size = 0 };
    void *nothing = NULL;
    blob_of("user_ed25519.pkcs8", &blob);
    put(&unknown, blob.data, blob.size);
    unknown.data[unknown.size - 1] ^= 1;
    greet(conn_new());
    judge(CALL(c, libssh2_userauth_publickey(c->session, user_name(), unknown.data, unknown.size, sign,
                                             &nothing)),
          LIBSSH2_ERROR_AUTHENTICATION_FAILED, 1, "a program's key that is refused");
    is_number(signatures, 0, "nobody was asked to sign");
    judge(CALL(c, libssh2_userauth_publickey(c->session, user_name(), blob.data, blob.size, sign,
                                             &nothing)),
          0, 2, "a program's key");
    is_number(signatures, 1, "the program was asked once");
    conn_close(c);
    EVP_PKEY_free(private_key);
}

/* An agent with one key that works, and one that the server does not know. */
static void serve(int fd, const void *how)
{
    struct bytes request, blob, unknown = { .size = 0 };
    (void)how;
    blob_of("user_ed25519.pkcs8", &blob);
    put(&unknown, blob.data, blob.size);
    unknown.data[unknown.size - 1] ^= 1;
    while(agent_request(fd, &request)) {
        struct bytes answer = { .size = 0 };
        if(request.data[0] == REQUEST_IDENTITIES) {
            put_u8(&answer, IDENTITIES_ANSWER);
            put_u32(&answer, 2);
            put_bytes(&answer, &unknown);
            put_text(&answer, "unknown");
            put_bytes(&answer, &blob);
            put_text(&answer, "known");
        }
        else if(request.size > 9 + blob.size) {
            struct bytes signature = { .size = 0 };
            const unsigned char *data = request.data + 9 + blob.size;
            unsigned char *made;
            size_t size;
            sign(NULL, &made, &size, data, request.size - 13 - blob.size, NULL);
            put_text(&signature, "ssh-ed25519");
            put_u32(&signature, (uint32_t)size);
            put(&signature, made, size);
            free(made);
            put_u8(&answer, SIGN_RESPONSE);
            put_bytes(&answer, &signature);
        }
        else
            put_u8(&answer, AGENT_FAILURE);
        agent_answer(fd, &answer);
    }
}

static void agents(void)
{
    pid_t pid = agent_start(serve, NULL);
    greet(conn_new());
    LIBSSH2_AGENT *agent = agent_connected(c);
    judge(CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, 0))),
          LIBSSH2_ERROR_AUTHENTICATION_FAILED, 1, "an agent's key that is refused");
    judge(CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, 1))), 0, 2,
          "an agent's key");
    libssh2_agent_disconnect(agent);
    libssh2_agent_free(agent);
    conn_close(c);
    agent_stop(pid);
}

static void hosts(void)
{
    const char *host = "client.example", *user = "me";
    greet(testd("--host me@client.example"));
    int rc = CALL(c, libssh2_userauth_hostbased_fromfile_ex(
                         c->session, TESTD_USER, sizeof(TESTD_USER) - 1, key_path("host_ecdsa256.pub"),
                         key_path("host_ecdsa256"), NULL, host, (unsigned)strlen(host), user,
                         (unsigned)strlen(user)));
    judge(rc, 0, 1, "a host's key");
    conn_drop(c);
}

static void passwords(void)
{
    greet(testd(" "));
    judge(CALL(c, libssh2_userauth_password(c->session, TESTD_USER, "wrong")),
          LIBSSH2_ERROR_AUTHENTICATION_FAILED, 1, "a wrong password");
    judge(CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD)), 0, 1,
          "a password");
    conn_drop(c);
}

void test(void)
{
    watchdog(120);
    server_delay(20);
    keys();
    signers();
    agents();
    hosts();
    passwords();
}
