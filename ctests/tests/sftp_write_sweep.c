/* Uploads with every size of buffer, by the two kinds of callers that there are. */
#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

#define FLAGS (LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC)

enum style {
    SLIDING,    /* the buffer begins at the first byte not reported, and is filled up again */
    DRAIN_FIRST /* the rest of a buffer is written before the next one is looked at */
};

/* Which bytes to present next: from `done` on, at most `size`, in the caller's style. */
static size_t window(enum style style, size_t done, size_t size, size_t total)
{
    size_t end = style == SLIDING ? done + size : (done / size + 1) * size;
    return (end < total ? end : total) - done;
}

/* Writes it all; false at the first broken promise. */
static bool write_all(struct conn *c, LIBSSH2_SFTP_HANDLE *file, const char *data, size_t total,
                      size_t size, enum style style)
{
    size_t done = 0;
    char *buffer = malloc(size); /* only what is presented is there, at an address that stays */
    int zeros = 0;
    bool kept = true;
    while(kept && done < total) {
        size_t count = window(style, done, size, total);
        memcpy(buffer, data + done, count);
        ssize_t rc = CALL(c, libssh2_sftp_write(file, buffer, count));
        memset(buffer, 0xee, count);
        if(rc < 0 || (size_t)rc > count) {
            ok(false, "write of %zu gave %s", count, error_name(rc));
            kept = false;
            break;
        }
        if(rc == 0 && (ours || ++zeros > 1000)) {
            ok(false, "write of %zu gave 0", count);
            kept = false;
        }
        done += (size_t)rc;
        libssh2_uint64_t at = libssh2_sftp_tell64(file);
        /* The original also counts what is acknowledged and not yet reported. */
        if(ours ? at != done : at < done) {
            ok(false, "tell64 is %llu after %zu bytes", at, done);
            kept = false;
        }
    }
    free(buffer);
    if(zeros)
        diag("%d writes gave 0", zeros);
    return kept;
}

static void sweep(struct conn *c, const char *data, size_t total, size_t size, enum style style)
{
    const char *path = temp_path("upload");
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, path, FLAGS, 0640));
    if(!file)
        bail("open for writing failed: %s", error_name(libssh2_session_last_errno(c->session)));
    long long start = now_ms();
    bool written = write_all(c, file, data, total, size, style);
    libssh2_uint64_t end = libssh2_sftp_tell64(file);
    int rc = CALL(c, libssh2_sftp_close(file));
    trace_sftp(c, rc, "close after %zu bytes in buffers of %zu, %s", total, size,
               style == SLIDING ? "sliding" : "drained first");
    ok(written && rc == 0 && end == total && file_is(path, data, total),
       "%zu bytes in buffers of %zu (%lld ms)", total, size, now_ms() - start);
    unlink(path);
}

void test(void)
{
    static const struct {
        size_t size, total;
    } cases[] = {
        { 1, 400 },
        { 2, 601 },
        { 7, 2003 },
        { 100, 20011 },
        { 512, 70000 },
        { 1000, 123456 },
        { 4096, 500000 },
        { 16384, 1 << 20 },
        { 29999, 1 << 20 },
        { 30000, 1 << 20 },
        { 30001, 1 << 20 },
        { 32700, 1 << 20 },
        { 32768, 1 << 20 },
        { 32769, 1 << 20 },
        { 60000, 2 << 20 },
        { 65536, 2 << 20 },
        { 100003, 2 << 20 },
        { 261120, 3 << 20 },
        { 262144, 3 << 20 },
        { 262145, 3 << 20 },
        { 1 << 20, 5 << 20 },
        { 2097152, 5 << 20 },
        { 3333333, 7 << 20 },
        { 4 << 20, 9 << 20 },
        { 16 << 20, 17 << 20 },
    };
    const size_t largest = 17 << 20;
    char *data = make_data(largest, 1);
    struct conn *c = conn_ready();
    watchdog(100);
    for(size_t i = 0; i < COUNT(cases); i++)
        for(enum style style = SLIDING; style <= DRAIN_FIRST; style++)
            sweep(c, data, cases[i].total, cases[i].size, style);
    conn_close(c);
    free(data);
}
