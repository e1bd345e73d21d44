/* Everything from the banner to the end over a transport that blocks on every second call and
 * passes 1 to 8 bytes at a time: EAGAIN must always name a direction in which there is progress. */
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
    trace_sftp(c, rc < 0 ? rc : 0, "upload of %zu in buffers of %zu", done, size);
    trace_sftp(c, CALL(c, libssh2_sftp_fsync(file)), "fsync");
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
    trace_sftp(c, rc < 0 ? rc : 0, "download of %zu in buffers of %zu", done, size);
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(done == total && memcmp(buffer, data, total) == 0, "the download is whole");
    free(buffer);
}

static void by_name(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    char text[500];
    int count = 0;
    trace_sftp(c, CALL(c, libssh2_sftp_mkdir(c->sftp, temp_path("dir"), 0700)), "mkdir");
    trace_sftp(c, CALL(c, libssh2_sftp_rename(c->sftp, temp_path("file"), temp_path("dir/file"))),
               "rename");
    trace_sftp(c, CALL(c, libssh2_sftp_stat(c->sftp, temp_path("dir/file"), &a)), "stat");
    trace_sftp(c, CALL(c, libssh2_sftp_stat(c->sftp, temp_path("file"), &a)), "stat of nothing");
    trace_sftp(c, CALL(c, libssh2_sftp_symlink(c->sftp, "target", temp_path("link"))), "symlink");
    trace_sftp(c, CALL(c, libssh2_sftp_readlink(c->sftp, temp_path("link"), text, sizeof(text))),
               "readlink");
    trace_sftp(c, CALL(c, libssh2_sftp_realpath(c->sftp, "/usr/..", text, sizeof(text))),
               "realpath");
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("dir")));
    trace_pointer(c, dir, "opendir");
    while(CALL(c, libssh2_sftp_readdir(dir, text, sizeof(text), NULL)) > 0)
        count++;
    trace("%d entries", count);
    trace_sftp(c, CALL(c, libssh2_sftp_closedir(dir)), "closedir");
    trace_sftp(c, CALL(c, libssh2_sftp_unlink(c->sftp, temp_path("dir/file"))), "unlink");
    trace_sftp(c, CALL(c, libssh2_sftp_rmdir(c->sftp, temp_path("dir"))), "rmdir");
    trace_sftp(c, CALL(c, libssh2_sftp_unlink(c->sftp, temp_path("link"))), "unlink");
}

static void over_cipher(const char *cipher)
{
    const size_t total = 150000;
    char config[200], *data = make_data(total, 6);
    snprintf(config, sizeof(config), "RekeyLimit 64K\nLogLevel DEBUG1\nCiphers %s", cipher);
    server_config(config);
    c = conn_new();
    fault_install(c);
    conn_handshake(c);
    trace("cipher %s", libssh2_session_methods(c->session, LIBSSH2_METHOD_CRYPT_CS));
    char *methods = CALLP(c, libssh2_userauth_list(c->session, user_name(),
                                                   (unsigned)strlen(user_name())));
    trace("methods %s", methods ? methods : "NULL");
    conn_login(c);
    conn_sftp(c);
    upload(data, total, 10000);
    download(data, total, 10000);
    upload(data, total, total);
    download(data, total, total);
    by_name();
    ok(server_rekeys() >= 4, "%d rekeys on the way", server_rekeys());
    fault_report();
    conn_close(c);
    free(data);
}

void test(void)
{
    over_cipher("aes256-gcm@openssh.com");
    over_cipher("chacha20-poly1305@openssh.com");
    over_cipher("aes128-ctr");
}
