/* Every way to log in that the server has, and what it refuses. */
#include "interop.h"

#include <stdio.h>
#include <stdlib.h>

static struct conn *c;

static struct conn *greet(void)
{
    c = meet();
    conn_handshake(c);
    return c;
}

/* --- passwords --- */

static int password(void)
{
    int rc = CALL(c, libssh2_userauth_password(c->session, USER, "not the password"));
    ok(rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED, "another password is refused: %s", last_words(c));
    ok(!libssh2_userauth_authenticated(c->session), "and is no login");
    return CALL(c, libssh2_userauth_password(c->session, USER, PASSWORD));
}

static int asked; /* how often for a new password */

static LIBSSH2_PASSWD_CHANGEREQ_FUNC(new_password)
{
    (void)session;
    (void)abstract;
    asked++;
    *newpw = strdup("a new password");
    *newpw_len = (int)strlen(*newpw);
}

static int change(void)
{
    asked = 0;
    int rc = CALL(c, libssh2_userauth_password_ex(c->session, USER "-expired",
                                                  strlen(USER "-expired"), PASSWORD,
                                                  strlen(PASSWORD), new_password));
    is_number(asked, 1, "was asked for a new password");
    return rc;
}

/* --- questions --- */

static int rounds, questions;

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    static const char *const known[][2] = {
        { "Password", PASSWORD }, { "First", "one" }, { "Second", "two" }, { "Third", "three" }
    };
    (void)name;
    (void)name_len;
    (void)instruction;
    (void)instruction_len;
    (void)abstract;
    rounds++;
    for(int i = 0; i < num_prompts; i++) {
        const char *answer = "";
        questions++;
        for(size_t k = 0; k < COUNT(known); k++)
            if(prompts[i].length >= strlen(known[k][0]) &&
               memcmp(prompts[i].text, known[k][0], strlen(known[k][0])) == 0)
                answer = known[k][1];
        responses[i].text = strdup(answer);
        responses[i].length = (unsigned)strlen(answer);
    }
}

static int keyboard(void)
{
    rounds = questions = 0;
    int rc = CALL(c, libssh2_userauth_keyboard_interactive(c->session, USER, respond));
    is_number(questions, 1, "one question");
    return rc;
}

/* Two questions, then none, then one. */
static int several_rounds(void)
{
    rounds = questions = 0;
    int rc = CALL(c, libssh2_userauth_keyboard_interactive(c->session, USER "-rounds", respond));
    is_number(questions, 3, "three questions");
    ok(rounds >= 2, "in %d rounds", rounds);
    return rc;
}

/* --- keys --- */

static int by_key(const char *user, const char *type, bool certified)
{
    char public[60], private[60];
    snprintf(public, sizeof(public), "user_%s%s.pub", type, certified ? "-cert" : "");
    snprintf(private, sizeof(private), "user_%s.openssh", type);
    return CALL(c, libssh2_userauth_publickey_fromfile(c->session, user, key_path(public),
                                                       key_path(private), NULL));
}

static int key(const char *type)
{
    return by_key(USER, type, false);
}

static int from_memory(void)
{
    size_t public_size, private_size;
    char *public = read_whole(key_path("user_ed25519.pub"), &public_size);
    char *private = read_whole(key_path("user_ed25519.openssh"), &private_size);
    int rc = CALL(c, libssh2_userauth_publickey_frommemory(c->session, USER, strlen(USER), public,
                                                           public_size, private, private_size,
                                                           NULL));
    free(public);
    free(private);
    return rc;
}

static int signed_by(const char *algorithm)
{
    is_number(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_SIGN_ALGO, algorithm), 0,
              "preferred");
    return key(strcmp(algorithm, "ssh-dss") == 0 ? "dsa" : "rsa");
}

static int hostbased(void)
{
    return CALL(c, libssh2_userauth_hostbased_fromfile_ex(
                       c->session, USER, strlen(USER), key_path("host_ed25519.pub"),
                       key_path("host_ed25519"), NULL, "localhost", 9, USER, strlen(USER)));
}

/* First the key, then the password. */
static int partial(void)
{
    int rc = by_key(USER "-partial", "ed25519", false);
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "a key alone is not enough: %s", error_name(rc));
    ok(!libssh2_userauth_authenticated(c->session), "and is no login");
    return CALL(c, libssh2_userauth_password(c->session, USER "-partial", PASSWORD));
}

static int none(void)
{
    char *methods = CALLP(c, libssh2_userauth_list(c->session, USER "-anyone",
                                                   strlen(USER "-anyone")));
    ok(!methods, "no method is needed");
    return methods ? -1 : 0;
}

/* --- all of them --- */

static void way(const char *word, const char *row, int (*try)(void), const char *type)
{
    if(!has_word(setting("INTEROP_LOGINS"), word)) {
        cell(row, "–");
        return;
    }
    greet();
    int rc = try           ? try()
             : *type == '@' ? signed_by(type + 1)
             : *type == '+' ? by_key(USER, type + 1, true)
                            : key(type);
    bool in = ok(rc == 0 && libssh2_userauth_authenticated(c->session), "%s", row);
    if(!in)
        diag("  %s: %s", error_name(rc), last_words(c));
    if(in) {
        LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
        ok(channel != NULL, "and then a channel");
    }
    cell(row, in ? "yes" : "**no**");
    conn_close(c);
}

/* What no server may let in, and after which the session still works. */
static void refused(void)
{
    greet();
    char *methods = CALLP(c, libssh2_userauth_list(c->session, USER, strlen(USER)));
    ok(methods && *methods, "methods: %s", methods ? methods : last_words(c));
    if(methods && has_word(methods, "publickey")) {
        int rc = CALL(c, libssh2_userauth_publickey_fromfile(
                             c->session, USER, key_path("refused.pub"), key_path("refused"), NULL));
        ok(rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
           "an unknown key is refused: %s (%s)", error_name(rc), last_words(c));
    }
    int rc = log_in(c);
    ok(rc == 0, "and then a login works");
    if(rc != 0)
        diag("  %s: %s", error_name(rc), last_words(c));
    conn_close(c);
}

void test(void)
{
    watchdog(60);
    refused();
    way("none", "none", none, "");
    way("password", "password", password, "");
    way("change", "password, to be changed", change, "");
    way("keyboard", "keyboard-interactive", keyboard, "");
    way("rounds", "keyboard-interactive, several rounds", several_rounds, "");
    way("ed25519", "publickey: Ed25519", NULL, "ed25519");
    way("ed25519", "the same from memory", from_memory, "");
    way("ecdsa256", "publickey: ECDSA nistp256", NULL, "ecdsa256");
    way("ecdsa384", "publickey: ECDSA nistp384", NULL, "ecdsa384");
    way("ecdsa521", "publickey: ECDSA nistp521", NULL, "ecdsa521");
    way("rsa", "publickey: RSA, as the server likes it", NULL, "rsa");
    way("rsa-512", "publickey: RSA, rsa-sha2-512", NULL, "@rsa-sha2-512");
    way("rsa-256", "publickey: RSA, rsa-sha2-256", NULL, "@rsa-sha2-256");
    way("dsa", "publickey: DSA", NULL, "@ssh-dss");
    way("cert-ed25519", "certificate: Ed25519", NULL, "+ed25519");
    way("cert-ecdsa256", "certificate: ECDSA nistp256", NULL, "+ecdsa256");
    way("cert-ecdsa384", "certificate: ECDSA nistp384", NULL, "+ecdsa384");
    way("cert-ecdsa521", "certificate: ECDSA nistp521", NULL, "+ecdsa521");
    way("cert-rsa", "certificate: RSA", NULL, "+rsa");
    way("hostbased", "hostbased", hostbased, "");
    way("partial", "publickey and then password", partial, "");
}
