/* What libssh2_trace shows, of which topics, and to whom. The original shows nothing unless it is
 * built for that, so only ours is asked. */
#include "testd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    char text[1 << 16];
    size_t length, lines;
    LIBSSH2_SESSION *session;
    bool calls_back;
} seen;

static void on_line(LIBSSH2_SESSION *session, void *context, const char *data, size_t length)
{
    if(context != &seen || session != seen.session)
        bail("the trace came with another session or context");
    if(seen.length + length + 1 >= sizeof(seen.text))
        return;
    memcpy(seen.text + seen.length, data, length);
    seen.text[seen.length + length] = '\n';
    seen.length += length + 1;
    seen.lines++;
    if(seen.calls_back) { /* harmless, and one that fails, which must not go round in circles */
        libssh2_session_last_errno(session);
        libssh2_session_block_directions(session);
        libssh2_session_method_pref(session, LIBSSH2_METHOD_KEX, "nonsense");
    }
}

static void begin(struct conn *c, int mask)
{
    memset(&seen, 0, sizeof(seen));
    seen.session = c->session;
    is_number(libssh2_trace(c->session, mask), 0, "trace");
    is_number(libssh2_trace_sethandler(c->session, &seen, on_line), 0, "trace_sethandler");
}

static void has(const char *what)
{
    ok(strstr(seen.text, what) != NULL, "the trace has \"%s\"", what);
    if(!strstr(seen.text, what))
        diag("it is: %.3000s", seen.text);
}

static void has_not(const char *what)
{
    ok(strstr(seen.text, what) == NULL, "the trace has no \"%s\"", what);
}

static void move_a_file(struct conn *c)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, "traced",
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_READ | LIBSSH2_FXF_CREAT, 0600));
    ok(file != NULL, "open");
    ok(CALL(c, libssh2_sftp_write(file, "what nobody shall see", 21)) == 21, "write");
    libssh2_sftp_seek64(file, 0);
    char back[32];
    ok(CALL(c, libssh2_sftp_read(file, back, sizeof(back))) == 21, "read");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    int rc = CALL(c, libssh2_sftp_unlink(c->sftp, "not\033there"));
    is_number(rc, LIBSSH2_ERROR_SFTP_PROTOCOL, "a file that is not there");
}

static void everything(void)
{
    struct conn *c = testd("--seconds 20");
    begin(c, ~0);
    seen.calls_back = true;
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    move_a_file(c);
    unsigned seconds, microseconds;
    int end = 0;
    sscanf(seen.text, "[libssh2] %u.%6u transport:%n", &seconds, &microseconds, &end);
    ok(end > 0 && seconds < slowness(), "the first line begins with the time");
    has("transport: we are SSH-2.0-libssh2");
    has("transport: server is SSH-2.0-");
    has("key exchange: sent KEXINIT");
    has("key exchange: agreed on CryptCs aes256-gcm@openssh.com");
    has("login: sent USERAUTH_REQUEST of \"" TESTD_USER "\" for \"ssh-connection\" by \"password\"");
    has("connection: sent CHANNEL_OPEN \"session\" as 0");
    has("connection: sent CHANNEL_REQUEST to ");
    has("sftp: sent WRITE ");
    has("sftp: received DATA ");
    has("sftp: received STATUS ");
    has("failure: -31, ");
    has_not("failure: -33, "); /* what the function itself has failed with */
    has("socket: sent ");
    has("socket: received ");
    has_not(TESTD_PASSWORD);
    has_not("nobody shall see");
    has_not("\033");
    ok(seen.lines < 400, "%zu lines", seen.lines);
    conn_close(c);
}

static void some(void)
{
    struct conn *c = testd("--seconds 20");
    begin(c, LIBSSH2_TRACE_KEX | LIBSSH2_TRACE_SFTP);
    conn_handshake(c);
    testd_login(c);
    has("key exchange: received NEWKEYS");
    has_not("socket: ");
    has_not("login: ");
    conn_sftp(c);
    has("sftp: sent INIT 3, ");
    has("sftp: received VERSION 3, ");
    libssh2_trace(c->session, 0);
    size_t lines = seen.lines;
    move_a_file(c);
    is_number(seen.lines, lines, "switched off there are no more lines");
    conn_close(c);
}

/* Without a function of the program the lines go to standard error. */
static void to_standard_error(void)
{
    char text[4096] = { 0 };
    const char *path = temp_path("stderr");
    int kept = dup(2), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct conn *c = testd("--seconds 20");
    begin(c, LIBSSH2_TRACE_TRANS);
    libssh2_trace_sethandler(c->session, NULL, NULL);
    dup2(file, 2);
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    dup2(kept, 2);
    is_number(rc, 0, "handshake");
    ok(pread(file, text, sizeof(text) - 1, 0) > 0 && strstr(text, "transport: server is ") &&
           text[strlen(text) - 1] == '\n',
       "standard error has the lines");
    is_number(seen.lines, 0, "and nobody else");
    close(kept);
    close(file);
    conn_close(c);
}

void test(void)
{
    is_number(libssh2_trace(NULL, ~0), 0, "trace of no session");
    is_number(libssh2_trace_sethandler(NULL, NULL, NULL), 0, "trace_sethandler of no session");
    if(!ours) {
        skip("the original is not built to trace");
        return;
    }
    trace_off(true);
    everything();
    some();
    to_standard_error();
    trace_off(false);
}
