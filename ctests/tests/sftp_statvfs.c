/* How large a file system is and how full: by name and by handle, against what the kernel says. */
#include "harness.h"

#include <sys/statvfs.h>

/* What does not change while other programs write to the disk. */
static void same(const char *how, const LIBSSH2_SFTP_STATVFS *got, const struct statvfs *right)
{
    ok(got->f_bsize == right->f_bsize && got->f_frsize == right->f_frsize &&
           got->f_blocks == right->f_blocks && got->f_files == right->f_files &&
           got->f_namemax == right->f_namemax,
       "%s gives what statvfs() gives", how);
    ok(got->f_bfree <= got->f_blocks && got->f_bavail <= got->f_bfree, "%s: what is free", how);
    is_number(!!(got->f_flag & LIBSSH2_SFTP_ST_RDONLY), !!(right->f_flag & ST_RDONLY), "read only");
    is_number(!!(got->f_flag & LIBSSH2_SFTP_ST_NOSUID), !!(right->f_flag & ST_NOSUID), "no setuid");
}

void test(void)
{
    struct conn *c = conn_ready();
    const char *path = temp_path("a file");
    struct statvfs right;
    LIBSSH2_SFTP_STATVFS got;
    LIBSSH2_SFTP_HANDLE *file = CALLP(
        c, libssh2_sftp_open(c->sftp, path, LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    ok(file != NULL, "open");
    ok(statvfs(path, &right) == 0, "statvfs()");

    memset(&got, 0xff, sizeof(got));
    trace_rc(c, CALL(c, libssh2_sftp_statvfs(c->sftp, path, strlen(path), &got)), "sftp_statvfs");
    same("sftp_statvfs", &got, &right);
    memset(&got, 0xff, sizeof(got));
    trace_rc(c, CALL(c, libssh2_sftp_fstatvfs(file, &got)), "sftp_fstatvfs");
    same("sftp_fstatvfs", &got, &right);

    const char *missing = temp_path("nothing");
    trace_rc(c, CALL(c, libssh2_sftp_statvfs(c->sftp, missing, strlen(missing), &got)),
             "sftp_statvfs of a file that is not there");
    trace("status %s", fx_name(libssh2_sftp_last_error(c->sftp)));
    trace_rc(c, CALL(c, libssh2_sftp_close(file)), "close");
    conn_close(c);
}
