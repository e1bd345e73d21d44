/* Lengths that callers claim: what no server takes is refused before a byte of it is read, and what is wanted in return
 * may be as large as a number can say. */
#include "testd.h"

#include <limits.h>
#include <stdlib.h>

#define OUT LIBSSH2_ERROR_OUT_OF_BOUNDARY

/* The original copies all of it, or sends it. */
static void refused(struct conn *c, long long rc, const char *what)
{
    is_number(rc, OUT, what);
    ok(has_words(c, OUT), "%s: last error", what);
}

static void refused_pointer(struct conn *c, const void *pointer, const char *what)
{
    ok(!pointer, "%s: NULL", what);
    ok(has_words(c, OUT), "%s: last error %s", what, error_name(libssh2_session_last_errno(c->session)));
}

static void logins(void)
{
    struct conn *c = testd("--ask Name=bob");
    LIBSSH2_SESSION *s = c->session;
    const unsigned more = UINT_MAX;
    conn_handshake(c);
    refused_pointer(c, CALLP(c, libssh2_userauth_list(s, "x", more)), "a user to be listed");
    refused(c, CALL(c, libssh2_userauth_password_ex(s, "x", more, "y", 1, NULL)), "a user with a password");
    refused(c, CALL(c, libssh2_userauth_password_ex(s, "x", 1, "y", more, NULL)), "a password");
    refused(c, CALL(c, libssh2_userauth_keyboard_interactive_ex(s, "x", more, NULL)), "a user to be asked");
    refused(c, CALL(c, libssh2_userauth_publickey_fromfile_ex(s, "x", more, NULL,
                                                              key_path("user_ed25519.openssh"), NULL)),
            "a user with a key file");
    refused(c, CALL(c, libssh2_userauth_publickey_frommemory(s, "x", SIZE_MAX, NULL, 0, "key", 3, NULL)),
            "a user with a key in memory");
    refused(c, CALL(c, libssh2_userauth_publickey_frommemory(s, "x", 1, NULL, 0, "key", SIZE_MAX, NULL)),
            "a key in memory");
    refused(c, CALL(c, libssh2_userauth_hostbased_fromfile_ex(s, "x", more, NULL, key_path("host_ed25519"), NULL,
                                                              "h", 1, "u", 1)),
            "a user of a host");
    testd_login(c);
    conn_drop(c);
}

static void channels(struct conn *c)
{
    const unsigned more = UINT_MAX;
    size_t size = 300 * 1024;
    char *long_text = malloc(size + 1);
    memset(long_text, 'x', size);
    long_text[size] = '\0';
    refused_pointer(c, CALLP(c, libssh2_channel_open_ex(c->session, "x", more, 1000, 1000, NULL, 0)),
                    "a type of channel");
    refused_pointer(c, CALLP(c, libssh2_channel_open_ex(c->session, "session", 7, 1000, 1000, "x", more)),
                    "what goes with it");
    refused_pointer(c, CALLP(c, libssh2_channel_direct_tcpip(c->session, long_text, 22)), "a host to connect to");
    refused_pointer(c, CALLP(c, libssh2_channel_forward_listen_ex(c->session, long_text, 0, NULL, 1)),
                    "a host to listen on");
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    refused(c, CALL(c, libssh2_channel_setenv_ex(channel, "x", more, "y", 1)), "a variable");
    refused(c, CALL(c, libssh2_channel_setenv_ex(channel, "x", 1, "y", more)), "its value");
    refused(c, CALL(c, libssh2_channel_request_pty_ex(channel, "x", more, NULL, 0, 80, 24, 0, 0)), "a terminal");
    refused(c, CALL(c, libssh2_channel_process_startup(channel, "exec", 4, "x", more)), "a command");
    refused(c, CALL(c, libssh2_channel_exec(channel, long_text)), "a command that is there");
    refused(c, CALL(c, libssh2_channel_signal_ex(channel, "x", SIZE_MAX)), "a signal");
    refused(c, CALL(c, libssh2_channel_read(channel, long_text, SIZE_MAX)), "a buffer to read into");
    refused(c, CALL(c, libssh2_channel_write(channel, long_text, SIZE_MAX)), "a buffer to write");
    refused_pointer(c, CALLP(c, libssh2_scp_recv2(c->session, long_text, NULL)), "a path for SCP");
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "the channel lives on");
    free(long_text);
}

static void paths(struct conn *c)
{
    LIBSSH2_SFTP_ATTRIBUTES a = { 0 };
    char target[100];
    const unsigned more = UINT_MAX;
    LIBSSH2_SFTP *sftp = c->sftp;
    refused_pointer(c, CALLP(c, libssh2_sftp_open_ex(sftp, "x", more, LIBSSH2_FXF_READ, 0, LIBSSH2_SFTP_OPENFILE)),
                    "a file");
    refused_pointer(c, CALLP(c, libssh2_sftp_open_ex(sftp, "x", more, 0, 0, LIBSSH2_SFTP_OPENDIR)), "a directory");
    refused(c, CALL(c, libssh2_sftp_unlink_ex(sftp, "x", more)), "unlink");
    refused(c, CALL(c, libssh2_sftp_rename_ex(sftp, "x", more, "y", 1, 0)), "rename from");
    refused(c, CALL(c, libssh2_sftp_rename_ex(sftp, "x", 1, "y", more, 0)), "rename to");
    refused(c, CALL(c, libssh2_sftp_posix_rename_ex(sftp, "x", SIZE_MAX, "y", 1)), "posix_rename");
    refused(c, CALL(c, libssh2_sftp_mkdir_ex(sftp, "x", more, 0755)), "mkdir");
    refused(c, CALL(c, libssh2_sftp_rmdir_ex(sftp, "x", more)), "rmdir");
    refused(c, CALL(c, libssh2_sftp_stat_ex(sftp, "x", more, LIBSSH2_SFTP_STAT, &a)), "stat");
    refused(c, CALL(c, libssh2_sftp_stat_ex(sftp, "x", more, LIBSSH2_SFTP_SETSTAT, &a)), "setstat");
    refused(c, CALL(c, libssh2_sftp_symlink_ex(sftp, "x", more, target, sizeof(target), LIBSSH2_SFTP_READLINK)),
            "readlink");
    refused(c, CALL(c, libssh2_sftp_symlink_ex(sftp, "x", 1, target, more, LIBSSH2_SFTP_SYMLINK)), "symlink");
}

static void files(struct conn *c)
{
    char buffer[100];
    LIBSSH2_SFTP_ATTRIBUTES a;
    write_whole(temp_path("root/five"), "12345", 5);
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, "/five", LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE, 0));
    refused(c, CALL(c, libssh2_sftp_read(file, buffer, SIZE_MAX)), "a buffer to read into");
    refused(c, CALL(c, libssh2_sftp_write(file, buffer, SIZE_MAX)), "a buffer to write");
    is_number(CALL(c, libssh2_sftp_read(file, buffer, sizeof(buffer))), 5, "the file lives on");
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "and is closed");
    LIBSSH2_SFTP_HANDLE *directory = CALLP(c, libssh2_sftp_opendir(c->sftp, "/"));
    refused(c, CALL(c, libssh2_sftp_readdir_ex(directory, buffer, SIZE_MAX, NULL, 0, &a)), "a buffer for a name");
    ok(CALL(c, libssh2_sftp_readdir(directory, buffer, sizeof(buffer), &a)) > 0, "the directory lives on");
    is_number(CALL(c, libssh2_sftp_closedir(directory)), 0, "and is closed");
}

/* Nothing of these goes to a server. */
static void texts(struct conn *c)
{
    size_t size = 5 * 1024 * 1024;
    char *long_text = malloc(size + 1);
    memset(long_text, 'A', size);
    long_text[size] = '\0';
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
    refused(c, libssh2_knownhost_readline(hosts, "x", SIZE_MAX, LIBSSH2_KNOWNHOST_FILE_OPENSSH), "a line");
    ok(libssh2_knownhost_readline(hosts, long_text, size, LIBSSH2_KNOWNHOST_FILE_OPENSSH) < 0, "a long line");
    libssh2_knownhost_free(hosts);
    refused(c, libssh2_session_banner_set(c->session, long_text), "an identification");
    is_number(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX, long_text),
              LIBSSH2_ERROR_METHOD_NOT_SUPPORTED, "a method of 5 MiB");
    libssh2_session_set_last_error(c->session, -5, long_text);
    char *told = NULL;
    int length = 0;
    is_number(libssh2_session_last_error(c->session, &told, &length, 0), -5, "an error of 5 MiB");
    is_number(length, (long long)size, "is told whole");
    /* Its own text may be given back to it. */
    libssh2_session_set_last_error(c->session, -6, told + size - 10);
    is_number(libssh2_session_last_error(c->session, &told, &length, 0), -6, "part of the last error");
    ok(length == 10 && strcmp(told, "AAAAAAAAAA") == 0, "is the next one");
    libssh2_session_set_last_error(c->session, -7, told + 2);
    libssh2_session_last_error(c->session, &told, &length, 0);
    ok(length == 8 && strcmp(told, "AAAAAAAA") == 0, "and a part of that as well");
    free(long_text);
}

void test(void)
{
    if(!ours) {
        skip("the original believes its callers");
        return;
    }
    logins();
    struct conn *c = testd("--limit 100000");
    texts(c);
    conn_handshake(c);
    testd_login(c);
    conn_sftp(c);
    paths(c);
    files(c);
    channels(c);
    is_number(CALL(c, libssh2_sftp_mkdir(c->sftp, "/still", 0755)), 0, "the session lives on");
    conn_drop(c);
}
