/* The whole file API. What must hold is checked; what a server may decide for itself goes into the
 * tables, and into the trace, which is the same on the original. The server sees the files that
 * this program sees. */
#include "interop.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct conn *c;

#define READ_WRITE (LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT)

/* "yes", or what the server said instead. */
static bool note(const char *row, long long rc)
{
    if(rc >= 0)
        cell(row, "yes");
    else if(rc == LIBSSH2_ERROR_SFTP_PROTOCOL)
        cell(row, "%s", fx_name(libssh2_sftp_last_error(c->sftp)));
    else
        cell(row, "%s", error_name(rc));
    trace_sftp(c, rc < 0 ? rc : 0, "%s", row);
    return rc >= 0;
}

/* As above, for what no server may lack. */
static bool must(const char *row, long long rc)
{
    if(!ok(rc >= 0, "%s", row))
        diag("  %s: %s", error_name(rc), last_words(c));
    return note(row, rc);
}

/* For what every server must refuse. */
static void refuse(const char *row, long long rc)
{
    ok(rc == LIBSSH2_ERROR_SFTP_PROTOCOL, "%s: refused, %s", row, last_words(c));
    note(row, rc);
}

static LIBSSH2_SFTP_HANDLE *open_file(const char *name, unsigned long flags)
{
    return CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name), flags, 0640));
}

/* The failure behind a NULL, or 0. */
static int failure(const void *handle)
{
    return handle ? 0 : libssh2_session_last_errno(c->session);
}

static int close_file(LIBSSH2_SFTP_HANDLE *file)
{
    return file ? CALL(c, libssh2_sftp_close(file)) : -1;
}

static ssize_t write_text(LIBSSH2_SFTP_HANDLE *file, const char *text)
{
    size_t done = 0;
    ssize_t rc = 0;
    while(done < strlen(text) &&
          (rc = CALL(c, libssh2_sftp_write(file, text + done, strlen(text) - done))) > 0)
        done += (size_t)rc;
    return rc < 0 ? rc : (ssize_t)done;
}

static bool reads(LIBSSH2_SFTP_HANDLE *file, const char *want, size_t size)
{
    char text[200];
    size_t got = 0;
    ssize_t rc = 1;
    while(got < sizeof(text) &&
          (rc = CALL(c, libssh2_sftp_read(file, text + got, sizeof(text) - got))) > 0)
        got += (size_t)rc;
    bool same = rc == 0 && got == size && memcmp(text, want, size) == 0;
    if(!same)
        diag("read %zu bytes, then %s", got, error_name(rc));
    return same;
}

static bool holds(const char *name, const char *text)
{
    return file_is(temp_path(name), text, strlen(text));
}

/* --- opening --- */

static void open_flags(void)
{
    write_whole(temp_path("there"), "old content", 11);
    refuse("open what is not there", failure(open_file("missing", LIBSSH2_FXF_READ)));
    refuse("create what is there, EXCL",
           failure(open_file("there", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL)));

    LIBSSH2_SFTP_HANDLE *file =
        open_file("new", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_EXCL);
    must("create what is not there, EXCL", failure(file));
    ok(write_text(file, "new") == 3 && close_file(file) == 0 && holds("new", "new"), "and write it");
    struct stat found;
    ok(stat(temp_path("new"), &found) == 0, "it is there");
    cell("mode given to open", (found.st_mode & 0777) == 0640 ? "kept" : "%o",
         found.st_mode & 0777);
    trace("mode %o", found.st_mode & 0777);

    file = open_file("there", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC);
    must("open, TRUNC", failure(file));
    ok(write_text(file, "short") == 5 && close_file(file) == 0 && holds("there", "short"),
       "nothing of the old content is left");

    file = open_file("there", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_APPEND);
    int rc = failure(file);
    if(file) {
        ssize_t written = write_text(file, "er");
        int closed = close_file(file);
        rc = written < 0 ? (int)written : closed;
    }
    if(note("open, APPEND", rc)) {
        bool appended = holds("there", "shorter");
        cell("open, APPEND", appended ? "yes" : "writes at the beginning");
        trace("appended %d", appended);
    }
    refuse("open a directory to write", failure(open_file(".", LIBSSH2_FXF_WRITE)));
}

/* --- reading and writing --- */

static void places(void)
{
    LIBSSH2_SFTP_HANDLE *file = open_file("places", READ_WRITE);
    must("open to read and write", failure(file));
    ok(write_text(file, "The quick brown fox") == 19, "write");
    ok(libssh2_sftp_tell64(file) == 19, "tell");
    libssh2_sftp_seek64(file, 4);
    ok(write_text(file, "white") == 5, "write in the middle");
    libssh2_sftp_rewind(file);
    ok(reads(file, "The white brown fox", 19), "read it back");
    libssh2_sftp_seek64(file, 16);
    ok(reads(file, "fox", 3), "read the end");
    libssh2_sftp_seek64(file, 1000);
    ok(reads(file, "", 0), "read behind the end");
    note("fsync", CALL(c, libssh2_sftp_fsync(file)));
    ok(close_file(file) == 0, "close");
}

static void nothing(void)
{
    char byte = 'x';
    LIBSSH2_SFTP_HANDLE *file = open_file("empty", READ_WRITE);
    int rc = (int)CALL(c, libssh2_sftp_write(file, &byte, 0));
    ok(rc == 0, "write nothing: %s", error_name(rc));
    rc = (int)CALL(c, libssh2_sftp_read(file, &byte, 1));
    ok(rc == 0, "read an empty file: %s", error_name(rc));
    rc = close_file(file);
    ok(rc == 0 && file_size(temp_path("empty")) == 0, "close it empty");
    ok(mkdir(temp_path("empty directory"), 0700) == 0, "mkdir()");
    LIBSSH2_SFTP_HANDLE *directory =
        CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("empty directory")));
    char name[300];
    int entries = 0;
    while(directory &&
          (rc = CALL(c, libssh2_sftp_readdir(directory, name, sizeof(name), NULL))) > 0)
        entries += strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    ok(rc == 0 && entries == 0, "an empty directory: %d, %s", entries, error_name(rc));
    ok(directory && CALL(c, libssh2_sftp_closedir(directory)) == 0, "closedir");
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    note("stat of a file's name with a slash behind it",
         CALL(c, libssh2_sftp_stat(c->sftp, temp_path("empty/"), &attributes)));
}

static void far(void)
{
    const libssh2_uint64_t place = (5ULL << 30) + 7;
    LIBSSH2_SFTP_HANDLE *file = open_file("far", READ_WRITE);
    libssh2_sftp_seek64(file, place);
    ssize_t rc = write_text(file, "far out");
    must("write past 4 GiB", rc);
    libssh2_sftp_seek64(file, place - 1);
    ok(reads(file, "\0far out", 8), "read it back");
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    rc = CALL(c, libssh2_sftp_fstat(file, &attributes));
    ok(rc == 0 && attributes.filesize == place + 7, "and its size");
    ok(close_file(file) == 0, "close");
    ok(file_size(temp_path("far")) == (long long)place + 7, "a sparse file");
    remove(temp_path("far"));
}

/* --- attributes --- */

static void attributes(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    struct stat found;
    write_whole(temp_path("attributes"), "0123456789", 10);
    if(symlink(temp_path("attributes"), temp_path("link")) != 0)
        bail("symlink() failed");
    must("stat", CALL(c, libssh2_sftp_stat(c->sftp, temp_path("attributes"), &a)));
    trace("flags %#lx", a.flags);
    ok((a.flags & LIBSSH2_SFTP_ATTR_SIZE) && a.filesize == 10, "its size");
    ok(LIBSSH2_SFTP_S_ISREG(a.permissions), "its type");
    must("stat of a link", CALL(c, libssh2_sftp_stat(c->sftp, temp_path("link"), &a)));
    ok(LIBSSH2_SFTP_S_ISREG(a.permissions), "is that of what it leads to");
    must("lstat of a link", CALL(c, libssh2_sftp_lstat(c->sftp, temp_path("link"), &a)));
    if(LIBSSH2_SFTP_S_ISREG(a.permissions))
        cell("lstat of a link", "that of what it leads to");
    trace("lstat says %#lo", a.permissions & LIBSSH2_SFTP_S_IFMT);
    refuse("stat of what is not there",
           CALL(c, libssh2_sftp_stat(c->sftp, temp_path("missing"), &a)));

    a = (LIBSSH2_SFTP_ATTRIBUTES){ .flags = LIBSSH2_SFTP_ATTR_PERMISSIONS, .permissions = 0600 };
    must("setstat, mode", CALL(c, libssh2_sftp_setstat(c->sftp, temp_path("attributes"), &a)));
    ok(stat(temp_path("attributes"), &found) == 0 && (found.st_mode & 07777) == 0600, "is 0600");
    a = (LIBSSH2_SFTP_ATTRIBUTES){ .flags = LIBSSH2_SFTP_ATTR_ACMODTIME,
                                   .atime = 1,
                                   .mtime = 1000000000 };
    must("setstat, times", CALL(c, libssh2_sftp_setstat(c->sftp, temp_path("attributes"), &a)));
    ok(stat(temp_path("attributes"), &found) == 0 && found.st_mtime == 1000000000, "is of 2001");
    a = (LIBSSH2_SFTP_ATTRIBUTES){ .flags = LIBSSH2_SFTP_ATTR_SIZE, .filesize = 4 };
    if(note("setstat, size", CALL(c, libssh2_sftp_setstat(c->sftp, temp_path("attributes"), &a))))
        ok(file_size(temp_path("attributes")) == 4, "has 4 bytes");

    LIBSSH2_SFTP_HANDLE *file = open_file("attributes", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE);
    must("fstat", CALL(c, libssh2_sftp_fstat(file, &a)));
    ok(a.filesize == (libssh2_uint64_t)file_size(temp_path("attributes")), "its size");
    a = (LIBSSH2_SFTP_ATTRIBUTES){ .flags = LIBSSH2_SFTP_ATTR_PERMISSIONS, .permissions = 0644 };
    if(note("fsetstat, mode", CALL(c, libssh2_sftp_fsetstat(file, &a))))
        ok(stat(temp_path("attributes"), &found) == 0 && (found.st_mode & 07777) == 0644, "is 0644");
    LIBSSH2_SFTP_STATVFS system;
    struct statvfs right;
    ok(statvfs(temp_path("attributes"), &right) == 0, "statvfs()");
    if(note("fstatvfs", CALL(c, libssh2_sftp_fstatvfs(file, &system))))
        ok(system.f_blocks * system.f_frsize == right.f_blocks * right.f_frsize, "the same size");
    const char *path = temp_path("attributes");
    if(note("statvfs", CALL(c, libssh2_sftp_statvfs(c->sftp, path, strlen(path), &system))))
        ok(system.f_blocks * system.f_frsize == right.f_blocks * right.f_frsize, "the same size");
    ok(close_file(file) == 0, "close");
}

/* --- names --- */

static void names(void)
{
    char target[1000];
    int rc;
    must("mkdir", CALL(c, libssh2_sftp_mkdir(c->sftp, temp_path("made"), 0750)));
    refuse("mkdir of what is there", CALL(c, libssh2_sftp_mkdir(c->sftp, temp_path("made"), 0750)));
    write_whole(temp_path("made/file"), "x", 1);
    refuse("rmdir of what is not empty", CALL(c, libssh2_sftp_rmdir(c->sftp, temp_path("made"))));
    must("unlink", CALL(c, libssh2_sftp_unlink(c->sftp, temp_path("made/file"))));
    ok(access(temp_path("made/file"), F_OK) != 0, "it is gone");
    must("rmdir", CALL(c, libssh2_sftp_rmdir(c->sftp, temp_path("made"))));
    ok(access(temp_path("made"), F_OK) != 0, "it is gone");
    refuse("unlink of what is not there", CALL(c, libssh2_sftp_unlink(c->sftp, temp_path("made"))));

    write_whole(temp_path("a"), "a", 1);
    write_whole(temp_path("b"), "b", 1);
    must("rename", CALL(c, libssh2_sftp_rename(c->sftp, temp_path("a"), temp_path("c"))));
    ok(holds("c", "a") && access(temp_path("a"), F_OK) != 0, "it has the new name");
    rc = CALL(c, libssh2_sftp_rename(c->sftp, temp_path("c"), temp_path("b")));
    note("rename to what is there", rc);
    ok(rc == 0 ? holds("b", "a") : holds("b", "b") && holds("c", "a"), "done, or nothing is done");
    write_whole(temp_path("c"), "c", 1);
    rc = CALL(c, libssh2_sftp_posix_rename(c->sftp, temp_path("c"), temp_path("b")));
    if(note("posix-rename to what is there", rc))
        ok(holds("b", "c"), "it has been replaced");

    const char *from = temp_path("b"), *to = temp_path("symbolic");
    if(note("symlink", CALL(c, libssh2_sftp_symlink(c->sftp, from, (char *)to)))) {
        char link[1000];
        ssize_t size = readlink(to, link, sizeof(link));
        bool right = size == (ssize_t)strlen(from) && memcmp(link, from, (size_t)size) == 0;
        if(!right)
            cell("symlink", "the other way round");
        trace("symlink leads there %d", right);
    }
    remove(to);
    if(symlink(from, to) != 0)
        bail("symlink() failed");
    rc = CALL(c, libssh2_sftp_readlink(c->sftp, to, target, sizeof(target)));
    if(note("readlink", rc)) {
        bool right = rc == (int)strlen(from) && memcmp(target, from, (size_t)rc) == 0;
        if(!right)
            cell("readlink", "another name");
        trace("readlink tells it %d", right);
    }
    char dotted[1000], real[1000];
    snprintf(dotted, sizeof(dotted), "%s/../b", temp_path("empty directory"));
    rc = CALL(c, libssh2_sftp_realpath(c->sftp, dotted, target, sizeof(target) - 1));
    must("realpath", rc);
    target[rc > 0 ? rc : 0] = '\0';
    ok(realpath(from, real) && strcmp(real, target) == 0, "%s", target);
}

static void odd_names(void)
{
    static const char *const odd[] = { "latin \xe9t\xe9", "blank and \"quote\"", "line\nend", "-rf" };
    char path[1000];
    for(size_t i = 0; i < COUNT(odd); i++) {
        char row[60];
        snprintf(row, sizeof(row), "a name %s", i == 0   ? "that is not UTF-8"
                                                : i == 1 ? "with blanks and quotes"
                                                : i == 2 ? "with a line end"
                                                         : "like an option");
        snprintf(path, sizeof(path), "%s/%s", temp_path("odd"), odd[i]);
        mkdir(temp_path("odd"), 0700);
        LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, path, READ_WRITE, 0600));
        if(!note(row, failure(file)))
            continue;
        ok(close_file(file) == 0, "close");
        bool there = access(path, F_OK) == 0, listed = false;
        char name[300];
        int rc = -1;
        LIBSSH2_SFTP_HANDLE *list = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("odd")));
        while(list && (rc = CALL(c, libssh2_sftp_readdir(list, name, sizeof(name), NULL))) > 0)
            listed = listed ||
                     ((size_t)rc == strlen(odd[i]) && memcmp(name, odd[i], (size_t)rc) == 0);
        if(list)
            CALL(c, libssh2_sftp_closedir(list));
        if(!there || !listed)
            cell(row, there ? "not listed so" : "another name");
        trace("there %d listed %d, end of list %s", there, listed, error_name(rc));
    }
}

/* At the latest the first readdir tells that this is no directory. */
static void not_listed(const char *row, const char *name)
{
    char entry[300];
    LIBSSH2_SFTP_HANDLE *directory = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path(name)));
    if(!directory) {
        refuse(row, failure(directory));
        return;
    }
    int rc = CALL(c, libssh2_sftp_readdir(directory, entry, sizeof(entry), NULL));
    refuse(row, rc);
    cell(row, "%s by readdir", fx_name(libssh2_sftp_last_error(c->sftp)));
    CALL(c, libssh2_sftp_closedir(directory));
}

static void list(void)
{
    enum { FILES = 300 };
    static bool seen[FILES];
    char path[1000], name[300], line[600];
    LIBSSH2_SFTP_ATTRIBUTES a;
    int rc, count = 0, dots = 0, sized = 0, lines = 0;
    mkdir(temp_path("many"), 0700);
    for(int i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), "%s/file %d", temp_path("many"), i);
        write_whole(path, "123", 3);
    }
    LIBSSH2_SFTP_HANDLE *directory = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("many")));
    must("opendir", failure(directory));
    while((rc = CALL(c, libssh2_sftp_readdir_ex(directory, name, sizeof(name), line, sizeof(line),
                                                &a))) > 0) {
        int i;
        if(sscanf(name, "file %d", &i) == 1 && i >= 0 && i < FILES && !seen[i]) {
            seen[i] = true;
            count++;
            sized += (a.flags & LIBSSH2_SFTP_ATTR_SIZE) && a.filesize == 3;
            lines += strstr(line, name) != NULL;
        }
        else if(strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            dots++;
    }
    must("readdir", rc);
    ok(count == FILES && sized == FILES, "%d files, each once, %d with a size", count, sized);
    cell("readdir, long names", lines == FILES ? "yes" : "–");
    trace("%d long names, %d of itself and above", lines, dots);
    ok(CALL(c, libssh2_sftp_closedir(directory)) == 0, "closedir");
    not_listed("opendir of what is not there", "missing");
    not_listed("opendir of a file", "b");
}

/* --- several at once --- */

static void together(void)
{
    LIBSSH2_SFTP_HANDLE *files[20];
    char name[30], text[30];
    bool good = true;
    for(int i = 0; i < (int)COUNT(files); i++) {
        snprintf(name, sizeof(name), "together %d", i);
        good = (files[i] = open_file(name, READ_WRITE)) && good;
    }
    for(int i = 0; i < (int)COUNT(files) && good; i++) {
        snprintf(text, sizeof(text), "content %d", i);
        good = write_text(files[i], text) == (ssize_t)strlen(text);
    }
    for(int i = 0; i < (int)COUNT(files) && good; i++) {
        snprintf(text, sizeof(text), "content %d", i);
        libssh2_sftp_rewind(files[i]);
        good = reads(files[i], text, strlen(text)) && close_file(files[i]) == 0;
    }
    ok(good, "20 files open at a time");
}

void test(void)
{
    watchdog(60);
    c = meet_and_log_in();
    conn_sftp(c);
    open_flags();
    places();
    nothing();
    far();
    attributes();
    names();
    odd_names();
    list();
    together();
    conn_close(c);
}
