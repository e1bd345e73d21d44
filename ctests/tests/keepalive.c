/* Keepalives that want answers tell a dead server from one that has nothing to say. The original
 * never notices, and its blocking calls end with the first interval. */
#include "testd.h"
#include "wire.h"

#include <poll.h>

enum {
    INTERVAL = 2, /* s; the least there is */
    DEATH = 4 * INTERVAL * 1000, /* ms; three keepalives, and the time for the last answer */
    SLACK = 4000,
};

/* A connection, and what it is for. */
struct line {
    struct conn *c;
    struct wire *wire;
    LIBSSH2_CHANNEL *channel;
};

static struct line connect_and_login(const char *arguments)
{
    struct line line = { .c = testd("%s", arguments) };
    line.wire = wire_new(line.c, WIRE_WORKS);
    conn_handshake(line.c);
    testd_login(line.c);
    line.channel = CALLP(line.c, libssh2_channel_open_session(line.c->session));
    if(!line.channel)
        bail("no channel");
    libssh2_session_set_timeout(line.c->session, 0);
    libssh2_keepalive_config(line.c->session, 1, INTERVAL);
    return line;
}

static void leave(struct line *line)
{
    wire_free(line->wire);
    conn_drop(line->c);
}

static void is_dead(struct line *line, long long took)
{
    struct conn *c = line->c;
    char byte;
    ok(took >= DEATH - 1000 && took < DEATH + SLACK, "noticed after %lld ms", took);
    ok(strstr(last_words(c), "keepalive") != NULL, "it says: %s", last_words(c));
    is_number(libssh2_channel_read(line->channel, &byte, 1), LIBSSH2_ERROR_SOCKET_DISCONNECT,
              "every call after that says the same");
    ok(has_words(c, LIBSSH2_ERROR_SOCKET_DISCONNECT), "and why: %s", last_words(c));
    is_number(libssh2_keepalive_send(c->session, NULL), LIBSSH2_ERROR_SOCKET_SEND,
              "keepalive_send says it in its own way");
    long long start = now_ms();
    is_number(libssh2_session_disconnect(c->session, "bye"), 0, "disconnect does not mind");
    is_number(libssh2_channel_free(line->channel), 0, "channel_free does not wait");
    ok(now_ms() - start < 1000, "nothing waits any more");
}

static void waiting(void)
{
    char byte;
    struct line line = connect_and_login(" ");
    wire_set(line.wire, WIRE_SILENT);
    long long start = now_ms();
    ssize_t rc = libssh2_channel_read(line.channel, &byte, 1);
    is_number(rc, LIBSSH2_ERROR_SOCKET_DISCONNECT, "a read without a limit ends");
    is_dead(&line, now_ms() - start);
    leave(&line);

    /* Nothing comes but answers, for longer than that. */
    line = connect_and_login(" ");
    libssh2_session_set_timeout(line.c->session, DEATH + INTERVAL * 1000);
    rc = libssh2_channel_read(line.channel, &byte, 1);
    is_number(rc, LIBSSH2_ERROR_TIMEOUT, "a read of a server that answers keepalives goes on");
    libssh2_session_set_timeout(line.c->session, 10000);
    is_number(libssh2_channel_free(line.channel), 0, "and the connection lives");
    leave(&line);
}

/* What a program does that has its own loop. It looks at the socket only when it has to, so that
 * the answers have come before it does. */
static void looping(void)
{
    char byte;
    struct line dead = connect_and_login(" "), alive = connect_and_login(" ");
    long long start = now_ms(), took = 0;
    int rc = 0;
    wire_set(dead.wire, WIRE_SILENT);
    while(rc == 0 && took < DEATH + SLACK) {
        int next = -1, other = -1;
        rc = libssh2_keepalive_send(dead.c->session, &next);
        is_number(libssh2_keepalive_send(alive.c->session, &other), 0, "keepalive_send to the living");
        ok(rc != 0 || (next > 0 && next <= INTERVAL), "the next one in %d s", next);
        poll(NULL, 0, 1000);
        took = now_ms() - start;
    }
    is_number(rc, LIBSSH2_ERROR_SOCKET_SEND, "keepalive_send to the dead");
    is_dead(&dead, took);
    ssize_t count = libssh2_channel_read(alive.channel, &byte, 1);
    is_number(count, LIBSSH2_ERROR_EAGAIN, "the living has nothing to say");
    is_number(CALL(alive.c, libssh2_channel_free(alive.channel)), 0, "but lives");
    leave(&dead);
    leave(&alive);
}

/* Before the login they would be an error (RFC 4252 section 6): the test server hangs up. */
static void before_login(void)
{
    int next = -1;
    struct conn *c = testd(" ");
    conn_handshake(c);
    libssh2_keepalive_config(c->session, 1, 50);
    is_number(libssh2_keepalive_send(c->session, &next), 0, "keepalive_send before the login");
    is_number(next, 50, "the next one");
    testd_login(c);
    is_number(libssh2_keepalive_send(c->session, &next), 0, "keepalive_send after the login");
    conn_close(c);
}

void test(void)
{
    if(!ours) {
        skip("the original sends them, and that is all");
        return;
    }
    trace_off(true);
    before_login();
    if(nonblocking)
        looping();
    else
        waiting();
}
