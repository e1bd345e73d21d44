/* Sockets that hold next to nothing, so that packets leave and come in pieces and both directions
 * fill up at the same time, while the keys change: nothing is lost, no EAGAIN names a direction in
 * which nothing happens, and a program that waits as it is told is not woken in vain. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define REKEYS "LogLevel DEBUG1\nKexAlgorithms curve25519-sha256\n"

static struct conn *c;
static int idle; /* EAGAINs after whose wait the next call moved nothing, one after the other */

/* A connection over such a socket, and maybe one that hinders as well. */
static void connect_narrowly(bool hindered)
{
    int size = 16384; /* with less, TCP itself waits for ever so long */
    server_config(hindered ? REKEYS "RekeyLimit 64K\n" : REKEYS "RekeyLimit 256K\n");
    c = conn_new();
    if(setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0 ||
       setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
        bail("setsockopt failed");
    if(hindered)
        fault_install(c);
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
}

static void up(const char *data, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    ssize_t rc = file ? 1 : -1;
    for(size_t done = 0; done < size && rc > 0; done += rc > 0 ? (size_t)rc : 0)
        rc = CALL(c, libssh2_sftp_write(file, data + done, size - done));
    trace_sftp(c, rc < 0 ? rc : 0, "upload");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("file"), data, size), "the upload is whole");
}

static void down(const char *data, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"), LIBSSH2_FXF_READ, 0));
    char *back = malloc(size);
    size_t done = 0;
    ssize_t rc = file ? 1 : -1;
    for(; done < size && rc > 0; done += rc > 0 ? (size_t)rc : 0)
        rc = CALL(c, libssh2_sftp_read(file, back + done, size - done));
    trace_sftp(c, rc < 0 ? rc : 0, "download");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(done == size && memcmp(data, back, size) == 0, "the download is whole");
    free(back);
}

/* Through `cat`, both directions at once: by the turn without blocking, else all of it there before
 * any of it back, which takes a library that reads while it writes. */
static void through(const char *data, size_t size)
{
    char *back = malloc(size + 1);
    size_t sent = 0, received = 0;
    int in_vain = 0;
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel || CALL(c, libssh2_channel_exec(channel, "exec cat")) != 0)
        bail("no channel");
    conn_start_call(c);
    c->deadline += 40000;
    for(ssize_t rc = 1; received < size;) {
        bool moved = false;
        if(sent < size && (rc = libssh2_channel_write(channel, data + sent, size - sent)) > 0) {
            sent += (size_t)rc;
            moved = true;
        }
        if(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
            bail("write: %s", error_name(rc));
        if(nonblocking || sent == size) {
            rc = libssh2_channel_read(channel, back + received, size - received);
            if(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN)
                bail("read: %s", error_name(rc));
            moved = moved || rc > 0;
            received += rc > 0 ? (size_t)rc : 0;
        }
        in_vain = moved ? 0 : in_vain + 1;
        idle = in_vain > idle ? in_vain : idle;
        if(!moved && !conn_wait(c))
            bail("nothing moves: %zu sent, %zu received", sent, received);
    }
    ok(memcmp(data, back, size) == 0, "all came back");
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    trace_rc(c, CALL(c, libssh2_channel_read(channel, back, 1)), "read");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    free(back);
}

static void over(bool hindered, size_t size, int rekeys)
{
    char *data = make_data(size, 31);
    idle = 0;
    connect_narrowly(hindered);
    up(data, size);
    down(data, size);
    through(data, size);
    ok(server_rekeys() >= rekeys, "%d times new keys", server_rekeys());
    diag("%d waits, at most %d in a row in vain", c->waits, idle);
    if(hindered)
        fault_report();
    else
        ok(!ours || idle < 20, "waits in vain, in a row: %d", idle);
    conn_close(c);
    free(data);
}

void test(void)
{
    if(!ours) {
        skip("the original gets stuck when the keys change over a socket like that");
        return;
    }
    trace_off(true);
    watchdog(120);
    over(false, 1 << 20, 8);
    over(true, 90000, 2);
}
