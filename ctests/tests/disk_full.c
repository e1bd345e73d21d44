/* A file that can not grow: the write fails with the server's status, no byte that was reported
 * is lost, and the session goes on. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT (256 * 1024)

static struct conn *c;

static const char *sftp_server(void)
{
    static const char *const places[] = { "/usr/lib/openssh/sftp-server",
                                          "/usr/libexec/openssh/sftp-server",
                                          "/usr/libexec/sftp-server",
                                          "/usr/lib/ssh/sftp-server" };
    for(size_t i = 0; i < COUNT(places); i++)
        if(access(places[i], X_OK) == 0)
            return places[i];
    bail("no sftp-server here");
}

/* Writes until a call fails; returns what the calls have reported until then. */
static size_t write_until_error(LIBSSH2_SFTP_HANDLE *file, const char *data, size_t total,
                                size_t size, ssize_t *error)
{
    size_t done = 0;
    *error = 0;
    while(done < total) {
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + done,
                                                total - done < size ? total - done : size));
        if(rc < 0) {
            *error = rc;
            break;
        }
        done += (size_t)rc;
    }
    return done;
}

static void over_the_limit(const char *data, size_t total, size_t size)
{
    const char *path = temp_path("limited");
    ssize_t error;
    char *text = NULL;
    int length;
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, path,
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    trace_pointer(c, file, "open");
    size_t done = write_until_error(file, data, total, size, &error);
    trace_sftp(c, error, "write over the limit in buffers of %zu", size);
    is_number(error, LIBSSH2_ERROR_SFTP_PROTOCOL, "the write fails");
    is_number((long long)libssh2_sftp_last_error(c->sftp), LIBSSH2_FX_FAILURE, "FX_FAILURE");
    int code = libssh2_session_last_error(c->session, &text, &length, 0);
    is_number(code, LIBSSH2_ERROR_SFTP_PROTOCOL, "last_error");
    ok(length > 0 && (int)strlen(text) == length, "a message: %s", text);
    ok(done <= LIMIT, "no more was reported (%zu) than fits", done);
    libssh2_uint64_t at = libssh2_sftp_tell64(file);
    ok(at == done, "tell64 (%llu) is what was reported (%zu)", at, done);

    /* What the caller has been told is in the file; what follows it can be tried again. */
    size_t stored;
    char *content = read_whole(path, &stored);
    ok(content && stored >= done && memcmp(content, data, done) == 0, "that much is in the file");
    free(content);
    size_t more = write_until_error(file, data + done, total - done, size, &error);
    trace_sftp(c, error, "again from there");
    ok(done + more <= LIMIT, "%zu more were reported", more);

    libssh2_sftp_seek64(file, 10);
    trace_sftp(c, CALL(c, libssh2_sftp_write(file, "hello", 5)), "write where there is room");
    trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
    trace_sftp(c, CALL(c, libssh2_sftp_fsync(file)), "fsync");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    content = read_whole(path, &stored);
    ok(content && stored <= LIMIT && memcmp(content, data, 10) == 0 &&
           memcmp(content + 10, "hello", 5) == 0 &&
           memcmp(content + 15, data + 15, done > 15 ? done - 15 : 0) == 0,
       "the file is what was written");
    free(content);
}

/* Exactly as much as fits is no error. */
static void up_to_the_limit(const char *data)
{
    ssize_t error;
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("fits"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    trace_pointer(c, file, "open");
    size_t done = write_until_error(file, data, LIMIT, LIMIT, &error);
    trace_sftp(c, error, "write of %zu", done);
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("fits"), data, LIMIT), "all of it");
}

static void dev_full(const char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, "/dev/full", LIBSSH2_FXF_WRITE, 0));
    trace_pointer(c, file, "open /dev/full");
    for(size_t size = 1; size <= 1 << 20; size <<= 10) {
        trace_sftp(c, CALL(c, libssh2_sftp_write(file, data, size)), "write of %zu", size);
        trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
    }
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
}

void test(void)
{
    const size_t total = 1 << 20;
    char *data = make_data(total, 5), script[300], config[300];
    /* A shell counts in blocks of 512 bytes. The server shall see an error, not a signal. */
    snprintf(script, sizeof(script), "trap '' XFSZ\nulimit -f %d\nexec %s\n", LIMIT / 512,
             sftp_server());
    write_whole(temp_path("limited-server"), script, strlen(script));
    snprintf(config, sizeof(config), "Subsystem sftp /bin/sh %s", temp_path("limited-server"));
    server_config(config);
    c = conn_ready();
    static const size_t sizes[] = { 1000, 30000, 32768, 100000, 1 << 20 };
    for(size_t i = 0; i < COUNT(sizes); i++)
        over_the_limit(data, sizes[i] == 1000 ? LIMIT + 5000 : total, sizes[i]);
    up_to_the_limit(data);
    dev_full(data);
    conn_close(c);
    free(data);
}
