/* What callers get wrong: no handle, no buffer, impossible values, calls at the wrong time.
 * Where the original would crash only ours is asked. */
#include "harness.h"

#include <stdlib.h>

static struct conn *c;

/* Each call, and what it must give; negative numbers by name, pointers as 0 for NULL. */
#define GIVES(want, call)                                                                          \
    do {                                                                                           \
        long long got = (long long)(call);                                                         \
        trace("%s = %s", #call, error_name(got));                                                  \
        if(got != (want))                                                                          \
            ok(false, "%s gave %s", #call, error_name(got));                                       \
    } while(0)
#define BAD LIBSSH2_ERROR_BAD_USE

static void no_session(void)
{
    int number = 7;
    size_t size = 7;
    char *text = (char *)"untouched";
    const char **names = NULL;
    GIVES(0, libssh2_session_abstract(NULL));
    GIVES(0, libssh2_session_callback_set2(NULL, LIBSSH2_CALLBACK_IGNORE, NULL));
    GIVES(BAD, libssh2_session_banner_set(NULL, "SSH-2.0-x"));
    GIVES(0, libssh2_session_banner_get(NULL));
    GIVES(BAD, libssh2_session_handshake(NULL, 0));
    GIVES(BAD, libssh2_session_disconnect_ex(NULL, 11, "", ""));
    GIVES(BAD, libssh2_session_free(NULL));
    GIVES(BAD, libssh2_session_flag(NULL, LIBSSH2_FLAG_SIGPIPE, 1));
    GIVES(0, libssh2_session_get_blocking(NULL));
    GIVES(BAD, libssh2_session_last_errno(NULL));
    GIVES(BAD, libssh2_session_last_error(NULL, &text, &number, 0));
    ok(number == 7 && strcmp(text, "untouched") == 0, "last_error left the places alone");
    GIVES(-1, libssh2_session_set_last_error(NULL, -1, "x"));
    GIVES(BAD, libssh2_session_method_pref(NULL, LIBSSH2_METHOD_KEX, "curve25519-sha256"));
    GIVES(0, libssh2_session_methods(NULL, LIBSSH2_METHOD_KEX));
    GIVES(BAD, libssh2_session_supported_algs(NULL, LIBSSH2_METHOD_KEX, &names));
    GIVES(0, libssh2_session_hostkey(NULL, &size, &number));
    ok(!ours || size == 0, "no host key has no length");
    GIVES(0, libssh2_hostkey_hash(NULL, LIBSSH2_HOSTKEY_HASH_SHA256));
    GIVES(0, libssh2_session_get_timeout(NULL));
    GIVES(0, libssh2_session_block_directions(NULL));
    GIVES(BAD, libssh2_keepalive_send(NULL, &number));
    libssh2_session_set_blocking(NULL, 1);
    libssh2_session_set_timeout(NULL, 1);
    libssh2_session_set_read_timeout(NULL, 1);
    libssh2_keepalive_config(NULL, 1, 1);
}

static void no_session_to_log_in(void)
{
    char *banner = NULL;
    GIVES(0, libssh2_userauth_list(NULL, "x", 1));
    GIVES(BAD, libssh2_userauth_banner(NULL, &banner));
    GIVES(0, libssh2_userauth_authenticated(NULL));
    GIVES(BAD, libssh2_userauth_password(NULL, "x", "y"));
    GIVES(BAD, libssh2_userauth_publickey_fromfile(NULL, "x", NULL, "file", NULL));
    GIVES(BAD, libssh2_userauth_publickey_frommemory(NULL, "x", 1, NULL, 0, "key", 3, NULL));
}

static void no_sftp(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    char buffer[10];
    GIVES(0, libssh2_sftp_init(NULL));
    GIVES(BAD, libssh2_sftp_shutdown(NULL));
    GIVES(0, libssh2_sftp_last_error(NULL));
    GIVES(0, libssh2_sftp_get_channel(NULL));
    GIVES(0, libssh2_sftp_open(NULL, "x", LIBSSH2_FXF_READ, 0));
    GIVES(0, libssh2_sftp_opendir(NULL, "x"));
    GIVES(BAD, libssh2_sftp_rename(NULL, "x", "y"));
    GIVES(BAD, libssh2_sftp_posix_rename(NULL, "x", "y"));
    GIVES(BAD, libssh2_sftp_unlink(NULL, "x"));
    GIVES(BAD, libssh2_sftp_mkdir(NULL, "x", 0700));
    GIVES(BAD, libssh2_sftp_rmdir(NULL, "x"));
    GIVES(BAD, libssh2_sftp_stat(NULL, "x", &a));
    GIVES(BAD, libssh2_sftp_symlink(NULL, "x", buffer));
    GIVES(BAD, libssh2_sftp_realpath(NULL, "x", buffer, sizeof(buffer)));
}

static void no_handle(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    char buffer[10];
    GIVES(BAD, libssh2_sftp_read(NULL, buffer, sizeof(buffer)));
    GIVES(BAD, libssh2_sftp_write(NULL, buffer, sizeof(buffer)));
    GIVES(BAD, libssh2_sftp_write(NULL, NULL, 0));
    GIVES(BAD, libssh2_sftp_readdir(NULL, buffer, sizeof(buffer), &a));
    GIVES(BAD, libssh2_sftp_fsync(NULL));
    GIVES(BAD, libssh2_sftp_fstat(NULL, &a));
    GIVES(BAD, libssh2_sftp_close(NULL));
    GIVES(0, libssh2_sftp_tell64(NULL));
    GIVES(0, libssh2_sftp_tell(NULL));
    libssh2_sftp_seek64(NULL, 5);
    libssh2_sftp_seek(NULL, 5);
}

/* A session that has not been connected, or is not logged in. */
static void too_early(void)
{
    const char *key = key_path("user_ed25519.openssh");
    LIBSSH2_SESSION *session = libssh2_session_init();
    libssh2_session_set_blocking(session, !nonblocking);
    GIVES(0, libssh2_sftp_init(session));
    trace("sftp_init: %s", error_name(libssh2_session_last_errno(session)));
    if(ours) { /* the original would write to descriptor 0 */
        int rc = libssh2_userauth_password(session, "x", "y");
        ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "password before the handshake: %s",
           error_name(rc));
        rc = libssh2_userauth_publickey_fromfile(session, "x", NULL, key, NULL);
        ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN, "key before the handshake: %s", error_name(rc));
        ok(!libssh2_userauth_list(session, "x", 1), "userauth_list before the handshake");
        rc = libssh2_session_disconnect(session, "never connected");
        ok(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN, "disconnect before the handshake: %s",
           error_name(rc));
    }
    GIVES(0, libssh2_session_free(session));

    c = conn_new();
    conn_handshake(c);
    ok(!CALLP(c, libssh2_sftp_init(c->session)), "sftp_init before the login");
    trace("sftp_init before the login: %s", error_name(libssh2_session_last_errno(c->session)));
    conn_login(c);
    conn_sftp(c);
    conn_close(c);
}

static void no_key(void)
{
    const char *user = user_name();
    c = conn_new();
    conn_handshake(c);
    trace_rc(c, CALL(c, libssh2_userauth_publickey_frommemory(c->session, user, strlen(user), NULL,
                                                              0, NULL, 0, NULL)),
             "no key in memory");
    trace_rc(c, CALL(c, libssh2_userauth_publickey_fromfile(c->session, user, NULL, NULL, NULL)),
             "no key file");
    trace_rc(c, CALL(c, libssh2_userauth_publickey_fromfile(c->session, user, NULL, "", NULL)),
             "a key file without a name");
    conn_close(c);
}

/* Only ours: the original would follow the NULL. */
static void no_buffers(void)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    char buffer[10];
    if(!ours) {
        skip("the original crashes on these");
        return;
    }
    trace_off(true);
    libssh2_free(NULL, NULL);
    c = conn_ready();
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    LIBSSH2_SFTP_HANDLE *dir = CALLP(c, libssh2_sftp_opendir(c->sftp, temp_path("")));
    is_number(CALL(c, libssh2_sftp_write(file, NULL, 10)), BAD, "write from NULL");
    is_number(CALL(c, libssh2_sftp_read(file, NULL, 10)), BAD, "read into NULL");
    is_number(CALL(c, libssh2_sftp_readdir(dir, NULL, 10, &a)), BAD, "readdir into NULL");
    is_number(CALL(c, libssh2_sftp_fstat(file, NULL)), BAD, "fstat into NULL");
    is_number(CALL(c, libssh2_sftp_stat_ex(c->sftp, "/", 1, LIBSSH2_SFTP_STAT, NULL)), BAD,
              "stat into NULL");
    ok(!CALLP(c, libssh2_sftp_open_ex(c->sftp, NULL, 5, LIBSSH2_FXF_READ, 0, 0)), "open NULL");
    is_number(libssh2_session_last_errno(c->session), BAD, "open NULL");
    is_number(CALL(c, libssh2_sftp_unlink_ex(c->sftp, NULL, 5)), BAD, "unlink NULL");
    is_number(CALL(c, libssh2_sftp_mkdir_ex(c->sftp, NULL, 5, 0700)), BAD, "mkdir NULL");
    is_number(CALL(c, libssh2_sftp_rename_ex(c->sftp, "x", 1, NULL, 5, 0)), BAD, "rename to NULL");
    is_number(CALL(c, libssh2_sftp_realpath(c->sftp, "/", NULL, 10)), BAD, "realpath into NULL");
    is_number(CALL(c, libssh2_sftp_readdir(file, buffer, sizeof(buffer), &a)), BAD,
              "readdir of a file");
    is_number(CALL(c, libssh2_sftp_read(dir, buffer, sizeof(buffer))), BAD, "read of a directory");
    is_number(CALL(c, libssh2_sftp_write(dir, "x", 1)), BAD, "write to a directory");
    is_number(CALL(c, libssh2_userauth_password_ex(c->session, NULL, 5, "x", 1, NULL)), BAD,
              "user NULL");
    is_number(CALL(c, libssh2_sftp_write(file, "still there", 11)), 11, "the file can be written");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    is_number(CALL(c, libssh2_sftp_closedir(dir)), 0, "closedir");
    conn_close(c);
    trace_off(false);
}

void test(void)
{
    no_session();
    no_session_to_log_in();
    no_sftp();
    no_handle();
    too_early();
    no_key();
    no_buffers();
}
