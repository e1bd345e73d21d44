/* Downloads with every size of buffer, files around the sizes of requests, seeks in between. */
#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

static struct conn *c;
static char *data; /* what the files begin with */

static LIBSSH2_SFTP_HANDLE *open_file(size_t total)
{
    write_whole(temp_path("download"), data, total);
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("download"), LIBSSH2_FXF_READ, 0));
    if(!file)
        bail("open for reading failed: %s", error_name(libssh2_session_last_errno(c->session)));
    return file;
}

/* Reads to the end in pieces of `size`; false at the first broken promise. */
static bool read_all(LIBSSH2_SFTP_HANDLE *file, size_t at, size_t total, size_t size)
{
    char *buffer = malloc(size + 8);
    bool kept = true;
    while(kept) {
        memset(buffer + size, 0x5a, 8);
        ssize_t rc = CALL(c, libssh2_sftp_read(file, buffer, size));
        if(rc == 0)
            break;
        kept = rc > 0 && (size_t)rc <= size && at + (size_t)rc <= total &&
               memcmp(buffer, data + at, (size_t)rc) == 0 &&
               memcmp(buffer + size, "ZZZZZZZZ", 8) == 0;
        if(!kept)
            diag("read of %zu at %zu gave %s, or other data", size, at, error_name(rc));
        at += rc > 0 ? (size_t)rc : 0;
        kept = kept && libssh2_sftp_tell64(file) == at;
    }
    free(buffer);
    return kept && at == total;
}

static void sweep(size_t total, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file = open_file(total);
    long long start = now_ms();
    bool whole = read_all(file, 0, total, size);
    int rc = CALL(c, libssh2_sftp_close(file));
    trace_sftp(c, rc, "close after %zu bytes in buffers of %zu", total, size);
    ok(whole && rc == 0, "%zu bytes in buffers of %zu (%lld ms)", total, size, now_ms() - start);
}

/* Jumps about, also while requests are in flight, with the buffer changing its size. */
static void seeks(void)
{
    const size_t total = 3000000;
    LIBSSH2_SFTP_HANDLE *file = open_file(total);
    char *buffer = malloc(400000);
    size_t at = 0, step = 1;
    bool kept = true;
    for(int i = 0; i < 60 && kept; i++) {
        step = step * 31 % 399989 + 1;
        at = (at * 7 + step * 11) % total;
        libssh2_sftp_seek64(file, at);
        for(int again = 0; again < 3 && kept && at < total; again++) {
            ssize_t rc = CALL(c, libssh2_sftp_read(file, buffer, step));
            kept = rc > 0 && (size_t)rc <= step && memcmp(buffer, data + at, (size_t)rc) == 0;
            at += rc > 0 ? (size_t)rc : 0;
            kept = kept && libssh2_sftp_tell64(file) == at;
        }
    }
    ok(kept, "what is read after a seek is what is there");
    libssh2_sftp_seek64(file, total - 1);
    ok(read_all(file, total - 1, total, 100), "the last byte");
    libssh2_sftp_seek64(file, total + 5);
    trace_sftp(c, CALL(c, libssh2_sftp_read(file, buffer, 10)), "read past the end");
    libssh2_sftp_rewind(file);
    ok(read_all(file, 0, total, 400000), "all of it after the end had been seen");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    free(buffer);
}

/* Closing with requests in flight must leave the connection usable. */
static void close_early(void)
{
    char *buffer = malloc(1 << 20);
    for(int i = 0; i < 5; i++) {
        LIBSSH2_SFTP_HANDLE *file = open_file(8 << 20);
        ssize_t rc = CALL(c, libssh2_sftp_read(file, buffer, 1 << 20));
        ok(rc > 0 && memcmp(buffer, data, (size_t)rc) == 0, "a first read");
        trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close with reads in flight");
    }
    free(buffer);
}

static void two_handles(void)
{
    char one[5000], two[5000];
    LIBSSH2_SFTP_HANDLE *first = open_file(1 << 20);
    LIBSSH2_SFTP_HANDLE *second = open_file(1 << 20);
    size_t at_one = 0, at_two = 0;
    bool kept = true;
    while(kept && at_one < 200000) {
        ssize_t rc = CALL(c, libssh2_sftp_read(first, one, sizeof(one)));
        kept = rc > 0 && memcmp(one, data + at_one, (size_t)rc) == 0;
        at_one += rc > 0 ? (size_t)rc : 0;
        rc = CALL(c, libssh2_sftp_read(second, two, 3000));
        kept = kept && rc > 0 && memcmp(two, data + at_two, (size_t)rc) == 0;
        at_two += rc > 0 ? (size_t)rc : 0;
    }
    ok(kept, "two files read in turn");
    trace_sftp(c, CALL(c, libssh2_sftp_close(first)), "close one");
    trace_sftp(c, CALL(c, libssh2_sftp_close(second)), "close the other");
}

void test(void)
{
    static const struct {
        size_t size, total;
    } cases[] = {
        { 1, 300 },           { 2, 601 },           { 7, 2003 },          { 100, 20011 },
        { 1000, 123456 },     { 4096, 500000 },     { 16384, 1 << 20 },   { 29999, 1 << 20 },
        { 30000, 1 << 20 },   { 30001, 1 << 20 },   { 32768, 1 << 20 },   { 65536, 2 << 20 },
        { 100003, 2 << 20 },  { 261120, 3 << 20 },  { 262145, 3 << 20 },  { 1 << 20, 5 << 20 },
        { 2097152, 5 << 20 }, { 3333333, 7 << 20 }, { 4 << 20, 9 << 20 }, { 16 << 20, 17 << 20 },
        { 1000, 0 },          { 1000, 1 },          { 1000, 999 },        { 1000, 1000 },
        { 30000, 29999 },     { 30000, 30000 },     { 30000, 30001 },     { 1 << 20, 32768 },
        { 1 << 20, 261120 },  { 1 << 20, 1 << 20 },
    };
    data = make_data(17 << 20, 2);
    c = conn_ready();
    for(size_t i = 0; i < COUNT(cases); i++)
        sweep(cases[i].total, cases[i].size);
    seeks();
    close_early();
    two_handles();
    conn_close(c);
    free(data);
}
