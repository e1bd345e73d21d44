/* Connections through the server: to ports and sockets that it reaches, from ports that it listens
 * on, and from programs on it to our agent. */
#include "echo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCEPTED = 200 };

static struct conn *c;

/* --- servers and clients of ours, each a process that ends with this one --- */

static noreturn void echo_connections(int listener)
{
    char space[65536];
    for(;;) {
        int fd = accept(listener, NULL, NULL);
        ssize_t got;
        while((got = read(fd, space, sizeof(space))) > 0)
            for(ssize_t sent = 0, n; sent < got; sent += n)
                if((n = write(fd, space + sent, (size_t)(got - sent))) <= 0)
                    break;
        close(fd);
    }
}

static pid_t echo_server(int family, int *port, const char *path)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    socklen_t size = sizeof(in);
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(path)
        snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    if(bind(listener, path ? (struct sockaddr *)&un : (struct sockaddr *)&in,
            path ? sizeof(un) : sizeof(in)) != 0 ||
       listen(listener, 10) != 0)
        bail("no echo server");
    if(!path) {
        getsockname(listener, (struct sockaddr *)&in, &size);
        *port = ntohs(in.sin_port);
    }
    pid_t pid = fork();
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        echo_connections(listener);
    }
    close(listener);
    return pid;
}

/* Connects `count` times, one after the other; says its number, hears it again. Exit status: how
 * often that did not work. */
static pid_t client(int port, int count)
{
    pid_t pid = fork();
    if(pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int failed = 0;
    for(int i = 0; i < count; i++) {
        int fd = connect_to(port), answer = -1;
        if(fd < 0 || write(fd, &i, sizeof(i)) != sizeof(i) ||
           recv(fd, &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer) || answer != i)
            failed++;
        close(fd);
    }
    _exit(failed > 100 ? 100 : failed);
}

static int exit_status(pid_t pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the tests --- */

static void echo_through(LIBSSH2_CHANNEL *channel, const char *what)
{
    enum { SIZE = 300000 };
    char *data = make_data(SIZE, 5), *back = malloc(SIZE);
    size_t sent = 0, received = 0;
    while(received < SIZE) {
        size_t piece = SIZE - sent < 30000 ? SIZE - sent : 30000;
        while(piece > 0) {
            ssize_t rc = CALL(c, libssh2_channel_write(channel, data + sent, piece));
            if(rc <= 0)
                bail("write: %zd", rc);
            sent += (size_t)rc;
            piece -= (size_t)rc;
        }
        while(received < sent) {
            ssize_t rc = CALL(c, libssh2_channel_read(channel, back + received, SIZE - received));
            if(rc <= 0)
                bail("read: %zd", rc);
            received += (size_t)rc;
        }
    }
    ok(memcmp(data, back, SIZE) == 0, "%s: all came back", what);
    trace_rc(c, CALL(c, libssh2_channel_send_eof(channel)), "send_eof");
    trace_rc(c, CALL(c, libssh2_channel_read(channel, back, SIZE)), "read");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    free(data);
    free(back);
}

static void direct(void)
{
    int port = 0;
    pid_t tcp = echo_server(AF_INET, &port, NULL);
    pid_t local = echo_server(AF_UNIX, NULL, temp_path("echo"));
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_direct_tcpip(c->session, "127.0.0.1", port));
    trace_pointer(c, channel, "direct_tcpip");
    echo_through(channel, "TCP");
    channel = CALLP(c, libssh2_channel_direct_streamlocal_ex(c->session, temp_path("echo"),
                                                             "127.0.0.1", 22));
    trace_pointer(c, channel, "direct_streamlocal");
    echo_through(channel, "Unix socket");
    channel = CALLP(c, libssh2_channel_direct_streamlocal_ex(c->session, temp_path("nobody"),
                                                             "127.0.0.1", 22));
    trace_pointer(c, channel, "direct_streamlocal to nobody");
    signal_tree(tcp, SIGKILL);
    signal_tree(local, SIGKILL);
    waitpid(tcp, NULL, 0);
    waitpid(local, NULL, 0);
    channel = CALLP(c, libssh2_channel_direct_tcpip_ex(c->session, "127.0.0.1", port, "somewhere",
                                                       7));
    trace_pointer(c, channel, "direct_tcpip to nobody");
    trace("without a session = %d", libssh2_channel_direct_tcpip_ex(NULL, "a", 1, "b", 1) != NULL);
    if(ours)
        ok(!libssh2_channel_direct_tcpip_ex(c->session, NULL, 1, "b", 1), "without a host");
}

/* Two opens under way at a time do not get mixed up. */
static void interleaved(void)
{
    LIBSSH2_CHANNEL *to_echo = NULL, *to_nobody = NULL;
    int port = 0, code = LIBSSH2_ERROR_EAGAIN;
    if(!ours || !nonblocking)
        return;
    pid_t tcp = echo_server(AF_INET, &port, NULL);
    conn_start_call(c);
    while(!to_echo || code == LIBSSH2_ERROR_EAGAIN) {
        if(!to_echo)
            to_echo = libssh2_channel_direct_tcpip(c->session, "127.0.0.1", port);
        if(code == LIBSSH2_ERROR_EAGAIN) {
            to_nobody = libssh2_channel_direct_tcpip(c->session, "127.0.0.1", 1);
            code = libssh2_session_last_errno(c->session);
        }
        /* If the last call was no EAGAIN, it may have taken in what the other one waits for. */
        if((!to_echo || code == LIBSSH2_ERROR_EAGAIN) &&
           libssh2_session_last_errno(c->session) == LIBSSH2_ERROR_EAGAIN && !conn_wait(c))
            bail("nothing opens");
    }
    is_number(code, LIBSSH2_ERROR_CHANNEL_FAILURE, "one of two opens fails");
    ok(to_echo && !to_nobody, "the other one does not");
    CALL(c, libssh2_channel_free(to_echo));
    signal_tree(tcp, SIGKILL);
    waitpid(tcp, NULL, 0);
}

static void listening(void)
{
    int port = 0, number;
    LIBSSH2_LISTENER *listener;
    if(ours) { /* the original takes the answer to a keepalive for that to the listener */
        libssh2_keepalive_config(c->session, 1, 100);
        is_number(libssh2_keepalive_send(c->session, &number), 0, "keepalive");
    }
    listener = CALLP(c, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", 0, &port, 16));
    trace_pointer(c, listener, "forward_listen_ex");
    ok(port > 0, "the server tells the port");
    if(nonblocking)
        trace_pointer(c, libssh2_channel_forward_accept(listener), "accept of nothing");
    pid_t pid = client(port, ACCEPTED);
    for(int i = 0; i < ACCEPTED; i++) {
        LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_forward_accept(listener));
        if(!channel)
            bail("accept: %s", error_name(libssh2_session_last_errno(c->session)));
        size_t size = 0;
        while(size < sizeof(number)) {
            ssize_t got = CALL(c, libssh2_channel_read(channel, (char *)&number + size,
                                                       sizeof(number) - size));
            if(got <= 0)
                bail("read: %zd", got);
            size += (size_t)got;
        }
        if(number != i)
            bail("connection %d says %d", i, number);
        if(CALL(c, libssh2_channel_write(channel, (char *)&number, sizeof(number))) !=
           sizeof(number))
            bail("write failed");
        if(CALL(c, libssh2_channel_free(channel)) != 0)
            bail("free failed");
    }
    is_number(exit_status(pid), 0, "connections that were not answered");

    LIBSSH2_LISTENER *again =
        CALLP(c, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", port, NULL, 1));
    trace_pointer(c, again, "listening twice on one port");

    trace_rc(c, CALL(c, libssh2_channel_forward_cancel(listener)), "forward_cancel");
    listener = CALLP(c, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", port, NULL, 1));
    trace_pointer(c, listener, "listening on it again");
    int waiting = connect_to(port), refused = connect_to(port);
    ok(waiting >= 0 && refused >= 0, "the server takes two connections");
    char word[8] = "";
    if(write(waiting, "first", 5) != 5)
        bail("write failed");
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_forward_accept(listener));
    trace_rc(c, CALL(c, libssh2_channel_read(channel, word, sizeof(word))), "read %s", word);
    int third = connect_to(port); /* waits in the queue */
    trace_rc(c, CALL(c, libssh2_channel_forward_cancel(listener)), "forward_cancel");
    trace_rc(c, CALL(c, libssh2_channel_write(channel, "lives on", 8)), "write");
    is_number(recv(waiting, word, 8, MSG_WAITALL), 8, "an accepted connection lives on");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    close(waiting);
    close(refused);
    close(third);
    trace("cancel of NULL = %s", error_name(libssh2_channel_forward_cancel(NULL)));
    trace("accept of NULL = %d", libssh2_channel_forward_accept(NULL) != NULL);
}

static void refused(void)
{
    server_config("AllowTcpForwarding no\nAllowStreamLocalForwarding no");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    trace_pointer(c, CALLP(c, libssh2_channel_direct_tcpip(c->session, "127.0.0.1", 1)),
                  "direct_tcpip where it is forbidden");
    trace_pointer(c, CALLP(c, libssh2_channel_forward_listen(c->session, 0)),
                  "forward_listen where it is forbidden");
    conn_close(c);
}

/* --- the agent --- */

static LIBSSH2_CHANNEL *agent;

static LIBSSH2_AUTHAGENT_FUNC(on_agent)
{
    (void)abstract;
    ok(session == c->session, "the callback is given its session");
    agent = channel;
}

/* `ssh-add -l` on the server asks us; we say that there are no keys. */
static void forwarded_agent(void)
{
    static const char none[] = { 0, 0, 0, 5, 12, 0, 0, 0, 0 };
    char text[200] = "";
    char request[5];
    size_t size = 0, asked = 0;
    bool answered = false;
    agent = NULL;
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_AUTHAGENT,
                                  (libssh2_cb_generic *)on_agent);
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    trace_rc(c, CALL(c, libssh2_channel_request_auth_agent(channel)), "request_auth_agent");
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, "ssh-add -l; echo $?")), "exec");
    libssh2_session_set_blocking(c->session, 0);
    conn_start_call(c);
    for(;;) {
        ssize_t got = libssh2_channel_read(channel, text + size, sizeof(text) - 1 - size);
        if(got == 0)
            break;
        if(got != LIBSSH2_ERROR_EAGAIN && got < 0)
            bail("read: %zd", got);
        bool moved = got > 0;
        if(moved)
            size += (size_t)got;
        if(agent && !answered) {
            got = libssh2_channel_read(agent, request + asked, sizeof(request) - asked);
            if(got > 0) {
                asked += (size_t)got;
                moved = true;
            }
            if(asked == sizeof(request)) {
                is_number(request[4], 11, "the request for identities");
                libssh2_session_set_blocking(c->session, 1);
                is_number(libssh2_channel_write(agent, none, sizeof(none)), sizeof(none), "answer");
                libssh2_session_set_blocking(c->session, 0);
                answered = true;
            }
        }
        if(!moved && !conn_wait_always(c))
            break;
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    ok(answered && strstr(text, "no identities"), "ssh-add hears of no keys: %s", text);
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    if(agent)
        trace_rc(c, CALL(c, libssh2_channel_free(agent)), "free of the agent's");
}

/* --- X11 --- */

static LIBSSH2_CHANNEL *display;

static LIBSSH2_X11_OPEN_FUNC(on_x11)
{
    (void)abstract;
    ok(session == c->session && sport > 0, "a display is asked for by %s", shost);
    display = channel;
}

/* A program on the server opens its display; we are the display. */
static void forwarded_display(void)
{
    static const char *const command =
        "bash -c 'n=${DISPLAY#*:}; exec 3<>/dev/tcp/localhost/$((6000 + ${n%.*})); "
        "echo question >&3; head -n 1 <&3'";
    char question[9], answer[100] = "";
    size_t asked = 0, size = 0;
    display = NULL;
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_X11, (libssh2_cb_generic *)on_x11);
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    int rc = CALL(c, libssh2_channel_x11_req(channel, 0));
    trace_rc(c, rc, "x11_req");
    if(rc != 0) {
        skip("sshd has no xauth here");
        CALL(c, libssh2_channel_free(channel));
        return;
    }
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, command)), "exec");
    libssh2_session_set_blocking(c->session, 0);
    conn_start_call(c);
    for(ssize_t got = 1; got != 0;) {
        got = libssh2_channel_read(channel, answer + size, sizeof(answer) - 1 - size);
        if(got < 0 && got != LIBSSH2_ERROR_EAGAIN)
            bail("read: %zd", got);
        bool moved = got > 0;
        size += moved ? (size_t)got : 0;
        if(display && asked < sizeof(question)) {
            ssize_t more = libssh2_channel_read(display, question + asked, sizeof(question) - asked);
            moved = moved || more > 0;
            asked += more > 0 ? (size_t)more : 0;
            if(asked == sizeof(question)) {
                libssh2_session_set_blocking(c->session, 1);
                is_number(libssh2_channel_write(display, "answer\n", 7), 7, "answer");
                libssh2_session_set_blocking(c->session, 0);
            }
        }
        if(got != 0 && !moved && !conn_wait_always(c))
            break;
    }
    libssh2_session_set_blocking(c->session, !nonblocking);
    ok(asked == sizeof(question) && memcmp(question, "question\n", sizeof(question)) == 0,
       "the display is asked");
    trace("the program hears %s", strcmp(answer, "answer\n") == 0 ? "the answer" : answer);
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    if(display)
        trace_rc(c, CALL(c, libssh2_channel_free(display)), "free of the display");
}

/* --- libssh2_poll --- */

static void polling(void)
{
    LIBSSH2_POLLFD entries[3];
    char text[8];
    int tube[2];
    if(pipe(tube) != 0)
        bail("no pipe");
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel || CALL(c, libssh2_channel_exec(channel, "read line; echo $line; sleep 0.2;"
                                                         "echo complaint >&2; read line")) != 0)
        bail("no command");
    memset(entries, 0, sizeof(entries));
    entries[0].type = LIBSSH2_POLLFD_CHANNEL;
    entries[0].fd.channel = channel;
    entries[0].events = LIBSSH2_POLLFD_POLLIN | LIBSSH2_POLLFD_POLLEXT;
    entries[1].type = LIBSSH2_POLLFD_SOCKET;
    entries[1].fd.socket = tube[0];
    entries[1].events = LIBSSH2_POLLFD_POLLIN;
    trace("poll of nothing = %d, %lu %lu", libssh2_poll(entries, 2, 50), entries[0].revents,
          entries[1].revents);
    if(write(tube[1], "x", 1) != 1)
        bail("write failed");
    trace("poll of the socket = %d, %lu %lu", libssh2_poll(entries, 2, 5000), entries[0].revents,
          entries[1].revents);
    if(read(tube[0], text, 1) != 1)
        bail("read failed");
    CALL(c, libssh2_channel_write(channel, "word\n", 5));
    int found = libssh2_poll(entries, 2, 5000);
    /* The original takes standard output for extended data as well. */
    trace("poll of the channel = %d, %lu %lu", found,
          entries[0].revents & LIBSSH2_POLLFD_POLLIN, entries[1].revents);
    trace_rc(c, CALL(c, libssh2_channel_read(channel, text, sizeof(text))), "read");
    found = libssh2_poll(entries, 1, 5000);
    trace("poll of standard error = %d, %d", found, entries[0].revents != 0);
    entries[0].events = LIBSSH2_POLLFD_POLLOUT;
    found = libssh2_poll(entries, 1, 0);
    trace("poll for writing = %d, %lu", found, entries[0].revents);
    CALL(c, libssh2_channel_close(channel));
    found = libssh2_poll(entries, 1, 0);
    trace("poll of a closed channel = %d, %d", found,
          (entries[0].revents & LIBSSH2_POLLFD_CHANNEL_CLOSED) != 0);
    entries[0].type = 77;
    trace("poll of an unknown type = %d", libssh2_poll(entries, 1, 0));
    CALL(c, libssh2_channel_free(channel));
    close(tube[0]);
    close(tube[1]);
}

void test(void)
{
    watchdog(100);
    server_config("X11Forwarding yes");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    direct();
    interleaved();
    listening();
    polling();
    forwarded_agent();
    forwarded_display();
    conn_close(c);
    refused();
}
