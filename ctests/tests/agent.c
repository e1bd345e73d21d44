/* The agent: a real one that holds keys of every type and certificates, and some that lie. */
#include "agent.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *const types[] = { "ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa" };

static struct conn *greeted(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    return c;
}

/* --- a real agent --- */

static char *real_path;

static pid_t real_agent(void)
{
    real_path = temp_path("agent");
    pid_t pid = fork();
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if(!freopen("/dev/null", "w", stdout))
            _exit(127);
        execlp("ssh-agent", "ssh-agent", "-D", "-a", real_path, (char *)NULL);
        _exit(127);
    }
    setenv("SSH_AUTH_SOCK", real_path, 1);
    /* 2: nobody listens yet */
    for(int i = 0; i < 200; i++) {
        if(run((const char *const[]){ "sh", "-c", "ssh-add -l >/dev/null 2>&1", NULL }) != 2)
            break;
        usleep(20000);
    }
    for(size_t i = 0; i < COUNT(types); i++) {
        char name[40];
        snprintf(name, sizeof(name), "user_%s.openssh", types[i]);
        if(run((const char *const[]){ "ssh-add", "-q", key_path(name), NULL }) != 0)
            bail("ssh-add failed");
    }
    if(run((const char *const[]){ "ssh-add", "-q", key_path("refused"), NULL }) != 0)
        bail("ssh-add failed");
    return pid;
}

static void listing(void)
{
    struct conn *c = greeted();
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    int rc = libssh2_agent_list_identities(agent);
    trace_rc(c, rc, "list before connect");
    trace_rc(c, libssh2_agent_disconnect(agent), "disconnect before connect");
    trace("path %s", libssh2_agent_get_identity_path(agent) ? "set" : "NULL");
    libssh2_agent_set_identity_path(agent, "/nonexistent/agent");
    trace("path %s", libssh2_agent_get_identity_path(agent));
    trace_rc(c, libssh2_agent_connect(agent), "nobody listens");
    char long_path[300];
    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    libssh2_agent_set_identity_path(agent, long_path);
    trace_rc(c, libssh2_agent_connect(agent), "a path that is too long");
    libssh2_agent_set_identity_path(agent, NULL);
    unsetenv("SSH_AUTH_SOCK");
    trace_rc(c, libssh2_agent_connect(agent), "nothing is set");
    libssh2_agent_set_identity_path(agent, real_path);
    rc = libssh2_agent_connect(agent);
    trace_rc(c, rc, "the real agent by its path");
    is_number(rc, 0, "by its path");
    trace_rc(c, libssh2_agent_disconnect(agent), "disconnect");
    trace_rc(c, libssh2_agent_disconnect(agent), "disconnect again");
    libssh2_agent_set_identity_path(agent, NULL);
    setenv("SSH_AUTH_SOCK", real_path, 1);
    trace_rc(c, libssh2_agent_connect(agent), "the real agent by the environment");
    struct libssh2_agent_publickey *key = NULL;
    trace("before the list = %d", libssh2_agent_get_identity(agent, &key, NULL));
    for(int i = 0; i < 2; i++) {
        rc = libssh2_agent_list_identities(agent);
        trace_rc(c, rc, "list");
        int count = 0;
        for(key = NULL; (rc = libssh2_agent_get_identity(agent, &key, key)) == 0; count++) {
            if(!strstr(key->comment, "refused"))
                trace("  %.*s of %zu bytes, %s", key->blob[3], key->blob + 4, key->blob_len,
                      strstr(key->comment, "user_rsa") ? "(RSA)" : key->comment);
            ok(key->magic == 0x3bdefed2 && key->node, "magic and node");
        }
        is_number(rc, 1, "the end");
        is_number(count, COUNT(types) + 1, "keys");
    }
    libssh2_agent_free(agent);
    conn_drop(c);
}

static void log_in(int n)
{
    struct conn *c = greeted();
    LIBSSH2_AGENT *agent = agent_connected(c);
    int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, (int)COUNT(types))));
    trace_rc(c, rc, "a key that the server does not know");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "is refused");
    rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, n)));
    trace_rc(c, rc, "%s", types[n]);
    is_number(rc, 0, types[n]);
    is_number(libssh2_userauth_authenticated(c->session), 1, "is in");
    libssh2_agent_disconnect(agent);
    libssh2_agent_free(agent);
    conn_close(c);
}

static void certificates(void)
{
    char config[500];
    const char *authority = temp_path("ca");
    if(run((const char *const[]){ "ssh-add", "-q", "-D", NULL }) != 0 ||
       run((const char *const[]){ "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority,
                                  NULL }) != 0)
        bail("no authority");
    for(size_t i = 0; i < COUNT(types); i++) {
        char from[40], to[300], public_to[310];
        snprintf(from, sizeof(from), "user_%s.openssh", types[i]);
        snprintf(to, sizeof(to), "%s", temp_path(from));
        if(run((const char *const[]){ "cp", "-p", key_path(from), to, NULL }) != 0)
            bail("cp failed");
        snprintf(from, sizeof(from), "user_%s.pub", types[i]);
        snprintf(public_to, sizeof(public_to), "%s.pub", to);
        if(run((const char *const[]){ "cp", key_path(from), public_to, NULL }) != 0 ||
           run((const char *const[]){ "ssh-keygen", "-q", "-s", authority, "-I", "test", "-n",
                                      user_name(), public_to, NULL }) != 0 ||
           run((const char *const[]){ "ssh-add", "-q", to, NULL }) != 0)
            bail("no certificate");
    }
    snprintf(config, sizeof(config), "TrustedUserCAKeys %s.pub\nAuthorizedKeysFile none\n",
             authority);
    server_config(config);
    for(int n = 0; n < (int)COUNT(types); n++) {
        bool rsa = strcmp(types[n], "rsa") == 0;
        if(rsa && !ours) {
            skip("the original has the agent sign with SHA-1");
            continue;
        }
        trace_off(rsa);
        struct conn *c = greeted();
        LIBSSH2_AGENT *agent = agent_connected(c);
        int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, 2 * n)));
        is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "the key alone is refused");
        rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, 2 * n + 1)));
        trace_rc(c, rc, "%s with a certificate", types[n]);
        is_number(rc, 0, "the certificate is accepted");
        libssh2_agent_free(agent);
        conn_close(c);
    }
    trace_off(false);
    server_config(NULL);
}

static void signing(void)
{
    struct conn *c = greeted();
    LIBSSH2_AGENT *agent = agent_connected(c);
    static const struct {
        int n;
        const char *method, *file;
        const char *hash;
    } cases[] = {
        { 0, "ssh-ed25519", "user_ed25519.pkcs8", NULL },
        { 4, "rsa-sha2-256", "user_rsa.pkcs8", "SHA256" },
        { 4, "rsa-sha2-512", "user_rsa.pkcs8", "SHA512" },
    };
    for(size_t i = 0; i < COUNT(cases); i++) {
        unsigned char *signature = NULL;
        size_t size = 0;
        int rc = libssh2_agent_sign(agent, agent_key(agent, cases[i].n), &signature, &size,
                                    (const unsigned char *)"data", 4, cases[i].method,
                                    (unsigned)strlen(cases[i].method));
        trace_rc(c, rc, "%s", cases[i].method);
        trace("%zu bytes", size);
        FILE *file = fopen(key_path(cases[i].file), "r");
        EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_DigestVerifyInit_ex(context, NULL, cases[i].hash, NULL, NULL, key, NULL);
        ok(rc == 0 && EVP_DigestVerify(context, signature, size, (unsigned char *)"data", 4) == 1,
           "the signature is right");
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(key);
        fclose(file);
        libssh2_free(c->session, signature);
    }
    unsigned char *signature = NULL;
    size_t size = 0;
    int rc = libssh2_agent_sign(agent, agent_key(agent, 0), &signature, &size,
                                (const unsigned char *)"data", 4, "ssh-rsa", 7);
    trace_rc(c, rc, "another algorithm than the key's");
    rc = libssh2_agent_sign(agent, agent_key(agent, 0), &signature, &size, (const unsigned char *)"data",
                            4, "ssh\0rsa", 7);
    trace_rc(c, rc, "an algorithm with a NUL");
    libssh2_agent_free(agent);
    conn_drop(c);
}

/* --- agents that lie --- */

/* Answers each request with the next of `answers`, `count` of them, and hangs up after the last;
 * or goes on with the last one, for the original asks again, and writes to whoever is there. */
struct answer {
    const char *bytes;
    size_t size;
};
#define ANSWER(literal) { literal, sizeof(literal) - 1 }

struct lies {
    const struct answer *answers;
    size_t count;
    bool hangs_up;
};

static void lie(int fd, const void *how)
{
    const struct lies *lies = how;
    struct bytes request;
    for(size_t i = 0; i < lies->count; i += (i + 1 < lies->count || lies->hangs_up)) {
        if(!agent_request(fd, &request))
            return;
        for(size_t at = 0; at < lies->answers[i].size; at++) /* byte by byte */
            if(write(fd, &lies->answers[i].bytes[at], 1) != 1)
                return;
    }
}

static void lied(const char *what, struct answer answer, int want, int want_keys)
{
    struct conn *c = greeted();
    pid_t pid = agent_start(lie, &(struct lies){ &answer, 1, true });
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    struct libssh2_agent_publickey *key = NULL;
    int keys = 0;
    if(libssh2_agent_connect(agent) != 0)
        bail("no liar");
    int rc = libssh2_agent_list_identities(agent);
    trace_rc(c, rc, "%s", what);
    is_number(rc, want, what);
    while(libssh2_agent_get_identity(agent, &key, key) == 0)
        keys++;
    trace("%d keys", keys);
    is_number(keys, want_keys, "keys");
    libssh2_agent_free(agent);
    conn_drop(c);
    agent_stop(pid);
}

#define ONE_KEY "\0\0\0\x0f\0\0\0\x0bssh-ed25519\0\0\0\x01" "c"
#define LIES(what, bytes, code, keys) lied(what, (struct answer)ANSWER(bytes), code, keys)

static void lies(void)
{
    LIES("failure", "\0\0\0\x01\x05", LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    LIES("another number", "\0\0\0\x01\x0e", LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    LIES("no keys", "\0\0\0\x05\x0c\0\0\0\0", 0, 0);
    LIES("no count", "\0\0\0\x02\x0c\0", LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    LIES("one key of two", "\0\0\0\x1d\x0c\0\0\0\x02" ONE_KEY, LIBSSH2_ERROR_AGENT_PROTOCOL, 1);
    LIES("a key past the end", "\0\0\0\x09\x0c\0\0\0\x01\xff\xff\xff\xff",
         LIBSSH2_ERROR_OUT_OF_BOUNDARY, 0);
    LIES("a key that is a little too long", "\0\0\0\x09\x0c\0\0\0\x01\0\0\0\1",
         LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    LIES("a billion keys", "\0\0\0\x05\x0c\x40\0\0\0", LIBSSH2_ERROR_OUT_OF_BOUNDARY, 0);
    LIES("a gigabyte", "\x40\0\0\0\x0c", LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    if(!ours) {
        skip("the original waits for ever for an agent that has hung up");
        return;
    }
    trace_off(true);
    LIES("nothing", "", LIBSSH2_ERROR_SOCKET_RECV, 0);
    LIES("half a length", "\0\0", LIBSSH2_ERROR_SOCKET_RECV, 0);
    LIES("half an answer", "\0\0\0\x1d\x0c\0\0\0\x02", LIBSSH2_ERROR_SOCKET_RECV, 0);
    LIES("an empty answer", "\0\0\0\0", LIBSSH2_ERROR_AGENT_PROTOCOL, 0);
    trace_off(false);
}

/* Lists a key that the server takes, and then signs with `signature`. */
static int log_in_by_liar(struct conn *c, struct answer signature, bool hangs_up)
{
    size_t length;
    char *line = read_whole(key_path("user_ed25519.pub"), &length);
    struct bytes key = { .size = 0 }, list = { .size = 0 }, framed = { .size = 0 };
    put_blob(&key, line);
    free(line);
    put_u8(&list, IDENTITIES_ANSWER);
    put_u32(&list, 1);
    put_bytes(&list, &key);
    put_text(&list, "");
    put_bytes(&framed, &list);
    struct answer answers[2] = { { (char *)framed.data, framed.size }, signature };
    pid_t pid = agent_start(lie, &(struct lies){ answers, 2, hangs_up });
    LIBSSH2_AGENT *agent = agent_connected(c);
    int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), agent_key(agent, 0)));
    libssh2_agent_free(agent);
    agent_stop(pid);
    return rc;
}

static void false_signatures(void)
{
    static const struct {
        const char *what;
        struct answer answer;
    } cases[] = {
        { "failure", ANSWER("\0\0\0\x01\x05") },
        { "a wrong signature", ANSWER("\0\0\0\x18\x0e\0\0\0\x13\0\0\0\x0bssh-ed25519\0\0\0\0") },
        { "a signature past the end", ANSWER("\0\0\0\x05\x0e\xff\xff\xff\xff") },
    };
    for(size_t i = 0; i < COUNT(cases); i++) {
        struct conn *c = greeted();
        int rc = log_in_by_liar(c, cases[i].answer, false);
        trace_rc(c, rc, "signing: %s", cases[i].what);
        is_number(rc, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, cases[i].what);
        conn_login(c);
        is_number(libssh2_userauth_authenticated(c->session), 1, "the session can still be used");
        conn_drop(c);
    }
    if(!ours) {
        skip("the original waits for ever for an agent that has hung up");
        return;
    }
    struct conn *c = greeted();
    int rc = log_in_by_liar(c, (struct answer)ANSWER("\0\0\0\x05"), true);
    is_number(rc, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, "an agent that hangs up");
    conn_drop(c);
}

/* Wrong use, which ends the original. */
static void misused(void)
{
    if(!ours) {
        skip("the original follows NULL");
        return;
    }
    struct libssh2_agent_publickey *key = NULL, copy, other = { 0 };
    unsigned char *signature;
    size_t size;
    ok(!libssh2_agent_init(NULL), "no session");
    is_number(libssh2_agent_connect(NULL), LIBSSH2_ERROR_BAD_USE, "connect");
    is_number(libssh2_agent_list_identities(NULL), LIBSSH2_ERROR_BAD_USE, "list");
    is_number(libssh2_agent_get_identity(NULL, &key, NULL), LIBSSH2_ERROR_BAD_USE, "get");
    is_number(libssh2_agent_userauth(NULL, "x", NULL), LIBSSH2_ERROR_BAD_USE, "userauth");
    is_number(libssh2_agent_disconnect(NULL), LIBSSH2_ERROR_BAD_USE, "disconnect");
    ok(!libssh2_agent_get_identity_path(NULL), "path");
    libssh2_agent_set_identity_path(NULL, "x");
    libssh2_agent_free(NULL);
    setenv("SSH_AUTH_SOCK", real_path, 1);
    struct conn *c = greeted();
    LIBSSH2_AGENT *agent = agent_connected(c);
    is_number(libssh2_agent_get_identity(agent, NULL, NULL), LIBSSH2_ERROR_BAD_USE, "no store");
    is_number(libssh2_agent_get_identity(agent, &key, &other), LIBSSH2_ERROR_BAD_USE, "no key of its");
    is_number(libssh2_agent_userauth(agent, "x", NULL), LIBSSH2_ERROR_BAD_USE, "no key");
    is_number(libssh2_agent_userauth(agent, "x", &other), LIBSSH2_ERROR_BAD_USE, "no key of its");
    is_number(libssh2_agent_userauth(agent, NULL, agent_key(agent, 0)), LIBSSH2_ERROR_BAD_USE, "no user");
    is_number(libssh2_agent_sign(agent, agent_key(agent, 0), NULL, &size, NULL, 0, "ssh-ed25519", 11),
              LIBSSH2_ERROR_BAD_USE, "no place for the signature");
    is_number(libssh2_agent_sign(agent, &other, &signature, &size, NULL, 0, "ssh-ed25519", 11),
              LIBSSH2_ERROR_BAD_USE, "no key of its");
    copy = *agent_key(agent, 0);
    int rc = CALL(c, libssh2_agent_userauth(agent, user_name(), &copy));
    is_number(rc, 0, "a copy of a key");
    libssh2_agent_free(agent);
    conn_close(c);
}

void test(void)
{
    /* The original may write to an agent that has hung up just then. */
    signal(SIGPIPE, SIG_IGN);
    watchdog(120);
    pid_t agent = real_agent();
    listing();
    for(int n = 0; n < (int)COUNT(types); n++)
        log_in(n);
    signing();
    trace_off(true);
    misused();
    trace_off(false);
    certificates();
    lies();
    false_signatures();
    agent_stop(agent);
}
