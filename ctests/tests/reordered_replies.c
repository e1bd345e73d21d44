/* A server that answers in any order: what is written and read is the same as from one that
 * answers in turn, and a failure is of the request that failed. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1000000, SEEDS = 8 };

static struct conn *start(const char *arguments, int seed)
{
    struct conn *c = testd("%s --seed %d", arguments, seed);
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    return c;
}

static LIBSSH2_SFTP_HANDLE *open_file(struct conn *c, unsigned long flags)
{
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, "file", flags, 0644));
    if(!file)
        bail("open failed: %s", last_words(c));
    return file;
}

static void go(const char *arguments, int seed, const char *data)
{
    struct conn *c = start(arguments, seed);
    static char back[SIZE + 1];
    size_t done = 0;
    ssize_t rc = 0;
    LIBSSH2_SFTP_HANDLE *file =
        open_file(c, LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC);
    while(done < SIZE && rc >= 0) {
        rc = CALL(c, libssh2_sftp_write(file, data + done, SIZE - done));
        done += rc > 0 ? (size_t)rc : 0;
    }
    ok(done == SIZE, "%zu bytes up, seed %d %s", done, seed, arguments);
    is_number((long long)libssh2_sftp_tell64(file), SIZE, "tell64");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    ok(file_is(temp_path("root/file"), data, SIZE), "the file is whole");

    file = open_file(c, LIBSSH2_FXF_READ);
    for(done = 0, rc = 1; rc > 0 && done <= SIZE; done += rc > 0 ? (size_t)rc : 0)
        rc = CALL(c, libssh2_sftp_read(file, back + done, SIZE + 1 - done));
    ok(rc == 0 && done == SIZE && memcmp(data, back, SIZE) == 0, "%zu bytes down again", done);
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    trace("seed %d %s", seed, arguments);
    conn_close(c);
}

/* Two files at once, on one SFTP object, their writes under way together. */
static void two_files(const char *data)
{
    struct conn *c = start("--fault shuffle --limit 4096", 1);
    LIBSSH2_SFTP_HANDLE *files[2];
    size_t done[2] = { 0, 0 };
    const char *names[2] = { "one", "two" };
    const size_t total = 200000;
    for(int i = 0; i < 2; i++) {
        files[i] = CALLP(c, libssh2_sftp_open(c->sftp, names[i],
                                              LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0644));
        if(!files[i])
            bail("open failed: %s", last_words(c));
    }
    libssh2_session_set_blocking(c->session, 0);
    long long end = now_ms() + 10000;
    while((done[0] < total || done[1] < total) && now_ms() < end) {
        bool moved = false;
        for(int i = 0; i < 2; i++) {
            if(done[i] == total)
                continue;
            ssize_t rc = libssh2_sftp_write(files[i], data + 1000 * i + done[i], total - done[i]);
            if(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
                bail("write failed: %s", last_words(c));
            done[i] += rc > 0 ? (size_t)rc : 0;
            moved |= rc > 0;
        }
        if(!moved) {
            conn_start_call(c);
            conn_wait_always(c);
        }
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    for(int i = 0; i < 2; i++) {
        is_number(CALL(c, libssh2_sftp_close(files[i])), 0, "close");
        ok(file_is(temp_path(i ? "root/two" : "root/one"), data + 1000 * i, total),
           "file %s is whole", names[i]);
    }
    conn_close(c);
}

void test(void)
{
    char *data = make_data(SIZE, 5);
    watchdog(140);
    for(int seed = 1; seed <= SEEDS; seed++)
        go("--fault shuffle", seed, data);
    trace_off(true);
    if(ours) {
        for(int seed = 1; seed <= SEEDS; seed++)
            go("--fault shuffle --limit 5000", seed, data);
        two_files(data);
    }
    else {
        skip("the original asks for no limits");
        skip("the original mixes two files up when one is at EAGAIN");
    }
    free(data);
}
