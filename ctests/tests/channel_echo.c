/* Many bytes through `cat`, both ways at a time, and through several channels at once. */
#include "harness.h"

#include <stdlib.h>

enum { CHANNELS = 6 };

struct echo {
    LIBSSH2_CHANNEL *channel;
    const char *data;
    char *back;
    size_t size, sent, received;
    size_t piece;
    bool eof_sent, done;
};

static struct conn *c;

static void echo_open(struct echo *echo, unsigned window, unsigned packet, size_t size,
                      uint64_t seed, size_t piece)
{
    memset(echo, 0, sizeof(*echo));
    echo->data = make_data(size, seed);
    echo->back = malloc(size + 1);
    echo->size = size;
    echo->piece = piece;
    echo->channel = CALLP(c, libssh2_channel_open_ex(c->session, "session", 7, window, packet,
                                                     NULL, 0));
    if(!echo->channel || CALL(c, libssh2_channel_exec(echo->channel, "cat")) != 0)
        bail("no cat");
}

/* One step in each direction, which never waits: the session is in non-blocking mode. Returns
 * whether anything moved. */
static bool echo_step(struct echo *echo)
{
    bool moved = false;
    if(echo->sent < echo->size) {
        size_t left = echo->size - echo->sent;
        ssize_t rc = libssh2_channel_write(echo->channel, echo->data + echo->sent,
                                           left < echo->piece ? left : echo->piece);
        if(rc > 0) {
            echo->sent += (size_t)rc;
            moved = true;
        }
        else if(rc != LIBSSH2_ERROR_EAGAIN)
            bail("write: %s", error_name(rc));
    }
    else if(!echo->eof_sent) {
        int rc = libssh2_channel_send_eof(echo->channel);
        if(rc == 0)
            moved = echo->eof_sent = true;
        else if(rc != LIBSSH2_ERROR_EAGAIN)
            bail("send_eof: %s", error_name(rc));
    }
    size_t room = echo->size + 1 - echo->received;
    ssize_t rc = libssh2_channel_read(echo->channel, echo->back + echo->received,
                                      room < echo->piece ? room : echo->piece);
    if(rc > 0) {
        echo->received += (size_t)rc;
        moved = true;
    }
    else if(rc == 0)
        moved = echo->done = true;
    else if(rc != LIBSSH2_ERROR_EAGAIN)
        bail("read: %s", error_name(rc));
    return moved;
}

static void echo_end(struct echo *echo, const char *what)
{
    ok(echo->received == echo->size && memcmp(echo->data, echo->back, echo->size) == 0,
       "%s: all came back", what);
    trace("%s: %zu bytes, eof = %d", what, echo->received, libssh2_channel_eof(echo->channel));
    trace_rc(c, CALL(c, libssh2_channel_close(echo->channel)), "close");
    trace_rc(c, CALL(c, libssh2_channel_free(echo->channel)), "free");
    free((char *)echo->data);
    free(echo->back);
}

static void run_all(struct echo *echoes, size_t count)
{
    size_t done = 0;
    libssh2_session_set_blocking(c->session, 0);
    conn_start_call(c);
    c->deadline = now_ms() + 60000;
    while(done < count) {
        bool moved = false;
        done = 0;
        for(size_t i = 0; i < count; i++) {
            if(!echoes[i].done)
                moved = echo_step(&echoes[i]) || moved;
            done += echoes[i].done;
        }
        if(!moved && !conn_wait_always(c))
            bail("nothing moves any more");
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
}

static void alone(void)
{
    static const struct { unsigned window, packet; size_t size, piece; const char *what; } cases[] = {
        { LIBSSH2_CHANNEL_WINDOW_DEFAULT, LIBSSH2_CHANNEL_PACKET_DEFAULT, 12 << 20, 1 << 20,
          "the default window" },
        { 3000, 1000, 300 << 10, 50000, "a window of 3000 bytes" },
        { 40000, 32768, 3 << 20, 777, "small pieces" },
    };
    for(size_t i = 0; i < COUNT(cases); i++) {
        struct echo echo;
        echo_open(&echo, cases[i].window, cases[i].packet, cases[i].size, i + 1, cases[i].piece);
        run_all(&echo, 1);
        echo_end(&echo, cases[i].what);
    }
}

static void together(void)
{
    struct echo echoes[CHANNELS];
    for(size_t i = 0; i < CHANNELS; i++)
        echo_open(&echoes[i], i % 2 ? 20000 : LIBSSH2_CHANNEL_WINDOW_DEFAULT, 32768,
                  (i + 1) << 18, 100 + i, 1000 << i);
    run_all(echoes, CHANNELS);
    for(size_t i = 0; i < CHANNELS; i++)
        echo_end(&echoes[i], "one of six");
}

/* One channel is not read: the others go on, and its data waits. */
static void a_lazy_reader(void)
{
    static char back[1 << 16];
    struct echo echo;
    size_t total = 0;
    ssize_t got;
    LIBSSH2_CHANNEL *lazy = CALLP(c, libssh2_channel_open_session(c->session));
    if(!lazy || CALL(c, libssh2_channel_exec(lazy, "head -c 5000000 /dev/zero")) != 0)
        bail("no head");
    echo_open(&echo, LIBSSH2_CHANNEL_WINDOW_DEFAULT, 32768, 4 << 20, 9, 100000);
    run_all(&echo, 1);
    echo_end(&echo, "beside a channel that is not read");
    if(!nonblocking)
        trace_rc(c, libssh2_channel_wait_eof(lazy), "wait_eof with a full window");
    unsigned long queued = 0;
    unsigned long left = libssh2_channel_window_read_ex(lazy, &queued, NULL);
    ok(queued > 0 && queued <= LIBSSH2_CHANNEL_WINDOW_DEFAULT &&
           (!ours || queued + left == LIBSSH2_CHANNEL_WINDOW_DEFAULT),
       "no more than the window is kept");
    while((got = CALL(c, libssh2_channel_read(lazy, back, sizeof(back)))) > 0)
        total += (size_t)got;
    trace("%zu bytes, then %s", total, error_name(got));
    trace_rc(c, CALL(c, libssh2_channel_free(lazy)), "free");
}

void test(void)
{
    watchdog(120);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    alone();
    together();
    a_lazy_reader();
    conn_close(c);
}
