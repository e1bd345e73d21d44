/* Every call that waits meets a server that falls silent just before it answers, and a connection
 * that is cut at that moment: each ends in time and tells which it was. What a silent server says
 * later does no harm. */
#include "meeting.h"
#include "wire.h"

#include <libssh2_publickey.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIMIT = 120, SLACK = 3000 }; /* ms */

/* How far a connection has come before the call. From ENDED on the server is sshd. */
enum stage { NEW, SHAKEN, IN, CHANNEL, SFTP_, FILE_, DIR_, ENDED, LISTENING, KEYS };

static struct conn *c;
static struct wire *wire;
static LIBSSH2_CHANNEL *channel;
static LIBSSH2_SFTP_HANDLE *file;
static LIBSSH2_LISTENER *listener;
static LIBSSH2_PUBLICKEY *keys;

/* --- the calls --- */

static char text[100];
static LIBSSH2_SFTP_ATTRIBUTES about = { .flags = LIBSSH2_SFTP_ATTR_PERMISSIONS,
                                         .permissions = 0600 };
static LIBSSH2_SFTP_STATVFS file_system;
static libssh2_struct_stat copied;
static unsigned long count;
static libssh2_publickey_list *list;

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    (void)name, (void)name_len, (void)instruction, (void)instruction_len;
    (void)num_prompts, (void)prompts, (void)responses, (void)abstract;
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(sign)
{
    (void)session, (void)sig, (void)sig_len, (void)data, (void)data_len, (void)abstract;
    return -1;
}

static int log_in_by_key(const char *key)
{
    char public[64], private[64];
    snprintf(public, sizeof(public), "%s.pub", key);
    snprintf(private, sizeof(private), "%s.openssh", key);
    return libssh2_userauth_publickey_fromfile(c->session, TESTD_USER, key_path(public),
                                               key_path(private), NULL);
}

static int log_in_by_function(void)
{
    static const unsigned char key[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20"
                                       "0123456789abcdef0123456789abcdef";
    return libssh2_userauth_publickey(c->session, TESTD_USER, key, sizeof(key) - 1, sign, NULL);
}

static int log_in_by_host(void)
{
    return libssh2_userauth_hostbased_fromfile(c->session, TESTD_USER, key_path("user_rsa.pub"),
                                               key_path("user_rsa.openssh"), NULL, "host");
}

static int send_keepalive(void)
{
    libssh2_keepalive_config(c->session, 1, 100);
    return libssh2_keepalive_send(c->session, NULL);
}

#define NUMBER(name, call)                                                                         \
    static long long name(void)                                                                    \
    {                                                                                              \
        return CALL(c, call);                                                                      \
    }

/* 0 for a handle, or the last error. */
#define POINTER(name, call)                                                                        \
    static long long name(void)                                                                    \
    {                                                                                              \
        return CALLP(c, call) ? 0 : libssh2_session_last_errno(c->session);                        \
    }

NUMBER(handshake, libssh2_session_handshake(c->session, c->fd))
POINTER(userauth_list, libssh2_userauth_list(c->session, TESTD_USER, 4))
NUMBER(password, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD))
NUMBER(keyboard, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, respond))
NUMBER(ed25519_key, log_in_by_key("user_ed25519"))
NUMBER(rsa_key, log_in_by_key("user_rsa"))
NUMBER(sign_function, log_in_by_function())
NUMBER(host_key, log_in_by_host())

POINTER(open_session, libssh2_channel_open_session(c->session))
POINTER(direct_tcpip, libssh2_channel_direct_tcpip(c->session, "127.0.0.1", 9))
POINTER(direct_streamlocal, libssh2_channel_direct_streamlocal_ex(c->session, "/no", "here", 1))
NUMBER(env, libssh2_channel_setenv(channel, "A", "b"))
NUMBER(pty, libssh2_channel_request_pty(channel, "vt100"))
NUMBER(pty_size, libssh2_channel_request_pty_size(channel, 100, 30))
NUMBER(x11, libssh2_channel_x11_req(channel, 0))
NUMBER(auth_agent, libssh2_channel_request_auth_agent(channel))
NUMBER(send_signal, libssh2_channel_signal_ex(channel, "INT", 3))
NUMBER(exec, libssh2_channel_exec(channel, "true"))
NUMBER(shell, libssh2_channel_shell(channel))
NUMBER(channel_read, libssh2_channel_read(channel, text, sizeof(text)))
NUMBER(channel_read_stderr, libssh2_channel_read_stderr(channel, text, sizeof(text)))
NUMBER(adjust, libssh2_channel_receive_window_adjust2(channel, 5000, 1, NULL))
NUMBER(send_eof, libssh2_channel_send_eof(channel))
NUMBER(wait_eof, libssh2_channel_wait_eof(channel))
NUMBER(channel_close, libssh2_channel_close(channel))
NUMBER(wait_closed, libssh2_channel_wait_closed(channel))
NUMBER(channel_free, libssh2_channel_free(channel))
POINTER(forward_listen, libssh2_channel_forward_listen(c->session, 0))
POINTER(forward_accept, libssh2_channel_forward_accept(listener))
NUMBER(forward_cancel, libssh2_channel_forward_cancel(listener))
POINTER(scp_recv, libssh2_scp_recv2(c->session, "file", &copied))
POINTER(scp_send, libssh2_scp_send64(c->session, "file", 0644, 10, 0, 0))

POINTER(sftp_init, libssh2_sftp_init(c->session))
POINTER(sftp_open, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_READ, 0))
POINTER(sftp_opendir, libssh2_sftp_opendir(c->sftp, "/"))
NUMBER(sftp_read, libssh2_sftp_read(file, text, sizeof(text)))
NUMBER(sftp_write, libssh2_sftp_write(file, "0123456789", 10))
NUMBER(sftp_readdir, libssh2_sftp_readdir(file, text, sizeof(text), NULL))
NUMBER(sftp_fsync, libssh2_sftp_fsync(file))
NUMBER(sftp_fstat, libssh2_sftp_fstat(file, &about))
NUMBER(sftp_fsetstat, libssh2_sftp_fsetstat(file, &about))
NUMBER(sftp_fstatvfs, libssh2_sftp_fstatvfs(file, &file_system))
NUMBER(sftp_close, libssh2_sftp_close(file))
NUMBER(sftp_stat, libssh2_sftp_stat(c->sftp, "file", &about))
NUMBER(sftp_setstat, libssh2_sftp_setstat(c->sftp, "file", &about))
NUMBER(sftp_statvfs, libssh2_sftp_statvfs(c->sftp, "/", 1, &file_system))
NUMBER(sftp_rename, libssh2_sftp_rename(c->sftp, "a", "b"))
NUMBER(sftp_unlink, libssh2_sftp_unlink(c->sftp, "a"))
NUMBER(sftp_mkdir, libssh2_sftp_mkdir(c->sftp, "a", 0700))
NUMBER(sftp_rmdir, libssh2_sftp_rmdir(c->sftp, "a"))
NUMBER(sftp_symlink, libssh2_sftp_symlink(c->sftp, "a", "b"))
NUMBER(sftp_readlink, libssh2_sftp_readlink(c->sftp, "b", text, sizeof(text)))
NUMBER(sftp_realpath, libssh2_sftp_realpath(c->sftp, "/", text, sizeof(text)))
NUMBER(sftp_shutdown, libssh2_sftp_shutdown(c->sftp))

POINTER(publickey_init, libssh2_publickey_init(c->session))
NUMBER(publickey_add, libssh2_publickey_add_ex(keys, (const unsigned char *)"a", 1,
                                               (const unsigned char *)"b", 1, 0, 0, NULL))
NUMBER(publickey_remove, libssh2_publickey_remove_ex(keys, (const unsigned char *)"a", 1,
                                                     (const unsigned char *)"b", 1))
NUMBER(publickey_list, libssh2_publickey_list_fetch(keys, &count, &list))
NUMBER(publickey_shutdown, libssh2_publickey_shutdown(keys))

NUMBER(keepalive, send_keepalive())
NUMBER(disconnect, libssh2_session_disconnect(c->session, "bye"))
NUMBER(session_free, libssh2_session_free(c->session))

/* Until the server's window is used up, or the connection is broken. */
static long long channel_write(void)
{
    static const char data[100000];
    ssize_t rc;
    do
        rc = CALL(c, libssh2_channel_write(channel, data, sizeof(data)));
    while(rc > 0);
    return rc;
}

/* --- what becomes of them --- */

/* With a server that is silent, has hung up, has forgotten the connection. In non-blocking mode
 * TIMEOUT and FREED are EAGAIN. */
struct outcome {
    int silence, end, reset;
};

enum {
    FREED = 1, /* 0 in the end, and nothing is left */
    UNKNOWN = LIBSSH2_ERROR_CHANNEL_UNKNOWN,
    UNVERIFIED = LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED,
    NONE = LIBSSH2_ERROR_METHOD_NONE,
};

/* It waits for an answer; it is over when it has left; it is the original's too. */
#define WAITS { TIMEOUT, RECV, RECV }
#define LEAVES { 0, 0, 0 }
#define AND_THEIRS(...) __VA_ARGS__, __VA_ARGS__

static const struct call {
    const char *name;
    long long (*make)(void);
    enum stage stage;
    struct outcome ours, theirs;
} calls[] = {
    { "handshake", handshake, NEW, AND_THEIRS({ TIMEOUT, GONE, RECV }) },
    { "userauth_list", userauth_list, SHAKEN, AND_THEIRS(WAITS) },
    { "password", password, SHAKEN, AND_THEIRS(WAITS) },
    /* The original takes whatever comes for a refusal. */
    { "keyboard", keyboard, SHAKEN, WAITS, { TIMEOUT, DENIED, DENIED } },
    { "ed25519 key", ed25519_key, SHAKEN, WAITS, { TIMEOUT, UNVERIFIED, UNVERIFIED } },
    { "rsa key", rsa_key, SHAKEN, WAITS, { TIMEOUT, UNVERIFIED, UNVERIFIED } },
    { "sign function", sign_function, SHAKEN, WAITS, { TIMEOUT, UNVERIFIED, UNVERIFIED } },
    { "host key", host_key, SHAKEN, WAITS, { NONE, NONE, NONE } },
    { "open_session", open_session, IN, AND_THEIRS(WAITS) },
    { "direct_tcpip", direct_tcpip, IN, AND_THEIRS(WAITS) },
    { "direct_streamlocal", direct_streamlocal, IN, AND_THEIRS(WAITS) },
    { "setenv", env, CHANNEL, AND_THEIRS(WAITS) },
    { "pty", pty, CHANNEL, WAITS, { TIMEOUT, PROTO, PROTO } },
    { "pty_size", pty_size, CHANNEL, AND_THEIRS(LEAVES) },
    { "x11", x11, CHANNEL, AND_THEIRS(WAITS) },
    { "auth_agent", auth_agent, CHANNEL, WAITS, { TIMEOUT, PROTO, RECV } },
    { "signal", send_signal, CHANNEL, AND_THEIRS(LEAVES) },
    { "exec", exec, CHANNEL, AND_THEIRS(WAITS) },
    { "shell", shell, CHANNEL, AND_THEIRS(WAITS) },
    { "read", channel_read, CHANNEL, AND_THEIRS(WAITS) },
    { "read_stderr", channel_read_stderr, CHANNEL, AND_THEIRS(WAITS) },
    { "write", channel_write, CHANNEL, AND_THEIRS(WAITS) },
    { "receive_window_adjust", adjust, CHANNEL, AND_THEIRS(LEAVES) },
    { "send_eof", send_eof, CHANNEL, AND_THEIRS(LEAVES) },
    { "wait_eof", wait_eof, CHANNEL, AND_THEIRS(WAITS) },
    { "channel_close", channel_close, CHANNEL, AND_THEIRS(WAITS) },
    { "wait_closed", wait_closed, ENDED, AND_THEIRS(WAITS) },
    { "channel_free", channel_free, CHANNEL, { FREED, 0, 0 }, { TIMEOUT, 0, 0 } },
    { "forward_listen", forward_listen, IN, WAITS, { TIMEOUT, PROTO, PROTO } },
    { "forward_accept", forward_accept, LISTENING, AND_THEIRS({ TIMEOUT, UNKNOWN, UNKNOWN }) },
    { "forward_cancel", forward_cancel, LISTENING, AND_THEIRS(LEAVES) },
    { "scp_recv", scp_recv, IN, AND_THEIRS(WAITS) },
    { "scp_send", scp_send, IN, AND_THEIRS(WAITS) },
    { "sftp_init", sftp_init, IN, WAITS, { TIMEOUT, REFUSED, REFUSED } },
    { "sftp_open", sftp_open, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_opendir", sftp_opendir, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_read", sftp_read, FILE_, AND_THEIRS(WAITS) },
    { "sftp_write", sftp_write, FILE_, AND_THEIRS(WAITS) },
    { "sftp_readdir", sftp_readdir, DIR_, AND_THEIRS(WAITS) },
    { "sftp_fsync", sftp_fsync, FILE_, AND_THEIRS(WAITS) },
    { "sftp_fstat", sftp_fstat, FILE_, AND_THEIRS(WAITS) },
    { "sftp_fsetstat", sftp_fsetstat, FILE_, AND_THEIRS(WAITS) },
    { "sftp_fstatvfs", sftp_fstatvfs, FILE_, AND_THEIRS(WAITS) },
    { "sftp_close", sftp_close, FILE_, AND_THEIRS(WAITS) },
    { "sftp_stat", sftp_stat, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_setstat", sftp_setstat, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_statvfs", sftp_statvfs, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_rename", sftp_rename, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_unlink", sftp_unlink, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_mkdir", sftp_mkdir, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_rmdir", sftp_rmdir, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_symlink", sftp_symlink, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_readlink", sftp_readlink, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_realpath", sftp_realpath, SFTP_, AND_THEIRS(WAITS) },
    { "sftp_shutdown", sftp_shutdown, SFTP_, AND_THEIRS({ TIMEOUT, 0, 0 }) },
    { "publickey_init", publickey_init, IN, WAITS, { TIMEOUT, REFUSED, REFUSED } },
    { "keepalive", keepalive, IN, AND_THEIRS(LEAVES) },
    { "disconnect", disconnect, IN, AND_THEIRS(LEAVES) },
    { "session_free", session_free, CHANNEL, { FREED, 0, 0 }, { TIMEOUT, 0, 0 } },
};

/* The original does not wait in these, in whatever mode. */
static const struct call calls_of_ours[] = {
    { "publickey_add", publickey_add, KEYS, AND_THEIRS(WAITS) },
    { "publickey_remove", publickey_remove, KEYS, AND_THEIRS(WAITS) },
    { "publickey_list", publickey_list, KEYS, AND_THEIRS(WAITS) },
    { "publickey_shutdown", publickey_shutdown, KEYS, AND_THEIRS({ FREED, 0, 0 }) },
};

static void reach(enum stage stage)
{
    c = stage < ENDED ? testd(" ") : conn_new();
    /* What the server says by itself must not come through before the test says so. */
    wire = wire_new(c, stage == NEW ? WIRE_SILENT : WIRE_WORKS);
    if(stage >= SHAKEN)
        conn_handshake(c);
    if(stage >= ENDED)
        conn_login(c);
    else if(stage >= IN)
        testd_login(c);
    if(stage >= SFTP_ && stage < ENDED)
        conn_sftp(c);
    if(stage == CHANNEL || stage == ENDED)
        channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(stage == FILE_)
        file = CALLP(c, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE, 0));
    if(stage == DIR_)
        file = CALLP(c, libssh2_sftp_opendir(c->sftp, "/"));
    if(stage == ENDED && (CALL(c, libssh2_channel_exec(channel, "exec >&- 2>&-; sleep 9")) != 0 ||
                          CALL(c, libssh2_channel_wait_eof(channel)) != 0))
        bail("no channel that has ended");
    if(stage == LISTENING)
        listener = CALLP(c, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", 0, NULL, 1));
    if(stage == KEYS)
        keys = CALLP(c, libssh2_publickey_init(c->session));
}

static void set_limit(long long ms)
{
    libssh2_session_set_timeout(c->session, (long)ms);
    c->limit_ms = ms;
}

/* The server speaks again. Its answer to what was given up must not pass for another's. */
static void go_on(const struct call *call)
{
    wire_set(wire, WIRE_WORKS);
    set_limit(10000);
    bool fine = call->stage == NEW ? handshake() == 0
              : call->stage == SHAKEN ? password() == 0
                                      : open_session() == 0;
    ok(fine, "after %s the session goes on: %s", call->name, fine ? "" : last_words(c));
}

/* Whether a broken connection is noticed in sending or in receiving is a matter of moments. */
static long long settle(long long rc)
{
    return rc == LIBSSH2_ERROR_SOCKET_SEND ? LIBSSH2_ERROR_SOCKET_RECV : rc;
}

/* Takes away what `call` has been made on. */
static void leave(const struct call *call, long long rc)
{
    wire_free(wire);
    if(call->make != session_free || rc != 0) {
        conn_drop(c);
        return;
    }
    signal_tree(c->sshd, SIGKILL);
    close(c->fd);
    free(c);
}

static void meet(const struct call *call, enum wire_state state)
{
    const struct outcome *outcome = ours ? &call->ours : &call->theirs;
    const struct outcome *other = ours ? &call->theirs : &call->ours;
    bool silent = state == WIRE_SILENT, resets = state == WIRE_RESETS;
    int want = silent ? outcome->silence : resets ? outcome->reset : outcome->end;
    bool differs = want != (silent ? other->silence : resets ? other->reset : other->end);
    bool waits = silent && (want == TIMEOUT || want == FREED);
    const char *what = silent ? "silence" : resets ? "a reset" : "the end";
    reach(call->stage);
    if(silent)
        set_limit(LIMIT);
    wire_set(wire, state);
    long long start = now_ms(), rc = call->make(), took = now_ms() - start;
    bool is_freed = call->make == session_free && rc == 0;
    if(waits)
        want = nonblocking ? LIBSSH2_ERROR_EAGAIN : want == FREED ? 0 : want;
    ok(settle(rc) == want, "%s, %s: %s (%s): %s", call->name, what, error_name(rc),
       error_name(want), is_freed ? "" : last_words(c));
    ok(took < (silent ? LIMIT : 0) + SLACK && (!waits || took >= LIMIT - 2), "it took %lld ms", took);
    if(differs)
        trace("%s, %s: each library its own result", call->name, what);
    else
        trace("%s, %s: %s", call->name, what, error_name(settle(rc)));
    if(ours && rc < 0)
        ok(rc == LIBSSH2_ERROR_EAGAIN || has_words(c, rc), "last_error tells of it");
    if(ours && silent && !is_freed && call->make != disconnect)
        go_on(call);
    leave(call, rc);
}

static void meet_each(const struct call *these, size_t number)
{
    for(size_t i = 0; i < number; i++) {
        meet(&these[i], WIRE_SILENT);
        meet(&these[i], WIRE_ENDS);
        meet(&these[i], WIRE_RESETS);
    }
}

/* Without a time set for the call, an answer may still take no longer than the read timeout, in
 * both modes. The original looks at it only when it is called. */
static void within_read_timeout(const struct call *call)
{
    long long rc;
    if(!ours) {
        skip(call->name);
        return;
    }
    reach(call->stage);
    set_limit(0);
    c->limit_ms = 100;
    libssh2_session_set_read_timeout(c->session, 1);
    wire_set(wire, WIRE_SILENT);
    long long start = now_ms();
    do
        rc = call->make();
    while(rc == LIBSSH2_ERROR_EAGAIN && now_ms() - start < 1000 + SLACK);
    long long took = now_ms() - start;
    is_number(rc, call->ours.silence == FREED ? 0 : call->ours.silence, call->name);
    ok(took >= 998 && took < 1000 + SLACK, "the read timeout ends it after %lld ms", took);
    leave(call, rc);
}

static const struct call calls_within_read_timeout[] = {
    { "handshake", handshake, NEW, AND_THEIRS(WAITS) },
    { "password", password, SHAKEN, AND_THEIRS(WAITS) },
    { "exec", exec, CHANNEL, AND_THEIRS(WAITS) },
    { "channel_free", channel_free, CHANNEL, AND_THEIRS({ FREED, 0, 0 }) },
    { "sftp_write", sftp_write, FILE_, AND_THEIRS(WAITS) },
    { "session_free", session_free, CHANNEL, AND_THEIRS({ FREED, 0, 0 }) },
};

/* The user thinks for as long as the call may take, and the server is dead meanwhile. */
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(think)
{
    (void)name, (void)name_len, (void)instruction, (void)instruction_len;
    (void)num_prompts, (void)prompts, (void)responses, (void)abstract;
    wire_set(wire, WIRE_SILENT);
    poll(NULL, 0, 1000);
}

/* The time of a call counts from its beginning, whatever it does meanwhile. */
static void one_time_for_all(void)
{
    if(nonblocking)
        return;
    c = testd("--ask Name=x");
    wire = wire_new(c, WIRE_WORKS);
    conn_handshake(c);
    set_limit(1000);
    long long start = now_ms();
    int rc = libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, think);
    long long took = now_ms() - start;
    trace_rc(c, rc, "a login whose questions take all of the time");
    is_number(rc, TIMEOUT, "a login whose questions take all of the time");
    ok(took >= 998 && took < 1700, "it took %lld ms", took);
    wire_free(wire);
    conn_drop(c);
}

void test(void)
{
    static char config[500];
    watchdog(140);
    (void)testd_root();
    write_whole(temp_path("root/file"), "content", 7);
    snprintf(config, sizeof(config), "Subsystem publickey exec %s/fake_publickey",
             getenv("CTESTS_SERVERS"));
    server_config(config);
    meet_each(calls, COUNT(calls));
    if(ours) {
        trace_off(true);
        meet_each(calls_of_ours, COUNT(calls_of_ours));
        trace_off(false);
    }
    else
        skip("the original does not wait for the publickey subsystem");
    for(size_t i = 0; i < COUNT(calls_within_read_timeout); i++)
        within_read_timeout(&calls_within_read_timeout[i]);
    one_time_for_all();
}
