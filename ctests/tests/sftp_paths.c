/* What is done by name: directories, rename, links, attributes; and what the server refuses. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conn *c;

/* Runs `call` on names in the temporary directory and traces it under the bare names. */
#define DO(call, ...) trace_sftp(c, CALL(c, call), __VA_ARGS__)
#define AT(name) temp_path(name)

static void directories(void)
{
    struct stat st;
    DO(libssh2_sftp_mkdir(c->sftp, AT("dir"), 0750), "mkdir");
    ok(stat(AT("dir"), &st) == 0 && st.st_mode == 040750, "the mode is that of mkdir");
    DO(libssh2_sftp_mkdir(c->sftp, AT("dir"), 0750), "mkdir again");
    DO(libssh2_sftp_mkdir(c->sftp, AT("no/dir"), 0750), "mkdir in nothing");
    DO(libssh2_sftp_mkdir(c->sftp, AT("default"), LIBSSH2_SFTP_DEFAULT_MODE), "mkdir by default");
    ok(stat(AT("default"), &st) == 0 && st.st_mode == 040755, "the mode is the server's");
    DO(libssh2_sftp_mkdir(c->sftp, AT("dir/sub"), 0700), "mkdir below");
    DO(libssh2_sftp_rmdir(c->sftp, AT("dir")), "rmdir of a full one");
    DO(libssh2_sftp_rmdir(c->sftp, AT("dir/sub")), "rmdir");
    DO(libssh2_sftp_rmdir(c->sftp, AT("dir/sub")), "rmdir again");
    DO(libssh2_sftp_rmdir(c->sftp, AT("file")), "rmdir of a file");
    DO(libssh2_sftp_unlink(c->sftp, AT("dir")), "unlink of a directory");
    DO(libssh2_sftp_unlink(c->sftp, AT("missing")), "unlink of nothing");
    DO(libssh2_sftp_rmdir(c->sftp, AT("default")), "rmdir");
}

static void renames(void)
{
    DO(libssh2_sftp_rename(c->sftp, AT("file"), AT("renamed")), "rename");
    ok(access(AT("file"), F_OK) != 0 && file_is(AT("renamed"), "content", 7), "renamed");
    DO(libssh2_sftp_rename(c->sftp, AT("file"), AT("other")), "rename of nothing");
    write_whole(AT("target"), "old", 3);
    DO(libssh2_sftp_rename(c->sftp, AT("renamed"), AT("target")), "rename onto a file");
    DO(libssh2_sftp_rename_ex(c->sftp, AT("renamed"), (unsigned)strlen(AT("renamed")),
                              AT("target"), (unsigned)strlen(AT("target")),
                              LIBSSH2_SFTP_RENAME_ATOMIC),
       "rename_ex onto a file");
    DO(libssh2_sftp_posix_rename(c->sftp, AT("renamed"), AT("target")), "posix_rename onto a file");
    ok(file_is(AT("target"), "content", 7), "replaced");
    DO(libssh2_sftp_unlink(c->sftp, AT("target")), "unlink");
}

static void trace_path(int rc, const char *got, const char *what)
{
    const char *base = AT("");
    size_t length = strlen(base) - 1;
    bool inside = rc > 0 && strncmp(got, base, length) == 0;
    if(rc < 0)
        trace_sftp(c, rc, "%s", what);
    else
        trace("%s = %d \"%s%s\"", what, inside ? rc - (int)length : rc, inside ? "TEMP" : "",
              inside ? got + length : got);
}

static void links(void)
{
    char path[1000];
    int rc;
    /* OpenSSH takes the arguments of SYMLINK in the reverse order of the draft, and so do we. */
    DO(libssh2_sftp_symlink(c->sftp, "where it points", AT("link")), "symlink");
    ssize_t length = readlink(AT("link"), path, sizeof(path));
    ok(length == 15 && memcmp(path, "where it points", 15) == 0, "the link points there");
    DO(libssh2_sftp_symlink(c->sftp, "x", AT("link")), "symlink again");
    memset(path, 'z', sizeof(path));
    rc = CALL(c, libssh2_sftp_readlink(c->sftp, AT("link"), path, sizeof(path)));
    trace_path(rc, path, "readlink");
    rc = CALL(c, libssh2_sftp_readlink(c->sftp, AT("link"), path, 5));
    trace_rc(c, rc, "readlink into 5 bytes");
    rc = CALL(c, libssh2_sftp_readlink(c->sftp, AT("missing"), path, sizeof(path)));
    trace_path(rc, path, "readlink of nothing");
    rc = CALL(c, libssh2_sftp_readlink(c->sftp, AT("dir"), path, sizeof(path)));
    trace_path(rc, path, "readlink of a directory");
    rc = CALL(c, libssh2_sftp_realpath(c->sftp, AT("dir/../dir/./"), path, sizeof(path)));
    trace_path(rc, path, "realpath");
    rc = CALL(c, libssh2_sftp_realpath(c->sftp, AT("no/where"), path, sizeof(path)));
    trace_path(rc, path, "realpath of nothing");
    rc = CALL(c, libssh2_sftp_realpath(c->sftp, "/", path, 1));
    trace_rc(c, rc, "realpath into 1 byte");
    rc = CALL(c, libssh2_sftp_realpath(c->sftp, "/", path, 2));
    trace_path(rc, path, "realpath into 2 bytes");
}

static void show(int rc, const LIBSSH2_SFTP_ATTRIBUTES *a, const char *what)
{
    if(rc == 0)
        trace("%s = flags %#lx mode %#lo size %llu mtime %s", what, a->flags, a->permissions,
              LIBSSH2_SFTP_S_ISREG(a->permissions) ? a->filesize : 0,
              a->mtime == 1000000000 ? "set" : "other");
    else
        trace_sftp(c, rc, "%s", what);
}

static void attributes(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    int rc;
    write_whole(AT("stat"), "0123456789", 10);
    symlink("stat", AT("link to stat"));
    symlink("nothing", AT("dangling"));
    rc = CALL(c, libssh2_sftp_stat(c->sftp, AT("stat"), &a));
    show(rc, &a, "stat");
    rc = CALL(c, libssh2_sftp_stat(c->sftp, AT("link to stat"), &a));
    show(rc, &a, "stat of a link");
    rc = CALL(c, libssh2_sftp_lstat(c->sftp, AT("link to stat"), &a));
    show(rc, &a, "lstat of a link");
    rc = CALL(c, libssh2_sftp_stat(c->sftp, AT("dangling"), &a));
    show(rc, &a, "stat of a dangling link");
    rc = CALL(c, libssh2_sftp_lstat(c->sftp, AT("dangling"), &a));
    show(rc, &a, "lstat of a dangling link");
    rc = CALL(c, libssh2_sftp_stat(c->sftp, AT("dir"), &a));
    show(rc, &a, "stat of a directory");

    memset(&a, 0, sizeof(a));
    a.flags = LIBSSH2_SFTP_ATTR_PERMISSIONS | LIBSSH2_SFTP_ATTR_ACMODTIME | LIBSSH2_SFTP_ATTR_SIZE;
    a.permissions = 0604;
    a.atime = a.mtime = 1000000000;
    a.filesize = 6;
    DO(libssh2_sftp_setstat(c->sftp, AT("stat"), &a), "setstat");
    rc = CALL(c, libssh2_sftp_stat(c->sftp, AT("stat"), &a));
    show(rc, &a, "stat");
    a.flags = LIBSSH2_SFTP_ATTR_UIDGID;
    a.uid = getuid();
    a.gid = getgid();
    DO(libssh2_sftp_setstat(c->sftp, AT("stat"), &a), "setstat of the owner");
    a.flags = LIBSSH2_SFTP_ATTR_PERMISSIONS;
    a.permissions = 0600;
    DO(libssh2_sftp_setstat(c->sftp, AT("missing"), &a), "setstat of nothing");
}

static void odd_names(void)
{
    char longest[300], path[700];
    LIBSSH2_SFTP_ATTRIBUTES a;
    memset(longest, 'n', sizeof(longest));
    longest[255] = '\0';
    DO(libssh2_sftp_mkdir(c->sftp, AT(longest), 0700), "mkdir of 255 letters");
    longest[255] = 'n';
    longest[256] = '\0';
    DO(libssh2_sftp_mkdir(c->sftp, AT(longest), 0700), "mkdir of 256 letters");
    snprintf(path, sizeof(path), "%s", AT("\xff\xfe \n\t*'\""));
    DO(libssh2_sftp_mkdir(c->sftp, path, 0700), "mkdir of odd bytes");
    ok(access(path, F_OK) == 0, "odd bytes arrive as they are");
    snprintf(path, sizeof(path), "%sXXX", AT("dir"));
    int rc = CALL(c, libssh2_sftp_stat_ex(c->sftp, path, (unsigned)strlen(path) - 3,
                                          LIBSSH2_SFTP_STAT, &a));
    show(rc, &a, "stat of a name that is not terminated");
    rc = CALL(c, libssh2_sftp_stat_ex(c->sftp, "", 0, LIBSSH2_SFTP_STAT, &a));
    show(rc, &a, "stat of no name");
}

static void read_only_server(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a = { .flags = LIBSSH2_SFTP_ATTR_PERMISSIONS, .permissions = 0600 };
    server_config("Subsystem sftp internal-sftp -R");
    c = conn_ready();
    DO(libssh2_sftp_mkdir(c->sftp, AT("forbidden"), 0700), "mkdir");
    DO(libssh2_sftp_rmdir(c->sftp, AT("dir")), "rmdir");
    DO(libssh2_sftp_unlink(c->sftp, AT("stat")), "unlink");
    DO(libssh2_sftp_rename(c->sftp, AT("stat"), AT("moved")), "rename");
    DO(libssh2_sftp_posix_rename(c->sftp, AT("stat"), AT("moved")), "posix_rename");
    DO(libssh2_sftp_symlink(c->sftp, "x", AT("new link")), "symlink");
    DO(libssh2_sftp_setstat(c->sftp, AT("stat"), &a), "setstat");
    DO(libssh2_sftp_stat(c->sftp, AT("stat"), &a), "stat");
    conn_close(c);
    server_config(NULL);
}

void test(void)
{
    c = conn_ready();
    write_whole(AT("file"), "content", 7);
    directories();
    renames();
    links();
    attributes();
    odd_names();
    conn_close(c);
    read_only_server();
}
