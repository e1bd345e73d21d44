/* After a gigabyte in one direction the client asks for new keys by itself (RFC 4253 section 9),
 * in the middle of the transfer, and nobody notices. The original never does. */
#include "harness.h"

#include <stdlib.h>

static const long long GIGABYTE = 1 << 30;
enum { CHUNK = 4 << 20, MORE = 8 << 20 };

static struct conn *c;

static void upload(const char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, "/dev/null", LIBSSH2_FXF_WRITE, 0));
    long long done = 0;
    ssize_t rc = file ? 1 : -1;
    while(done < GIGABYTE + MORE && rc > 0) {
        rc = CALL(c, libssh2_sftp_write(file, data, CHUNK));
        done += rc;
    }
    ok(rc > 0 && CALL(c, libssh2_sftp_close(file)) == 0, "upload of %lld bytes", done);
}

static void download(char *data)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, "/dev/zero", LIBSSH2_FXF_READ, 0));
    long long done = 0;
    ssize_t rc = file ? 1 : -1;
    bool zeros = true;
    while(done < GIGABYTE + MORE && rc > 0) {
        rc = CALL(c, libssh2_sftp_read(file, data, CHUNK));
        zeros = zeros && rc > 0 && data[0] == 0 && memcmp(data, data + 1, (size_t)rc - 1) == 0;
        done += rc;
    }
    ok(rc > 0 && CALL(c, libssh2_sftp_close(file)) == 0, "download of %lld bytes", done);
    ok(zeros, "of the right bytes");
}

void test(void)
{
    if(!ours) {
        skip("the original never asks for new keys");
        return;
    }
    watchdog(120);
    server_config("LogLevel DEBUG1\nRekeyLimit 64G"); /* sshd itself has no reason to */
    char *data = malloc(CHUNK);
    memset(data, 'x', CHUNK);
    c = conn_ready();
    c->limit_ms = 60000;
    upload(data);
    int after_upload = server_rekeys();
    is_number(after_upload, 1, "new keys in the middle of the upload");
    download(data);
    is_number(server_rekeys() - after_upload, 1, "new keys in the middle of the download");
    free(data);
    trace_off(true); /* the original has no connection to close */
    conn_close(c);
    trace_off(false);
}
