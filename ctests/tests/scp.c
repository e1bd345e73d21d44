/* Files by SCP, both ways: names that a shell would stumble over, modes, times, sizes, refusals. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conn *c;

static const char *const names[] = {
    "plain", "two words", "it's", "\"quoted\"", "wow!", "''!!''", "$HOME `ls` $(ls)", "new\nline",
    "back\\slash", "*?[a]", "semi;colon & co", "latin\xe9", "~", "#hash",
};

/* Receives a whole file as a program does; false if it does not come. */
static bool receive(const char *path, char **data, struct stat *st)
{
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_recv2(c->session, path, st));
    if(!channel)
        return false;
    size_t size = (size_t)st->st_size, got = 0;
    *data = malloc(size + 1);
    while(got < size) {
        ssize_t rc = CALL(c, libssh2_channel_read(channel, *data + got, size - got));
        if(rc <= 0)
            bail("read: %s", error_name(rc));
        got += (size_t)rc;
    }
    if(CALL(c, libssh2_channel_free(channel)) != 0)
        bail("free failed");
    return true;
}

static void send_all(LIBSSH2_CHANNEL *channel, const char *data, size_t size)
{
    size_t sent = 0;
    while(sent < size) {
        ssize_t rc = CALL(c, libssh2_channel_write(channel, data + sent, size - sent));
        if(rc <= 0)
            bail("write: %s", error_name(rc));
        sent += (size_t)rc;
    }
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    trace_rc(c, CALL(c, libssh2_channel_wait_eof(channel)), "wait_eof");
    trace_rc(c, CALL(c, libssh2_channel_wait_closed(channel)), "wait_closed");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
}

static void trace_text(const char *what)
{
    char *text = NULL;
    libssh2_session_last_error(c->session, &text, NULL, 0);
    diag("%s: %s", what, text);
}

static void odd_names(void)
{
    for(size_t i = 0; i < COUNT(names); i++) {
        char *path = temp_path(names[i]), *back = NULL;
        char *data = make_data(1000 + i, i);
        struct stat st;
        LIBSSH2_CHANNEL *channel =
            CALLP(c, libssh2_scp_send64(c->session, path, 0640, (libssh2_int64_t)(1000 + i), 0, 0));
        trace_pointer(c, channel, "send to name %zu", i);
        if(!channel)
            continue;
        send_all(channel, data, 1000 + i);
        if(!ours && strchr(names[i], '\n')) { /* the original's line ends within the name */
            free(data);
            continue;
        }
        ok(file_is(path, data, 1000 + i), "name %zu: the file is there", i);
        bool came = receive(path, &back, &st);
        trace_off(strchr(names[i], '\n') != NULL);
        ok(came && (size_t)st.st_size == 1000 + i && memcmp(back, data, 1000 + i) == 0,
           "name %zu: the file comes back", i);
        trace("mode %o, size %lld", (unsigned)st.st_mode, (long long)st.st_size);
        trace_off(false);
        free(data);
        free(back);
        unlink(path);
    }
}

static void sizes_and_times(void)
{
    static const size_t sizes[] = { 0, 1, 32768, 5000000 };
    for(size_t i = 0; i < COUNT(sizes); i++) {
        char *path = temp_path("sized"), *back = NULL, *data = make_data(sizes[i], 70 + i);
        struct stat st;
        LIBSSH2_CHANNEL *channel =
            CALLP(c, libssh2_scp_send64(c->session, path, 0600, (libssh2_int64_t)sizes[i],
                                        1234567890, 1000000000));
        trace_pointer(c, channel, "send %zu bytes with times", sizes[i]);
        send_all(channel, data, sizes[i]);
        stat(path, &st); /* before anybody reads the file */
        ok(file_is(path, data, sizes[i]), "%zu bytes are there", sizes[i]);
        trace("mode %o", (unsigned)st.st_mode & 0777);
        if(ours) { /* the original leaves the last byte to the program, without which no times are set */
            is_number(st.st_mtime, 1234567890, "the time of modification is set");
            is_number(st.st_atime, 1000000000, "the time of access is set");
        }
        time_t modified = st.st_mtime;
        memset(&st, 0x55, sizeof(st));
        ok(receive(path, &back, &st) && memcmp(back, data, sizes[i]) == 0, "%zu bytes come back",
           sizes[i]);
        is_number(st.st_mtime, modified, "the time of modification comes with it");
        trace("mode %o, size %lld, uid %d", (unsigned)st.st_mode, (long long)st.st_size,
              (int)st.st_uid);
        free(data);
        free(back);
        unlink(path);
    }

    /* Programs that send the last byte themselves are left to it. */
    char *path = temp_path("closed properly");
    struct stat st;
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_send64(c->session, path, 0600, 4, 77, 88));
    send_all(channel, "data", 5);
    ok(stat(path, &st) == 0 && st.st_mtime == 77 && st.st_atime == 88 && file_is(path, "data", 4),
       "the file is there with its times");

    /* Programs that end with the last byte, and the older functions. */
    channel = CALLP(c, libssh2_scp_send_ex(c->session, temp_path("short"), 0644, 4,
                                                            0, 0));
    trace_pointer(c, channel, "send_ex");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "data", 4)), "write");
    trace("flush = %d", CALL(c, libssh2_channel_flush_ex(channel, LIBSSH2_CHANNEL_FLUSH_ALL)));
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    for(int i = 0; i < 200 && !file_is(temp_path("short"), "data", 4); i++)
        usleep(10000);
    ok(file_is(temp_path("short"), "data", 4), "what free has to deliver is there");
    char text[10];
    channel = CALLP(c, libssh2_scp_recv(c->session, temp_path("short"), &st));
    trace_pointer(c, channel, "recv");
    trace_rc(c, CALL(c, libssh2_channel_read(channel, text, 4)), "read");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    channel = CALLP(c, libssh2_scp_recv2(c->session, temp_path("short"), NULL));
    trace_pointer(c, channel, "recv2 without a stat");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free with unread data");
}

static void refusals(void)
{
    struct stat st;
    trace_pointer(c, CALLP(c, libssh2_scp_recv2(c->session, temp_path("missing"), &st)),
                  "recv of a missing file");
    if(ours) {
        char *text = NULL;
        libssh2_session_last_error(c->session, &text, NULL, 0);
        ok(strstr(text, "No such file") != NULL, "the server's words: %s", text);
    }
    trace_text("missing file");
    trace_pointer(c, CALLP(c, libssh2_scp_recv2(c->session, temp_path(""), &st)),
                  "recv of a directory");
    trace_text("directory");
    trace_pointer(c, CALLP(c, libssh2_scp_send64(c->session, temp_path("no/such/dir"), 0600, 5, 0,
                                                 0)),
                  "send into a missing directory");
    trace_text("missing directory");
    trace_pointer(c, CALLP(c, libssh2_scp_recv2(c->session, NULL, &st)), "recv of NULL");
    trace_pointer(c, CALLP(c, libssh2_scp_send64(c->session, NULL, 0600, 5, 0, 0)), "send to NULL");
    if(ours) { /* the original crashes */
        ok(!libssh2_scp_recv2(NULL, "x", &st) && !libssh2_scp_send64(NULL, "x", 0600, 1, 0, 0),
           "no session");
        ok(!libssh2_scp_send64(c->session, "x", 0600, -1, 0, 0), "a negative size");
    }

    /* Without quotes the shell sees the path. */
    write_whole(temp_path("ab"), "found", 5);
    libssh2_session_flag(c->session, LIBSSH2_FLAG_QUOTE_PATHS, 0);
    char *back = NULL;
    bool came = receive(temp_path("a?"), &back, &st);
    trace("a pattern finds %d, %lld bytes", came, came ? (long long)st.st_size : 0);
    free(back);
    libssh2_session_flag(c->session, LIBSSH2_FLAG_QUOTE_PATHS, 1);
    trace_pointer(c, CALLP(c, libssh2_scp_recv2(c->session, temp_path("a?"), &st)),
                  "a pattern in quotes");
}

/* Past 4 GiB: only the first and the last bytes are looked at. */
static void a_huge_file(void)
{
    const long long size = 5LL << 30;
    char *path = temp_path("huge"), text[8];
    struct stat st;
    if(truncate(path, size) != 0) {
        write_whole(path, "begin", 5);
        if(truncate(path, size) != 0) {
            skip("no sparse file of 5 GiB here");
            return;
        }
    }
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_recv2(c->session, path, &st));
    trace_pointer(c, channel, "recv of 5 GiB");
    trace("size %lld", (long long)st.st_size);
    trace_rc(c, CALL(c, libssh2_channel_read(channel, text, 5)), "read");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free in the middle");
    unlink(path);
}

void test(void)
{
    watchdog(100);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    odd_names();
    sizes_and_times();
    refusals();
    a_huge_file();
    conn_close(c);
}
