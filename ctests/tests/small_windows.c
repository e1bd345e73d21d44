/* Servers with tiny windows and packets, that cut their output to pieces, or both while keys
 * change: a file goes up and comes down whole, in both modes. */
#include "testd.h"

#include <stdlib.h>

/* Writes `size` bytes and reads them again, `chunk` at a time. */
static void go(size_t size, size_t chunk, const char *arguments, bool hindered)
{
    struct conn *c = testd("%s", arguments);
    if(hindered)
        fault_install(c);
    char *data = make_data(size, 9), *back = malloc(size + 1);
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    LIBSSH2_SFTP_HANDLE *file = CALLP(
        c, libssh2_sftp_open(c->sftp, "file",
                             LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, 0644));
    if(!file)
        bail("open failed: %s", last_words(c));
    ssize_t rc = 0;
    size_t done = 0;
    while(done < size && rc >= 0) {
        size_t left = size - done;
        rc = CALL(c, libssh2_sftp_write(file, data + done, left < chunk ? left : chunk));
        done += rc > 0 ? (size_t)rc : 0;
    }
    ok(done == size, "%zu bytes up with %s", done, arguments);
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    ok(file_is(temp_path("root/file"), data, size), "the file is whole");

    file = CALLP(c, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_READ, 0));
    if(!file)
        bail("open failed: %s", last_words(c));
    for(done = 0, rc = 1; rc > 0 && done <= size; done += rc > 0 ? (size_t)rc : 0) {
        size_t left = size + 1 - done;
        rc = CALL(c, libssh2_sftp_read(file, back + done, left < chunk ? left : chunk));
    }
    ok(rc == 0 && done == size && memcmp(data, back, size) == 0, "%zu bytes down again", done);
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    trace("%zu bytes in pieces of %zu with %s", size, chunk, arguments);
    conn_close(c);
    if(hindered)
        fault_report();
    free(data);
    free(back);
}

void test(void)
{
    watchdog(140);
    go(100000, 30000, "--window 2000000 --packet 1000", false);
    go(100000, 5000, "--chunk 7", false);
    go(100000, 50000, "--chunk seed --seed 2", false);
    go(3000, 3000, "--chunk 1", false);
    if(!ours) {
        skip("the original sends one packet for each window, or writes nothing and gives 0");
        return;
    }
    trace_off(true);
    go(300, 300, "--window 1", false);
    go(300, 7, "--window 1 --packet 1", false);
    go(5000, 5000, "--window 13 --packet 5", false);
    go(100000, 33000, "--window 1000", false);
    go(100000, 33000, "--window 70000 --packet 50", false);
    go(1000000, 1000000, "--window 30001 --packet 9999 --limit 100000", false);
    go(300000, 100000, "--window 5000 --rekey 20000 --chunk seed --seed 3", false);
    go(300000, 300000, "--rekey 30000 --no-strict", false);
    /* With a socket that takes and gives 1 to 8 bytes at every second call. */
    go(3000, 3000, "--window 100 --packet 30 --rekey 2000 --chunk 7", true);
    go(20000, 7000, "--rekey 5000", true);
}
