/* Commands on channels: what they get, what they say, how they end. */
#include "harness.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conn *c;

static LIBSSH2_CHANNEL *open_channel(void)
{
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel)
        bail("no channel: %s", error_name(libssh2_session_last_errno(c->session)));
    return channel;
}

static LIBSSH2_CHANNEL *start(const char *command)
{
    LIBSSH2_CHANNEL *channel = open_channel();
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, command)), "exec %s", command);
    return channel;
}

/* Reads a stream to its end; traces what it said. */
static void read_all(LIBSSH2_CHANNEL *channel, int stream)
{
    char text[4096];
    size_t size = 0;
    ssize_t got;
    do {
        got = CALL(c, libssh2_channel_read_ex(channel, stream, text + size,
                                              sizeof(text) - 1 - size));
        if(got > 0)
            size += (size_t)got;
    } while(got > 0);
    text[size] = 0;
    for(char *end = text; (end = strchr(end, '\n'));)
        *end = '/';
    trace("stream %d: \"%s\", then %s", stream, text, error_name(got));
}

static void trace_end(LIBSSH2_CHANNEL *channel)
{
    char *signal_name = (char *)"?", *message = (char *)"?", *language = (char *)"?";
    size_t signal_len = 7, message_len = 7, language_len = 7;
    int rc = libssh2_channel_get_exit_signal(channel, &signal_name, &signal_len, &message,
                                             &message_len, &language, &language_len);
    trace("exit status %d (%d), get_exit_signal = %d: %s, %zu, %d %zu %d %zu",
          libssh2_channel_get_exit_status(channel), libssh2_channel_has_exit_status(channel), rc,
          signal_name ? signal_name : "NULL", signal_len, message == NULL, message_len,
          language == NULL, language_len);
    libssh2_free(c->session, signal_name);
}

/* The order that most programs have. */
static void end(LIBSSH2_CHANNEL *channel)
{
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close");
    trace_rc(c, CALL(c, libssh2_channel_wait_closed(channel)), "wait_closed");
    trace_end(channel);
    trace_rc(c, CALL(c, libssh2_channel_close(channel)), "close again");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
}

static void endings(void)
{
    static const char *const commands[] = {
        "echo out; echo err >&2", "exit 0", "exit 7", "exit 255", "true", "kill -KILL $$",
        "kill -TERM $$", "/no/such/program", "printf ''", "",
    };
    for(size_t i = 0; i < COUNT(commands); i++) {
        LIBSSH2_CHANNEL *channel = start(commands[i]);
        read_all(channel, 0);
        if(i != 7) /* a shell's complaint is its own */
            read_all(channel, SSH_EXTENDED_DATA_STDERR);
        trace("eof = %d", libssh2_channel_eof(channel));
        end(channel);
    }
}

static void startup_once(void)
{
    char text[8];
    LIBSSH2_CHANNEL *channel = start("echo once");
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, "echo twice")), "exec again");
    trace_rc(c, CALL(c, libssh2_channel_shell(channel)), "shell as well");
    read_all(channel, 0);
    trace_rc(c, CALL(c, libssh2_channel_read(channel, text, sizeof(text))), "read behind the end");
    end(channel);

    channel = open_channel();
    trace_rc(c, CALL(c, libssh2_channel_subsystem(channel, "no-such-subsystem")), "subsystem");
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, "echo")), "exec after a refusal");
    trace_end(channel);
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");

    channel = open_channel();
    trace_rc(c, CALL(c, libssh2_channel_subsystem(channel, "shout")), "own subsystem");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "some words\n", 11)), "write");
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    read_all(channel, 0);
    end(channel);
}

static void a_shell(void)
{
    static const char script[] = "echo in the shell; echo complaint >&2; exit 3\n";
    LIBSSH2_CHANNEL *channel = open_channel();
    trace_rc(c, CALL(c, libssh2_channel_shell(channel)), "shell");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, script, sizeof(script) - 1)), "write");
    read_all(channel, 0);
    read_all(channel, 1);
    end(channel);
}

/* Without a mounted devpts no server can give a terminal. sshd wants it to belong to the group tty, and can see to that
 * as root alone where the mount does not. */
static bool has_terminals(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    int slave = -1;
    struct group *tty = getgrnam("tty");
    struct stat its;
    if(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
        slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    bool usable = slave >= 0 && fstat(slave, &its) == 0 &&
                  (!tty || its.st_gid == tty->gr_gid || getuid() == 0);
    close(slave);
    close(master);
    return usable;
}

static void environment_and_terminal(void)
{
    char modes[300];
    LIBSSH2_CHANNEL *channel = open_channel();
    trace_rc(c, CALL(c, libssh2_channel_setenv(channel, "LANG_TEST", "a value")), "setenv");
    trace_rc(c, CALL(c, libssh2_channel_setenv(channel, "LANG_EMPTY", "")), "setenv empty");
    trace_rc(c, CALL(c, libssh2_channel_setenv_ex(channel, "LANG_NULL", 9, NULL, 0)),
             "setenv NULL");
    trace_rc(c, CALL(c, libssh2_channel_setenv(channel, "FORBIDDEN", "x")), "setenv forbidden");
    trace_rc(c, CALL(c, libssh2_channel_exec(channel,
                                             "echo \"$LANG_TEST,${LANG_EMPTY-unset},"
                                             "${LANG_NULL-unset},${FORBIDDEN-unset}\"")),
             "exec");
    read_all(channel, 0);
    end(channel);

    memset(modes, 0, sizeof(modes));
    channel = open_channel();
    trace_rc(c, CALL(c, libssh2_channel_request_pty_ex(channel, "vt100", 5, modes, 252, 80, 24, 0,
                                                       0)),
             "pty with too long modes");
    trace_rc(c, CALL(c, libssh2_channel_request_pty_ex(channel, "vt100", 5, modes, 1, 132, 50, 0,
                                                       0)),
             "pty");
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, "echo $TERM; stty size; read line;"
                                                      "stty size; exit 5")),
             "exec");
    char first[64];
    size_t size = 0;
    while(size < 15) { /* "vt100\r\n50 132\r\n" */
        ssize_t got = CALL(c, libssh2_channel_read(channel, first + size, sizeof(first) - size));
        if(got <= 0)
            bail("no answer from the terminal");
        size += (size_t)got;
    }
    ok(memcmp(first, "vt100\r\n50 132\r\n", 15) == 0, "the terminal is as asked for");
    trace_rc(c, CALL(c, libssh2_channel_request_pty_size(channel, 70, 20)), "pty_size");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "\n", 1)), "write");
    read_all(channel, 0);
    end(channel);
}

/* Whether the signal arrives is up to the server: OpenSSH's passes none on to root's commands. */
static void signals(void)
{
    char word[6];
    LIBSSH2_CHANNEL *channel = start("echo ready; exec cat");
    trace_rc(c, CALL(c, libssh2_channel_read(channel, word, sizeof(word))), "read");
    trace_rc(c, CALL(c, libssh2_channel_signal(channel, "WINCH")), "signal");
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    read_all(channel, 0);
    end(channel);
}

static void stderr_modes(void)
{
    static const char *const command = "echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three;"
                                       "sleep 0.2; echo four >&2";
    static const int modes[] = { LIBSSH2_CHANNEL_EXTENDED_DATA_NORMAL,
                                 LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE,
                                 LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE, 17 };
    for(size_t i = 0; i < COUNT(modes); i++) {
        LIBSSH2_CHANNEL *channel = open_channel();
        trace_rc(c, CALL(c, libssh2_channel_handle_extended_data2(channel, modes[i])),
                 "handle_extended_data2 %d", modes[i]);
        CALL(c, libssh2_channel_exec(channel, command));
        if(i == 3)
            read_all(channel, 1);
        read_all(channel, 0);
        read_all(channel, 1);
        end(channel);
    }

    /* Switched when all of it has arrived. */
    for(int mode = 0; mode < 3; mode++) {
        LIBSSH2_CHANNEL *channel = start(command);
        trace_rc(c, CALL(c, libssh2_channel_wait_eof(channel)), "wait_eof");
        unsigned long queued = 0, initial = 0;
        libssh2_channel_window_read_ex(channel, &queued, &initial);
        trace("%lu queued, window at first %lu", queued, initial);
        trace("eof = %d, poll_channel_read = %d %d", libssh2_channel_eof(channel),
              libssh2_poll_channel_read(channel, 0), libssh2_poll_channel_read(channel, 1));
        libssh2_channel_handle_extended_data(channel, mode);
        libssh2_channel_window_read_ex(channel, &queued, &initial);
        trace("%lu queued", queued);
        read_all(channel, 0);
        trace("eof = %d", libssh2_channel_eof(channel));
        read_all(channel, 1);
        end(channel);
    }

    static const int flushes[] = { 0, 1, LIBSSH2_CHANNEL_FLUSH_EXTENDED_DATA,
                                   LIBSSH2_CHANNEL_FLUSH_ALL };
    for(size_t i = 0; i < COUNT(flushes); i++) {
        LIBSSH2_CHANNEL *channel = start(command);
        trace_rc(c, CALL(c, libssh2_channel_wait_eof(channel)), "wait_eof");
        trace("flush_ex %d = %d", flushes[i], CALL(c, libssh2_channel_flush_ex(channel, flushes[i])));
        trace("poll_channel_read = %d %d", libssh2_poll_channel_read(channel, 0),
              libssh2_poll_channel_read(channel, 1));
        read_all(channel, 0);
        read_all(channel, 1);
        end(channel);
    }
}

static void bad_arguments(void)
{
    size_t size = 1;
    trace("open_ex of NULL = %d", libssh2_channel_open_ex(NULL, "session", 7, 1, 1, NULL, 0) != NULL);
    trace("exec = %s", error_name(libssh2_channel_process_startup(NULL, "exec", 4, "x", 1)));
    trace("setenv = %s", error_name(libssh2_channel_setenv_ex(NULL, "a", 1, "b", 1)));
    trace("pty = %s", error_name(libssh2_channel_request_pty(NULL, "x")));
    trace("pty_size = %s", error_name(libssh2_channel_request_pty_size(NULL, 1, 1)));
    trace("x11 = %s", error_name(libssh2_channel_x11_req(NULL, 0)));
    trace("agent = %s", error_name(libssh2_channel_request_auth_agent(NULL)));
    trace("signal = %s", error_name(libssh2_channel_signal(NULL, "TERM")));
    trace("read = %s", error_name(libssh2_channel_read(NULL, NULL, 1)));
    trace("write = %s", error_name(libssh2_channel_write(NULL, NULL, 1)));
    trace("windows = %lu %lu", libssh2_channel_window_read(NULL), libssh2_channel_window_write(NULL));
    trace("adjust2 = %s", error_name(libssh2_channel_receive_window_adjust2(NULL, 1, 1, NULL)));
    trace("flush = %s", error_name(libssh2_channel_flush(NULL)));
    trace("modes = %s", error_name(libssh2_channel_handle_extended_data2(NULL, 1)));
    trace("exit = %d %d %d", libssh2_channel_get_exit_status(NULL),
          libssh2_channel_has_exit_status(NULL),
          libssh2_channel_get_exit_signal(NULL, NULL, &size, NULL, NULL, NULL, NULL));
    trace("size %zu", size);
    trace("ends = %s", error_name(libssh2_channel_send_eof(NULL)));
    trace("eof = %s", error_name(libssh2_channel_eof(NULL)));
    trace("wait_eof = %s", error_name(libssh2_channel_wait_eof(NULL)));
    trace("close = %s", error_name(libssh2_channel_close(NULL)));
    trace("wait_closed = %s", error_name(libssh2_channel_wait_closed(NULL)));
    trace("free = %s", error_name(libssh2_channel_free(NULL)));
    libssh2_channel_set_blocking(NULL, 1);
    libssh2_channel_handle_extended_data(NULL, 1);
}

static void refusals(void)
{
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_ex(c->session, "no-such-type", 12,
                                                                1000, 1000, NULL, 0));
    trace_pointer(c, channel, "open_ex of an unknown type");
    struct conn *fresh = conn_new();
    if(ours) {
        channel = libssh2_channel_open_session(fresh->session);
        ok(!channel && libssh2_session_last_errno(fresh->session) == LIBSSH2_ERROR_SOCKET_SEND,
           "no channel before the handshake");
    }
    conn_drop(fresh);
}

void test(void)
{
    server_config("AcceptEnv LANG_*\nSubsystem shout exec tr a-z A-Z");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    endings();
    startup_once();
    a_shell();
    if(has_terminals())
        environment_and_terminal();
    else
        skip("this system has no terminals");
    signals();
    stderr_modes();
    bad_arguments();
    refusals();
    conn_close(c);
}
