/* Calls on channels whose arguments programs seldom use: windows by hand, empty reads and writes,
 * other streams, the mode by way of a channel, commands that end before they are asked. */
#include "harness.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *c;

static LIBSSH2_CHANNEL *open_channel(const char *command)
{
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel || (command && CALL(c, libssh2_channel_exec(channel, command)) != 0))
        bail("no channel");
    return channel;
}

static void free_channel(LIBSSH2_CHANNEL *channel)
{
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
}

/* Reads so many bytes. */
static void read_exactly(LIBSSH2_CHANNEL *channel, int stream, char *bytes, size_t size)
{
    CALL_ALL(c, got, size, libssh2_channel_read_ex(channel, stream, bytes + got, size - got));
}

/* Waits until so many bytes of a channel have arrived. */
static void await_bytes(LIBSSH2_CHANNEL *channel, unsigned long size)
{
    unsigned long queued = 0;
    libssh2_session_set_blocking(c->session, 0);
    for(int i = 0; i < 500 && queued < size; i++) {
        libssh2_channel_wait_eof(channel); /* for what it takes in */
        libssh2_channel_window_read_ex(channel, &queued, NULL);
        usleep(10000);
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    is_number((long long)queued, (long long)size, "bytes that wait");
}

static void windows(void)
{
    unsigned long queued = 99, initial = 99, before;
    unsigned int stored = 99;
    char bytes[4000];
    LIBSSH2_CHANNEL *channel =
        CALLP(c, libssh2_channel_open_ex(c->session, "session", 7, 5000, 2000, NULL, 0));
    trace_pointer(c, channel, "open_ex with a window of 5000");
    before = libssh2_channel_window_write_ex(channel, &initial);
    trace("window for writing %lu, at first %lu", before, initial); /* none before there is a command */
    before = libssh2_channel_window_read_ex(channel, &queued, &initial);
    trace("window for reading %lu, %lu queued, at first %lu", before, queued, initial);
    trace("without places %lu %lu", libssh2_channel_window_read_ex(channel, NULL, NULL),
          libssh2_channel_window_write_ex(channel, NULL) > 0 ? 1UL : 0UL);

    int rc = CALL(c, libssh2_channel_receive_window_adjust2(channel, 1000, 0, &stored));
    trace_rc(c, rc, "adjust2 by little");
    trace("window %u", stored);
    rc = CALL(c, libssh2_channel_receive_window_adjust2(channel, 500, 0, &stored));
    trace_rc(c, rc, "adjust2 by little more");
    trace("window %u, now %lu", stored, libssh2_channel_window_read(channel));
    rc = CALL(c, libssh2_channel_receive_window_adjust2(channel, 1, 1, NULL));
    trace_rc(c, rc, "adjust2 by force");
    trace("window now %lu", libssh2_channel_window_read(channel));
    rc = CALL(c, libssh2_channel_receive_window_adjust2(channel, 0, 1, &stored));
    trace_rc(c, rc, "adjust2 by nothing");
    trace("window %u", stored);

    if(CALL(c, libssh2_channel_exec(channel, "head -c 20000 /dev/zero; sleep 1")) != 0)
        bail("no command");
    await_bytes(channel, 6501); /* no more than was granted */
    before = libssh2_channel_window_read_ex(channel, &queued, &initial);
    trace("%lu queued, at first %lu", queued, initial);
    /* The original takes off only what has been read. */
    is_number((long long)before, ours ? 0 : 6501, "the window");
    ok(libssh2_channel_window_write(channel) > 0, "with a command there is a window for writing");
    libssh2_channel_window_write_ex(channel, &initial);
    trace("at first it was %lu", initial);
    if(!nonblocking) {
        rc = libssh2_channel_wait_eof(channel);
        trace_rc(c, rc, "wait_eof with the window full");
        is_number(rc, LIBSSH2_ERROR_CHANNEL_WINDOW_FULL, "wait_eof with the window full");
    }
    read_exactly(channel, 0, bytes, 100);
    if(!nonblocking) {
        rc = libssh2_channel_wait_eof(channel);
        is_number(rc, LIBSSH2_ERROR_CHANNEL_WINDOW_FULL, "wait_eof with the window full, after a short read");
    }
    read_exactly(channel, 0, bytes + 100, sizeof(bytes) - 100);
    trace("eof %d with more to read", libssh2_channel_eof(channel));
    free_channel(channel);
}

static void nothing_at_all(void)
{
    char byte = 'x';
    LIBSSH2_CHANNEL *channel = open_channel("exec cat");
    trace("write of nothing = %zd", CALL(c, libssh2_channel_write(channel, "x", 0)));
    if(nonblocking)
        trace_rc(c, (int)libssh2_channel_read(channel, &byte, 0), "read of nothing");
    else if(ours) /* the original waits for the end */
        is_number(libssh2_channel_read(channel, &byte, 0), 0, "read of nothing");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "y", 1)), "write");
    read_exactly(channel, 0, &byte, 1);
    trace("it comes back: %c", byte);
    trace("flush of nothing = %d", CALL(c, libssh2_channel_flush_ex(channel, 0)));
    trace("poll_channel_read = %d %d", libssh2_poll_channel_read(channel, 0),
          libssh2_poll_channel_read(channel, 1));
    trace("status %d, has %d", libssh2_channel_get_exit_status(channel),
          libssh2_channel_has_exit_status(channel));
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    ok(CALL(c, libssh2_channel_read(channel, &byte, 1)) == 0, "the end");
    trace("read of nothing at the end = %zd", libssh2_channel_read(channel, &byte, 0));
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close");
    trace("status %d, has %d", libssh2_channel_get_exit_status(channel),
          libssh2_channel_has_exit_status(channel));
    free_channel(channel);
}

/* A program that only ever writes, and looks at the window before: the writes take in what the server
 * grants. */
static void by_the_window_alone(void)
{
    enum { PIECE = 32768, TOTAL = 8 << 20 };
    static char piece[PIECE];
    LIBSSH2_CHANNEL *channel = open_channel("exec cat >/dev/null");
    CALL(c, libssh2_channel_write(channel, piece, 1)); /* there is a window now */
    unsigned long initial = libssh2_channel_window_write(channel);
    size_t done = 0;
    while(done < TOTAL && libssh2_channel_window_write(channel) > 0) {
        ssize_t rc = CALL(c, libssh2_channel_write(channel, piece, PIECE));
        if(rc < 0)
            bail("write: %s", error_name(rc));
        done += (size_t)rc;
        if(libssh2_channel_window_write(channel) < initial / 2) {
            struct pollfd entry = { .fd = c->fd, .events = POLLIN };
            poll(&entry, 1, 5000);
        }
    }
    ok(done >= TOTAL, "all is written, %zu bytes", done);
    free_channel(channel);
}

/* What comes too late for a channel that the server has closed, and wants no answer, does no harm. */
static void too_late(void)
{
    char byte;
    LIBSSH2_CHANNEL *channel = open_channel("exit 3");
    ok(CALL(c, libssh2_channel_read(channel, &byte, 1)) == 0, "the end");
    trace_rc(c, CALL(c, libssh2_channel_wait_closed(channel)), "wait_closed");
    trace_rc(c, CALL(c, libssh2_channel_request_pty_size(channel, 80, 25)), "request_pty_size");
    trace_rc(c, CALL(c, libssh2_channel_signal(channel, "TERM")), "signal");
    free_channel(channel);
}

/* Before there is a command the server grants no window: a write waits for one that never comes. */
static void without_a_window(void)
{
    LIBSSH2_CHANNEL *channel = open_channel(NULL);
    libssh2_session_set_blocking(c->session, 0);
    trace_rc(c, libssh2_channel_write(channel, "x", 1), "write before there is a window");
    trace("directions %d", libssh2_session_block_directions(c->session));
    libssh2_session_set_timeout(c->session, 300);
    libssh2_session_set_blocking(c->session, 1);
    trace_rc(c, libssh2_channel_write(channel, "x", 1), "the same with blocking");
    libssh2_session_set_timeout(c->session, 0);
    libssh2_session_set_blocking(c->session, !nonblocking);
    free_channel(channel);
}

/* What goes to other streams: OpenSSH drops it, and the channel goes on. */
static void other_streams(void)
{
    char bytes[10];
    LIBSSH2_CHANNEL *channel = open_channel("echo a word >&2; exec cat");
    trace("write_ex to 1 = %zd", CALL(c, libssh2_channel_write_ex(channel, 1, "dropped", 7)));
    trace("write_ex to 7 = %zd", CALL(c, libssh2_channel_write_ex(channel, 7, "dropped", 7)));
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "kept", 4)), "write");
    read_exactly(channel, 0, bytes, 4);
    trace("%.4s comes back", bytes);
    read_exactly(channel, SSH_EXTENDED_DATA_STDERR, bytes, 7);
    trace("%.6s from standard error", bytes);
    libssh2_session_set_blocking(c->session, 0);
    trace_rc(c, libssh2_channel_read_ex(channel, 7, bytes, sizeof(bytes)), "read_ex of 7");
    libssh2_session_set_blocking(c->session, !nonblocking);
    free_channel(channel);
}

/* The mode is that of the session, whichever handle it is set by. */
static void modes(void)
{
    char byte;
    LIBSSH2_CHANNEL *one = open_channel("exec cat"), *other = open_channel("exec cat");
    libssh2_channel_set_blocking(one, 0);
    trace("get_blocking = %d", libssh2_session_get_blocking(c->session));
    trace_rc(c, libssh2_channel_read(other, &byte, 1), "read of the other channel");
    trace("directions %d", libssh2_session_block_directions(c->session));
    libssh2_channel_set_blocking(other, 1);
    trace("get_blocking = %d", libssh2_session_get_blocking(c->session));
    libssh2_session_set_blocking(c->session, !nonblocking);
    free_channel(one);
    free_channel(other);
}

/* A program with several channels waits once for all of them, after whichever call came last. */
static void directions_of_many(void)
{
    char byte;
    int left;
    LIBSSH2_CHANNEL *waits = open_channel("exec cat"), *ended = open_channel("true");
    ok(CALL(c, libssh2_channel_read(ended, &byte, 1)) == 0, "one ends");
    CALL(c, libssh2_channel_wait_eof(ended));
    libssh2_session_set_blocking(c->session, 0);
    trace_rc(c, libssh2_channel_read(waits, &byte, 1), "read of the other one");
    trace("directions %d", libssh2_session_block_directions(c->session));
    trace_rc(c, libssh2_channel_read(ended, &byte, 1), "read at the end");
    trace("directions %d", libssh2_session_block_directions(c->session));
    trace_rc(c, libssh2_keepalive_send(c->session, &left), "keepalive_send");
    trace("directions %d", libssh2_session_block_directions(c->session));
    trace_rc(c, libssh2_channel_write(waits, "x", 1), "write");
    trace("directions %d", libssh2_session_block_directions(c->session));
    if(ours)
        is_number(libssh2_session_block_directions(c->session), LIBSSH2_SESSION_BLOCK_INBOUND,
                  "directions");
    libssh2_session_set_blocking(c->session, !nonblocking);
    free_channel(waits);
    free_channel(ended);
}

/* A string that is empty is not one that is not there. */
static void startups(void)
{
    char text[100];
    LIBSSH2_CHANNEL *channel = open_channel(NULL);
    trace_rc(c, CALL(c, libssh2_channel_process_startup(channel, "shell", 5, NULL, 0)),
             "shell without a string");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "echo $0 | tr -d a-z; exit 6\n", 28)), "write");
    trace_rc(c, CALL(c, libssh2_channel_wait_eof(channel)), "wait_eof");
    trace_rc(c, CALL(c, libssh2_channel_wait_closed(channel)), "wait_closed");
    trace("status %d", libssh2_channel_get_exit_status(channel));
    free_channel(channel);

    channel = open_channel(NULL);
    trace_rc(c, CALL(c, libssh2_channel_process_startup(channel, "exec", 4, "echo good, not this", 9)),
             "exec of part of a string");
    ssize_t got = CALL(c, libssh2_channel_read(channel, text, sizeof(text)));
    trace("%.*s", got > 0 ? (int)got - 1 : 0, text);
    free_channel(channel);

    channel = open_channel(NULL);
    trace_rc(c, CALL(c, libssh2_channel_process_startup(channel, "no-such-request", 15, "", 0)),
             "an unknown request");
    free_channel(channel);
}

/* The display that the program on the server is given, with a cookie of ours. */
static void display(void)
{
    char text[300] = "";
    size_t size = 0;
    ssize_t got;
    LIBSSH2_CHANNEL *channel = open_channel(NULL);
    int rc = CALL(c, libssh2_channel_x11_req_ex(channel, 1, "MIT-MAGIC-COOKIE-1",
                                                "00112233445566778899aabbccddeeff", 3));
    if(rc != 0) {
        skip("sshd has no xauth here");
        CALL(c, libssh2_channel_free(channel));
        return;
    }
    if(CALL(c, libssh2_channel_exec(channel, "echo ${DISPLAY##*.}; xauth list $DISPLAY")) != 0)
        bail("no command");
    while((got = CALL(c, libssh2_channel_read(channel, text + size, sizeof(text) - 1 - size))) > 0)
        size += (size_t)got;
    text[size] = '\0';
    trace("screen %.1s", text);
    ok(strstr(text, "00112233445566778899aabbccddeeff") != NULL, "the cookie is ours: %s", text);
    free_channel(channel);
}

void test(void)
{
    server_config("X11Forwarding yes\nMaxSessions 50");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    windows();
    nothing_at_all();
    by_the_window_alone();
    too_late();
    without_a_window();
    other_streams();
    modes();
    directions_of_many();
    startups();
    display();
    conn_close(c);
}
