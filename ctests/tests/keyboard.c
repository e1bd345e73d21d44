/* keyboard-interactive: any number of questions and rounds, and whatever else may happen. */
#include "testd.h"

#include <stdlib.h>

static int rounds;          /* how often the callback was called */
static const char *answers; /* what it answers, one word for each question; NULL: nothing */
static void *program_data;

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    rounds++;
    trace("round %d: name %s (%d), instruction %s (%d), %d prompts", rounds,
          name ? "given" : "NULL", name_len, instruction ? "given" : "NULL", instruction_len,
          num_prompts);
    trace("  name \"%.*s\" instruction \"%.*s\"", name_len, name ? name : "",
          (int)strcspn(instruction ? instruction : "", "\n"), instruction ? instruction : "");
    ok(*abstract == program_data, "abstract is the session's");
    for(int i = 0; i < num_prompts; i++) {
        trace("  prompt \"%.*s\" (%zu) echo %d", (int)prompts[i].length,
              prompts[i].text ? (const char *)prompts[i].text : "", prompts[i].length,
              prompts[i].echo);
        ok(!responses[i].text && responses[i].length == 0, "an answer is empty at first");
        if(!answers)
            continue;
        size_t length = strcspn(answers, " ");
        responses[i].text = strndup(answers, length);
        responses[i].length = (unsigned)length;
        answers += length;
        answers += strspn(answers, " ");
    }
}

/* A connection that is about to log in; `arguments` are the server's. */
static struct conn *meet(const char *arguments)
{
    struct conn *c = testd("%s", arguments);
    conn_handshake(c);
    program_data = c;
    *libssh2_session_abstract(c->session) = program_data;
    return c;
}

static int log_in(struct conn *c, const char *with)
{
    rounds = 0;
    answers = with;
    return CALL(c, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, respond));
}

static void done(struct conn *c, bool in)
{
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    is_number(libssh2_userauth_authenticated(c->session), in, in ? "is in" : "is not in");
    conn_close(c);
}

static void accepted(const char *arguments, const char *with, int want_rounds)
{
    struct conn *c = meet(arguments);
    int rc = log_in(c, with);
    trace_rc(c, rc, "%s, answered \"%s\"", arguments, with ? with : "");
    is_number(rc, 0, arguments);
    is_number(rounds, want_rounds, "rounds");
    done(c, true);
}

static void refused(const char *arguments, const char *with, int want_rounds)
{
    struct conn *c = meet(arguments);
    int rc = log_in(c, with);
    trace_rc(c, rc, "%s, answered \"%s\"", arguments, with ? with : "");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, arguments);
    is_number(rounds, want_rounds, "rounds");
    rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD));
    trace_rc(c, rc, "the password after that");
    is_number(rc, 0, "the session can still be used");
    done(c, true);
}

static void again(void)
{
    struct conn *c = meet("--ask One=1 --ask Two=2");
    trace_rc(c, log_in(c, "1 3"), "a wrong answer in the second round");
    trace_rc(c, log_in(c, "1 2"), "the same conversation again");
    is_number(rounds, 2, "both rounds were asked");
    done(c, true);
}

static void partial(void)
{
    struct conn *c = meet("--ask Code=7 --require password,keyboard-interactive");
    int rc = log_in(c, "7");
    trace_rc(c, rc, "the second method first");
    is_number(rounds, 0, "nothing was asked");
    rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD));
    trace_rc(c, rc, "the first method");
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "is but half of it");
    trace("authenticated %d", libssh2_userauth_authenticated(c->session));
    const char *list =
        CALLP(c, libssh2_userauth_list(c->session, TESTD_USER, sizeof(TESTD_USER) - 1));
    trace("the server still wants %s", list ? list : "nothing");
    trace_rc(c, log_in(c, "7"), "the second method");
    done(c, true);
}

/* What the original returns for questions that make no sense is -1, and the code is the session's
 * last error; ours returns that code. */
static void malformed(const char *arguments, int code)
{
    struct conn *c = meet(arguments);
    int rc = log_in(c, "1");
    trace("%s is refused: %d", arguments, rc < 0);
    ok(rc < 0, "%s is refused", arguments);
    if(ours) {
        is_number(rc, code, arguments);
        ok(has_words(c, code), "it says: %s", last_words(c));
        rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD));
        is_number(rc, 0, "the session can still be used");
    }
    is_number(rounds, 0, "the callback was not called");
    conn_drop(c);
}

static void misused(void)
{
    struct conn *c = meet("--ask One=1");
    char *huge = malloc(40000);
    memset(huge, 'x', 40000);
    if(ours) {
        int rc = libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, NULL);
        is_number(rc, LIBSSH2_ERROR_BAD_USE, "no callback");
    }
    int rc = CALL(c, libssh2_userauth_keyboard_interactive_ex(c->session, huge, 40000, respond));
    trace("a user name of 40000 bytes is refused: %d", rc < 0);
    ok(rc < 0 && (!ours || rc == LIBSSH2_ERROR_OUT_OF_BOUNDARY), "a user name of 40000 bytes");
    if(ours) {
        huge[39999] = '\0';
        trace_off(true);
        is_number(log_in(c, huge), LIBSSH2_ERROR_OUT_OF_BOUNDARY, "an answer of 39999 bytes");
        trace_off(false);
    }
    trace_rc(c, log_in(c, "1"), "after all that");
    done(c, true);
    free(huge);
}

/* In non-blocking mode a conversation may be left in the middle for another way to log in. */
static void left(void)
{
    if(!nonblocking || !ours) {
        skip("the original mixes up the answers");
        return;
    }
    trace_off(true);
    struct conn *c = meet("--ask One=1 --pause 300 --fault ignore@auth");
    rounds = 0;
    answers = "1";
    int rc = libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, respond);
    is_number(rc, LIBSSH2_ERROR_EAGAIN, "the questions are not there yet");
    rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, "wrong"));
    is_number(rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, "the password gets its own answer");
    rc = log_in(c, "1");
    is_number(rc, 0, "the conversation begins anew");
    is_number(rounds, 1, "it was asked once");
    conn_drop(c);
    trace_off(false);
}

void test(void)
{
    accepted("--ask Password:=secret", "secret", 1);
    accepted("--ask +User=me,Password=secret,+Color=", "me secret", 1);
    accepted("--ask - --ask Code=7 --ask -", "7", 3);
    accepted("--ask =,=", NULL, 1);
    accepted("--ask A=1 --chunk 1", "1", 1);
    accepted("--ask A=1 --ask B=2 --chunk seed --banner Hello", "1 2", 2);
    refused("--ask Password:=secret", "wrong", 1);
    refused("--ask A=1,B=2", "1", 1);
    refused("--ask A=1 --ask B=2", "1 x", 2);
    refused(" ", "1", 0);
    again();
    partial();
    malformed("--ask A=1 --fault ask-too-many", LIBSSH2_ERROR_OUT_OF_BOUNDARY);
    malformed("--ask A=1 --fault cut@auth --keep 5", LIBSSH2_ERROR_BUFFER_TOO_SMALL);
    malformed("--ask A=1 --fault cut@auth --keep 20", LIBSSH2_ERROR_BUFFER_TOO_SMALL);
    misused();
    left();
}
