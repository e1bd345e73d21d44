/* A whole session with a server that may do something wrong. */
#include "meeting.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHORT_LIMIT = 700, FILES = 25 };

static const char *const step_names[] = {
    [HANDSHAKE] = "handshake",   [LOGIN] = "login",
    [SFTP] = "sftp_init",        [STAT] = "stat",
    [LIST] = "listing",          [OPEN_WRITE] = "open for writing",
    [WRITE] = "write",           [CLOSE_WRITE] = "close after writing",
    [OPEN_READ] = "open for reading", [READ] = "read",
    [CLOSE_READ] = "close after reading", [DONE] = "all of it",
};

/* What the session said of the first failure. */
static char said[300];

/* Keeps what is said of it when `rc` is a failure, before other calls say something else. */
static long long note(struct conn *c, long long rc)
{
    if(rc < 0 && !*said) {
        snprintf(said, sizeof(said), "%s", last_words(c));
        if(ours && libssh2_session_last_errno(c->session) != rc)
            ok(false, "last_errno is %s", error_name(libssh2_session_last_errno(c->session)));
    }
    return rc;
}

static long long no_handle(struct conn *c)
{
    return note(c, libssh2_session_last_errno(c->session));
}

static long long stat_thrice(struct conn *c)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    int rc = 0;
    for(int i = 0; i < 3 && rc == 0; i++)
        rc = CALL(c, libssh2_sftp_stat(c->sftp, "/", &a));
    return note(c, rc);
}

/* 0 when all names were there, in order. */
static long long list(struct conn *c)
{
    char name[100], want[100];
    int rc, count = 0;
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, "listed"));
    if(!dir)
        return no_handle(c);
    while((rc = CALL(c, libssh2_sftp_readdir(dir, name, sizeof(name), NULL))) > 0) {
        snprintf(want, sizeof(want), "file %02d", count++);
        if(strcmp(name, want) != 0)
            bail("a name is %s instead of %s", name, want);
    }
    if(rc == 0 && count != FILES)
        bail("%d names instead of %d", count, FILES);
    note(c, rc);
    int closed = CALL(c, libssh2_sftp_closedir(dir));
    return rc < 0 ? rc : note(c, closed);
}

/* 0, or the first error of write; `done` is what was written. */
static ssize_t write_all(struct conn *c, LIBSSH2_SFTP_HANDLE *file, const char *data, size_t *done)
{
    for(*done = 0; *done < MEETING_SIZE;) {
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + *done, MEETING_SIZE - *done));
        if(rc < 0)
            return note(c, rc);
        *done += (size_t)rc;
    }
    return 0;
}

/* 0 at the end of the file, or the first error of read. */
static ssize_t read_all(struct conn *c, LIBSSH2_SFTP_HANDLE *file, const char *data)
{
    static char buffer[MEETING_SIZE + 100];
    for(size_t done = 0;;) {
        ssize_t rc = CALL(c, libssh2_sftp_read(file, buffer, sizeof(buffer)));
        if(rc == 0 && done != MEETING_SIZE)
            bail("the file ends after %zu bytes", done);
        if(rc <= 0)
            return note(c, rc);
        if(done + (size_t)rc > MEETING_SIZE || memcmp(data + done, buffer, (size_t)rc) != 0)
            bail("other bytes are read than were written");
        done += (size_t)rc;
    }
}

/* Writes a file and reads it again. */
static long long transfer(struct conn *c, enum step *step)
{
    static char *data;
    size_t done;
    if(!data)
        data = make_data(MEETING_SIZE, 3);
    *step = OPEN_WRITE;
    LIBSSH2_SFTP_HANDLE *file = CALLP(
        c, libssh2_sftp_open(c->sftp, "file",
                             LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, 0644));
    if(!file)
        return no_handle(c);
    *step = WRITE;
    long long rc = write_all(c, file, data, &done);
    if(rc < 0)
        is_number((long long)libssh2_sftp_tell64(file), (long long)done,
                  "tell64 is what was reported");
    else
        *step = CLOSE_WRITE;
    long long closed = note(c, CALL(c, libssh2_sftp_close(file)));
    if(rc < 0 || closed < 0)
        return rc < 0 ? rc : closed;
    ok(file_is(temp_path("root/file"), data, MEETING_SIZE), "the file is what was written");
    *step = OPEN_READ;
    file = CALLP(c, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_READ, 0));
    if(!file)
        return no_handle(c);
    *step = READ;
    rc = read_all(c, file, data);
    if(rc == 0)
        *step = CLOSE_READ;
    closed = note(c, CALL(c, libssh2_sftp_close(file)));
    return rc < 0 ? rc : closed;
}

/* Goes as far as it gets; stores the step that failed and returns what it gave. */
static long long go(struct conn *c, enum step *step)
{
    *step = HANDSHAKE;
    long long rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    if(rc != 0)
        return note(c, rc);
    *step = LOGIN;
    rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD));
    if(rc != 0)
        return note(c, rc);
    *step = SFTP;
    c->sftp = CALLP(c, libssh2_sftp_init(c->session));
    if(!c->sftp)
        return no_handle(c);
    *step = STAT;
    rc = stat_thrice(c);
    if(rc != 0)
        return rc;
    *step = LIST;
    rc = list(c);
    if(rc != 0)
        return rc;
    rc = transfer(c, step);
    if(rc == 0)
        *step = DONE;
    return rc;
}

static bool fits(enum step step, enum step wanted)
{
    return step == wanted || (wanted == SERVICE && (step == HANDSHAKE || step == LOGIN));
}

static void meet(const struct meeting *m)
{
    enum step step;
    long long want = m->code, start = now_ms();
    if(m->whose == OURS && !ours) {
        skip(m->arguments);
        return;
    }
    struct conn *c = testd("%s", m->arguments);
    if(m->code == TIMEOUT) {
        c->limit_ms = SHORT_LIMIT;
        libssh2_session_set_timeout(c->session, SHORT_LIMIT);
        want = nonblocking ? LIBSSH2_ERROR_EAGAIN : TIMEOUT;
    }
    *said = '\0';
    long long rc = go(c, &step);
    if(m->whose == SAME)
        trace("%s: %s = %s", m->arguments, step_names[step], error_name(rc));
    ok(rc == want && fits(step, m->step), "%s: %s: %s", m->arguments, step_names[step],
       error_name(rc));
    if(rc != 0 && ours)
        ok(*said != '\0', "it says: %s", said);
    ok(now_ms() - start < 8000, "it took %lld ms", now_ms() - start);
    if(m->code != TIMEOUT)
        is_number(c->stuck, 0, "each EAGAIN named a direction that came");
    conn_drop(c);
}

static void make_listed(void)
{
    static bool made;
    char path[300];
    if(made)
        return;
    made = true;
    if(run((const char *[]){ "mkdir", "-p", temp_path("root/listed"), NULL }) != 0)
        bail("mkdir failed");
    for(int i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), "%s/listed/file %02d", testd_root(), i);
        write_whole(path, "x", 1);
    }
}

void meet_all(const struct meeting *meetings, size_t count)
{
    (void)testd_root();
    make_listed();
    for(size_t i = 0; i < count; i++)
        meet(&meetings[i]);
}
