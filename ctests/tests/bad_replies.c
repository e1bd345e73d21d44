/* SFTP replies that are wrong, short, oversized, or in an odd order: each call ends with an error
 * that fits, or, where the reply can be understood, with the right result. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct conn *c;

/* Logs in to a server whose SFTP has this fault. */
static void meet(const char *fault)
{
    server_sftp(fault);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    libssh2_session_set_timeout(c->session, 1000);
    c->limit_ms = 1000;
}

static void meet_sftp(const char *fault)
{
    meet(fault);
    conn_sftp(c);
}

/* What a call gave: `same` for both libraries, or else `ours_is` for ours, where the original
 * waits for something that never comes, or takes what it must not take. */
struct outcome {
    const char *fault;
    long long same;
    long long ours_is;
};

static void judge(const struct outcome *outcome, long long rc, const char *call)
{
    if(outcome->ours_is) {
        trace("%s %s: ours is stricter", call, outcome->fault);
        ok(!ours || rc == outcome->ours_is, "%s %s: %s", call, outcome->fault, error_name(rc));
        return;
    }
    trace_sftp(c, rc, "%s %s", call, outcome->fault);
    ok(rc == outcome->same, "%s %s: %s", call, outcome->fault, error_name(rc));
}

#define PROTOCOL LIBSSH2_ERROR_SFTP_PROTOCOL

static void versions(void)
{
    static const struct outcome outcomes[] = {
        { "version-2", 0, 0 },
        { "version-6", 0, 0 },
        { "version-short", 0, LIBSSH2_ERROR_OUT_OF_BOUNDARY },
        { "version-of-another-type", 0, PROTOCOL },
        { "version-length-0", LIBSSH2_ERROR_OUT_OF_BOUNDARY, 0 },
        { "version-length-huge", LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED, 0 },
        { "version-none", LIBSSH2_ERROR_SOCKET_RECV, 0 },
        { "version-bad-extension", LIBSSH2_ERROR_BUFFER_TOO_SMALL, 0 },
    };
    for(size_t i = 0; i < COUNT(outcomes); i++) {
        meet(outcomes[i].fault);
        c->sftp = CALLP(c, libssh2_sftp_init(c->session));
        judge(&outcomes[i], c->sftp ? 0 : libssh2_session_last_errno(c->session), "sftp_init");
        conn_drop(c);
    }
}

static void attributes(void)
{
    static const struct outcome outcomes[] = {
        { "", 0, 0 },
        { "id-unknown-first", 0, PROTOCOL },
        { "id-unknown-only", 0, PROTOCOL },
        { "length-0", LIBSSH2_ERROR_OUT_OF_BOUNDARY, 0 },
        { "length-4", LIBSSH2_ERROR_OUT_OF_BOUNDARY, 0 },
        { "length-300000", LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED, 0 },
        { "length-2147483647", LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED, 0 },
        { "length-4294967295", LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED, 0 },
        { "status-short", PROTOCOL, 0 },
        { "status-without-text", PROTOCOL, 0 },
        { "status-bad-text", PROTOCOL, 0 },
        { "status-unheard-of", PROTOCOL, 0 },
        { "type-wrong", 0, PROTOCOL },
        { "type-unknown", PROTOCOL, 0 },
        { "attrs-short", PROTOCOL, 0 },
        { "attrs-bad-extended", PROTOCOL, 0 },
    };
    LIBSSH2_SFTP_ATTRIBUTES a;
    for(size_t i = 0; i < COUNT(outcomes); i++) {
        meet_sftp(outcomes[i].fault);
        judge(&outcomes[i], CALL(c, libssh2_sftp_stat(c->sftp, "file", &a)), "stat");
        conn_drop(c);
    }
}

static void handles(void)
{
    static const struct outcome outcomes[] = {
        { "handle-after-ok", 0, 0 },
        { "handle-past-end", 0, PROTOCOL },
        { "handle-long", 0, PROTOCOL }, /* the original cuts it, so that nothing works */
    };
    for(size_t i = 0; i < COUNT(outcomes); i++) {
        meet_sftp(outcomes[i].fault);
        void *file = CALLP(c, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_READ, 0));
        judge(&outcomes[i], file ? 0 : libssh2_session_last_errno(c->session), "open");
        conn_drop(c);
    }
}

static void names(void)
{
    static const struct outcome links[] = {
        { "", 4, 0 },
        { "name-count-0", PROTOCOL, 0 },
        { "name-count-2", 4, 0 },
        { "name-past-end", PROTOCOL, 0 },
    };
    static const struct outcome listings[] = {
        { "", 4, 0 },
        { "name-count-0", 0, 0 },
        { "name-cut", 0, PROTOCOL },
        { "name-past-end", 0, PROTOCOL },
        { "name-count-huge", PROTOCOL, 0 },
    };
    char text[100];
    for(size_t i = 0; i < COUNT(links); i++) {
        meet_sftp(links[i].fault);
        int rc = CALL(c, libssh2_sftp_readlink(c->sftp, "link", text, sizeof(text)));
        judge(&links[i], rc, "readlink");
        conn_drop(c);
    }
    for(size_t i = 0; i < COUNT(listings); i++) {
        meet_sftp(listings[i].fault);
        LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, "dir"));
        int rc = CALL(c, libssh2_sftp_readdir(dir, text, sizeof(text), NULL));
        judge(&listings[i], rc, "readdir");
        conn_drop(c);
    }
}

/* Reads the server's file to the end or an error; false if any byte is not what it should be. */
static bool read_all(LIBSSH2_SFTP_HANDLE *file, size_t *total, ssize_t *error)
{
    static char buffer[200000];
    for(*total = 0;;) {
        ssize_t rc = CALL(c, libssh2_sftp_read(file, buffer, sizeof(buffer)));
        *error = rc < 0 ? rc : 0;
        if(rc <= 0)
            return true;
        for(ssize_t i = 0; i < rc; i++)
            if(buffer[i] != (char)((*total + (size_t)i) * 7))
                return false;
        *total += (size_t)rc;
    }
}

static void reads(void)
{
    static const struct {
        const char *fault;
        bool fine, fine_with_the_original;
    } cases[] = {
        { "", true, true },
        { "reverse", true, true },
        { "data-short", true, false }, /* ours asks again for the rest */
        { "data-long", false, false },
        { "data-past-end", false, false },
    };
    for(size_t i = 0; i < COUNT(cases); i++) {
        size_t total;
        ssize_t error;
        bool fine = ours ? cases[i].fine : cases[i].fine_with_the_original;
        meet_sftp(cases[i].fault);
        LIBSSH2_SFTP_HANDLE *file =
            CALLP(c, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_READ, 0));
        ok(read_all(file, &total, &error), "%s: no byte is wrong", cases[i].fault);
        trace("read %s", cases[i].fault);
        is_number(error, fine ? 0 : PROTOCOL, "the result of read");
        ok(fine == (total == 1000000), "%zu bytes", total);
        conn_drop(c);
    }
}

static void writes(void)
{
    static const char *const faults[] = { "", "reverse", "write-fails", "write-fails-reverse" };
    const size_t total = 2 << 20; /* many requests, however large they are */
    char *data = make_data(total, 11);
    for(size_t i = 0; i < COUNT(faults); i++) {
        bool fails = strncmp(faults[i], "write-fails", 11) == 0;
        meet_sftp(faults[i]);
        LIBSSH2_SFTP_HANDLE *file =
            CALLP(c, libssh2_sftp_open(c->sftp, "file", LIBSSH2_FXF_WRITE, 0));
        size_t done = 0;
        ssize_t rc = 0;
        while(done < total && rc >= 0) {
            rc = CALL(c, libssh2_sftp_write(file, data + done, total - done));
            done += rc > 0 ? (size_t)rc : 0;
        }
        trace_sftp(c, rc < 0 ? rc : 0, "write %s", faults[i]);
        ok(fails ? rc == PROTOCOL : done == total, "%zu bytes", done);
        if(fails) {
            char *text = NULL;
            libssh2_session_last_error(c->session, &text, NULL, 0);
            is_number((long long)libssh2_sftp_last_error(c->sftp), LIBSSH2_FX_FAILURE, "FX");
            ok(!ours || strstr(text, "on fire"), "the server's words: %s", text);
            is_number((long long)libssh2_sftp_tell64(file), (long long)done,
                      "tell64 is what was reported");
            rc = CALL(c, libssh2_sftp_write(file, data + done, 1000));
            trace_sftp(c, rc, "write again from there");
        }
        trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
        c->limit_ms = 10000;
        conn_close(c);
    }
    free(data);
}

void test(void)
{
    versions();
    attributes();
    handles();
    names();
    reads();
    writes();
}
