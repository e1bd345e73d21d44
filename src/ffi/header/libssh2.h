#define LIBSSH2_COPYRIGHT "The libssh2-rs authors"

/* The interface's version: libssh2's, not this library's own, which libssh2_build_options() tells. */
#define LIBSSH2_VERSION "1.11.2"
#define LIBSSH2_VERSION_MAJOR 1
#define LIBSSH2_VERSION_MINOR 11
#define LIBSSH2_VERSION_PATCH 2
/* One byte for each part, so that a later version is a larger number. */
#define LIBSSH2_VERSION_NUM 0x010b02
/* When this version of the interface was fixed. */
#define LIBSSH2_TIMESTAMP "Mon Nov 23 00:00:00 UTC 2026"

/* A resource compiler wants the version only. */
#ifndef RC_INVOKED

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

/* What a program may define before including this:
   LIBSSH2_API                  what to put before each declaration of a function
   LIBSSH2_NO_DEPRECATED        do not declare what has been retired
   LIBSSH2_DISABLE_DEPRECATION  declare it, but let the compiler be silent about its use */
#ifndef LIBSSH2_API
#define LIBSSH2_API
#endif

#ifndef LIBSSH2_DEPRECATED
#if defined(__GNUC__) && !defined(LIBSSH2_DISABLE_DEPRECATION) && !defined(LIBSSH2_LIBRARY)
#define LIBSSH2_DEPRECATED(version, message) \
    __attribute__((deprecated("retired in libssh2 " #version ": " message)))
#else
#define LIBSSH2_DEPRECATED(version, message)
#endif
#endif

/* Sockets. LIBSSH2_SOCKET_CLOSE needs <unistd.h>. */
typedef int libssh2_socket_t;
#define LIBSSH2_INVALID_SOCKET (-1)
#define LIBSSH2_SOCKET_CLOSE(s) close(s)

/* What scp tells of a file, the type of its size, and how printf() writes that. */
typedef struct stat libssh2_struct_stat;
typedef off_t libssh2_struct_stat_size;
#define LIBSSH2_STRUCT_STAT_SIZE_FORMAT "%zd"

/* A function of any type, for libssh2_session_callback_set2(). */
typedef void(libssh2_cb_generic)(void);

/* The line by which this library names itself to a server. */
#define LIBSSH2_SSH_BANNER "SSH-2.0-libssh2_" LIBSSH2_VERSION
#define LIBSSH2_SSH_DEFAULT_BANNER LIBSSH2_SSH_BANNER
#define LIBSSH2_SSH_DEFAULT_BANNER_WITH_CRLF LIBSSH2_SSH_DEFAULT_BANNER "\r\n"

/* What a program can test for at compile time. */
#define HAVE_LIBSSH2_SESSION_BLOCK_DIRECTION
#define HAVE_LIBSSH2_VERSION_API 0x010100
#define HAVE_LIBSSH2_KNOWNHOST_API 0x010101
#define HAVE_LIBSSH2_AGENT_API 0x010202
#define HAVE_LIBSSH2_CRYPTOENGINE_API 0x011100

/* Shorter forms of the functions below. Those that take a text by itself measure it with strlen(), so they evaluate
   that argument twice. */

/* A session that uses malloc(), free() and realloc(). */
#define libssh2_session_init() libssh2_session_init_ex(NULL, NULL, NULL, NULL)

/* Says goodbye for the program's own reasons. */
#define libssh2_session_disconnect(session, description) \
    libssh2_session_disconnect_ex((session), SSH_DISCONNECT_BY_APPLICATION, (description), "")

/* Authentication with names and passwords that are terminated texts. */
#define libssh2_userauth_password(session, username, password) \
    libssh2_userauth_password_ex((session), \
                                 (username), (unsigned int)strlen(username), \
                                 (password), (unsigned int)strlen(password), \
                                 NULL)
#define libssh2_userauth_publickey_fromfile(session, username, publickey, privatekey, passphrase) \
    libssh2_userauth_publickey_fromfile_ex((session), \
                                           (username), (unsigned int)strlen(username), \
                                           (publickey), (privatekey), (passphrase))
#define libssh2_userauth_hostbased_fromfile(session, username, publickey, privatekey, \
                                            passphrase, hostname) \
    libssh2_userauth_hostbased_fromfile_ex((session), \
                                           (username), (unsigned int)strlen(username), \
                                           (publickey), (privatekey), (passphrase), \
                                           (hostname), (unsigned int)strlen(hostname), \
                                           (username), (unsigned int)strlen(username))
#define libssh2_userauth_keyboard_interactive(session, username, response_callback) \
    libssh2_userauth_keyboard_interactive_ex((session), \
                                             (username), (unsigned int)strlen(username), \
                                             (response_callback))

/* A channel for a shell, a command or a subsystem. */
#define libssh2_channel_open_session(session) \
    libssh2_channel_open_ex((session), "session", 7, \
                            LIBSSH2_CHANNEL_WINDOW_DEFAULT, LIBSSH2_CHANNEL_PACKET_DEFAULT, \
                            NULL, 0)
/* A connection that the server makes to a host and port, said to come from 127.0.0.1 port 22. */
#define libssh2_channel_direct_tcpip(session, host, port) \
    libssh2_channel_direct_tcpip_ex((session), (host), (port), "127.0.0.1", 22)
/* A port on the server's side, on all its IPv4 addresses, with up to 16 connections waiting. */
#define libssh2_channel_forward_listen(session, port) \
    libssh2_channel_forward_listen_ex((session), NULL, (port), NULL, 16)

/* What a channel is asked before it is put to use. */
#define libssh2_channel_setenv(channel, name, value) \
    libssh2_channel_setenv_ex((channel), \
                              (name), (unsigned int)strlen(name), \
                              (value), (unsigned int)strlen(value))
#define libssh2_channel_request_pty(channel, terminal) \
    libssh2_channel_request_pty_ex((channel), \
                                   (terminal), (unsigned int)strlen(terminal), NULL, 0, \
                                   LIBSSH2_TERM_WIDTH, LIBSSH2_TERM_HEIGHT, \
                                   LIBSSH2_TERM_WIDTH_PX, LIBSSH2_TERM_HEIGHT_PX)
#define libssh2_channel_request_pty_size(channel, width, height) \
    libssh2_channel_request_pty_size_ex((channel), (width), (height), 0, 0)
#define libssh2_channel_x11_req(channel, screen) \
    libssh2_channel_x11_req_ex((channel), 0, NULL, NULL, (screen))
#define libssh2_channel_signal(channel, name) \
    libssh2_channel_signal_ex((channel), (name), strlen(name))

/* Puts a channel to its one use. */
#define libssh2_channel_shell(channel) \
    libssh2_channel_process_startup((channel), "shell", 5, NULL, 0)
#define libssh2_channel_exec(channel, command) \
    libssh2_channel_process_startup((channel), "exec", 4, \
                                    (command), (unsigned int)strlen(command))
#define libssh2_channel_subsystem(channel, name) \
    libssh2_channel_process_startup((channel), "subsystem", 9, \
                                    (name), (unsigned int)strlen(name))

/* Standard output and input, and the stream beside them. */
#define libssh2_channel_read(channel, buffer, length) \
    libssh2_channel_read_ex((channel), 0, (buffer), (length))
#define libssh2_channel_read_stderr(channel, buffer, length) \
    libssh2_channel_read_ex((channel), SSH_EXTENDED_DATA_STDERR, (buffer), (length))
#define libssh2_channel_write(channel, buffer, length) \
    libssh2_channel_write_ex((channel), 0, (buffer), (length))
#define libssh2_channel_write_stderr(channel, buffer, length) \
    libssh2_channel_write_ex((channel), SSH_EXTENDED_DATA_STDERR, (buffer), (length))
#define libssh2_channel_flush(channel) libssh2_channel_flush_ex((channel), 0)
#define libssh2_channel_flush_stderr(channel) \
    libssh2_channel_flush_ex((channel), SSH_EXTENDED_DATA_STDERR)

/* What is left of a channel's windows, in bytes. */
#define libssh2_channel_window_read(channel) libssh2_channel_window_read_ex((channel), NULL, NULL)
#define libssh2_channel_window_write(channel) libssh2_channel_window_write_ex((channel), NULL)

#ifndef LIBSSH2_NO_DEPRECATED
#define libssh2_channel_ignore_extended_data(channel, ignore) \
    libssh2_channel_handle_extended_data((channel), \
                                         (ignore) ? LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE \
                                                  : LIBSSH2_CHANNEL_EXTENDED_DATA_NORMAL)
#define libssh2_scp_send(session, path, mode, size) \
    libssh2_scp_send_ex((session), (path), (mode), (size), 0, 0)
#endif
