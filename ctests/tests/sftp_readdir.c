/* Directory listings: many entries, long names, attributes, and buffers that are too small. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY 500

static struct conn *c;

static LIBSSH2_SFTP_HANDLE *open_dir(const char *name)
{
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path(name)));
    trace_pointer(c, dir, "opendir %s", name);
    return dir;
}

static void close_dir(LIBSSH2_SFTP_HANDLE *dir)
{
    trace_sftp(c, CALL(c, libssh2_sftp_closedir(dir)), "closedir");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The server gives entries in any order: collects a description of each and traces them sorted. */
static void list(const char *name, size_t max, bool with_long)
{
    char *lines[MANY + 10], entry[1024], long_entry[1024];
    size_t count = 0;
    int rc;
    LIBSSH2_SFTP_ATTRIBUTES a;
    LIBSSH2_SFTP_HANDLE *dir = open_dir(name);
    while(count < COUNT(lines)) {
        memset(entry, '#', sizeof(entry));
        memset(long_entry, '#', sizeof(long_entry));
        rc = CALL(c, libssh2_sftp_readdir_ex(dir, entry, max, with_long ? long_entry : NULL,
                                             with_long ? sizeof(long_entry) : 0, &a));
        if(rc <= 0)
            break;
        if((size_t)rc != strlen(entry))
            ok(false, "readdir gave %d for a name of %zu", rc, strlen(entry));
        if(with_long && !strstr(long_entry, entry))
            ok(false, "the long entry \"%s\" is not that of \"%s\"", long_entry, entry);
        bool dots = strcmp(entry, "..") == 0; /* whose attributes are not the test's */
        if(asprintf(&lines[count++], "%.40s length %d flags %#lx mode %#lo size %llu", entry, rc,
                    a.flags, dots ? 0 : a.permissions,
                    LIBSSH2_SFTP_S_ISREG(a.permissions) ? a.filesize : 0) < 0)
            abort();
    }
    qsort(lines, count, sizeof(lines[0]), by_name);
    trace("%zu entries", count);
    for(size_t i = 0; i < count; i++) {
        if(count < 50 || i < 5 || i % 100 == 0)
            trace("%s", lines[i]);
        free(lines[i]);
    }
    trace_sftp(c, rc, "the end");
    trace("sftp_last_error %lu", libssh2_sftp_last_error(c->sftp));
    rc = CALL(c, libssh2_sftp_readdir(dir, entry, max, NULL));
    trace_sftp(c, rc, "after the end");
    trace("sftp_last_error %lu", libssh2_sftp_last_error(c->sftp));
    close_dir(dir);
}

/* The original drops what was left of the server's batch and says PROTO. Ours says
 * BUFFER_TOO_SMALL, as documented, and keeps the entry for a larger buffer. */
static void small_buffers(void)
{
    char entry[300];
    int rc, seen = 0, small = 0;
    LIBSSH2_SFTP_HANDLE *dir = open_dir("mixed");
    for(;;) {
        rc = CALL(c, libssh2_sftp_readdir(dir, entry, 4, NULL)); /* enough for "." and ".." */
        if(rc > 0) {
            seen++;
            continue;
        }
        if(rc == 0 || rc != (ours ? LIBSSH2_ERROR_BUFFER_TOO_SMALL : LIBSSH2_ERROR_PROTO))
            break;
        small++;
        if(!ours)
            break;
        int again = CALL(c, libssh2_sftp_readdir(dir, entry, 4, NULL));
        if(again != rc)
            ok(false, "the entry was not kept: %s", error_name(again));
        rc = CALL(c, libssh2_sftp_readdir(dir, entry, sizeof(entry), NULL));
        if(rc <= 3)
            ok(false, "a larger buffer gave %s", error_name(rc));
        seen++;
    }
    ok(small > 0, "a small buffer is refused");
    if(ours) {
        is_number(rc, 0, "the listing goes on to its end");
        is_number(seen, 6, "no entry is lost");
        is_number(small, 4, "each name that does not fit is refused");
    }
    close_dir(dir);

    /* Exactly the name, without a place for its end, does not fit either. */
    dir = open_dir("one");
    do
        rc = CALL(c, libssh2_sftp_readdir(dir, entry, 8, NULL));
    while(rc > 0 && rc != 8);
    trace_differs(c, rc, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_BUFFER_TOO_SMALL,
                  "a name of 8 in a buffer of 8");
    close_dir(dir);
    dir = open_dir("one");
    do
        rc = CALL(c, libssh2_sftp_readdir(dir, entry, 9, NULL));
    while(rc > 0 && rc != 8);
    trace("a name of 8 in a buffer of 9 = %d", rc);
    close_dir(dir);
}

static void odd_uses(void)
{
    char entry[100];
    LIBSSH2_SFTP_ATTRIBUTES a;
    open_dir("missing");
    open_dir("mixed/file");
    LIBSSH2_SFTP_HANDLE *dir = open_dir("one");
    ok(CALL(c, libssh2_sftp_readdir_ex(dir, entry, sizeof(entry), entry, 1, &a)) > 0,
       "a long entry of one byte is none");
    trace_sftp(c, CALL(c, libssh2_sftp_fstat(dir, &a)), "fstat of a directory handle");
    close_dir(dir); /* in the middle of the listing */
    LIBSSH2_SFTP_HANDLE *first = open_dir("many"), *second = open_dir("many");
    int counts[2] = { 0, 0 }, more = 3;
    while(more) { /* two listings of one SFTP object take turns */
        if((more & 1) && CALL(c, libssh2_sftp_readdir(first, entry, sizeof(entry), NULL)) <= 0)
            more &= ~1;
        counts[0] += more & 1;
        if((more & 2) && CALL(c, libssh2_sftp_readdir(second, entry, sizeof(entry), NULL)) <= 0)
            more &= ~2;
        counts[1] += more >> 1;
    }
    trace("two listings in turn: %d and %d", counts[0], counts[1]);
    close_dir(first);
    close_dir(second);
}

static void fill(const char *directory, const char *name, size_t size)
{
    char path[600], data[1000] = "";
    snprintf(path, sizeof(path), "%s/%s", temp_path(directory), name);
    write_whole(path, data, size);
}

/* All names of a directory: how long that took. */
static long long list_all(const char *which)
{
    char name[300];
    LIBSSH2_SFTP_HANDLE *dir = open_dir("far");
    long long begin = now_ms();
    int count = 0, rc;
    while((rc = CALL(c, libssh2_sftp_readdir(dir, name, sizeof(name), NULL))) > 0)
        count++;
    long long took = now_ms() - begin;
    trace("%s: %d entries, then %s", which, count, error_name(rc));
    close_dir(dir);
    return took;
}

/* Ten thousand names over a round trip of 50 ms. One request at a time would take 5 s longer than
 * it takes here. */
static void far_away(void)
{
    char path[300];
    if(mkdir(temp_path("far"), 0755) != 0)
        bail("no directory");
    for(int i = 0; i < 10000; i++) {
        snprintf(path, sizeof(path), "far/%d", i);
        FILE *file = fopen(temp_path(path), "w");
        if(!file)
            bail("no file");
        fclose(file);
    }
    long long here = list_all("near");
    server_delay(25);
    struct conn *near = c;
    c = conn_ready();
    long long there = list_all("far");
    ok(!ours || there < here + 2500, "they took %lld ms, and %lld without the way", there, here);
    conn_close(c);
    c = near;
    server_delay(0);
}

void test(void)
{
    char name[300];
    mkdir(temp_path("empty"), 0750);
    mkdir(temp_path("one"), 0750);
    mkdir(temp_path("mixed"), 0750);
    mkdir(temp_path("many"), 0750);
    fill("one", "12345678", 1);
    fill("mixed", "file", 7);
    memset(name, 'n', 255);
    name[255] = '\0';
    fill("mixed", name, 0);
    symlink("file", temp_path("mixed/link"));
    mkdir(temp_path("mixed/directory"), 0700);
    for(int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "entry number %d", i * 7919);
        fill("many", name, (size_t)i);
    }
    c = conn_ready();
    list("empty", 100, true);
    list("mixed", 256, true);
    list("mixed", 256, false);
    list("many", 1024, true);
    list("many", 100, false);
    small_buffers();
    odd_uses();
    far_away();
    conn_close(c);
}
