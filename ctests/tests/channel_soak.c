/* A hundred channels at a time that move data both ways, close at random, and begin anew; and that
 * while the keys change. */
#include "echo.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { CHANNELS = 100, MOST = 60000 };

struct life {
    LIBSSH2_CHANNEL *channel;
    size_t size, sent, received, ends_at;
    uint64_t seed;
    bool eof_sent, freeing;
};

static struct conn *c;
static struct life lives[CHANNELS];
static int port;
static int most, begun, ended, cut_short;
static uint64_t dice = 12345;

static size_t below(size_t bound)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice >> 33) % bound;
}

/* The byte at a place of a stream. */
static char at(uint64_t seed, size_t place)
{
    return (char)((place * 31 + (place >> 8) * 7 + seed * 131) & 0xff);
}

/* Each step returns whether anything moved; none waits. */

static bool begin(struct life *l)
{
    char host[16];
    /* Each life asks in its own words, so that opens under way at a time are told apart. */
    snprintf(host, sizeof(host), "life %d", (int)(l - lives));
    l->channel = libssh2_channel_direct_tcpip_ex(c->session, "127.0.0.1", port, host, 1);
    if(!l->channel) {
        if(libssh2_session_last_errno(c->session) != LIBSSH2_ERROR_EAGAIN)
            bail("open: %s", error_name(libssh2_session_last_errno(c->session)));
        return false;
    }
    l->size = 1 + below(MOST);
    l->ends_at = below(3) == 0 ? below(l->size) : l->size;
    l->seed = below(1000);
    l->sent = l->received = 0;
    l->eof_sent = l->freeing = false;
    begun++;
    return true;
}

static bool give(struct life *l)
{
    char piece[4000];
    size_t size = l->size - l->sent < sizeof(piece) ? l->size - l->sent : sizeof(piece);
    for(size_t i = 0; i < size; i++)
        piece[i] = at(l->seed, l->sent + i);
    ssize_t rc = libssh2_channel_write(l->channel, piece, size);
    if(rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if(rc <= 0)
        bail("write: %s", error_name(rc));
    l->sent += (size_t)rc;
    return true;
}

static bool take(struct life *l)
{
    char piece[3000];
    ssize_t rc = libssh2_channel_read(l->channel, piece, 1 + below(sizeof(piece)));
    if(rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if(rc < 0)
        bail("read: %s", error_name(rc));
    for(ssize_t i = 0; i < rc; i++)
        if(piece[i] != at(l->seed, l->received + (size_t)i))
            bail("channel %d: byte %zu is wrong", (int)(l - lives), l->received + (size_t)i);
    l->received += (size_t)rc;
    if(rc == 0 && l->received != l->size)
        bail("channel %d ends after %zu of %zu bytes", (int)(l - lives), l->received, l->size);
    if(rc == 0 || l->received >= l->ends_at) {
        cut_short += l->received < l->size;
        l->freeing = l->received < l->size || rc == 0;
    }
    return true;
}

static bool step(struct life *l)
{
    bool moved = false;
    if(!l->channel)
        return begun < most && begin(l);
    if(l->freeing) {
        int rc = libssh2_channel_free(l->channel);
        if(rc == LIBSSH2_ERROR_EAGAIN)
            return false;
        if(rc != 0)
            bail("free: %s", error_name(rc));
        l->channel = NULL;
        ended++;
        return true;
    }
    if(l->sent < l->size)
        moved = give(l);
    else if(!l->eof_sent)
        moved = l->eof_sent = libssh2_channel_send_eof(l->channel) == 0;
    return take(l) || moved;
}

static void soak(int lives_in_all, const char *cipher)
{
    begun = ended = cut_short = 0;
    most = lives_in_all;
    memset(lives, 0, sizeof(lives));
    c = conn_new();
    if(cipher)
        libssh2_session_method_pref(c->session, LIBSSH2_METHOD_CRYPT_CS, cipher);
    conn_handshake(c);
    conn_login(c);
    libssh2_session_set_blocking(c->session, 0);
    conn_start_call(c);
    c->deadline = now_ms() + 100000;
    while(ended < most) {
        bool moved = false;
        for(size_t i = 0; i < CHANNELS; i++)
            moved = step(&lives[i]) || moved;
        if(!moved && !conn_wait_always(c))
            bail("nothing moves any more: %d begun, %d ended", begun, ended);
    }
    ok(cut_short > most / 15, "%d of %d were closed in the middle", cut_short, most);
    libssh2_session_set_blocking(c->session, !nonblocking);
    conn_close(c);
}

void test(void)
{
    if(!ours) {
        skip("the original takes opens under way at a time for one another");
        return;
    }
    watchdog(120);
    trace_off(true);
    pid_t server = echo_all(&port);
    server_config("MaxSessions 200");
    soak(300, NULL);
    /* The same while both sides change their keys all the time. */
    static const char *const ciphers[] = { "aes128-gcm@openssh.com",
                                           "chacha20-poly1305@openssh.com", "aes256-ctr" };
    for(size_t i = 0; i < COUNT(ciphers); i++) {
        server_config("MaxSessions 200\nRekeyLimit 256K\nLogLevel DEBUG1");
        soak(120, ciphers[i]);
        int rekeys = server_rekeys();
        ok(rekeys >= 5, "%d times new keys under %s", rekeys, ciphers[i]);
    }
    signal_tree(server, SIGKILL);
    waitpid(server, NULL, 0);
}
