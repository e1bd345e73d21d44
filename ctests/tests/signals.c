/* A timer of the program whose signal interrupts every wait: nobody notices, and no time is won. */
#include "testd.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { TOTAL = 4 << 20, LIMIT = 400, SLACK = 3000 }; /* bytes, ms */

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static timer_t timer;

static void make_timer(void)
{
    struct sigaction action = { .sa_handler = on_signal }; /* without SA_RESTART */
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    /* Not the alarm clock: that is the watchdog's. */
    if(sigaction(SIGUSR1, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        bail("no timer");
}

/* A signal every 2 ms, or no more; the library is to bear them, not the harness. Where each takes as
 * long as that, nothing else would be done. */
static void interrupt(bool on)
{
    long interval = on ? 2000000L * slowness() : 0;
    struct itimerspec often = { { 0, interval }, { 0, interval } };
    timer_settime(timer, 0, &often, NULL);
}

static void upload(struct conn *c, const char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    size_t done = 0;
    ssize_t rc = 0;
    trace_pointer(c, file, "open for writing");
    while(done < TOTAL && rc >= 0) {
        rc = CALL(c, libssh2_sftp_write(file, data + done, TOTAL - done));
        done += rc > 0 ? (size_t)rc : 0;
    }
    trace_sftp(c, rc < 0 ? rc : 0, "upload");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("file"), data, TOTAL), "the upload is whole");
}

static void download(struct conn *c, const char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"), LIBSSH2_FXF_READ, 0));
    char *buffer = malloc(TOTAL);
    size_t done = 0;
    ssize_t rc = 1;
    trace_pointer(c, file, "open for reading");
    while(done < TOTAL && rc > 0) {
        rc = CALL(c, libssh2_sftp_read(file, buffer + done, TOTAL - done));
        done += rc > 0 ? (size_t)rc : 0;
    }
    trace_sftp(c, rc < 0 ? rc : 0, "download");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(done == TOTAL && memcmp(buffer, data, TOTAL) == 0, "the download is whole");
    free(buffer);
}

/* A command that says one word after a second: hundreds of signals in one call. */
static void wait_long(struct conn *c)
{
    char word[10];
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    trace_pointer(c, channel, "channel");
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, "sleep 1; echo done")), "exec");
    int before = signals;
    trace("read %zd bytes", CALL(c, libssh2_channel_read(channel, word, sizeof(word))));
    ok(signals - before > 50 / (int)slowness(), "%d signals in one read", signals - before);
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
}

static void transfers(const char *data)
{
    /* So that there is something to wait for. */
    server_delay(3);
    struct conn *c = conn_new();
    server_delay(0);
    interrupt(true);
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    upload(c, data);
    download(c, data);
    wait_long(c);
    ok(signals > 100 / (int)slowness(), "%d signals", signals);
    interrupt(false);
    conn_close(c);
}

/* The time for a call is not counted anew after each signal. In the original neither. */
static void deadline(void)
{
    LIBSSH2_SFTP_ATTRIBUTES about;
    struct conn *c = conn_new();
    struct wire *wire = wire_new(c, WIRE_WORKS);
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    wire_set(wire, WIRE_SILENT);
    libssh2_session_set_timeout(c->session, LIMIT);
    c->limit_ms = LIMIT;
    interrupt(true);
    long long start = now_ms();
    int before = signals;
    trace_rc(c, CALL(c, libssh2_sftp_stat(c->sftp, "/", &about)), "stat of a silent server");
    long long took = now_ms() - start;
    interrupt(false);
    ok(took >= LIMIT - 2 && took < LIMIT + SLACK, "it took %lld ms", took);
    ok(signals - before > 20 / (int)slowness(), "and %d signals", signals - before);
    wire_free(wire);
    conn_drop(c);
}

/* Functions of a program that does not repeat what a signal has interrupted. */
static unsigned calls;

static LIBSSH2_SEND_FUNC(send_once)
{
    (void)abstract;
    if(calls++ % 3 == 0)
        return -EINTR;
    ssize_t sent = send(socket, buffer, length, flags);
    return sent < 0 ? -errno : sent;
}

static LIBSSH2_RECV_FUNC(receive_once)
{
    (void)abstract;
    if(calls++ % 3 == 0)
        return -EINTR;
    ssize_t received = recv(socket, buffer, length, flags);
    return received < 0 ? -errno : received;
}

static void own_functions(const char *data)
{
    if(!ours) {
        skip("the original takes EINTR for the end");
        return;
    }
    trace_off(true);
    struct conn *c = conn_new();
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_SEND,
                                  (libssh2_cb_generic *)send_once);
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_RECV,
                                  (libssh2_cb_generic *)receive_once);
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    upload(c, data);
    download(c, data);
    conn_close(c);
}

void test(void)
{
    char *data = make_data(TOTAL, 15);
    make_timer();
    transfers(data);
    deadline();
    own_functions(data);
    free(data);
}
