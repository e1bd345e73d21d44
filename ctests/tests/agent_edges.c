/* Agents with many keys, with long comments, that are old, and that are slow. */
#include "agent.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- agents --- */

struct list {
    unsigned keys;
    size_t comment; /* bytes of the last key's, of which the others have none */
};

static void write_all(int fd, const void *data, size_t size)
{
    for(size_t at = 0; at < size;) {
        ssize_t written = write(fd, (const char *)data + at, size - at);
        if(written <= 0)
            _exit(1);
        at += (size_t)written;
    }
}

/* Longer than `struct bytes` takes. */
static void list_many(int fd, const void *how)
{
    const struct list *list = how;
    struct bytes request, part = { .size = 0 };
    char *comment = malloc(list->comment + 1), blob[60];
    memset(comment, 'c', list->comment);
    while(agent_request(fd, &request)) {
        part.size = 0;
        put_u32(&part, (uint32_t)(5 + list->keys * (4 + 19 + 4) + list->comment));
        put_u8(&part, IDENTITIES_ANSWER);
        put_u32(&part, list->keys);
        write_all(fd, part.data, part.size);
        for(unsigned i = 0; i < list->keys; i++) {
            size_t length = i + 1 == list->keys ? list->comment : 0;
            part.size = 0;
            snprintf(blob, sizeof(blob), "ssh-ed25519%04u", i % 10000);
            put_u32(&part, 19);
            put_u32(&part, 11);
            put(&part, blob, 15);
            put_u32(&part, (uint32_t)length);
            write_all(fd, part.data, part.size);
            write_all(fd, comment, length);
        }
    }
    _exit(0);
}

/* Holds the RSA key and signs with SHA-1 whatever it is asked for, as agents did before RFC 8332. */
static void sign_as_ever(int fd, const void *how)
{
    struct bytes request, key = { .size = 0 };
    size_t length;
    char *line = read_whole(key_path("user_rsa.pub"), &length);
    put_blob(&key, line);
    free(line);
    (void)how;
    while(agent_request(fd, &request)) {
        struct bytes answer = { .size = 0 }, signature = { .size = 0 };
        if(request.data[0] == REQUEST_IDENTITIES) {
            put_u8(&answer, IDENTITIES_ANSWER);
            put_u32(&answer, 1);
            put_bytes(&answer, &key);
            put_text(&answer, "an old key");
        } else {
            const unsigned char *data = request.data + 1 + 4 + key.size + 4;
            size_t size = (size_t)data[-2] << 8 | data[-1];
            FILE *file = fopen(key_path("user_rsa.pkcs8"), "r");
            EVP_PKEY *private_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
            EVP_MD_CTX *context = EVP_MD_CTX_new();
            unsigned char raw[1000];
            size_t raw_size = sizeof(raw);
            if(EVP_DigestSignInit(context, NULL, EVP_sha1(), NULL, private_key) != 1 ||
               EVP_DigestSign(context, raw, &raw_size, data, size) != 1)
                _exit(1);
            EVP_MD_CTX_free(context);
            EVP_PKEY_free(private_key);
            fclose(file);
            put_text(&signature, "ssh-rsa");
            put_string(&signature, raw, raw_size);
            put_u8(&answer, SIGN_RESPONSE);
            put_bytes(&answer, &signature);
        }
        if(!agent_answer(fd, &answer))
            return;
    }
}

/* Hears and says nothing. */
static void say_nothing(int fd, const void *how)
{
    struct bytes request;
    (void)how;
    while(agent_request(fd, &request))
        continue;
}

/* --- the tests --- */

static void listed(struct list list, int want, unsigned want_keys)
{
    struct conn *c = conn_new();
    pid_t pid = agent_start(list_many, &list);
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    if(libssh2_agent_connect(agent) != 0)
        bail("no agent");
    for(int round = 0; round < 2; round++) {
        int rc = libssh2_agent_list_identities(agent);
        struct libssh2_agent_publickey *key = NULL, *last = NULL;
        unsigned count = 0;
        trace_rc(c, rc, "%u keys, a comment of %zu bytes", list.keys, list.comment);
        is_number(rc, want, "list");
        while(libssh2_agent_get_identity(agent, &key, key) == 0) {
            char name[20];
            snprintf(name, sizeof(name), "%04u", count++);
            if(key->blob_len != 19 || memcmp(key->blob + 15, name, 4) != 0)
                ok(false, "key %s is not itself", name);
            last = key;
        }
        trace("%u keys", count);
        is_number(count, want_keys, "keys");
        if(rc == 0)
            is_number((long long)strlen(last->comment), (long long)list.comment, "the last comment");
        else
            break; /* what the agent has said of the rest is still to be read */
    }
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
}

static void many(void)
{
    listed((struct list){ 1, 0 }, 0, 1);
    listed((struct list){ 300, 7 }, 0, 300); /* 8112 bytes */
    if(!ours) {
        skip("the original takes 8188 bytes");
        return;
    }
    trace_off(true);
    listed((struct list){ 304, 0 }, 0, 304);
    listed((struct list){ 1024, 0 }, 0, 1024);
    listed((struct list){ 1025, 0 }, LIBSSH2_ERROR_OUT_OF_BOUNDARY, 0);
    listed((struct list){ 2, 65536 }, 0, 2);
    listed((struct list){ 2, 65537 }, LIBSSH2_ERROR_OUT_OF_BOUNDARY, 1);
    listed((struct list){ 2, 262144 }, LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    trace_off(false);
}

static int log_in_by_old_agent(const char *config)
{
    server_config(config);
    struct conn *c = conn_new();
    conn_handshake(c);
    pid_t pid = agent_start(sign_as_ever, NULL);
    LIBSSH2_AGENT *agent = agent_connected(c);
    int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, 0)));
    is_number(libssh2_userauth_authenticated(c->session), rc == 0, "authenticated");
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
    server_config(NULL);
    return rc;
}

static void old(void)
{
    if(!ours) {
        skip("the original waits for an answer that it has had");
        return;
    }
    is_number(log_in_by_old_agent("PubkeyAcceptedAlgorithms +ssh-rsa\n"), 0,
              "an agent that knows SHA-1 alone, and a server that does not mind");
    int rc = log_in_by_old_agent(NULL);
    ok(rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
       "and one that does: %s", error_name(rc));
    /* The caller who names the algorithm is told that it was another. */
    struct conn *c = conn_new();
    pid_t pid = agent_start(sign_as_ever, NULL);
    LIBSSH2_AGENT *agent = agent_connected(c);
    unsigned char *signature = NULL;
    size_t size = 0;
    rc = libssh2_agent_sign(agent, agent_key(agent, 0), &signature, &size,
                            (const unsigned char *)"data", 4, "rsa-sha2-256", 12);
    is_number(rc, LIBSSH2_ERROR_ALGO_UNSUPPORTED, "asked for another algorithm");
    rc = libssh2_agent_sign(agent, agent_key(agent, 0), &signature, &size,
                            (const unsigned char *)"data", 4, "ssh-rsa", 7);
    ok(rc == 0 && size == 256, "asked for its own: %s, %zu bytes", error_name(rc), size);
    libssh2_free(c->session, signature);
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
}

static void slow(void)
{
    if(!ours) {
        skip("the original waits for ever");
        return;
    }
    struct conn *c = conn_new();
    pid_t pid = agent_start(say_nothing, NULL);
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    libssh2_session_set_timeout(c->session, 200);
    if(libssh2_agent_connect(agent) != 0)
        bail("no agent");
    long long begin = now_ms();
    is_number(libssh2_agent_list_identities(agent), LIBSSH2_ERROR_TIMEOUT, "an agent that says nothing");
    ok(now_ms() - begin >= 150, "that takes as long as the session says: %lld ms", now_ms() - begin);
    agent_stop(pid);
    /* Another one at the same place is asked after connecting anew. */
    pid = agent_start(list_many, &(struct list){ 3, 0 });
    is_number(libssh2_agent_disconnect(agent), 0, "disconnect");
    is_number(libssh2_agent_connect(agent), 0, "connect again");
    is_number(libssh2_agent_list_identities(agent), 0, "an agent that answers");
    ok(agent_key(agent, 2) && !agent_key(agent, 3), "with three keys");
    libssh2_agent_free(agent);
    agent_stop(pid);
    conn_drop(c);
}

void test(void)
{
    signal(SIGPIPE, SIG_IGN);
    many();
    old();
    slow();
}
