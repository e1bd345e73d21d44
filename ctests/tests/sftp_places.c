/* Places in files: beyond 4 GiB, beyond what files can have, in front of what has not been answered
 * yet; reads and writes that take turns; nothing at all. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 700000 };

static struct conn *c;
static char *data;

static LIBSSH2_SFTP_HANDLE *open_file(const char *name, unsigned long flags)
{
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name), flags, 0600));
    if(!file)
        bail("open failed: %s", last_words(c));
    return file;
}

#define BOTH (LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT)

static bool write_all(LIBSSH2_SFTP_HANDLE *file, const char *bytes, size_t size)
{
    while(size) {
        ssize_t rc = CALL(c, libssh2_sftp_write(file, bytes, size));
        if(rc <= 0)
            return false;
        bytes += rc;
        size -= (size_t)rc;
    }
    return true;
}

static bool read_all(LIBSSH2_SFTP_HANDLE *file, const char *bytes, size_t size)
{
    static char buffer[SIZE];
    while(size) {
        ssize_t rc = CALL(c, libssh2_sftp_read(file, buffer, size));
        if(rc <= 0 || memcmp(buffer, bytes, (size_t)rc) != 0)
            return false;
        bytes += rc;
        size -= (size_t)rc;
    }
    return true;
}

/* A file with a hole, so that it takes no room. */
static void far_out(void)
{
    const libssh2_uint64_t places[] = { 0xfffffff0u, 0x100000000u, 0x17fffffffu, 0x3ffffffffffu };
    LIBSSH2_SFTP_ATTRIBUTES a;
    LIBSSH2_SFTP_HANDLE *file = open_file("far", BOTH);
    for(size_t i = 0; i < COUNT(places); i++) {
        libssh2_sftp_seek64(file, places[i]);
        ok(write_all(file, data, SIZE / 4), "write at %llu", (unsigned long long)places[i]);
        trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
        libssh2_sftp_seek64(file, places[i]);
        ok(read_all(file, data, SIZE / 4), "read it again");
        trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
        int rc = CALL(c, libssh2_sftp_fstat(file, &a));
        trace_sftp(c, rc, "fstat: %llu bytes", a.filesize);
    }
    a.flags = LIBSSH2_SFTP_ATTR_SIZE;
    a.filesize = 0x123456789;
    trace_sftp(c, CALL(c, libssh2_sftp_fsetstat(file, &a)), "fsetstat");
    is_number(file_size(temp_path("far")), 0x123456789, "cut in the middle");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    unlink(temp_path("far"));
}

/* The server refuses these, and so do we before it is asked. */
static void beyond(void)
{
    const libssh2_uint64_t places[] = { 0x8000000000000000u, 0xffffffffffffff00u,
                                        0xffffffffffffffffu };
    char byte;
    LIBSSH2_SFTP_HANDLE *file = open_file("beyond", BOTH);
    for(size_t i = 0; i < COUNT(places); i++) {
        libssh2_sftp_seek64(file, places[i]);
        trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
        trace_sftp(c, CALL(c, libssh2_sftp_read(file, &byte, 1)), "read");
        libssh2_sftp_seek64(file, places[i]);
        trace_sftp(c, CALL(c, libssh2_sftp_write(file, "x", 1)), "write");
        trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
        ok(!ours || strstr(last_words(c), "2^63"), "it says why: %s", last_words(c));
    }
    libssh2_sftp_seek64(file, 3);
    trace_sftp(c, CALL(c, libssh2_sftp_write(file, "x", 1)), "write where there is a place");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("beyond"), "\0\0\0x", 4), "nothing else was written");
}

/* To another place while reads are under way, and while writes are. */
static void in_the_middle(void)
{
    char byte[100];
    LIBSSH2_SFTP_HANDLE *file = open_file("middle", BOTH);
    ok(write_all(file, data, SIZE), "a file");
    libssh2_sftp_seek64(file, 0);
    for(size_t place = 0; place + 5000 < SIZE; place = place * 3 + 4999) {
        ssize_t rc = CALL(c, libssh2_sftp_read(file, byte, sizeof(byte)));
        ok(rc > 0, "read");
        libssh2_sftp_seek64(file, place);
        ok(read_all(file, data + place, 5000), "after a seek to %zu in the middle", place);
    }
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    if(!ours) {
        skip("the original loses count of its writes at a seek");
        return;
    }
    trace_off(true);
    /* The first half is on its way, and a part of it acknowledged, when the program turns to the
     * second; what was sent is written, and what is written later counts. */
    file = open_file("middle", BOTH | LIBSSH2_FXF_TRUNC);
    for(size_t place = 0; place < SIZE; place += SIZE / 10) {
        libssh2_sftp_seek64(file, place);
        ssize_t rc = libssh2_sftp_write(file, data + place, SIZE / 10);
        ok(rc > 0 || rc == LIBSSH2_ERROR_EAGAIN, "a write that is left alone: %s", error_name(rc));
    }
    libssh2_sftp_seek64(file, 0);
    ok((ssize_t)libssh2_sftp_tell64(file) == 0, "tell is where the program is");
    ok(write_all(file, data, SIZE), "the whole again");
    libssh2_sftp_seek64(file, 0);
    ok(read_all(file, data, SIZE), "read again");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    ok(file_is(temp_path("middle"), data, SIZE), "the file is whole");
    trace_off(false);
}

/* Reads and writes that take turns on one handle, each where the other ended. */
static void in_turn(void)
{
    if(!ours) {
        skip("the original takes reading ahead for writes that are under way");
        return;
    }
    trace_off(true);
    char *expected = malloc(SIZE);
    memcpy(expected, data, SIZE);
    write_whole(temp_path("turns"), data, SIZE);
    LIBSSH2_SFTP_HANDLE *file = open_file("turns", BOTH);
    for(size_t place = 0; place + 9000 < SIZE; place += 9000) {
        ok(read_all(file, data + place, 4000), "read at %zu", place);
        memset(expected + place + 4000, (int)(place / 9000), 5000);
        ok(write_all(file, expected + place + 4000, 5000), "write behind that");
    }
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    ok(file_is(temp_path("turns"), expected, SIZE), "each byte is where it should be");
    free(expected);
    trace_off(false);
}

/* Many requests at once to a file that is open for appending. */
static void appending(void)
{
    write_whole(temp_path("append"), "front", 5);
    LIBSSH2_SFTP_HANDLE *file = open_file("append", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_APPEND);
    ok(write_all(file, data, SIZE), "append");
    trace("tell %llu", (unsigned long long)libssh2_sftp_tell64(file));
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    size_t size;
    char *content = read_whole(temp_path("append"), &size);
    ok(content && size == SIZE + 5 && memcmp(content, "front", 5) == 0 &&
           memcmp(content + 5, data, SIZE) == 0,
       "everything is at the end, in order");
    free(content);
}

/* No bytes, no names. */
static void nothing(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a = { 0 };
    LIBSSH2_SFTP_STATVFS st;
    char text[10] = "";
    write_whole(temp_path("empty"), "", 0);
    LIBSSH2_SFTP_HANDLE *file = open_file("empty", LIBSSH2_FXF_READ);
    trace_sftp(c, CALL(c, libssh2_sftp_read(file, text, 10)), "read of an empty file");
    trace_sftp(c, CALL(c, libssh2_sftp_read(file, text, 10)), "again");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    trace_sftp(c, CALL(c, libssh2_sftp_mkdir_ex(c->sftp, "", 0, 0700)), "mkdir");
    trace_sftp(c, CALL(c, libssh2_sftp_rmdir_ex(c->sftp, "", 0)), "rmdir");
    trace_sftp(c, CALL(c, libssh2_sftp_unlink_ex(c->sftp, "", 0)), "unlink");
    trace_sftp(c, CALL(c, libssh2_sftp_rename_ex(c->sftp, "", 0, "", 0, 0)), "rename");
    trace_sftp(c, CALL(c, libssh2_sftp_posix_rename_ex(c->sftp, "", 0, "", 0)), "posix_rename");
    trace_sftp(c, CALL(c, libssh2_sftp_symlink_ex(c->sftp, "", 0, text, 0, LIBSSH2_SFTP_SYMLINK)),
               "symlink");
    int rc = CALL(c, libssh2_sftp_symlink_ex(c->sftp, "", 0, text, 0, LIBSSH2_SFTP_READLINK));
    trace_sftp(c, rc, "readlink of nothing into nothing");
    rc = CALL(c, libssh2_sftp_symlink_ex(c->sftp, "/", 1, text, 0, LIBSSH2_SFTP_REALPATH));
    trace_rc(c, rc, "realpath into nothing");
    trace_sftp(c, CALL(c, libssh2_sftp_stat_ex(c->sftp, "", 0, LIBSSH2_SFTP_SETSTAT, &a)),
               "setstat of nothing to nothing");
    trace_sftp(c, CALL(c, libssh2_sftp_statvfs(c->sftp, "", 0, &st)), "statvfs");
    file = CALLP(c, libssh2_sftp_open_ex(c->sftp, "", 0, 0, 0, LIBSSH2_SFTP_OPENDIR));
    trace_pointer(c, file, "opendir");
    if(file)
        trace_sftp(c, CALL(c, libssh2_sftp_closedir(file)), "closedir");
}

void test(void)
{
    data = make_data(SIZE, 33);
    watchdog(120);
    c = conn_ready();
    far_out();
    beyond();
    in_the_middle();
    in_turn();
    appending();
    nothing();
    conn_close(c);
    free(data);
}
