/* The server stops answering: a blocking call ends with TIMEOUT, a non-blocking one keeps saying
 * EAGAIN; when the server comes back, everything goes on and nothing is lost. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE 300 /* ms */

static struct conn *c;

/* What giving up looks like in this mode. */
static void trace_gave_up(long long rc, long long start, const char *what)
{
    long long took = now_ms() - start;
    trace_rc(c, rc, "%s", what);
    is_number(rc, nonblocking ? LIBSSH2_ERROR_EAGAIN : LIBSSH2_ERROR_TIMEOUT, what);
    ok(took >= PATIENCE - 20 && took < PATIENCE + 3000, "%s took %lld ms", what, took);
}

static void be_patient(bool on)
{
    libssh2_session_set_timeout(c->session, on ? PATIENCE : 0);
    c->limit_ms = on ? PATIENCE : 20000;
    c->stuck = 0; /* while the server is stopped a wait may be in vain */
}

static void stop(bool everything)
{
    pid_t server;
    if(everything) {
        signal_tree(c->sshd, SIGSTOP);
        return;
    }
    if(find_descendants(c->sshd, "sftp-server", &server, 1) != 1)
        bail("sftp-server is not to be found");
    kill(server, SIGSTOP);
}

/* Uploads up to the first result that is no success. */
static ssize_t upload(LIBSSH2_SFTP_HANDLE *file, const char *data, size_t total, size_t *done)
{
    while(*done < total) {
        size_t count = total - *done < 500000 ? total - *done : 500000;
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + *done, count));
        if(rc < 0)
            return rc;
        *done += (size_t)rc;
    }
    return 0;
}

static void in_an_upload(const char *data, size_t total, bool everything)
{
    size_t done = 0;
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    trace_pointer(c, file, "open");
    trace_sftp(c, upload(file, data, 1 << 20, &done), "upload of the first part");
    stop(everything);
    be_patient(true);
    /* What was acknowledged before the stop may still be reported: up to the first failure. */
    long long start;
    ssize_t rc;
    do {
        start = now_ms();
        rc = CALL(c, libssh2_sftp_write(file, data + done, total - done));
        done += rc > 0 ? (size_t)rc : 0;
    } while(rc > 0);
    trace_gave_up(rc, start, "write");
    for(int i = 0; i < 2; i++) {
        start = now_ms();
        trace_gave_up(CALL(c, libssh2_sftp_write(file, data + done, total - done)), start,
                      "write again");
    }
    signal_tree(c->sshd, SIGCONT);
    be_patient(false);
    trace_sftp(c, upload(file, data, total, &done), "upload of the rest");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("file"), data, total), "nothing is lost");
    conn_close(c);
}

static void in_a_request(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    c = conn_ready();
    stop(true);
    be_patient(true);
    long long start = now_ms();
    trace_gave_up(CALL(c, libssh2_sftp_stat(c->sftp, "/", &a)), start, "stat");
    signal_tree(c->sshd, SIGCONT);
    be_patient(false);
    trace_sftp(c, CALL(c, libssh2_sftp_stat(c->sftp, "/", &a)), "stat is taken up again");
    trace_sftp(c, CALL(c, libssh2_sftp_stat(c->sftp, "/no/where", &a)), "another stat");
    conn_close(c);
}

/* The peer accepts the connection and never says anything. */
static void in_the_handshake(void)
{
    int silent, other;
    tcp_pair(&silent, &other);
    pid_t nobody = fork();
    if(nobody == 0) {
        pause();
        _exit(0);
    }
    c = conn_over(silent, nobody);
    be_patient(true);
    long long start = now_ms();
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    ok(now_ms() - start < PATIENCE + 3000, "the handshake ends");
    trace_rc(c, rc, "handshake with the silent");
    conn_drop(c);
    close(other);
}

/* The read timeout counts seconds from the first call. The original looks at it only when it is
 * called again, so its blocking calls wait for ever. */
static void read_timeout(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    int rc;
    if(!nonblocking && !ours) {
        skip("the original does not end here");
        return;
    }
    c = conn_ready();
    stop(true);
    libssh2_session_set_read_timeout(c->session, 1);
    c->limit_ms = 100;
    long long start = now_ms();
    do
        rc = CALL(c, libssh2_sftp_stat(c->sftp, "/", &a));
    while(rc == LIBSSH2_ERROR_EAGAIN && now_ms() - start < 5000);
    is_number(rc, LIBSSH2_ERROR_TIMEOUT, "the read timeout ends it");
    ok(now_ms() - start < 4000, "in %lld ms", now_ms() - start);
    conn_drop(c);
}

void test(void)
{
    const size_t total = 8 << 20;
    char *data = make_data(total, 9);
    server_config("Subsystem sftp /usr/lib/openssh/sftp-server");
    if(access("/usr/lib/openssh/sftp-server", X_OK) != 0) {
        skip("sftp-server is not where Debian has it");
        return;
    }
    in_an_upload(data, total, false);
    in_an_upload(data, total, true);
    in_a_request();
    in_the_handshake();
    read_timeout();
    free(data);
}
