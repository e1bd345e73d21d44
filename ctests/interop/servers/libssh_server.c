/* A server on libssh: libssh_server DIRECTORY, which has keys/. Prints its port. Each connection
 * has a process. */
#include "libssh_server.h"

#include <arpa/inet.h>
#include <libssh/callbacks.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER "libssh2"
#define PASSWORD "my test password"

static const char *directory;
static char known[1 << 16]; /* authorized_keys */

/* --- who is let in --- */

static bool is_known(ssh_key key)
{
    char *text = NULL;
    bool found = ssh_pki_export_pubkey_base64(key, &text) == SSH_OK && strstr(known, text);
    ssh_string_free_char(text);
    return found;
}

/* A key is asked after first, and then signs. */
static void key(ssh_message message, const char *user)
{
    bool partial = strcmp(user, USER "-partial") == 0;
    if(!is_known(ssh_message_auth_pubkey(message)))
        ssh_message_reply_default(message);
    else if(ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_NONE)
        ssh_message_auth_reply_pk_ok_simple(message);
    else if(ssh_message_auth_publickey_state(message) == SSH_PUBLICKEY_STATE_VALID)
        ssh_message_auth_reply_success(message, partial);
    else
        ssh_message_reply_default(message);
}

static bool answers(ssh_session session, const char *first, const char *second)
{
    int count = ssh_userauth_kbdint_getnanswers(session);
    return count == (second ? 2 : 1) &&
           strcmp(ssh_userauth_kbdint_getanswer(session, 0), first) == 0 &&
           (!second || strcmp(ssh_userauth_kbdint_getanswer(session, 1), second) == 0);
}

static void questions(ssh_session session, ssh_message message, const char *user)
{
    static int round;
    static char hidden[] = { 0, 0 }, mixed[] = { 1, 0 };
    const char *password[] = { "Password: " }, *two[] = { "First: ", "Second: " };
    const char *last[] = { "Third: " };
    bool several = strcmp(user, USER "-rounds") == 0;
    if(!ssh_message_auth_kbdint_is_response(message)) {
        round = 1;
        if(several)
            ssh_message_auth_interactive_request(message, "Rounds", "There are two of them", 2, two,
                                                 mixed);
        else
            ssh_message_auth_interactive_request(message, "", "", 1, password, hidden);
    }
    else if(several && round == 1 && answers(session, "one", "two")) {
        round = 2;
        ssh_message_auth_interactive_request(message, "", "", 1, last, mixed);
    }
    else if(several ? round == 2 && answers(session, "three", NULL)
                    : answers(session, PASSWORD, NULL))
        ssh_message_auth_reply_success(message, 0);
    else
        ssh_message_reply_default(message);
}

/* Whether the client is in after this message. */
static void login(ssh_session session, ssh_message message)
{
    static char user[64]; /* answers come without it */
    if(ssh_message_auth_user(message))
        snprintf(user, sizeof(user), "%s", ssh_message_auth_user(message));
    ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD |
                                              SSH_AUTH_METHOD_INTERACTIVE);
    switch(ssh_message_subtype(message)) {
    case SSH_AUTH_METHOD_NONE:
        if(strcmp(user, USER "-anyone") == 0)
            ssh_message_auth_reply_success(message, 0);
        else
            ssh_message_reply_default(message);
        break;
    case SSH_AUTH_METHOD_PASSWORD:
        if(strcmp(ssh_message_auth_password(message), PASSWORD) == 0)
            ssh_message_auth_reply_success(message, 0);
        else
            ssh_message_reply_default(message);
        break;
    case SSH_AUTH_METHOD_PUBLICKEY:
        key(message, user);
        break;
    case SSH_AUTH_METHOD_INTERACTIVE:
        questions(session, message, user);
        break;
    default:
        ssh_message_reply_default(message);
    }
}

/* --- commands --- */

/* Passes on what the command has written. False: its end. */
static bool pass(int from, ssh_channel channel, bool is_stderr)
{
    char data[16384];
    ssize_t size = read(from, data, sizeof(data));
    if(size <= 0)
        return false;
    int rc = is_stderr ? ssh_channel_write_stderr(channel, data, (uint32_t)size)
                       : ssh_channel_write(channel, data, (uint32_t)size);
    return rc == size;
}

static void execute(ssh_channel channel, const char *command)
{
    int in[2], out[2], err[2], status;
    if(pipe(in) || pipe(out) || pipe(err))
        return;
    pid_t pid = fork();
    if(pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        for(int fd = 3; fd < 64; fd++)
            close(fd);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    bool out_open = true, err_open = true, in_open = true;
    while(out_open || err_open) {
        char data[16384];
        int size = in_open ? ssh_channel_read_nonblocking(channel, data, sizeof(data), 0) : 0;
        if(size > 0 && write(in[1], data, (size_t)size) != size)
            size = SSH_ERROR;
        if(in_open && (size == SSH_ERROR || size == SSH_EOF || ssh_channel_is_eof(channel))) {
            close(in[1]);
            in_open = false;
        }
        struct pollfd wait[] = { { .fd = out_open ? out[0] : -1, .events = POLLIN },
                                 { .fd = err_open ? err[0] : -1, .events = POLLIN } };
        poll(wait, 2, size > 0 ? 0 : 2);
        if(wait[0].revents)
            out_open = pass(out[0], channel, false);
        if(wait[1].revents)
            err_open = pass(err[0], channel, true);
    }
    if(in_open)
        close(in[1]);
    close(out[0]);
    close(err[0]);
    waitpid(pid, &status, 0);
    ssh_channel_request_send_exit_status(channel, WIFEXITED(status) ? WEXITSTATUS(status) : 255);
    ssh_channel_send_eof(channel);
    ssh_channel_close(channel);
}

static void request(ssh_session session, ssh_message message)
{
    ssh_channel channel = ssh_message_channel_request_channel(message);
    if(ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_EXEC) {
        char *command = strdup(ssh_message_channel_request_command(message));
        ssh_message_channel_request_reply_success(message);
        execute(channel, command);
        free(command);
    }
    else if(ssh_message_subtype(message) == SSH_CHANNEL_REQUEST_SUBSYSTEM &&
            strcmp(ssh_message_channel_request_subsystem(message), "sftp") == 0) {
        ssh_message_channel_request_reply_success(message);
        serve_files(session, channel);
    }
    else
        ssh_message_reply_default(message);
}

/* --- connections --- */

/* RFC 4254 section 5.3: the other side's CLOSE is answered. */
static void on_close(ssh_session session, ssh_channel channel, void *data)
{
    (void)session;
    (void)data;
    ssh_channel_close(channel);
}

static void open_channel(ssh_message message)
{
    static struct ssh_channel_callbacks_struct callbacks = { .channel_close_function = on_close };
    ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
    if(!callbacks.size)
        ssh_callbacks_init(&callbacks);
    if(channel)
        ssh_set_channel_callbacks(channel, &callbacks);
}

static void serve(ssh_session session)
{
    ssh_set_auth_methods(session, SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD |
                                      SSH_AUTH_METHOD_INTERACTIVE);
    if(ssh_handle_key_exchange(session) != SSH_OK)
        return;
    for(ssh_message message; (message = ssh_message_get(session)); ssh_message_free(message)) {
        if(ssh_message_type(message) == SSH_REQUEST_AUTH)
            login(session, message);
        else if(ssh_message_type(message) == SSH_REQUEST_CHANNEL_OPEN)
            open_channel(message);
        else if(ssh_message_type(message) == SSH_REQUEST_CHANNEL)
            request(session, message);
        else
            ssh_message_reply_default(message);
    }
}

static ssh_bind keys(void)
{
    static const char *const names[] = { "host_ed25519", "host_ecdsa256", "host_rsa" };
    bool no = false;
    ssh_bind bind = ssh_bind_new();
    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
    for(size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/keys/%s", directory, names[i]);
        if(ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, path) != SSH_OK)
            fprintf(stderr, "%s: %s\n", path, ssh_get_error(bind));
    }
    return bind;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    char path[4096];
    if(argc != 2)
        return 2;
    directory = argv[1];
    snprintf(path, sizeof(path), "%s/keys/authorized_keys", directory);
    FILE *file = fopen(path, "r");
    if(!file || fread(known, 1, sizeof(known) - 1, file) == 0)
        return 2;
    fclose(file);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if(bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
       listen(listener, 50) != 0 ||
       getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return 2;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    signal(SIGCHLD, SIG_IGN);
    for(int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        if(fork() != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_DFL);
        signal(SIGPIPE, SIG_IGN);
        close(listener);
        ssh_session session = ssh_new();
        ssh_bind binding = keys();
        if(ssh_bind_accept_fd(binding, session, fd) == SSH_OK)
            serve(session);
        else
            fprintf(stderr, "%s\n", ssh_get_error(binding));
        ssh_disconnect(session);
        _exit(0);
    }
    return 1;
}
