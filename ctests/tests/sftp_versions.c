/* Servers of other versions, and attributes: those of an open, and those that nobody knows. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>

static struct conn *c;

static void meet(const char *fault)
{
    server_sftp(fault);
    c = conn_ready();
}

/* What came only with a later version is refused without a word to the server. */
static void version(int number)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    char fault[40], text[100];
    snprintf(fault, sizeof(fault), "version-%d", number);
    meet(fault);
    trace("version %d", number);
    trace_sftp(c, CALL(c, libssh2_sftp_stat(c->sftp, "x", &a)), "stat");
    trace_sftp(c, CALL(c, libssh2_sftp_rename(c->sftp, "x", "y")), "rename");
    trace_sftp(c, CALL(c, libssh2_sftp_symlink(c->sftp, "x", "y")), "symlink");
    trace_sftp(c, CALL(c, libssh2_sftp_readlink(c->sftp, "x", text, sizeof(text))), "readlink");
    trace_sftp(c, CALL(c, libssh2_sftp_realpath(c->sftp, "x", text, sizeof(text))), "realpath");
    trace_sftp(c, CALL(c, libssh2_sftp_posix_rename(c->sftp, "x", "y")), "posix_rename");
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, "x", LIBSSH2_FXF_READ, 0));
    trace_pointer(c, file, "open");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    conn_close(c);
}

static void show(const char *what, int rc, const LIBSSH2_SFTP_ATTRIBUTES *a)
{
    trace_sftp(c, rc, "%s", what);
    trace("flags %#lx", a->flags);
    if(a->flags & LIBSSH2_SFTP_ATTR_SIZE)
        trace("size %llu", a->filesize);
    if(a->flags & LIBSSH2_SFTP_ATTR_UIDGID)
        trace("uid %lu gid %lu", a->uid, a->gid);
    if(a->flags & LIBSSH2_SFTP_ATTR_PERMISSIONS)
        trace("mode %#lo", a->permissions);
    if(a->flags & LIBSSH2_SFTP_ATTR_ACMODTIME)
        trace("atime %lu mtime %lu", a->atime, a->mtime);
}

static void extended(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    char text[100], line[100];
    meet("attrs-extended");
    show("stat", CALL(c, libssh2_sftp_stat(c->sftp, "x", &a)), &a);
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, "x", LIBSSH2_FXF_READ, 0));
    show("fstat", CALL(c, libssh2_sftp_fstat(file, &a)), &a);
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    file = CALLP(c, libssh2_sftp_opendir(c->sftp, "x"));
    int rc = CALL(c, libssh2_sftp_readdir_ex(file, text, sizeof(text), line, sizeof(line), &a));
    show("readdir", rc, &a);
    trace("\"%s\" \"%s\"", text, line);
    trace_sftp(c, CALL(c, libssh2_sftp_closedir(file)), "closedir");
    conn_close(c);
}

/* open_ex_r sends what it is given, but for the mode, which is its own. */
static void of_open(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    meet("echo");
    for(unsigned long flags = 0; flags < 16; flags++) {
        LIBSSH2_SFTP_ATTRIBUTES given = { .flags = flags, .filesize = 1ULL << 40, .uid = 5, .gid = 6,
                                          .permissions = 0777, .atime = 7, .mtime = 8 };
        LIBSSH2_SFTP_HANDLE *file = CALLP(
            c, libssh2_sftp_open_ex_r(c->sftp, "xyz", 1, LIBSSH2_FXF_WRITE, 0640,
                                      LIBSSH2_SFTP_OPENFILE, &given));
        trace_pointer(c, file, "open_ex_r with %#lx", flags);
        if(!file)
            continue;
        show("fstat", CALL(c, libssh2_sftp_fstat(file, &a)), &a);
        is_number((long long)given.permissions, 0777, "what was given is left alone");
        trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    }
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open_ex_r(c->sftp, "x", 1, LIBSSH2_FXF_WRITE, 0640,
                                        LIBSSH2_SFTP_OPENFILE, NULL));
    trace_pointer(c, file, "open_ex_r without");
    show("fstat", CALL(c, libssh2_sftp_fstat(file, &a)), &a);
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    file = CALLP(c, libssh2_sftp_open_ex_r(c->sftp, "x", 1, 0, 0, LIBSSH2_SFTP_OPENDIR, NULL));
    trace_pointer(c, file, "open_ex_r of a directory");
    trace_sftp(c, CALL(c, libssh2_sftp_closedir(file)), "closedir");
    conn_close(c);
}

void test(void)
{
    version(0);
    version(1);
    version(2);
    version(3);
    version(4);
    version(6);
    extended();
    of_open();
    server_config(NULL);
}
