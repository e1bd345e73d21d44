/* Files: open in each way, write, read, seek, tell, attributes, and what the server refuses. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conn *c;

static LIBSSH2_SFTP_HANDLE *open_file(const char *name, unsigned long flags, long mode)
{
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name), flags, mode));
    trace_pointer(c, file, "open %s flags %#lx", name, flags);
    return file;
}

static void close_file(LIBSSH2_SFTP_HANDLE *file)
{
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
}

static ssize_t write_text(LIBSSH2_SFTP_HANDLE *file, const char *text)
{
    ssize_t rc = CALL(c, libssh2_sftp_write(file, text, strlen(text)));
    trace_sftp(c, rc, "write \"%s\"", text);
    return rc;
}

/* Reads until `size` bytes or the end, however the library cuts them. */
static void read_text(LIBSSH2_SFTP_HANDLE *file, size_t size)
{
    char text[100] = "";
    size_t got = 0;
    ssize_t rc = 0;
    while(got < size && (rc = CALL(c, libssh2_sftp_read(file, text + got, size - got))) > 0)
        got += (size_t)rc;
    if(rc < 0)
        trace_sftp(c, rc, "read");
    else
        trace("read \"%.*s\"%s", (int)got, text, rc == 0 && size ? ", end" : "");
}

static void tell(LIBSSH2_SFTP_HANDLE *file)
{
    trace("tell %llu %zu", (unsigned long long)libssh2_sftp_tell64(file), libssh2_sftp_tell(file));
}

static void show_stat(LIBSSH2_SFTP_HANDLE *file)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    memset(&a, 0xaa, sizeof(a));
    int rc = CALL(c, libssh2_sftp_fstat(file, &a));
    trace_sftp(c, rc, "fstat flags %#lx size %llu mode %#lo uid %s mtime %s", a.flags, a.filesize,
               a.permissions, a.uid == getuid() ? "mine" : "other",
               a.mtime == 1000000000 ? "set" : "other");
}

static void flags_of_open(void)
{
    LIBSSH2_SFTP_HANDLE *file;
    open_file("missing", LIBSSH2_FXF_READ, 0);
    open_file("missing/file", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600);
    open_file("missing", LIBSSH2_FXF_WRITE, 0600);
    open_file("", LIBSSH2_FXF_WRITE, 0600); /* the directory itself */

    file = open_file("new", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL, 0640);
    write_text(file, "0123456789");
    close_file(file);
    struct stat st;
    ok(stat(temp_path("new"), &st) == 0 && st.st_mode == 0100640, "the mode is that of open");
    open_file("new", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL, 0640);

    file = open_file("new", LIBSSH2_FXF_WRITE, 0);
    write_text(file, "abc");
    read_text(file, 10); /* not open for reading */
    close_file(file);
    file = open_file("new", LIBSSH2_FXF_READ, 0);
    read_text(file, 20);
    close_file(file);
    file = open_file("new", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_APPEND, 0);
    write_text(file, "+++");
    close_file(file);
    ok(file_is(temp_path("new"), "abc3456789+++", 13), "APPEND writes at the end");
    file = open_file("new", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_TRUNC, 0);
    close_file(file);
    is_number(file_size(temp_path("new")), 0, "TRUNC empties");
}

static void positions(void)
{
    LIBSSH2_SFTP_HANDLE *file =
        open_file("places", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600);
    tell(file);
    write_text(file, "The quick brown fox");
    tell(file);
    libssh2_sftp_seek64(file, 4);
    tell(file);
    read_text(file, 5);
    tell(file);
    libssh2_sftp_seek(file, 10);
    write_text(file, "green");
    tell(file);
    libssh2_sftp_rewind(file);
    read_text(file, 50);
    read_text(file, 50); /* the end stays the end */
    tell(file);
    FILE *local = fopen(temp_path("places"), "a");
    ok(local && fputs(" jumps", local) >= 0 && fclose(local) == 0, "somebody else appends");
    read_text(file, 50);
    libssh2_sftp_seek64(file, libssh2_sftp_tell64(file)); /* unless it is asked for anew */
    read_text(file, 50);
    libssh2_sftp_seek64(file, 16);
    read_text(file, 2);
    libssh2_sftp_seek64(file, 30); /* leaves a hole */
    write_text(file, "end");
    libssh2_sftp_seek64(file, 100);
    read_text(file, 10);
    trace_sftp(c, CALL(c, libssh2_sftp_fsync(file)), "fsync");
    close_file(file);
    ok(file_is(temp_path("places"), "The quick green fox jumps\0\0\0\0\0end", 33), "as written");
}

static void zero_counts(void)
{
    char byte = 'x';
    LIBSSH2_SFTP_HANDLE *file =
        open_file("zero", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600);
    trace_sftp(c, CALL(c, libssh2_sftp_write(file, &byte, 0)), "write of nothing");
    trace_sftp(c, CALL(c, libssh2_sftp_write(file, NULL, 0)), "write of nothing from nowhere");
    tell(file);
    write_text(file, "abc");
    trace_sftp(c, CALL(c, libssh2_sftp_write(file, &byte, 0)), "write of nothing");
    tell(file);
    libssh2_sftp_seek64(file, 0);
    ssize_t rc = CALL(c, libssh2_sftp_read(file, &byte, 0));
    trace_differs(c, rc, LIBSSH2_ERROR_SFTP_PROTOCOL, 0, "read of nothing");
    libssh2_sftp_seek64(file, 0);
    read_text(file, 3);
    close_file(file);
}

static void attributes(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a = { 0 };
    LIBSSH2_SFTP_HANDLE *file =
        open_file("attributes", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0644);
    write_text(file, "0123456789");
    show_stat(file);
    a.flags = LIBSSH2_SFTP_ATTR_PERMISSIONS;
    a.permissions = 0600;
    trace_sftp(c, CALL(c, libssh2_sftp_fsetstat(file, &a)), "fsetstat permissions");
    a.flags = LIBSSH2_SFTP_ATTR_SIZE;
    a.filesize = 4;
    trace_sftp(c, CALL(c, libssh2_sftp_fsetstat(file, &a)), "fsetstat size");
    a.flags = LIBSSH2_SFTP_ATTR_ACMODTIME;
    a.atime = a.mtime = 1000000000;
    trace_sftp(c, CALL(c, libssh2_sftp_fsetstat(file, &a)), "fsetstat times");
    trace("the caller's attributes are left alone: %#lx", a.flags);
    show_stat(file);
    a.flags = 0;
    trace_sftp(c, CALL(c, libssh2_sftp_fsetstat(file, &a)), "fsetstat of nothing");
    close_file(file);
}

static void two_handles(void)
{
    LIBSSH2_SFTP_HANDLE *one = open_file("one", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600);
    LIBSSH2_SFTP_HANDLE *two = open_file("two", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600);
    for(int i = 0; i < 3; i++) {
        write_text(one, "one");
        write_text(two, "two ");
    }
    tell(one);
    tell(two);
    close_file(two);
    write_text(one, "!");
    close_file(one);
    ok(file_is(temp_path("one"), "oneoneone!", 10), "one");
    ok(file_is(temp_path("two"), "two two two ", 12), "two");
}

static void refusals(void)
{
    LIBSSH2_SFTP_HANDLE *file = open_file("two", LIBSSH2_FXF_READ, 0);
    write_text(file, "not for writing");
    tell(file);
    read_text(file, 3);
    close_file(file);
    file = open_file("", LIBSSH2_FXF_READ, 0); /* a directory, opened as a file */
    if(file) {
        read_text(file, 10);
        close_file(file);
    }
    trace("FX after success: %s", fx_name(libssh2_sftp_last_error(c->sftp)));
}

/* A server that permits reading alone, so that even root is refused. */
static void read_only_server(void)
{
    server_config("Subsystem sftp internal-sftp -R");
    c = conn_ready();
    open_file("new file", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600);
    open_file("two", LIBSSH2_FXF_WRITE, 0);
    LIBSSH2_SFTP_HANDLE *file = open_file("two", LIBSSH2_FXF_READ, 0);
    read_text(file, 3);
    trace_sftp(c, CALL(c, libssh2_sftp_fsync(file)), "fsync");
    close_file(file);
    conn_close(c);
    server_config(NULL);
}

void test(void)
{
    c = conn_ready();
    flags_of_open();
    positions();
    zero_counts();
    attributes();
    two_handles();
    refusals();
    conn_close(c);
    read_only_server();
}
