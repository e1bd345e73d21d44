/* The end of a session whose server is silent or gone comes in time, all of it together: within the
 * time set for a call, or else within the read timeout, and in non-blocking mode too. */
#include "testd.h"
#include "wire.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIMIT = 300, READ_TIMEOUT = 1000, SLACK = 2500, AT_ONCE = 700 }; /* ms */

static struct conn *c;
static struct wire *wire;

static void connect_and_login(const char *arguments)
{
    c = testd("%s", arguments);
    wire = wire_new(c, WIRE_WORKS);
    conn_handshake(c);
    testd_login(c);
}

/* The server is silent from now on, and no call has a limit but the read timeout. */
static void fall_silent(void)
{
    libssh2_session_set_timeout(c->session, 0);
    libssh2_session_set_read_timeout(c->session, READ_TIMEOUT / 1000);
    c->limit_ms = 50;
    wire_set(wire, WIRE_SILENT);
}

/* Repeats a call for as long as it says EAGAIN, as a program does that waits with a limit of its
 * own. */
#define REPEAT(expression)                                                                         \
    ({                                                                                             \
        long long begin = now_ms();                                                                \
        int repeat_rc;                                                                             \
        do                                                                                         \
            repeat_rc = CALL(c, expression);                                                       \
        while(repeat_rc == LIBSSH2_ERROR_EAGAIN && now_ms() - begin < 10000);                      \
        repeat_rc;                                                                                 \
    })

static void took(long long start, long long least, long long most, const char *what)
{
    long long time = now_ms() - start;
    ok(time >= least - 2 && time < most, "%s took %lld ms", what, time);
}

static void free_session(long long least, long long most, const char *when)
{
    long long start = now_ms();
    int rc = REPEAT(libssh2_session_free(c->session));
    is_number(rc, 0, when);
    took(start, least, most, when);
    wire_free(wire);
    signal_tree(c->sshd, SIGKILL);
    close(c->fd);
    free(c);
}

/* Four channels are not four times as long. */
static void many_channels(void)
{
    connect_and_login(" ");
    conn_sftp(c);
    for(int i = 0; i < 3; i++)
        if(!CALLP(c, libssh2_channel_open_session(c->session)))
            bail("no channel");
    fall_silent();
    free_session(READ_TIMEOUT, READ_TIMEOUT + SLACK, "session_free with four channels");
}

/* What was waited for in vain is not waited for again. */
static void closed_in_vain(void)
{
    connect_and_login(" ");
    conn_sftp(c);
    LIBSSH2_CHANNEL *closed = CALLP(c, libssh2_channel_open_session(c->session));
    LIBSSH2_CHANNEL *left = CALLP(c, libssh2_channel_open_session(c->session));
    fall_silent();
    long long start = now_ms();
    is_number(REPEAT(libssh2_channel_close(closed)), LIBSSH2_ERROR_TIMEOUT, "channel_close");
    is_number(REPEAT(libssh2_channel_close(left)), LIBSSH2_ERROR_TIMEOUT, "channel_close");
    is_number(REPEAT(libssh2_sftp_shutdown(c->sftp)), LIBSSH2_ERROR_TIMEOUT, "sftp_shutdown");
    took(start, 3 * READ_TIMEOUT, 3 * READ_TIMEOUT + SLACK, "closing each");
    start = now_ms();
    is_number(libssh2_channel_close(closed), 0, "channel_close again");
    is_number(libssh2_channel_free(closed), 0, "channel_free");
    took(start, 0, AT_ONCE, "that");
    free_session(0, AT_ONCE, "session_free after all that");
}

/* Until neither the socket nor the server takes any more. Once is not enough: the kernel finds more
 * room when it asks the other end again. */
static int fill(LIBSSH2_CHANNEL *channel)
{
    static const char data[200000];
    ssize_t rc = 0;
    for(long long since = now_ms(); now_ms() - since < READ_TIMEOUT;) {
        rc = CALL(c, libssh2_channel_write(channel, data, sizeof(data)));
        if(rc > 0)
            since = now_ms();
    }
    return (int)rc;
}

/* Goodbye can not leave either. */
static void full_socket(void)
{
    connect_and_login("--window 100000000");
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    fall_silent();
    libssh2_session_set_timeout(c->session, LIMIT);
    is_number(fill(channel), nonblocking ? LIBSSH2_ERROR_EAGAIN : LIBSSH2_ERROR_TIMEOUT, "write");
    long long start = now_ms();
    int rc = REPEAT(libssh2_session_disconnect(c->session, "bye"));
    is_number(rc, LIBSSH2_ERROR_TIMEOUT, "disconnect");
    if(nonblocking)
        took(start, READ_TIMEOUT, READ_TIMEOUT + SLACK, "disconnect by the read timeout");
    else
        took(start, LIMIT, LIMIT + SLACK, "disconnect by the limit");
    free_session(0, AT_ONCE, "session_free after goodbye");

    connect_and_login("--window 100000000");
    channel = CALLP(c, libssh2_channel_open_session(c->session));
    fall_silent();
    libssh2_session_set_timeout(c->session, LIMIT);
    fill(channel);
    if(nonblocking)
        free_session(READ_TIMEOUT, READ_TIMEOUT + SLACK, "session_free by the read timeout");
    else
        free_session(LIMIT, LIMIT + SLACK, "session_free by the limit");
}

static void in_the_handshake(void)
{
    c = testd(" ");
    wire = wire_new(c, WIRE_WORKS);
    fall_silent();
    libssh2_session_set_timeout(c->session, LIMIT);
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    ok(rc < 0, "handshake: %s", error_name(rc));
    long long start = now_ms();
    is_number(REPEAT(libssh2_session_disconnect(c->session, "bye")), 0, "disconnect");
    took(start, 0, AT_ONCE, "disconnect");
    free_session(0, AT_ONCE, "session_free in the handshake");
}

/* The connection is gone, noticed or not. */
static void gone(bool noticed)
{
    char byte;
    connect_and_login(" ");
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    wire_set(wire, WIRE_RESETS);
    if(noticed)
        ok(CALL(c, libssh2_channel_read(channel, &byte, 1)) < 0, "the end is noticed");
    long long start = now_ms();
    is_number(REPEAT(libssh2_session_disconnect(c->session, "bye")), 0, "disconnect");
    is_number(REPEAT(libssh2_channel_free(channel)), 0, "channel_free");
    took(start, 0, 1000, "that");
    free_session(0, AT_ONCE, "session_free");
}

void test(void)
{
    gone(true);
    gone(false);
    if(!ours) {
        skip("the original waits for ever, or frees nothing");
        return;
    }
    many_channels();
    closed_in_vain();
    full_socket();
    in_the_handshake();
}
