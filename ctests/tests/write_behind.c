/* Writing without waiting for the server, libssh2_ext.h: what is accepted is written, or its failure
 * is told by the next call that can, whichever that is. */
#include "testd.h"
#include "turns.h"

#include <libssh2_ext.h>
#include <stdio.h>
#include <stdlib.h>

/* The original has none of these. */
#pragma weak libssh2_ext_sftp_set_write_behind
#pragma weak libssh2_ext_sftp_handle_set_write_behind
#pragma weak libssh2_ext_sftp_flush
#pragma weak libssh2_ext_sftp_progress

enum { SIZE = 1000000, PIECE = 4096, MUCH = 8 << 20, TOGETHER = 32768 };

static struct conn *c;
static LIBSSH2_SFTP_HANDLE *file;
static char *data;

static LIBSSH2_SFTP_HANDLE *open_file(const char *name)
{
    LIBSSH2_SFTP_HANDLE *opened = CALLP(
        c, libssh2_sftp_open(c->sftp, name,
                             LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0644));
    if(!opened)
        bail("open failed: %s", last_words(c));
    return opened;
}

static void start(const char *arguments, size_t behind)
{
    c = testd("%s", arguments);
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    remove(temp_path("root/file"));
    is_number(libssh2_ext_sftp_set_write_behind(c->sftp, behind), 0, "set_write_behind");
    file = open_file("file");
}

/* Writes all from `done` on in small pieces, until one fails. */
static ssize_t write_from(size_t *done)
{
    while(*done < SIZE) {
        size_t left = SIZE - *done;
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + *done, left < PIECE ? left : PIECE));
        if(rc <= 0)
            return rc;
        *done += (size_t)rc;
    }
    return 0;
}

static void is_told(long long rc, const char *by)
{
    is_number(rc, LIBSSH2_ERROR_SFTP_PROTOCOL, by);
    is_number((long long)libssh2_sftp_last_error(c->sftp), LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM,
              "with the server's status");
    ok(strstr(last_words(c), "the disk is on fire"), "and its words: %s", last_words(c));
}

static void accepted_and_written(size_t behind)
{
    diag("%zu bytes behind", behind);
    libssh2_uint64_t accepted = 1, acknowledged = 1;
    size_t done = 0;
    start("--seconds 30", behind);
    is_number(write_from(&done), 0, "all is accepted");
    int rc = libssh2_ext_sftp_progress(file, &accepted, &acknowledged);
    ok(rc == 0 && accepted == SIZE && acknowledged <= SIZE && SIZE - acknowledged <= behind,
       "%llu of %llu bytes are acknowledged", (unsigned long long)acknowledged,
       (unsigned long long)accepted);
    ok(libssh2_sftp_tell64(file) == acknowledged, "tell64 is what is acknowledged");
    is_number(CALL(c, libssh2_ext_sftp_flush(file)), 0, "flush");
    is_number(libssh2_ext_sftp_progress(file, NULL, &acknowledged), 0, "progress");
    is_number((long long)acknowledged, SIZE, "all is acknowledged");
    ok(file_is(temp_path("root/file"), data, SIZE), "the file is whole before it is closed");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    conn_close(c);
}

/* Over a line with a round trip of 60 ms, a program with small buffers and small files. */
static void does_not_wait(void)
{
    server_delay(30);
    start("--seconds 30", MUCH);
    size_t done = 0;
    long long begin = now_ms();
    is_number(write_from(&done), 0, "all is accepted");
    long long took = now_ms() - begin;
    ok(took < 60 * 20, "%d writes took %lld ms", SIZE / PIECE, took);
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    turns_count(c);
    for(int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "small %d", i);
        file = open_file(name);
        is_number(CALL(c, libssh2_sftp_write(file, data, 100)), 100, "write");
        is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
        char path[32];
        snprintf(path, sizeof(path), "root/%s", name);
        ok(file_is(temp_path(path), data, 100), "the file is there");
    }
    int turns = turns_taken("10 files");
    ok(turns <= 20, "10 files took %d round trips", turns);
    conn_close(c);
    server_delay(0);
}

/* The `at`-th request fails; the program goes on where it is told to. One request has one or more of its writes, as many
   as had come together. */
static void refused(int at, size_t behind)
{
    char arguments[80];
    size_t done = 0;
    snprintf(arguments, sizeof(arguments), "--fault write-error --at %d", at);
    start(arguments, behind);
    ssize_t rc = write_from(&done);
    if(rc == 0) { /* all was accepted before the answer came */
        rc = CALL(c, libssh2_ext_sftp_flush(file));
    }
    is_told(rc, "a write or the flush tells");
    size_t place = (size_t)libssh2_sftp_tell64(file);
    ok(place >= (size_t)at - 1 && place <= ((size_t)at - 1) * TOGETHER,
       "tell64 is in front of what was refused: %zu", place);
    rc = write_from(&place);
    ok(rc == 0 && place == SIZE, "going on works");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close has nothing to tell");
    ok(file_is(temp_path("root/file"), data, SIZE), "the file is whole");
    conn_close(c);
}

static long long by_close(void)
{
    long long rc = CALL(c, libssh2_sftp_close(file));
    file = NULL;
    return rc;
}

static long long by_fsync(void)
{
    return CALL(c, libssh2_sftp_fsync(file));
}

static long long by_fstat(void)
{
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    return CALL(c, libssh2_sftp_fstat(file, &attributes));
}

static long long by_flush(void)
{
    return CALL(c, libssh2_ext_sftp_flush(file));
}

static long long by_write(void)
{
    long long rc;
    do /* the answer may still be on its way */
        rc = CALL(c, libssh2_sftp_write(file, "more", 4));
    while(rc > 0 && now_ms() < c->deadline);
    return rc;
}

/* After a seek nobody could tell which bytes failed, but that some did. */
static long long by_write_elsewhere(void)
{
    libssh2_sftp_seek64(file, 500);
    return by_write();
}

static void told_once_by(const char *who, long long (*call)(void))
{
    start("--fault write-error --at 2 --pause 300", MUCH);
    for(int i = 0; i < 4; i++)
        is_number(CALL(c, libssh2_sftp_write(file, data + i * 100, 100)), 100, "is accepted");
    is_told(call(), who);
    if(file) {
        is_number(CALL(c, libssh2_ext_sftp_flush(file)), 0, "it is told once");
        is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    }
    conn_close(c);
}

static void told_by_shutdown(void)
{
    start("--fault write-error --at 2 --pause 300", MUCH);
    for(int i = 0; i < 4; i++)
        is_number(CALL(c, libssh2_sftp_write(file, data, 100)), 100, "is accepted");
    int rc = CALL(c, libssh2_sftp_shutdown(c->sftp));
    c->sftp = NULL;
    is_number(rc, LIBSSH2_ERROR_SFTP_PROTOCOL, "shutdown tells what nobody has told");
    ok(strstr(last_words(c), "the disk is on fire"), "and the words: %s", last_words(c));
    libssh2_sftp_close(file);
    conn_close(c);
}

/* Switched off, only what is acknowledged counts again. */
static void switched_off(void)
{
    size_t done = 0;
    start("--seconds 20", MUCH);
    is_number(CALL(c, libssh2_sftp_write(file, data, PIECE)), PIECE, "is accepted");
    done = PIECE;
    is_number(libssh2_ext_sftp_handle_set_write_behind(file, 0), 0, "off");
    while(done < 20 * PIECE) {
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + done, PIECE));
        if(rc <= 0)
            bail("write: %s", error_name(rc));
        done += (size_t)rc;
        if(libssh2_sftp_tell64(file) < done)
            break;
    }
    is_number((long long)done, 20 * PIECE, "each write was acknowledged when it returned");
    is_number(libssh2_ext_sftp_handle_set_write_behind(file, MUCH), 0, "on");
    is_number(write_from(&done), 0, "the rest is accepted");
    /* Reads follow the writes. */
    char back[64];
    libssh2_sftp_seek64(file, SIZE - 64);
    is_number(CALL(c, libssh2_sftp_read(file, back, 64)), 64, "what was accepted is read");
    ok(memcmp(back, data + SIZE - 64, 64) == 0, "as it was written");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    ok(file_is(temp_path("root/file"), data, SIZE), "the file is whole");
    conn_close(c);
}

/* A program that knows nothing of this is given it by its environment. */
static void by_environment(const char *value, bool is_behind)
{
    setenv("LIBSSH2_SFTP_WRITE_BEHIND", value, 1);
    c = testd("--seconds 20");
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    unsetenv("LIBSSH2_SFTP_WRITE_BEHIND");
    file = open_file("file");
    is_number(CALL(c, libssh2_sftp_write(file, data, 100)), 100, "write");
    is_number((long long)libssh2_sftp_tell64(file), is_behind ? 0 : 100, "acknowledged");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    conn_close(c);
}

void test(void)
{
    if(!ours) {
        skip("the original has no such thing");
        return;
    }
    trace_off(true);
    watchdog(100);
    data = make_data(SIZE, 5);
    is_number(libssh2_ext_sftp_set_write_behind(NULL, 1), LIBSSH2_ERROR_BAD_USE, "no conversation");
    is_number(libssh2_ext_sftp_handle_set_write_behind(NULL, 1), LIBSSH2_ERROR_BAD_USE, "no file");
    is_number(libssh2_ext_sftp_flush(NULL), LIBSSH2_ERROR_BAD_USE, "no file to flush");
    is_number(libssh2_ext_sftp_progress(NULL, NULL, NULL), LIBSSH2_ERROR_BAD_USE, "no progress");
    accepted_and_written(MUCH);
    accepted_and_written(100000);
    accepted_and_written(1000);
    does_not_wait();
    refused(1, MUCH);
    refused(7, MUCH);
    refused(7, 20000);
    refused(25, MUCH);
    told_once_by("close tells", by_close);
    told_once_by("fsync tells", by_fsync);
    told_once_by("fstat tells", by_fstat);
    told_once_by("flush tells", by_flush);
    told_once_by("write tells", by_write);
    told_once_by("write elsewhere tells", by_write_elsewhere);
    told_by_shutdown();
    switched_off();
    by_environment("1000000", true);
    by_environment("0", false);
    by_environment("many", false);
    free(data);
}
