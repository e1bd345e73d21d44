/* A connection under test, the wait of a non-blocking caller, and the trace of results. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- waiting as a caller must --- */

void conn_start_call(struct conn *c)
{
    c->deadline = now_ms() + c->limit_ms;
    fault_settle();
}

bool conn_wait_always(struct conn *c)
{
    int directions = libssh2_session_block_directions(c->session);
    long long left = c->deadline - now_ms();
    struct pollfd wait = { .fd = c->fd };
    if(left <= 0) {
        diag("gave up after %lld ms of EAGAIN", c->limit_ms);
        return false;
    }
    c->waits++;
    if(directions & LIBSSH2_SESSION_BLOCK_INBOUND)
        wait.events |= POLLIN;
    if(directions & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        wait.events |= POLLOUT;
    fault_waits(directions);
    if(!wait.events) {
        c->undirected++;
        poll(NULL, 0, 1);
    }
    else if(poll(&wait, 1, (int)left) == 0) {
        c->stuck++;
        diag("nothing happened in the direction of the EAGAIN (%d)", directions);
        return false;
    }
    return true;
}

bool conn_wait(struct conn *c)
{
    return nonblocking && conn_wait_always(c);
}

/* --- steps --- */

static noreturn void give_up(struct conn *c, const char *step)
{
    char *text = NULL;
    int code = libssh2_session_last_error(c->session, &text, NULL, 0);
    bail("%s failed: %s (%s)", step, error_name(code), text ? text : "");
}

struct conn *conn_over(int fd, pid_t server)
{
    struct conn *c = calloc(1, sizeof(*c));
    if(!c)
        bail("no memory");
    c->limit_ms = 20000;
    c->fd = fd;
    c->sshd = server;
    c->session = libssh2_session_init();
    if(!c->session)
        bail("session_init failed");
    libssh2_session_set_blocking(c->session, !nonblocking);
    return c;
}

struct conn *conn_new(void)
{
    int fd;
    pid_t server = server_start(&fd);
    return conn_over(fd, server);
}

void conn_handshake(struct conn *c)
{
    if(CALL(c, libssh2_session_handshake(c->session, c->fd)) != 0)
        give_up(c, "handshake");
}

void conn_login(struct conn *c)
{
    int rc = CALL(c, libssh2_userauth_publickey_fromfile(
                         c->session, user_name(), key_path("user_ed25519.pub"),
                         key_path("user_ed25519.openssh"), NULL));
    if(rc != 0)
        give_up(c, "login");
}

void conn_sftp(struct conn *c)
{
    c->sftp = CALLP(c, libssh2_sftp_init(c->session));
    if(!c->sftp)
        give_up(c, "sftp_init");
}

struct conn *conn_ready(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    return c;
}

void conn_close(struct conn *c)
{
    if(c->sftp) {
        int rc = CALL(c, libssh2_sftp_shutdown(c->sftp));
        trace_rc(c, rc, "sftp_shutdown");
        is_number(rc, 0, "sftp_shutdown");
    }
    int rc = CALL(c, libssh2_session_disconnect(c->session, "done"));
    trace_rc(c, rc, "session_disconnect");
    is_number(rc, 0, "session_disconnect");
    rc = CALL(c, libssh2_session_free(c->session));
    trace("session_free = %s", error_name(rc));
    is_number(rc, 0, "session_free");
    if(ours)
        is_number(c->undirected, 0, "EAGAIN always came with a direction");
    else if(c->undirected)
        diag("%d of %d EAGAINs came without a direction", c->undirected, c->waits);
    is_number(c->stuck, 0, "there was always progress in the direction of an EAGAIN");
    close(c->fd);
    signal_tree(c->sshd, SIGKILL);
    free(c);
}

void conn_drop(struct conn *c)
{
    signal_tree(c->sshd, SIGKILL);
    c->limit_ms = 2000;
    CALL(c, libssh2_session_free(c->session));
    close(c->fd);
    free(c);
}

/* --- the trace of results --- */

#define LABEL(label, format)                                                                       \
    char label[200];                                                                               \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        vsnprintf(label, sizeof(label), format, arguments);                                        \
        va_end(arguments);                                                                         \
    } while(0)

/* A caller that asks last_errno after a failure must hear of that failure. */
static void check_last_error(struct conn *c, long long rc, const char *label)
{
    int code = libssh2_session_last_errno(c->session);
    if(ours && rc < 0 && code != rc)
        ok(false, "%s gave %s, but last_errno is %s", label, error_name(rc), error_name(code));
}

void trace_rc(struct conn *c, long long rc, const char *what, ...)
{
    LABEL(label, what);
    trace("%s = %s", label, error_name(rc));
    check_last_error(c, rc, label);
}

void trace_sftp(struct conn *c, long long rc, const char *what, ...)
{
    LABEL(label, what);
    if(rc == LIBSSH2_ERROR_SFTP_PROTOCOL)
        trace("%s = %s %s", label, error_name(rc), fx_name(libssh2_sftp_last_error(c->sftp)));
    else
        trace("%s = %s", label, error_name(rc));
    check_last_error(c, rc, label);
}

void trace_pointer(struct conn *c, const void *pointer, const char *what, ...)
{
    LABEL(label, what);
    int code = libssh2_session_last_errno(c->session);
    if(pointer)
        trace("%s = handle", label);
    else if(code == LIBSSH2_ERROR_SFTP_PROTOCOL && c->sftp)
        trace("%s = NULL %s %s", label, error_name(code),
              fx_name(libssh2_sftp_last_error(c->sftp)));
    else
        trace("%s = NULL %s", label, error_name(code));
}

void trace_differs(struct conn *c, long long rc, long long theirs, long long ours_is,
                   const char *what, ...)
{
    LABEL(label, what);
    trace("%s: each library its own result", label);
    is_number(rc, ours ? ours_is : theirs, label);
    check_last_error(c, rc, label);
}
