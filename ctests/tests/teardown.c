/* Ends in every order: each call comes back, nothing crashes, no signal is raised. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct conn *c;

static LIBSSH2_SFTP_HANDLE *create(const char *name)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    if(!file)
        bail("open failed");
    return file;
}

/* Frees the session alone; closes the socket. Traces what session_free says. */
static void free_session(const char *when)
{
    int rc = CALL(c, libssh2_session_free(c->session));
    trace("session_free %s = %s", when, error_name(rc));
    ok(rc != LIBSSH2_ERROR_EAGAIN, "session_free %s", when);
    close(c->fd);
    signal_tree(c->sshd, SIGKILL);
    free(c);
}

static void at_each_stage(void)
{
    c = conn_new();
    free_session("of a new one");
    c = conn_new();
    libssh2_session_handshake(c->session, -1);
    free_session("after a handshake on nothing");
    c = conn_new();
    conn_handshake(c);
    free_session("after the handshake");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    free_session("after the login");
    c = conn_ready();
    free_session("with SFTP open");
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file = create("left open");
    CALL(c, libssh2_sftp_write(file, "some data", 9));
    free_session("with SFTP and a file open");
    ok(file_is(temp_path("left open"), "some data", 9), "what was written is there");
}

/* A call that would block, as a rule: the server may also have been quick. */
static void begun(long long rc, const char *what)
{
    ok(rc >= 0 || rc == LIBSSH2_ERROR_EAGAIN, "%s begun", what);
}

/* Calls that would block, and then the end. */
static void in_the_middle(void)
{
    static char data[1 << 20];
    LIBSSH2_SFTP_ATTRIBUTES a;
    if(!nonblocking) {
        skip("a blocking call is never in the middle");
        return;
    }
    c = conn_new();
    begun(libssh2_session_handshake(c->session, c->fd), "handshake");
    free_session("in the handshake");

    c = conn_new();
    conn_handshake(c);
    begun(libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL,
                                              key_path("user_rsa.pem"), NULL),
          "login");
    free_session("in the login");

    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    libssh2_sftp_init(c->session);
    free_session("in sftp_init");

    c = conn_ready();
    libssh2_sftp_opendir(c->sftp, "/");
    begun(libssh2_sftp_stat(c->sftp, "/", &a), "stat");
    free_session("with two requests under way");

    c = conn_ready();
    libssh2_sftp_opendir(c->sftp, "/");
    int rc = CALL(c, libssh2_sftp_shutdown(c->sftp));
    trace("sftp_shutdown with a request under way = %s", error_name(rc));
    free_session("after that");

    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file = create("middle");
    begun(libssh2_sftp_write(file, data, sizeof(data)), "write");
    rc = CALL(c, libssh2_sftp_close(file));
    trace_sftp(c, rc, "close with writes under way");
    rc = CALL(c, libssh2_sftp_stat(c->sftp, "/", &a));
    trace_sftp(c, rc, "stat after that");
    conn_close(c);
}

/* Some programs close the socket first, some lose the server: the end must come all the same. */
static void dead_socket(void)
{
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file = create("dead socket");
    shutdown(c->fd, SHUT_RDWR);
    int rc = CALL(c, libssh2_sftp_close(file));
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "close on a dead socket: %s", error_name(rc));
    rc = CALL(c, libssh2_sftp_shutdown(c->sftp));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "sftp_shutdown on it: %s", error_name(rc));
    free_session("on a dead socket");

    c = conn_ready();
    int rc_disconnect = CALL(c, libssh2_session_disconnect(c->session, "bye"));
    trace("disconnect = %s", error_name(rc_disconnect));
    close(c->fd);
    rc = CALL(c, libssh2_session_free(c->session));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "session_free without a socket: %s",
       error_name(rc));
    signal_tree(c->sshd, SIGKILL);
    free(c);

    c = conn_ready();
    file = create("dead server");
    CALL(c, libssh2_sftp_write(file, "abc", 3));
    signal_tree(c->sshd, SIGKILL);
    free_session("with everything open and the server dead");
}

static void after_disconnect(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file = create("disconnected");
    trace_rc(c, CALL(c, libssh2_session_disconnect(c->session, "one")), "disconnect");
    int rc = CALL(c, libssh2_sftp_stat(c->sftp, "/", &a));
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "stat after disconnect: %s", error_name(rc));
    rc = CALL(c, libssh2_session_disconnect(c->session, "two"));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "disconnect again: %s", error_name(rc));
    rc = CALL(c, libssh2_sftp_close(file));
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "close after disconnect: %s", error_name(rc));
    free_session("after disconnect");
}

static void two_sftps(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    c = conn_ready();
    LIBSSH2_SFTP *first = c->sftp;
    LIBSSH2_SFTP_HANDLE *in_first = create("in the first");
    conn_sftp(c);
    LIBSSH2_SFTP_HANDLE *in_second = create("in the second");
    ok(libssh2_sftp_get_channel(first) && libssh2_sftp_get_channel(c->sftp) &&
           libssh2_sftp_get_channel(first) != libssh2_sftp_get_channel(c->sftp),
       "each has its channel");
    trace_sftp(c, CALL(c, libssh2_sftp_write(in_first, "first", 5)), "write in the first");
    trace_sftp(c, CALL(c, libssh2_sftp_write(in_second, "second", 6)), "write in the second");
    trace_sftp(c, CALL(c, libssh2_sftp_close(in_first)), "close in the first");
    trace_rc(c, CALL(c, libssh2_sftp_shutdown(first)), "shutdown of the first");
    trace_sftp(c, CALL(c, libssh2_sftp_write(in_second, "!", 1)), "write in the second");
    trace_sftp(c, CALL(c, libssh2_sftp_stat(c->sftp, "/no", &a)), "stat in the second");
    trace_sftp(c, CALL(c, libssh2_sftp_close(in_second)), "close in the second");
    conn_close(c);
    ok(file_is(temp_path("in the first"), "first", 5), "the first file");
    ok(file_is(temp_path("in the second"), "second!", 7), "the second file");
}

/* Handles that outlive their SFTP object: with the original they dangle. */
static void stale_handles(void)
{
    char byte;
    if(!ours) {
        skip("the original reads freed memory here");
        return;
    }
    trace_off(true);
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file = create("stale");
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, "/"));
    is_number(CALL(c, libssh2_sftp_shutdown(c->sftp)), 0, "shutdown with handles open");
    c->sftp = NULL;
    ok(CALL(c, libssh2_sftp_write(file, "x", 1)) < 0, "write after shutdown");
    ok(CALL(c, libssh2_sftp_read(file, &byte, 1)) < 0, "read after shutdown");
    is_number((long long)libssh2_sftp_tell64(file), 0, "tell after shutdown");
    ok(CALL(c, libssh2_sftp_close(file)) <= 0, "close after shutdown");
    ok(CALL(c, libssh2_sftp_closedir(dir)) <= 0, "closedir after shutdown");
    conn_sftp(c);
    file = create("after that");
    is_number(CALL(c, libssh2_sftp_write(file, "x", 1)), 1, "a new SFTP works");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    conn_close(c);
    trace_off(false);
}

void test(void)
{
    at_each_stage();
    in_the_middle();
    dead_socket();
    after_disconnect();
    two_sftps();
    stale_handles();
}
