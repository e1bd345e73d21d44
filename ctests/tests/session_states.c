/* Every function of a session in every state that a session can be in: new, in the middle of its
 * handshake, connected, after goodbye, with the server dead, with the socket closed. The harmless
 * ones give what they always give and disturb nothing; the others fail, soon and with a reason. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *c;

static const char *some(const void *pointer)
{
    return pointer ? "some" : "none";
}

static LIBSSH2_IGNORE_FUNC(on_ignore)
{
    (void)session, (void)message, (void)message_len, (void)abstract;
}

/* What asks and sets, and has nothing to do with the server. */
static void harmless(const char *state)
{
    static const int kinds[] = { LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_HOSTKEY,
                                 LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_MAC_SC };
    LIBSSH2_SESSION *s = c->session;
    libssh2_cb_generic *mine = (libssh2_cb_generic *)on_ignore;
    void **abstract = libssh2_session_abstract(s);
    const char **names = NULL;
    char *text = NULL;
    int length = -1, type = -1;
    size_t size = 99;
    trace("--- %s", state);
    ok(abstract != NULL, "session_abstract");
    *abstract = &c;
    ok(libssh2_session_abstract(s) == abstract && *abstract == &c, "the pointer stays");
    ok(!libssh2_session_callback_set2(s, LIBSSH2_CALLBACK_IGNORE, mine), "no function before");
    ok(libssh2_session_callback_set2(s, LIBSSH2_CALLBACK_IGNORE, NULL) == mine, "mine before");
    trace("flag = %d, flag 0 = %s", libssh2_session_flag(s, LIBSSH2_FLAG_QUOTE_PATHS, 1),
          error_name(libssh2_session_flag(s, 0, 1)));
    libssh2_session_set_timeout(s, 15000);
    trace("timeout %ld, read timeout %ld", libssh2_session_get_timeout(s),
          libssh2_session_get_read_timeout(s));
    ok(libssh2_session_get_blocking(s) == !nonblocking, "the mode");
    ok((libssh2_session_block_directions(s) & ~3) == 0, "directions");
    trace("banner %s, host key %s, type %d", some(libssh2_session_banner_get(s)),
          some(libssh2_session_hostkey(s, &size, &type)), type);
    trace("length %s, SHA-1 %s", size == 0 ? "0" : "more",
          some(libssh2_hostkey_hash(s, LIBSSH2_HOSTKEY_HASH_SHA1)));
    for(size_t i = 0; i < COUNT(kinds); i++)
        trace("method %d %s", kinds[i], some(libssh2_session_methods(s, kinds[i])));
    trace("set_last_error = %d", libssh2_session_set_last_error(s, -1, "something"));
    trace("last_errno = %d, last_error = %d", libssh2_session_last_errno(s),
          libssh2_session_last_error(s, &text, &length, 1));
    trace("\"%s\" %d", text, length);
    libssh2_free(s, text);
    trace("method_pref = %d",
          libssh2_session_method_pref(s, LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512"));
    ok(libssh2_session_supported_algs(s, LIBSSH2_METHOD_CRYPT_CS, &names) > 0, "supported_algs");
    libssh2_free(s, (void *)names);
}

static void fails(long long rc, const char *what)
{
    int number = libssh2_session_last_errno(c->session);
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "%s: %s", what, error_name(rc));
    if(ours)
        is_number(number, rc, "and it is the last error");
}

static void has_none(const void *pointer, const char *what)
{
    int number = libssh2_session_last_errno(c->session);
    ok(!pointer && number < 0 && number != LIBSSH2_ERROR_EAGAIN, "%s: %s", what,
       error_name(number));
}

/* What needs a connection, where there is none (any more). Only ours is asked where the original
 * writes to descriptor 0, or waits. */
static void in_vain(void)
{
    LIBSSH2_SESSION *s = c->session;
    const char *key = key_path("user_ed25519.openssh"), *user = user_name();
    long long start = now_ms();
    c->limit_ms = 5000;
    has_none(CALLP(c, libssh2_channel_open_session(s)), "channel_open_session");
    has_none(CALLP(c, libssh2_sftp_init(s)), "sftp_init");
    has_none(CALLP(c, libssh2_channel_direct_tcpip(s, "127.0.0.1", 1)), "direct_tcpip");
    has_none(CALLP(c, libssh2_channel_forward_listen(s, 0)), "forward_listen");
    has_none(CALLP(c, libssh2_scp_send64(s, "x", 0600, 1, 0, 0)), "scp_send64");
    has_none(CALLP(c, libssh2_scp_recv2(s, "x", NULL)), "scp_recv2");
    has_none(CALLP(c, libssh2_userauth_list(s, "x", 1)), "userauth_list");
    fails(CALL(c, libssh2_userauth_password(s, user, "x")), "userauth_password");
    fails(CALL(c, libssh2_userauth_publickey_fromfile(s, user, NULL, key, NULL)),
          "userauth_publickey_fromfile");
    ok(now_ms() - start < 3000, "it took %lld ms", now_ms() - start);
}

static void goodbye(void)
{
    int rc = CALL(c, libssh2_session_disconnect_ex(c->session, SSH_DISCONNECT_PROTOCOL_ERROR,
                                                   "for a reason", "en"));
    trace("disconnect_ex = %s", error_name(rc));
    is_number(rc, 0, "disconnect_ex");
}

static void end(void)
{
    int rc = CALL(c, libssh2_session_free(c->session));
    trace("session_free = %s", error_name(rc));
    is_number(rc, 0, "session_free");
    close(c->fd);
    signal_tree(c->sshd, SIGKILL);
    free(c);
}

static void unconnected(void)
{
    c = conn_new();
    harmless("new");
    if(ours) {
        trace_off(true);
        in_vain();
        goodbye();
        trace_off(false);
    }
    trace_rc(c, libssh2_session_handshake(c->session, LIBSSH2_INVALID_SOCKET), "handshake");
    harmless("handshake on no socket");
    if(ours) {
        trace_off(true);
        fails(libssh2_session_handshake(c->session, 999), "handshake on a socket that is not there");
        in_vain();
        goodbye();
        /* The right socket after all. */
        conn_handshake(c);
        trace_off(false);
    }
    end();
}

/* Between any two calls of the handshake, and the rest of it comes to its end. */
static void in_the_handshake(void)
{
    int rc, rounds = 0;
    if(!nonblocking) {
        skip("a blocking handshake has no middle");
        return;
    }
    server_delay(5);
    c = conn_new();
    server_delay(0);
    conn_start_call(c);
    trace_off(true);
    while((rc = libssh2_session_handshake(c->session, c->fd)) == LIBSSH2_ERROR_EAGAIN) {
        int directions = libssh2_session_block_directions(c->session);
        harmless("in the handshake");
        ok(!ours || libssh2_session_block_directions(c->session) == directions,
           "the directions are what they were");
        rounds++;
        if(!conn_wait(c))
            break;
    }
    trace_off(false);
    ok(rounds >= 2, "%d rounds", rounds);
    is_number(rc, 0, "handshake");
    conn_login(c);
    harmless("after a handshake that was looked at");
    end();
}

static void connected(void)
{
    c = conn_new();
    conn_handshake(c);
    harmless("connected");
    conn_login(c);
    harmless("logged in");
    conn_sftp(c);
    goodbye();
    harmless("after goodbye");
    c->limit_ms = 2000;
    fails(CALL(c, libssh2_sftp_unlink(c->sftp, "/not there")), "unlink after goodbye");
    if(ours) {
        trace_off(true);
        in_vain();
        goodbye();
        trace_off(false);
    }
    end();
}

/* A handshake too many. On the original it begins anew and breaks the connection, as soon as the
 * server says something; what programs know of it is that it would block at first. */
static void handshake_again(void)
{
    if(!ours) {
        skip("the original says what depends on when the server says something");
        return;
    }
    trace_off(true);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    libssh2_session_set_blocking(c->session, 0);
    is_number(libssh2_session_handshake(c->session, c->fd), LIBSSH2_ERROR_EAGAIN,
              "handshake again");
    is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_EAGAIN, "last_errno");
    is_number(libssh2_session_block_directions(c->session), LIBSSH2_SESSION_BLOCK_INBOUND,
              "directions");
    libssh2_session_set_blocking(c->session, 1);
    is_number(libssh2_session_handshake(c->session, c->fd), 0, "with blocking it is over");
    libssh2_session_set_blocking(c->session, !nonblocking);
    conn_sftp(c);
    conn_close(c);
    trace_off(false);
}

static void server_dead(void)
{
    char byte;
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel)
        bail("no channel");
    signal_tree(c->sshd, SIGKILL);
    c->limit_ms = 3000;
    fails(CALL(c, libssh2_channel_read(channel, &byte, 1)), "read from a dead server");
    harmless("with the server dead");
    in_vain();
    goodbye();
    harmless("after goodbye to the dead");
    end();
}

static void socket_closed(void)
{
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    close(c->fd);
    harmless("with the socket closed");
    if(ours)
        in_vain();
    goodbye();
    int rc = CALL(c, libssh2_session_free(c->session));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "session_free: %s", error_name(rc));
    signal_tree(c->sshd, SIGKILL);
    free(c);
}

/* What the server is told we are. */
static char said[300];
static LIBSSH2_SEND_FUNC((*send_on_socket));

static LIBSSH2_SEND_FUNC(on_send)
{
    if(!*said) /* only the first */
        memcpy(said, buffer, length < sizeof(said) - 1 ? length : sizeof(said) - 1);
    return send_on_socket(socket, buffer, length, flags, abstract);
}

static void banner(const char *text, bool old_name)
{
    memset(said, 0, sizeof(said));
    c = conn_new();
    trace_rc(c, libssh2_session_banner_set(c->session, "SSH-2.0-forgotten"), "banner_set");
    trace_rc(c, old_name ? libssh2_banner_set(c->session, text)
                         : libssh2_session_banner_set(c->session, text),
             "banner_set %.30s", text ? text : "NULL");
    send_on_socket = (LIBSSH2_SEND_FUNC((*)))libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)on_send);
    conn_handshake(c);
    said[strcspn(said, "\n") + 1] = '\0';
    ok(strstr(said, "\r\n") != NULL, "a line end behind it");
    trace("the server hears %.17s", said); /* without the version */
    /* It comes too late, and changes nothing of what the keys were made of. */
    trace_rc(c, libssh2_session_banner_set(c->session, "SSH-2.0-too_late"), "banner_set");
    conn_login(c);
    conn_drop(c);
}

static void banners(void)
{
    enum { TOO_LONG = (4 << 20) + 1 };
    char *text = malloc(TOO_LONG + 1);
    banner(NULL, false);
    banner("", false);
    banner("SSH-2.0-mine_1.0 and a comment", false);
    banner("SSH-2.0-mine_2.0", true);
    memset(text, 'x', TOO_LONG);
    text[TOO_LONG] = '\0';
    c = conn_new();
    int rc = libssh2_session_banner_set(c->session, text);
    trace("banner_set of 4 MiB and a byte = %s", error_name(rc));
    is_number(rc, LIBSSH2_ERROR_OUT_OF_BOUNDARY, "too long");
    conn_drop(c);
    free(text);
}

/* To a program that moves the bytes itself the socket may be any number. */
enum { NO_SOCKET = 424242 };
static int others;
static LIBSSH2_RECV_FUNC((*recv_on_socket));

static LIBSSH2_SEND_FUNC(send_by_number)
{
    others += socket != NO_SOCKET;
    return send_on_socket(c->fd, buffer, length, flags, abstract);
}

static LIBSSH2_RECV_FUNC(recv_by_number)
{
    others += socket != NO_SOCKET;
    return recv_on_socket(c->fd, buffer, length, flags, abstract);
}

static void no_descriptor(void)
{
    c = conn_new();
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    send_on_socket = (LIBSSH2_SEND_FUNC((*)))libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)send_by_number);
    recv_on_socket = (LIBSSH2_RECV_FUNC((*)))libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)recv_by_number);
    trace_rc(c, CALL(c, libssh2_session_handshake(c->session, NO_SOCKET)),
             "handshake on a number that is no descriptor");
    conn_login(c);
    conn_sftp(c);
    is_number(others, 0, "other numbers that the functions were given");
    conn_close(c);
    /* Without such functions it fails. */
    c = conn_new();
    fails(CALL(c, libssh2_session_handshake(c->session, NO_SOCKET)), "the same without them");
    conn_drop(c);
}

void test(void)
{
    unconnected();
    in_the_handshake();
    connected();
    handshake_again();
    server_dead();
    socket_closed();
    banners();
    no_descriptor();
}
