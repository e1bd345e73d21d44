/* The server dies at the worst moments: each call ends, says so, and no reported byte is lost. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct conn *c;

/* Which of these it is depends on what the kernel had in its buffers. */
static void trace_lost(long long rc, const char *what)
{
    bool lost = rc == LIBSSH2_ERROR_SOCKET_SEND || rc == LIBSSH2_ERROR_SOCKET_RECV ||
                rc == LIBSSH2_ERROR_SOCKET_DISCONNECT;
    trace("%s: connection lost", what);
    ok(lost, "%s: %s", what, error_name(rc));
    if(ours && rc < 0)
        is_number(libssh2_session_last_errno(c->session), rc, "last_errno agrees");
}

static LIBSSH2_SFTP_HANDLE *create(const char *name)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    trace_pointer(c, file, "open %s", name);
    return file;
}

/* Uploads; after `until` bytes does what `kill_it` does, and goes on to the first error. */
static size_t upload(LIBSSH2_SFTP_HANDLE *file, const char *data, size_t total, size_t until,
                     void (*kill_it)(void), ssize_t *error)
{
    size_t done = 0;
    for(*error = 0; done < total;) {
        size_t count = total - done < 200000 ? total - done : 200000;
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + done, count));
        if(rc < 0) {
            *error = rc;
            break;
        }
        done += (size_t)rc;
        if(kill_it && done >= until) {
            kill_it();
            kill_it = NULL;
        }
    }
    return done;
}

static void kill_all(void)
{
    signal_tree(c->sshd, SIGKILL);
}

static void kill_sftp_server(void)
{
    pid_t server;
    if(find_descendants(c->sshd, "sftp-server", &server, 1) != 1)
        bail("sftp-server is not to be found");
    kill(server, SIGKILL);
}

static void stored(const char *name, const char *data, size_t done)
{
    size_t size;
    char *content = read_whole(temp_path(name), &size);
    ok(content && size >= done && memcmp(content, data, done) == 0,
       "the %zu bytes that were reported are in the file", done);
    free(content);
}

static void all_of_it(const char *data, size_t total)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    ssize_t error;
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file = create("killed");
    LIBSSH2_SFTP_HANDLE *other = create("other");
    size_t done = upload(file, data, total, total / 3, kill_all, &error);
    ok(done < total, "the upload does not get through");
    trace_lost(error, "write");
    trace_lost(CALL(c, libssh2_sftp_write(file, data + done, 1000)), "write again");
    trace_lost(CALL(c, libssh2_sftp_fsync(file)), "fsync");
    trace_lost(CALL(c, libssh2_sftp_stat(c->sftp, "/", &a)), "stat");
    ok(!CALLP(c, libssh2_sftp_opendir(c->sftp, "/")), "opendir fails");
    trace_lost(libssh2_session_last_errno(c->session), "opendir");
    trace("FX %s", fx_name(libssh2_sftp_last_error(c->sftp)));
    trace_lost(CALL(c, libssh2_sftp_close(file)), "close");
    trace_lost(CALL(c, libssh2_sftp_close(other)), "close of the other file");
    int rc = CALL(c, libssh2_sftp_shutdown(c->sftp));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "sftp_shutdown ends: %s", error_name(rc));
    rc = CALL(c, libssh2_session_disconnect(c->session, "it is dead"));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "session_disconnect ends: %s", error_name(rc));
    rc = CALL(c, libssh2_session_free(c->session));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "session_free ends: %s", error_name(rc));
    close(c->fd);
    free(c);
    stored("killed", data, done);
}

/* The process behind the subsystem dies, the connection lives: it can carry a new SFTP. */
static void sftp_server_alone(const char *data, size_t total)
{
    ssize_t error;
    server_config("Subsystem sftp /usr/lib/openssh/sftp-server");
    if(access("/usr/lib/openssh/sftp-server", X_OK) != 0) {
        skip("sftp-server is not where Debian has it");
        return;
    }
    c = conn_ready();
    libssh2_session_set_timeout(c->session, 10000);
    LIBSSH2_SFTP_HANDLE *file = create("orphan");
    size_t done = upload(file, data, total, total / 3, kill_sftp_server, &error);
    ok(done < total, "the upload does not get through");
    trace("write over a closed channel fails");
    ok(error < 0 && error != LIBSSH2_ERROR_EAGAIN && error != LIBSSH2_ERROR_TIMEOUT,
       "write: %s", error_name(error));
    int rc = CALL(c, libssh2_sftp_close(file));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN && rc != LIBSSH2_ERROR_TIMEOUT, "close ends: %s",
       error_name(rc));
    rc = CALL(c, libssh2_sftp_shutdown(c->sftp));
    ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "sftp_shutdown ends: %s", error_name(rc));
    stored("orphan", data, done);

    conn_sftp(c);
    file = create("second");
    done = upload(file, data, total, 0, NULL, &error);
    trace_sftp(c, error, "a new SFTP uploads");
    trace_sftp(c, CALL(c, libssh2_sftp_close(file)), "close");
    ok(file_is(temp_path("second"), data, total), "all of it");
    conn_close(c);
    server_config(NULL);
}

static void before_the_banner(void)
{
    c = conn_new();
    kill_all();
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    trace("handshake with the dead fails");
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "handshake: %s", error_name(rc));
    conn_drop(c);
}

static void after_the_handshake(void)
{
    c = conn_new();
    conn_handshake(c);
    kill_all();
    char *list = CALLP(c, libssh2_userauth_list(c->session, user_name(),
                                                (unsigned)strlen(user_name())));
    ok(!list, "userauth_list fails");
    int rc = CALL(c, libssh2_userauth_publickey_fromfile(
                         c->session, user_name(), NULL, key_path("user_ed25519.openssh"), NULL));
    trace_lost(rc, "login");
    conn_drop(c);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    kill_all();
    ok(!CALLP(c, libssh2_sftp_init(c->session)), "sftp_init fails");
    rc = libssh2_session_last_errno(c->session);
    trace("sftp_init with the dead fails");
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "sftp_init: %s", error_name(rc));
    conn_drop(c);
}

void test(void)
{
    const size_t total = 6 << 20;
    char *data = make_data(total, 8);
    all_of_it(data, total);
    sftp_server_alone(data, total);
    before_the_banner();
    after_the_handshake();
    free(data);
}
