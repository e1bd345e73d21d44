/* A WRITE that fails in the middle of a pipeline. The call fails with the server's status and
 * words, the offset is what the caller knows to be acknowledged, and the caller can go on from
 * there or from anywhere else. A failure that nobody has asked for yet is told by close. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 500000 };

static struct conn *c;
static LIBSSH2_SFTP_HANDLE *file;
static char *data;

static void start(const char *arguments)
{
    c = testd("%s", arguments);
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    file = CALLP(c, libssh2_sftp_open(c->sftp, "file",
                                      LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                      0644));
    if(!file)
        bail("open failed: %s", last_words(c));
}

/* Writes from `done` on, `chunk` bytes presented at a time, until it fails or is through. */
static ssize_t write_from(size_t *done, size_t chunk)
{
    while(*done < SIZE) {
        size_t left = SIZE - *done;
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + *done, left < chunk ? left : chunk));
        if(rc <= 0)
            return rc;
        *done += (size_t)rc;
    }
    return 0;
}

static void check_failure(ssize_t rc, size_t done)
{
    is_number(rc, LIBSSH2_ERROR_SFTP_PROTOCOL, "the call fails");
    is_number((long long)libssh2_sftp_last_error(c->sftp), LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM,
              "with the server's status");
    ok(!ours || strstr(last_words(c), "the disk is on fire"), "and its words: %s", last_words(c));
    is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_SFTP_PROTOCOL, "last_errno");
    /* The original's tell64 counts what was acknowledged and not told. */
    ok(!ours || libssh2_sftp_tell64(file) == done, "tell64 is what was told");
}

/* The `at`-th request fails: what was told before is there, going on makes the file whole. */
static void go_on(int at, size_t chunk, const char *more)
{
    char arguments[200];
    size_t done = 0;
    snprintf(arguments, sizeof(arguments), "--fault write-error --at %d %s", at, more);
    start(arguments);
    ssize_t rc = write_from(&done, chunk);
    trace_sftp(c, rc, "write in pieces of %zu with %s", chunk, arguments);
    check_failure(rc, done);
    size_t size;
    char *content = read_whole(temp_path("root/file"), &size);
    ok(content && size >= done && memcmp(content, data, done) == 0, "what was told is there");
    free(content);
    rc = write_from(&done, chunk);
    ok(rc == 0 && done == SIZE, "going on works: %zu bytes, %s", done, error_name(rc));
    is_number((long long)libssh2_sftp_tell64(file), SIZE, "tell64 at the end");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close has nothing to tell");
    ok(file_is(temp_path("root/file"), data, SIZE), "the file is whole");
    conn_close(c);
}

/* After the failure the caller writes somewhere else. */
static void go_elsewhere(void)
{
    size_t done = 0;
    start("--fault write-error --at 3 --limit 30000");
    ssize_t rc = write_from(&done, SIZE);
    check_failure(rc, done);
    libssh2_sftp_seek64(file, 1000);
    size_t place = 1000;
    rc = write_from(&place, SIZE);
    ok(rc == 0 && place == SIZE, "writing from elsewhere works: %s", error_name(rc));
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    ok(file_is(temp_path("root/file"), data, SIZE), "the file is whole");
    trace("after a seek");
    conn_close(c);
}

/* The failure comes for bytes that were handed over, and the caller closes without asking. */
static void unreported(void)
{
    if(!ours) {
        skip("the original's close says nothing of it");
        return;
    }
    trace_off(true);
    start("--fault write-error --at 8 --limit 30000 --pause 300");
    ssize_t rc = CALL(c, libssh2_sftp_write(file, data, SIZE));
    ok(rc > 0 && rc <= 7 * 30000, "the first %zd bytes were acknowledged", rc);
    rc = CALL(c, libssh2_sftp_close(file));
    is_number(rc, LIBSSH2_ERROR_SFTP_PROTOCOL, "close tells of the failure");
    is_number((long long)libssh2_sftp_last_error(c->sftp), LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM,
              "with the server's status");
    ok(strstr(last_words(c), "the disk is on fire"), "and its words: %s", last_words(c));
    conn_close(c);
    trace_off(false);
}

/* Another file of the same server is none the worse for it. */
static void another_file(void)
{
    size_t done = 0;
    start("--fault write-error --at 2 --limit 30000");
    LIBSSH2_SFTP_HANDLE *other = CALLP(
        c, libssh2_sftp_open(c->sftp, "other", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0644));
    if(!other)
        bail("open failed: %s", last_words(c));
    ssize_t rc = write_from(&done, SIZE);
    check_failure(rc, done);
    is_number(CALL(c, libssh2_sftp_write(other, "fine", 4)), 4, "another file is written");
    is_number(CALL(c, libssh2_sftp_close(other)), 0, "and closed");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close tells nothing twice");
    ok(file_is(temp_path("root/other"), "fine", 4), "the other file is whole");
    trace("another file");
    conn_close(c);
}

void test(void)
{
    data = make_data(SIZE, 21);
    watchdog(100);
    go_on(1, SIZE, "");
    go_on(2, SIZE, "--limit 30000");
    go_on(5, SIZE, "--limit 30000");
    go_on(5, 70000, "--limit 30000");
    go_on(3, 1000, "--limit 30000");
    go_on(4, SIZE, "--limit 30000 --chunk seed");
    go_elsewhere();
    another_file();
    unreported();
    free(data);
}
