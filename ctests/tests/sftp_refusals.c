/* A server that refuses everything: each call fails with its status, and ours with its words. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *c;

static void meet(const char *fault)
{
    server_sftp(fault);
    c = conn_ready();
}

/* What the last call must have left behind. */
static void words(const char *what, unsigned long status)
{
    trace("%s: FX %s", what, fx_name(libssh2_sftp_last_error(c->sftp)));
    is_number((long long)libssh2_sftp_last_error(c->sftp), (long long)status, what);
    if(ours)
        ok(strstr(last_words(c), "not for you") != NULL, "%s: %s", what, last_words(c));
}

#define REFUSED(call)                                                                              \
    do {                                                                                           \
        trace_rc(c, CALL(c, call), #call);                                                         \
        words(#call, status);                                                                      \
    } while(0)

static void by_path(unsigned long status)
{
    LIBSSH2_SFTP_ATTRIBUTES a = { .flags = LIBSSH2_SFTP_ATTR_PERMISSIONS, .permissions = 0600 };
    LIBSSH2_SFTP_STATVFS st;
    char text[100];
    REFUSED(libssh2_sftp_stat(c->sftp, "x", &a));
    REFUSED(libssh2_sftp_lstat(c->sftp, "x", &a));
    REFUSED(libssh2_sftp_setstat(c->sftp, "x", &a));
    REFUSED(libssh2_sftp_rename(c->sftp, "x", "y"));
    REFUSED(libssh2_sftp_rename_ex(c->sftp, "x", 1, "y", 1, 0));
    REFUSED(libssh2_sftp_posix_rename(c->sftp, "x", "y"));
    REFUSED(libssh2_sftp_unlink(c->sftp, "x"));
    REFUSED(libssh2_sftp_mkdir(c->sftp, "x", 0700));
    REFUSED(libssh2_sftp_rmdir(c->sftp, "x"));
    REFUSED(libssh2_sftp_symlink(c->sftp, "x", "y"));
    REFUSED(libssh2_sftp_readlink(c->sftp, "x", text, sizeof(text)));
    REFUSED(libssh2_sftp_realpath(c->sftp, "x", text, sizeof(text)));
    REFUSED(libssh2_sftp_statvfs(c->sftp, "x", 1, &st));
}

static void by_handle(unsigned long status)
{
    LIBSSH2_SFTP_ATTRIBUTES a = { .flags = LIBSSH2_SFTP_ATTR_PERMISSIONS, .permissions = 0600 };
    LIBSSH2_SFTP_STATVFS st;
    char text[100] = "";
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, "x", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE, 0600));
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, "x"));
    if(!file || !dir)
        bail("open failed: %s", last_words(c));
    REFUSED(libssh2_sftp_write(file, text, sizeof(text)));
    REFUSED(libssh2_sftp_read(file, text, sizeof(text)));
    REFUSED(libssh2_sftp_fstat(file, &a));
    REFUSED(libssh2_sftp_fsetstat(file, &a));
    REFUSED(libssh2_sftp_fsync(file));
    REFUSED(libssh2_sftp_fstatvfs(file, &st));
    REFUSED(libssh2_sftp_readdir(dir, text, sizeof(text), NULL));
    REFUSED(libssh2_sftp_closedir(dir));
    REFUSED(libssh2_sftp_close(file));
}

static void everything(unsigned long status)
{
    char fault[40];
    snprintf(fault, sizeof(fault), "refuse-all-%lu", status);
    meet(fault);
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, "x", LIBSSH2_FXF_READ, 0));
    trace_pointer(c, file, "open");
    words("open", status);
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, "x"));
    trace_pointer(c, dir, "opendir");
    words("opendir", status);
    by_path(status);
    conn_close(c);
    snprintf(fault, sizeof(fault), "refuse-%lu", status);
    meet(fault);
    by_handle(status);
    conn_close(c);
}

/* The statuses of later versions have names of their own. */
static void names_of_statuses(void)
{
    static const struct {
        unsigned long status;
        const char *name;
    } names[] = {
        { LIBSSH2_FX_NO_SUCH_FILE, "no such file" },
        { LIBSSH2_FX_PERMISSION_DENIED, "permission denied" },
        { LIBSSH2_FX_OP_UNSUPPORTED, "not supported" },
        { LIBSSH2_FX_INVALID_HANDLE, "invalid handle" },
        { LIBSSH2_FX_NO_SUCH_PATH, "no such path" },
        { LIBSSH2_FX_FILE_ALREADY_EXISTS, "already exists" },
        { LIBSSH2_FX_WRITE_PROTECT, "write-protected" },
        { LIBSSH2_FX_NO_MEDIA, "no medium" },
        { LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM, "no space" },
        { LIBSSH2_FX_QUOTA_EXCEEDED, "quota" },
        { LIBSSH2_FX_UNKNOWN_PRINCIPAL, "unknown user" },
        { LIBSSH2_FX_LOCK_CONFLICT, "locked" },
        { LIBSSH2_FX_DIR_NOT_EMPTY, "not empty" },
        { LIBSSH2_FX_NOT_A_DIRECTORY, "not a directory" },
        { LIBSSH2_FX_INVALID_FILENAME, "file name" },
        { LIBSSH2_FX_LINK_LOOP, "symbolic links" },
        { 31, "range of bytes" },
        { 4294967295, "status 4294967295" },
    };
    for(size_t i = 0; i < COUNT(names); i++) {
        char fault[40];
        snprintf(fault, sizeof(fault), "refuse-all-%lu", names[i].status);
        meet(fault);
        trace_rc(c, CALL(c, libssh2_sftp_unlink(c->sftp, "x")), "unlink");
        words("unlink", names[i].status);
        if(ours)
            ok(strstr(last_words(c), names[i].name) != NULL, "it is called %s", names[i].name);
        conn_close(c);
    }
}

void test(void)
{
    watchdog(120);
    everything(LIBSSH2_FX_PERMISSION_DENIED);
    everything(LIBSSH2_FX_QUOTA_EXCEEDED);
    names_of_statuses();
    server_config(NULL);
}
