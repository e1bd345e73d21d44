/* Logins at the edges: how long names, passwords and keys may be, which way RSA keys sign, several methods one after the
 * other, and what comes after a login. */
#include "bytes.h"
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>

#define LONGEST 34744 /* bytes of a name, a password or a key */

static int asked; /* how often somebody was asked to sign or to answer */

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(never_signs)
{
    (void)session, (void)sig, (void)sig_len, (void)data, (void)data_len, (void)abstract;
    asked++;
    return -1;
}

static LIBSSH2_USERAUTH_SK_SIGN_FUNC(never_touched)
{
    (void)session, (void)sig_info, (void)data, (void)data_len, (void)algorithm, (void)flags;
    (void)application, (void)key_handle, (void)key_handle_len, (void)abstract;
    asked++;
    return -1;
}

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(answers_nothing)
{
    (void)name, (void)name_len, (void)instruction, (void)instruction_len, (void)num_prompts;
    (void)prompts, (void)responses, (void)abstract;
    asked++;
}

/* --- lengths --- */

enum method { PASSWORD, NEW_USER, MEMORY, KEYBOARD, HOSTBASED, HOST_NAME, LOCAL_USER, SK, KEY, METHODS };

static const char *const method_names[] = { "a password", "a user with a password",
                                            "a user with a key in memory", "a user to be asked",
                                            "a user of a host", "a host", "a user on a host",
                                            "a user with a security key", "a public key" };

/* One field of the method's request is `length` bytes of `text`. */
static int try(struct conn *c, enum method method, const char *text, unsigned length)
{
    static void *nothing;
    size_t size, public_size;
    char *key = read_whole(key_path("user_ed25519.openssh"), &size), *public_key;
    const char *host_key = key_path("host_ecdsa256"), *user = TESTD_USER;
    unsigned user_length = sizeof(TESTD_USER) - 1;
    char host_public[300];
    int rc = -1;
    snprintf(host_public, sizeof(host_public), "%s.pub", host_key);
    switch(method) {
    case PASSWORD:
        rc = CALL(c, libssh2_userauth_password_ex(c->session, user, user_length, text, length, NULL));
        break;
    case NEW_USER:
        rc = CALL(c, libssh2_userauth_password_ex(c->session, text, length, "x", 1, NULL));
        break;
    case MEMORY:
        rc = CALL(c, libssh2_userauth_publickey_frommemory(c->session, text, length, NULL, 0, key,
                                                           size, NULL));
        break;
    case KEYBOARD:
        rc = CALL(c, libssh2_userauth_keyboard_interactive_ex(c->session, text, length,
                                                              answers_nothing));
        break;
    case HOSTBASED:
    case HOST_NAME:
    case LOCAL_USER:
        rc = CALL(c, libssh2_userauth_hostbased_fromfile_ex(
                         c->session, method == HOSTBASED ? text : user,
                         method == HOSTBASED ? length : user_length, host_public, host_key, NULL,
                         method == HOST_NAME ? text : "host", method == HOST_NAME ? length : 4,
                         method == LOCAL_USER ? text : "me", method == LOCAL_USER ? length : 2));
        break;
    case SK:
        public_key = read_whole(key_path("user_ed25519.pub"), &public_size);
        rc = CALL(c, libssh2_userauth_publickey_sk(c->session, text, length,
                                                   (unsigned char *)public_key, public_size, key,
                                                   size, NULL, never_touched, &nothing));
        free(public_key);
        break;
    case KEY: /* which begins with the name of its type */
        rc = CALL(c, libssh2_userauth_publickey(c->session, user, (const unsigned char *)text, length,
                                                never_signs, &nothing));
        break;
    case METHODS:
        break;
    }
    free(key);
    return rc;
}

static void lengths(void)
{
    /* With LONGEST bytes the whole request is more than the original can send. */
    static const unsigned sizes[] = { 0, 34000, LONGEST, LONGEST + 1, 1000000 };
    char *text = calloc(1, 1000000);
    memset(text, 'x', 1000000);
    struct bytes name = { .size = 0 };
    put_text(&name, "ssh-ed25519");
    for(enum method method = PASSWORD; method < METHODS; method++) {
        if(method == KEY)
            memcpy(text, name.data, name.size);
        for(size_t i = method == SK || method == KEY; i < COUNT(sizes); i++) {
            bool fits = sizes[i] <= LONGEST;
            if(method == SK && fits)
                continue; /* there is no such key: that is found first, or last */
            if(sizes[i] == LONGEST && !ours)
                continue;
            trace_off(sizes[i] == LONGEST);
            struct conn *c = testd("--ask One=1");
            conn_handshake(c);
            int rc = try(c, method, text, sizes[i]);
            trace("%s of %u bytes: %s", method_names[method], sizes[i], fits ? "sent" : "refused");
            if(method == SK) /* in the original the key is found to be none before the name is looked at */
                ok(rc == LIBSSH2_ERROR_OUT_OF_BOUNDARY || rc == LIBSSH2_ERROR_FILE, "%s: %s",
                   method_names[method], error_name(rc));
            else if(!fits)
                is_number(rc, LIBSSH2_ERROR_OUT_OF_BOUNDARY, method_names[method]);
            else
                ok(rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
                   "%s of %u bytes is for the server to refuse: %s", method_names[method], sizes[i],
                   error_name(rc));
            trace_rc(c, rc, "%s of %u bytes", method_names[method], sizes[i]);
            testd_login(c);
            is_number(libssh2_userauth_authenticated(c->session), 1, "the session can still be used");
            conn_drop(c);
            trace_off(false);
        }
    }
    is_number(asked, 0, "nobody was asked for anything");
    free(text);
}

/* --- ways of RSA --- */

static char signed_by[50];

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(takes_down)
{
    const unsigned char *at = data, *end = data + data_len;
    (void)session, (void)sig, (void)sig_len, (void)abstract;
    /* session id; number, user, service, method; flag, algorithm */
    for(int field = 0; field < 5 && at + 5 < end; field++) {
        uint32_t length = (uint32_t)at[2] << 8 | at[3];
        snprintf(signed_by, sizeof(signed_by), "%.*s", (int)length, at + 4);
        at += 4 + length + (field == 0 || field == 3);
    }
    return -1;
}

static void rsa(const char *server_takes, const char *preferred, const char *want)
{
    size_t length;
    char *line = read_whole(key_path("user_rsa.pub"), &length);
    struct bytes key = { .size = 0 };
    static void *nothing;
    put_blob(&key, line);
    free(line);
    struct conn *c = testd("--public-keys --sig-algs %s", server_takes);
    conn_handshake(c);
    if(preferred)
        trace_rc(c, libssh2_session_method_pref(c->session, LIBSSH2_METHOD_SIGN_ALGO, preferred),
                 "prefer %s", preferred);
    signed_by[0] = '\0';
    int rc = CALL(c, libssh2_userauth_publickey(c->session, TESTD_USER, key.data, key.size, takes_down,
                                                &nothing));
    trace_rc(c, rc, "the server takes %s: signed by %s", server_takes, *signed_by ? signed_by : "none");
    is_number(rc, want ? LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED : LIBSSH2_ERROR_METHOD_NONE, server_takes);
    ok(strcmp(signed_by, want ? want : "") == 0, "signed by %s", signed_by);
    conn_drop(c);
}

static void ways_of_rsa(void)
{
    rsa("rsa-sha2-256,rsa-sha2-512", NULL, "rsa-sha2-512");
    rsa("ssh-ed25519,rsa-sha2-256", NULL, "rsa-sha2-256");
    rsa("rsa-sha2-512,rsa-sha2-256", "rsa-sha2-256", "rsa-sha2-256");
    rsa("rsa-sha2-512,rsa-sha2-256", "rsa-sha2-256,rsa-sha2-512", "rsa-sha2-256");
    rsa("rsa-sha2-512", "rsa-sha2-256,rsa-sha2-512", "rsa-sha2-512");
    rsa("rsa-sha2-512", "rsa-sha2-256", NULL);
    rsa("ssh-ed25519", NULL, NULL);
    rsa("none", NULL, "ssh-rsa"); /* as before there were others */
}

/* --- one after the other --- */

static int key_login(struct conn *c, const char *type)
{
    char name[40];
    snprintf(name, sizeof(name), "user_%s.openssh", type);
    return CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL, key_path(name),
                                                       NULL));
}

/* A server that wants two keys. */
static void two_keys(void)
{
    server_config("AuthenticationMethods publickey,publickey\n");
    struct conn *c = conn_new();
    conn_handshake(c);
    const char *user = user_name();
    const char *list = CALLP(c, libssh2_userauth_list(c->session, user, (unsigned)strlen(user)));
    trace("at first the server wants %s", list ? list : "nothing");
    int rc = key_login(c, "ed25519");
    trace_rc(c, rc, "the first key");
    is_number(libssh2_userauth_authenticated(c->session), 0, "is but half of it");
    list = CALLP(c, libssh2_userauth_list(c->session, user, (unsigned)strlen(user)));
    trace("then it wants %s", list ? list : "nothing");
    rc = key_login(c, "ed25519");
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "the same key again: %s", error_name(rc));
    is_number(libssh2_userauth_authenticated(c->session), 0, "does not count twice");
    rc = CALL(c, libssh2_userauth_password(c->session, user, "no password"));
    trace_rc(c, rc, "a password, which it does not want");
    rc = key_login(c, "rsa");
    trace_rc(c, rc, "another key");
    is_number(rc, 0, "lets in");
    is_number(libssh2_userauth_authenticated(c->session), 1, "is in");
    conn_close(c);
    server_config(NULL);
}

/* Everything that may be refused, on one session, and then what is not. */
static void everything_in_a_row(void)
{
    struct conn *c = testd("--ask One=1 --banner Hello");
    conn_handshake(c);
    for(int round = 0; round < 3; round++) {
        asked = 0;
        int rc = CALL(c, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER,
                                                               answers_nothing));
        trace_rc(c, rc, "an empty answer, asked %d times", asked);
        trace_rc(c, CALL(c, libssh2_userauth_password(c->session, TESTD_USER, "wrong")), "password");
        trace_rc(c, CALL(c, libssh2_userauth_publickey_fromfile(
                             c->session, TESTD_USER, NULL, key_path("user_rsa.pem"), NULL)),
                 "key");
        const char *list = CALLP(c, libssh2_userauth_list(c->session, TESTD_USER, 4));
        trace("list %s", list ? list : "none");
    }
    testd_login(c);
    is_number(libssh2_userauth_authenticated(c->session), 1, "is in");
    conn_close(c);
}

/* The certificate goes by memory as well. */
static void certificate_in_memory(void)
{
    char config[500];
    const char *authority = temp_path("ca"), *public_key = temp_path("key.pub");
    if(run((const char *const[]){ "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority,
                                  NULL }) != 0 ||
       run((const char *const[]){ "cp", key_path("user_ecdsa256.pub"), public_key, NULL }) != 0 ||
       run((const char *const[]){ "ssh-keygen", "-q", "-s", authority, "-I", "test", "-n",
                                  user_name(), public_key, NULL }) != 0)
        bail("no certificate");
    snprintf(config, sizeof(config), "TrustedUserCAKeys %s.pub\nAuthorizedKeysFile none\n",
             authority);
    server_config(config);
    size_t size, private_size;
    char *certificate = read_whole(temp_path("key-cert.pub"), &size);
    char *key = read_whole(key_path("user_ecdsa256.openssh"), &private_size);
    struct conn *c = conn_new();
    conn_handshake(c);
    const char *user = user_name();
    int rc = CALL(c, libssh2_userauth_publickey_frommemory(c->session, user, strlen(user), certificate,
                                                           size, key, private_size, NULL));
    trace_rc(c, rc, "a certificate in memory");
    is_number(rc, 0, "lets in");
    free(certificate);
    free(key);
    conn_close(c);
    server_config(NULL);
}

/* Whoever is in already is told so, and stays in. */
static void once_more(void)
{
    if(!ours) {
        skip("the original waits for an answer that never comes");
        return;
    }
    trace_off(true);
    struct conn *c = testd("--ask One=1 --public-keys --host me@host");
    conn_handshake(c);
    testd_login(c);
    asked = 0;
    for(enum method method = PASSWORD; method < KEY; method++)
        if(method != SK)
            is_number(try(c, method, TESTD_USER, 4), LIBSSH2_ERROR_AUTHENTICATION_FAILED,
                      method_names[method]);
    ok(!libssh2_userauth_list(c->session, TESTD_USER, 4), "no list");
    is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_AUTHENTICATION_FAILED, "list");
    is_number(asked, 0, "nobody was asked");
    is_number(libssh2_userauth_authenticated(c->session), 1, "is still in");
    conn_sftp(c);
    conn_close(c);
    trace_off(false);
}

/* A server that lets everybody in: there is no list, and nothing is wrong. */
static void let_in_unasked(void)
{
    struct conn *c = testd("--none");
    conn_handshake(c);
    const char *list = CALLP(c, libssh2_userauth_list(c->session, TESTD_USER, 4));
    trace("list %s, authenticated %d, last error %s", list ? list : "NULL",
          libssh2_userauth_authenticated(c->session),
          error_name(libssh2_session_last_errno(c->session)));
    is_number(libssh2_userauth_authenticated(c->session), 1, "is in");
    conn_close(c);
}

/* As many questions as there may be. */
static void hundred_questions(void)
{
    char questions[600] = "";
    for(int i = 0; i < 100; i++)
        strcat(questions, i ? ",Q=" : "Q=");
    struct conn *c = testd("--ask %s", questions);
    conn_handshake(c);
    asked = 0;
    int rc = CALL(c, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, answers_nothing));
    trace_rc(c, rc, "a hundred questions");
    is_number(rc, 0, "lets in");
    is_number(asked, 1, "asked once");
    conn_close(c);
}

void test(void)
{
    watchdog(140);
    lengths();
    ways_of_rsa();
    two_keys();
    everything_in_a_row();
    certificate_in_memory();
    once_more();
    let_in_unasked();
    hundred_questions();
}
