/* The server asks for new keys again and again in the middle of transfers, in both directions. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

static struct conn *c;

static void upload(const char *data, size_t total, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    trace_pointer(c, file, "open for upload");
    size_t done = 0;
    ssize_t rc = 0;
    while(done < total && rc >= 0) {
        rc = CALL(c, libssh2_sftp_write(file, data + done,
                                        total - done < size ? total - done : size));
        done += rc > 0 ? (size_t)rc : 0;
    }
    trace_sftp(c, rc < 0 ? rc : 0, "upload of %zu", done);
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("file"), data, total), "the upload is whole");
}

static void download(const char *data, size_t total, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"), LIBSSH2_FXF_READ, 0));
    trace_pointer(c, file, "open for download");
    char *buffer = malloc(total);
    size_t done = 0;
    ssize_t rc = 1;
    while(done < total && rc > 0) {
        rc = CALL(c, libssh2_sftp_read(file, buffer + done,
                                       total - done < size ? total - done : size));
        done += rc > 0 ? (size_t)rc : 0;
    }
    trace_sftp(c, rc < 0 ? rc : 0, "download of %zu", done);
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(done == total && memcmp(buffer, data, total) == 0, "the download is whole");
    free(buffer);
}

static void transfers(const char *cipher)
{
    const size_t total = 3 << 20;
    char config[200], key[200];
    char *data = make_data(total, 4);
    size_t length;
    int type;
    snprintf(config, sizeof(config), "RekeyLimit 256K\nLogLevel DEBUG1\nCiphers %s", cipher);
    server_config(config);
    c = conn_new();
    trace_rc(c, libssh2_session_method_pref(c->session, LIBSSH2_METHOD_CRYPT_CS, cipher), "%s",
             cipher);
    conn_handshake(c);
    const char *blob = libssh2_session_hostkey(c->session, &length, &type);
    ok(blob && length < sizeof(key), "a host key");
    memcpy(key, blob, length);
    conn_login(c);
    conn_sftp(c);

    upload(data, total, 100000);
    int after_upload = server_rekeys();
    ok(after_upload >= 5, "%d rekeys during the upload", after_upload);
    download(data, total, 100000);
    int after_download = server_rekeys() - after_upload;
    ok(after_download >= 5, "%d rekeys during the download", after_download);
    upload(data, total, 4 << 20); /* everything in flight at once */
    int at_last = server_rekeys() - after_upload - after_download;
    ok(at_last >= 1, "%d rekeys with everything in flight", at_last);

    size_t new_length;
    blob = libssh2_session_hostkey(c->session, &new_length, &type);
    ok(new_length == length && memcmp(blob, key, length) == 0, "the host key is the same");
    conn_close(c);
    free(data);
}

/* A rekey that is due between calls is dealt with by whichever call comes next. */
static void small_requests(void)
{
    char path[200];
    int bad = 0;
    server_config("RekeyLimit 2K\nLogLevel DEBUG1");
    c = conn_ready();
    for(int i = 0; i < 60; i++)
        bad += CALL(c, libssh2_sftp_realpath(c->sftp, "/", path, sizeof(path))) != 1;
    is_number(bad, 0, "60 requests between rekeys");
    ok(server_rekeys() >= 2, "%d rekeys", server_rekeys());
    conn_close(c);
}

void test(void)
{
    transfers("aes256-gcm@openssh.com");
    transfers("chacha20-poly1305@openssh.com");
    transfers("aes128-ctr");
    small_requests();
}
