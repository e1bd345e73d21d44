/* Commands, and files there and back by SFTP, with new keys in the middle where the server asks for
 * them. */
#include "interop.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 10 << 20, INPUT = 1 << 20 };

static struct conn *c;

/* --- commands --- */

static LIBSSH2_CHANNEL *begin(const char *command)
{
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel)
        bail("no channel: %s", last_words(c));
    int rc = CALL(c, libssh2_channel_exec(channel, command));
    ok(rc == 0, "exec \"%s\": %s", command, rc == 0 ? "" : last_words(c));
    return channel;
}

static void end(LIBSSH2_CHANNEL *channel, int want)
{
    is_number(CALL(c, libssh2_channel_close(channel)), 0, "channel_close");
    is_number(libssh2_channel_get_exit_status(channel), want, "exit status");
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "channel_free");
}

/* Reads a stream to its end. */
static size_t drain(LIBSSH2_CHANNEL *channel, int stream, char *into, size_t room)
{
    size_t got = 0;
    ssize_t rc;
    while(got < room &&
          (rc = CALL(c, libssh2_channel_read_ex(channel, stream, into + got, room - got))) > 0)
        got += (size_t)rc;
    return got;
}

static void streams(void)
{
    char out[100], err[100];
    LIBSSH2_CHANNEL *channel = begin("echo to stdout; echo to stderr >&2; exit 7");
    size_t out_size = drain(channel, 0, out, sizeof(out));
    size_t err_size = drain(channel, SSH_EXTENDED_DATA_STDERR, err, sizeof(err));
    ok(out_size == 10 && memcmp(out, "to stdout\n", 10) == 0, "standard output");
    ok(err_size == 10 && memcmp(err, "to stderr\n", 10) == 0, "standard error");
    end(channel, 7);
}

/* A MiB goes in and comes out again, the end of file with it. */
static void echo(void)
{
    char *data = make_data(INPUT, 3), *back = malloc(INPUT + 1);
    size_t sent = 0, got = 0;
    ssize_t rc = 0;
    LIBSSH2_CHANNEL *channel = begin("cat");
    libssh2_session_set_blocking(c->session, 0); /* both directions at once */
    conn_start_call(c);
    while(got <= INPUT) {
        bool moved = false;
        if(sent < INPUT && (rc = libssh2_channel_write(channel, data + sent, INPUT - sent)) > 0) {
            sent += (size_t)rc;
            moved = true;
        }
        else if(sent == INPUT && (rc = libssh2_channel_send_eof(channel)) == 0)
            sent++;
        if(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
            break;
        rc = libssh2_channel_read(channel, back + got, INPUT + 1 - got);
        if(rc == 0 && libssh2_channel_eof(channel))
            break;
        if(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
            break;
        if(rc > 0) {
            got += (size_t)rc;
            moved = true;
        }
        if(!moved && !conn_wait_always(c))
            break;
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    ok(got == INPUT && memcmp(data, back, INPUT) == 0, "a MiB through cat: %zu there, %zu back",
       sent, got);
    end(channel, 0);
    free(data);
    free(back);
}

static void commands(void)
{
    if(!can("exec")) {
        cell("exec", "–");
        return;
    }
    int before = failures();
    c = meet_and_log_in();
    streams();
    conn_close(c);
    c = meet_and_log_in(); /* TinySSH takes one channel for each connection */
    echo();
    conn_close(c);
    cell("exec", failures() == before ? "yes" : "**no**");
}

/* --- files --- */

static bool upload(const char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("up"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    ssize_t rc = file ? 1 : -1;
    for(size_t done = 0; done < SIZE && rc > 0; done += rc > 0 ? (size_t)rc : 0)
        rc = CALL(c, libssh2_sftp_write(file, data + done, SIZE - done));
    if(rc <= 0)
        diag("upload: %s", last_words(c));
    return file && CALL(c, libssh2_sftp_close(file)) == 0 && rc > 0 &&
           file_is(temp_path("up"), data, SIZE);
}

static bool download(const char *data)
{
    write_whole(temp_path("down"), data, SIZE);
    char *buffer = malloc(SIZE + 1);
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("down"), LIBSSH2_FXF_READ, 0));
    size_t done = 0;
    ssize_t rc = file ? 1 : -1;
    while(done <= SIZE && rc > 0) {
        size_t left = SIZE + 1 - done;
        rc = CALL(c, libssh2_sftp_read(file, buffer + done, left < 100000 ? left : 100000));
        done += rc > 0 ? (size_t)rc : 0;
    }
    if(rc < 0)
        diag("download: %s", last_words(c));
    bool same = rc == 0 && done == SIZE && memcmp(buffer, data, SIZE) == 0;
    free(buffer);
    return file && CALL(c, libssh2_sftp_close(file)) == 0 && same;
}

static void files(void)
{
    static const char *const rows[] = { "SFTP up, 10 MiB", "SFTP down, 10 MiB" };
    if(!can("sftp")) {
        cell(rows[0], "–");
        cell(rows[1], "–");
        return;
    }
    char *data = make_data(SIZE, 5);
    c = meet();
    follow(c, LIBSSH2_TRACE_KEX);
    conn_handshake(c);
    if(log_in(c) != 0)
        bail("no login: %s", last_words(c));
    conn_sftp(c);
    for(int way = 0; way < 2; way++) {
        new_keys = 0;
        bool whole = way == 0 ? upload(data) : download(data);
        ok(whole, "%s", rows[way]);
        if(ours && (can("rekey") || (way == 1 && can("rekey-down"))))
            ok(new_keys > 0, "new keys came %d times meanwhile", new_keys);
        cell(rows[way], "%s%s", whole ? "yes" : "**no**", whole && new_keys ? ", new keys" : "");
    }
    free(data);
    conn_close(c);
}

/* --- new keys by our own wish --- */

/* The library wants new keys after a GiB. */
static void volume(void)
{
    static const char row[] = "new keys after a GiB, by us";
    static char buffer[1 << 20];
    const long long size = (1LL << 30) + (64 << 20);
    char command[60];
    if(!can("volume") || nonblocking || !ours) {
        if(!can("volume"))
            cell(row, "–");
        return;
    }
    c = meet();
    c->limit_ms = 100000;
    follow(c, LIBSSH2_TRACE_KEX);
    conn_handshake(c);
    if(log_in(c) != 0)
        bail("no login: %s", last_words(c));
    new_keys = 0;
    snprintf(command, sizeof(command), "head -c %lld /dev/zero", size);
    LIBSSH2_CHANNEL *channel = begin(command);
    long long got = 0;
    ssize_t rc;
    while((rc = CALL(c, libssh2_channel_read(channel, buffer, sizeof(buffer)))) > 0)
        got += rc;
    bool whole = ok(got == size, "all of it came: %lld of %lld", got, size);
    if(!whole)
        diag("%s", last_words(c));
    ok(new_keys > 0, "new keys came %d times", new_keys);
    end(channel, 0);
    conn_close(c);
    cell(row, whole && new_keys ? "yes" : "**no**");
}

void test(void)
{
    watchdog(90);
    commands();
    files();
    volume();
}
