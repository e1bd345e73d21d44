/* Many at once: SFTP sessions on one connection, open files, entries of a directory; and names that
 * are no text. */
#include "testd.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SESSIONS = 3, FILES = 40, SIZE = 3000, HUGE_DIRECTORY = 100000 };

static struct conn *c;

/* Every file of every session is written a piece at a time, all in turn, and read back so. */
static void crowd(void)
{
    static LIBSSH2_SFTP_HANDLE *files[SESSIONS][FILES];
    static char name[SESSIONS][FILES][20];
    LIBSSH2_SFTP *sessions[SESSIONS];
    char *data = make_data(SIZE + SESSIONS * FILES, 9), buffer[SIZE];
    bool fine = true;
    c = conn_ready();
    for(int s = 0; s < SESSIONS; s++) {
        if(s > 0)
            conn_sftp(c);
        sessions[s] = c->sftp;
        for(int f = 0; f < FILES; f++) {
            snprintf(name[s][f], sizeof(name[s][f]), "crowd %d %d", s, f);
            files[s][f] = CALLP(c, libssh2_sftp_open(sessions[s], temp_path(name[s][f]),
                                                     LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE |
                                                         LIBSSH2_FXF_CREAT,
                                                     0600));
            if(!files[s][f])
                bail("open failed: %s", last_words(c));
        }
    }
    for(int at = 0; at < SIZE; at += SIZE / 3)
        for(int f = 0; f < FILES; f++)
            for(int s = 0; s < SESSIONS; s++)
                fine = fine && CALL(c, libssh2_sftp_write(files[s][f], data + s * FILES + f + at,
                                                          SIZE / 3)) == SIZE / 3;
    ok(fine, "all are written in turn");
    for(int s = 0; s < SESSIONS; s++)
        for(int f = 0; f < FILES; f++)
            libssh2_sftp_rewind(files[s][f]);
    for(int at = 0; at < SIZE && fine; at += SIZE / 3)
        for(int s = 0; s < SESSIONS; s++)
            for(int f = 0; f < FILES; f++) {
                ssize_t rc = CALL(c, libssh2_sftp_read(files[s][f], buffer, SIZE / 3));
                fine = fine && rc == SIZE / 3 &&
                       memcmp(buffer, data + s * FILES + f + at, SIZE / 3) == 0;
            }
    ok(fine, "and read in turn");
    for(int f = 0; f < FILES; f++)
        for(int s = 0; s < SESSIONS; s++) {
            fine = fine && CALL(c, libssh2_sftp_close(files[s][f])) == 0;
            fine = fine && file_is(temp_path(name[s][f]), data + s * FILES + f, SIZE);
        }
    ok(fine, "each file is its own");
    for(int s = 0; s < SESSIONS - 1; s++)
        trace_rc(c, CALL(c, libssh2_sftp_shutdown(sessions[s])), "shutdown");
    conn_close(c);
    free(data);
}

/* Names come and go as bytes. */
static void odd_names(void)
{
    static const char *const names[] = { "\xff\xfe", "\xc3\x28", "new\nline", "\x01\x7f", "\xe4hre" };
    char name[300], line[600];
    mkdir(temp_path("odd"), 0700);
    c = conn_ready();
    for(size_t i = 0; i < COUNT(names); i++) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", temp_path("odd"), names[i]);
        LIBSSH2_SFTP_HANDLE *file =
            CALLP(c, libssh2_sftp_open(c->sftp, path, LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
        trace_pointer(c, file, "open %zu", i);
        trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
        ok(access(path, F_OK) == 0, "the name is as it was given");
    }
    size_t seen = 0;
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("odd")));
    while(CALL(c, libssh2_sftp_readdir_ex(dir, name, sizeof(name), line, sizeof(line), NULL)) > 0)
        for(size_t i = 0; i < COUNT(names); i++)
            seen += strcmp(name, names[i]) == 0;
    is_number((long long)seen, COUNT(names), "each is listed as it is");
    trace_sftp(c, CALL(c, libssh2_sftp_closedir(dir)), "closedir");
    char target[300];
    trace_sftp(c, CALL(c, libssh2_sftp_symlink(c->sftp, names[0], temp_path("odd link"))),
               "symlink");
    int rc = CALL(c, libssh2_sftp_readlink(c->sftp, temp_path("odd link"), target, sizeof(target)));
    trace_sftp(c, rc, "readlink");
    ok(strcmp(target, names[0]) == 0, "a link leads where it was told to");
    conn_close(c);
}

static void huge_directory(void)
{
    char path[300], name[300];
    if(!getenv("CTESTS_ALL")) {
        skip("100,000 entries only with CTESTS_ALL=1");
        return;
    }
    mkdir(temp_path("huge"), 0700);
    for(int i = 0; i < HUGE_DIRECTORY; i++) {
        snprintf(path, sizeof(path), "huge/%d", i);
        FILE *file = fopen(temp_path(path), "w");
        if(!file)
            bail("no file");
        fclose(file);
    }
    static bool seen[HUGE_DIRECTORY];
    long long count = 0, doubles = 0;
    int rc;
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("huge")));
    while((rc = CALL(c, libssh2_sftp_readdir(dir, name, sizeof(name), NULL))) > 0) {
        int number = atoi(name);
        if(name[0] == '.')
            continue;
        count++;
        doubles += seen[number];
        seen[number] = true;
    }
    trace_sftp(c, rc, "the end");
    is_number(count, HUGE_DIRECTORY, "every entry");
    is_number(doubles, 0, "and each once");
    trace_sftp(c, CALL(c, libssh2_sftp_closedir(dir)), "closedir");
    conn_close(c);
}

void test(void)
{
    watchdog(getenv("CTESTS_ALL") ? 600 : 100);
    crowd();
    odd_names();
    huge_directory();
}
