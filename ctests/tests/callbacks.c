/* Setting the program's functions: each kind gives back what was set before, under both names, and
 * the two that the library has itself can be had back. What X11 and agent functions may do with
 * the session, and at what time they are called. The others are in messages.c. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

static struct conn *c;

static LIBSSH2_IGNORE_FUNC(first)
{
    (void)session, (void)message, (void)message_len, (void)abstract;
}

static LIBSSH2_IGNORE_FUNC(second)
{
    (void)session, (void)message, (void)message_len, (void)abstract;
}

#define GENERIC(function) ((libssh2_cb_generic *)(function))

static const char *which(const void *function, const void *built_in)
{
    return !function                        ? "none"
           : function == (void *)first      ? "first"
           : function == (void *)second     ? "second"
           : function == built_in           ? "the library's"
                                            : "another";
}

static void previous(int kind)
{
    libssh2_cb_generic *had = libssh2_session_callback_set2(c->session, kind, GENERIC(first));
    trace("%d: %s", kind, which((void *)had, (void *)had));
    libssh2_cb_generic *now = libssh2_session_callback_set2(c->session, kind, GENERIC(second));
    trace("then %s", which((void *)now, (void *)had));
    void *old = libssh2_session_callback_set(c->session, kind, (void *)had);
    trace("then %s", which(old, (void *)had));
    old = libssh2_session_callback_set(c->session, kind, (void *)first);
    trace("then %s", which(old, (void *)had));
    now = libssh2_session_callback_set2(c->session, kind, had);
    trace("then %s", which((void *)now, (void *)had));
}

/* --- functions that are given a channel --- */

static struct {
    LIBSSH2_CHANNEL *channel;
    int calls;
    bool takes; /* or frees the channel at once */
    char host[64];
    int port;
} opened;

/* What any function of the program may do from within. */
static void look_around(LIBSSH2_SESSION *session, void **abstract)
{
    const char **names = NULL;
    ok(session == c->session && abstract == libssh2_session_abstract(session) && *abstract == &c,
       "the session and the program's pointer");
    ok(libssh2_userauth_authenticated(session) == 1, "userauth_authenticated from within");
    ok(libssh2_session_methods(session, LIBSSH2_METHOD_CRYPT_CS) != NULL, "methods from within");
    ok(libssh2_session_banner_get(session) != NULL, "banner_get from within");
    ok(libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256) != NULL, "hash from within");
    ok(libssh2_session_supported_algs(session, LIBSSH2_METHOD_KEX, &names) > 0,
       "supported_algs from within");
    libssh2_free(session, (void *)names);
    (void)libssh2_session_block_directions(session);
}

/* The same with the channel: it is open already, and a call may be made that moves bytes. */
static void take(LIBSSH2_SESSION *session, LIBSSH2_CHANNEL *channel, void **abstract)
{
    opened.calls++;
    look_around(session, abstract);
    if(!ours) {
        opened.channel = channel;
        return;
    }
    ok(libssh2_channel_window_write(channel) > 0, "the channel has a window");
    ok(!libssh2_channel_eof(channel), "and no end");
    if(opened.takes)
        opened.channel = channel;
    else {
        int rc = libssh2_channel_free(channel);
        ok(rc == 0 || rc == LIBSSH2_ERROR_EAGAIN, "free from within: %s", error_name(rc));
        if(rc == LIBSSH2_ERROR_EAGAIN)
            opened.channel = channel;
    }
}

static LIBSSH2_AUTHAGENT_FUNC(on_agent)
{
    take(session, channel, abstract);
}

static LIBSSH2_X11_OPEN_FUNC(on_x11)
{
    snprintf(opened.host, sizeof(opened.host), "%s", shost);
    opened.port = sport;
    take(session, channel, abstract);
}

/* Runs a command that has the server open a channel, if there is a function for it; each on a
 * connection of its own, as OpenSSH forwards one agent for each. */
static void command(const char *what, bool agent, bool set)
{
    const char *text = agent ? "ssh-add -l >/dev/null 2>&1"
                             : "bash -c 'n=${DISPLAY#*:}; "
                               "exec 3<>/dev/tcp/localhost/$((6000 + ${n%.*})) && read -u 3 x'";
    char output[300];
    opened.calls = 0;
    opened.channel = NULL;
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    *libssh2_session_abstract(c->session) = &c;
    if(set)
        libssh2_session_callback_set2(
            c->session, agent ? LIBSSH2_CALLBACK_AUTHAGENT : LIBSSH2_CALLBACK_X11,
            agent ? GENERIC(on_agent) : GENERIC(on_x11));
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel)
        bail("no channel");
    int rc = agent ? CALL(c, libssh2_channel_request_auth_agent(channel))
                   : CALL(c, libssh2_channel_x11_req(channel, 0));
    if(rc != 0) {
        server_log();
        skip("the server forwards none of this here");
        conn_drop(c);
        return;
    }
    if(CALL(c, libssh2_channel_exec(channel, text)) != 0)
        bail("no command");
    ssize_t got = LIBSSH2_ERROR_EAGAIN;
    libssh2_session_set_blocking(c->session, 0);
    conn_start_call(c);
    while(got > 0 || got == LIBSSH2_ERROR_EAGAIN) {
        int calls = opened.calls;
        if(opened.channel && libssh2_channel_free(opened.channel) != LIBSSH2_ERROR_EAGAIN)
            opened.channel = NULL;
        /* The function is called from within this. */
        got = libssh2_channel_read(channel, output, sizeof(output));
        if(got == LIBSSH2_ERROR_EAGAIN && calls == opened.calls && !conn_wait_always(c))
            break;
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    is_number(got, 0, what);
    trace("%s: called %d times", what, opened.calls);
    if(opened.channel)
        CALL(c, libssh2_channel_free(opened.channel));
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    conn_close(c);
}

static void channels(void)
{
    opened.takes = true;
    command("an agent that is kept", true, true);
    command("a display that is kept", false, true);
    opened.takes = false;
    command("an agent that is freed at once", true, true);
    command("a display that is freed at once", false, true);
    ok(opened.port > 0 || !*opened.host, "from %s port %d", opened.host, opened.port);
    command("an agent that nobody takes", true, false);
    command("a display that nobody takes", false, false);
}

void test(void)
{
    server_config("X11Forwarding yes\nX11UseLocalhost yes");
    c = conn_new();
    for(int kind = LIBSSH2_CALLBACK_IGNORE; kind <= LIBSSH2_CALLBACK_AUTHAGENT_SIGN; kind++)
        previous(kind);
    trace("unknown kinds: %s %s %s",
          which((void *)libssh2_session_callback_set2(c->session, -1, GENERIC(first)), NULL),
          which((void *)libssh2_session_callback_set2(c->session, 10, GENERIC(first)), NULL),
          which((void *)libssh2_session_callback_set2(c->session, 10, GENERIC(first)), NULL));
    conn_handshake(c); /* over the library's own functions, which have come back */
    conn_close(c);
    channels();
}
