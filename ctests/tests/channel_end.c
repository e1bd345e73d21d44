/* Ends of channels in every order, and data that arrived before them. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *c;

static LIBSSH2_CHANNEL *start(const char *command)
{
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel || (command && CALL(c, libssh2_channel_exec(channel, command)) != 0))
        bail("no channel");
    return channel;
}

static long long read_to_end(LIBSSH2_CHANNEL *channel, long long *last)
{
    static char space[10000];
    long long total = 0;
    ssize_t got;
    while((got = CALL(c, libssh2_channel_read(channel, space, sizeof(space)))) > 0)
        total += got;
    *last = got;
    return total;
}

static void orders(void)
{
    long long last;
    LIBSSH2_CHANNEL *channel = start("cat");
    trace_rc(c, CALL(c, libssh2_channel_wait_closed(channel)), "wait_closed too early");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "abc", 3)), "write");
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "abc", 3)), "write after eof");
    trace_rc(c, CALL(c, libssh2_channel_wait_eof(channel)), "wait_eof");
    trace("eof = %d", libssh2_channel_eof(channel));
    trace_rc(c, CALL(c, libssh2_channel_wait_closed(channel)), "wait_closed");
    trace("%lld bytes, then", read_to_end(channel, &last));
    trace_rc(c, last, "read");
    trace("eof = %d", libssh2_channel_eof(channel));
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "abc", 3)), "write after close");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");

    channel = start("echo said before the close; exit 4");
    CALL(c, libssh2_channel_wait_eof(channel));
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close with unread data");
    trace("%lld bytes, then", read_to_end(channel, &last));
    trace_rc(c, last, "read");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");

    channel = start(NULL);
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close of an idle channel");
    if(ours) /* the original sends on a channel that is closed */
        ok(CALL(c, libssh2_channel_exec(channel, "echo")) == LIBSSH2_ERROR_CHANNEL_CLOSED,
           "nothing starts on a closed channel");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");

    channel = start(NULL);
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free of an idle channel");
    channel = start("sleep 1");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free of a busy channel");
    channel = start("yes");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free of a channel full of data");
    channel = start("yes");
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close of the same");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
}

/* Open, free, open again, in all orders: the numbers must not get mixed up. */
static void many(void)
{
    LIBSSH2_CHANNEL *channels[8];
    char text[8];
    for(int round = 0; round < 4; round++) {
        for(size_t i = 0; i < COUNT(channels); i++)
            channels[i] = start(i % 2 ? "echo word; cat" : "echo word; yes");
        for(size_t i = 0; i < COUNT(channels); i++) {
            size_t at = (i * 3 + (size_t)round) % COUNT(channels);
            ssize_t got = CALL(c, libssh2_channel_read(channels[at], text, 5));
            if(got != 5 || memcmp(text, "word\n", 5) != 0)
                bail("channel %zu says something else: %zd", at, got);
            if(CALL(c, libssh2_channel_free(channels[at])) != 0)
                bail("free failed");
        }
    }
    ok(true, "32 channels came and went");
}

/* What had arrived when the connection broke can be read; then comes the error. */
static void lost(void)
{
    long long last, total;
    LIBSSH2_CHANNEL *channel = start("head -c 100000 /dev/zero; exec sleep 30");
    unsigned long queued = 0;
    char first;
    trace_rc(c, CALL(c, libssh2_channel_read(channel, &first, 1)), "read one");
    for(int i = 0; i < 200 && queued < 99999; i++) {
        libssh2_session_set_blocking(c->session, 0);
        if(libssh2_channel_wait_eof(channel) != LIBSSH2_ERROR_EAGAIN)
            bail("an end that is none");
        libssh2_channel_window_read_ex(channel, &queued, NULL);
        usleep(10000);
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    is_number((long long)queued, 99999, "bytes that wait");
    signal_tree(c->sshd, SIGKILL);
    usleep(100000);
    if(ours) {
        total = read_to_end(channel, &last);
        is_number(total, 99999, "bytes read after the connection broke");
        is_number(last, LIBSSH2_ERROR_SOCKET_RECV, "and then the error");
        is_number(CALL(c, libssh2_channel_write(channel, "x", 1)), LIBSSH2_ERROR_SOCKET_RECV,
                  "write on the dead connection");
        ok(CALL(c, libssh2_channel_close(channel)) < 0, "close tells of it");
        is_number(CALL(c, libssh2_channel_close(channel)), 0, "once");
    }
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "free");
    conn_drop(c);
}

static void of_sftp(void)
{
    LIBSSH2_CHANNEL *channel;
    unsigned long initial = 0;
    c = conn_ready();
    channel = libssh2_sftp_get_channel(c->sftp);
    ok(channel && libssh2_sftp_get_channel(c->sftp) == channel, "SFTP shows its channel");
    ok(libssh2_channel_window_write_ex(channel, &initial) > 0, "its window is open");
    trace("eof = %d, status %d", libssh2_channel_eof(channel),
          libssh2_channel_get_exit_status(channel));
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free of the channel of SFTP");
    c->sftp = NULL;
    conn_close(c);
}

/* Channels and listeners that are used after they were freed; the original reads freed memory. */
static void stale(void)
{
    char text[8];
    int bad = 0;
    unsigned long initial = 77;
    LIBSSH2_CHANNEL *channel = start("cat");
    LIBSSH2_LISTENER *listener =
        CALLP(c, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", 0, NULL, 1));
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "free");
    is_number(CALL(c, libssh2_channel_forward_cancel(listener)), 0, "cancel");
    const long long results[] = {
        libssh2_channel_read(channel, text, sizeof(text)),
        libssh2_channel_read_stderr(channel, text, sizeof(text)),
        libssh2_channel_write(channel, "abc", 3),
        libssh2_channel_exec(channel, "true"),
        libssh2_channel_setenv(channel, "A", "b"),
        libssh2_channel_request_pty(channel, "vt100"),
        libssh2_channel_signal(channel, "TERM"),
        libssh2_channel_flush(channel),
        libssh2_channel_send_eof(channel),
        libssh2_channel_eof(channel),
        libssh2_channel_wait_eof(channel),
        libssh2_channel_close(channel),
        libssh2_channel_wait_closed(channel),
        libssh2_channel_receive_window_adjust2(channel, 1, 1, NULL),
        libssh2_channel_handle_extended_data2(channel, LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE),
        libssh2_channel_free(channel),
        libssh2_channel_forward_cancel(listener),
    };
    for(size_t i = 0; i < COUNT(results); i++)
        bad += results[i] == LIBSSH2_ERROR_BAD_USE;
    is_number(bad, COUNT(results), "calls that are refused");
    libssh2_session_set_last_error(c->session, LIBSSH2_ERROR_EAGAIN, "what came before");
    ok(!libssh2_channel_forward_accept(listener), "nothing is accepted");
    is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_BAD_USE, "nor ever will be");
    ok(libssh2_channel_window_write_ex(channel, &initial) == 0, "there is no window");
    channel = start("echo word");
    is_number(CALL(c, libssh2_channel_read(channel, text, 5)), 5, "another channel works");
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "free");
}

void test(void)
{
    /* The original frees a channel before the server has closed it, so that some linger. */
    server_config("MaxSessions 100");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    orders();
    many();
    if(ours)
        stale();
    lost();
    of_sftp();
}
