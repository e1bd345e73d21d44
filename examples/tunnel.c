/*
 * Forwards TCP connections through an SSH server, any number at a time, from one thread that never
 * waits but in epoll_wait().
 *
 *     cc -o tunnel tunnel.c -lssh2
 *     ./tunnel -i ~/.ssh/id_ed25519 -f FINGERPRINT -L 8080:intranet:80 me@gate.example.org
 *
 * -L listens here, and the server connects to host and port; -R listens on the server, and this
 * program connects. A port of 0 is any that is free; which one is told on standard output.
 *
 * What it shows is libssh2_ext_session_ready(), which libssh2 itself does not have: it tells which
 * channels have something, so that no loop has to ask each of them.
 */
#define _GNU_SOURCE
#include <libssh2_ext.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 64

static const char usage[] =
    "usage: tunnel [-p port] -i key -f fingerprint [-L port:host:port] [-R port:host:port] user@host\n"
    "  -p  port of the server (default 22)\n"
    "  -i  private key to log in with, without a passphrase\n"
    "  -f  SHA-256 fingerprint of the host key, as `ssh-keygen -l` prints it after SHA256:\n"
    "  -L  listen on this port here, and connect from the server to that host and port\n"
    "  -R  listen on this port of the server, and connect from here to that host and port\n";

/* What a socket that epoll tells of belongs to; the first member of whatever that is. */
struct source {
    enum { SESSION, FORWARD, LINK } kind;
    int fd;
};

/* A port that connections come to: here if `listener` is NULL, else on the server. */
struct forward {
    struct source source;
    LIBSSH2_LISTENER *listener;
    char *host; /* where they go from there */
    int port;
};

/* Bytes on their way from one side to the other. */
struct stream {
    char data[16384];
    size_t start, end;
    int has_ended; /* nothing more comes from the one side */
    int told;      /* and the other has been told */
};

/* One connection: a socket here, a channel to the server. */
struct link {
    struct source source;
    const struct forward *forward;
    LIBSSH2_CHANNEL *channel;
    enum { OPENING, OPEN, CLOSING, GONE } state;
    struct stream up, down;
    char peer[INET_ADDRSTRLEN]; /* who has connected to us */
    int peer_port;
    struct link *next; /* in the list of those that are opening, or that are gone */
};

static LIBSSH2_SESSION *session;
static struct source ssh = { SESSION, -1 };
static struct forward forwards[16];
static size_t forward_count;
static struct link *opening, *gone;
static int epoll;

static void die(const char *what)
{
    char *text = NULL;

    if(session && libssh2_session_last_error(session, &text, NULL, 0)) {
        fprintf(stderr, "tunnel: %s: %s\n", what, text);
    }
    else {
        perror(what);
    }
    exit(1);
}

static void watch(struct source *source, uint32_t events, int operation)
{
    struct epoll_event event = { .events = events, .data.ptr = source };

    if(epoll_ctl(epoll, operation, source->fd, &event)) {
        die("epoll_ctl");
    }
}

/* --- one connection --- */

/* Each of these moves bytes until one side would block, which will be told of. Less than 0: the
   connection is over. */

static int pump_up(struct link *link)
{
    struct stream *up = &link->up;
    ssize_t n;

    for(;;) {
        if(up->start < up->end) {
            n = libssh2_channel_write(link->channel, up->data + up->start, up->end - up->start);
            if(n < 0) {
                return n == LIBSSH2_ERROR_EAGAIN ? 0 : -1;
            }
            up->start += (size_t)n;
        }
        else if(up->has_ended) {
            if(!up->told && libssh2_channel_send_eof(link->channel) == LIBSSH2_ERROR_EAGAIN) {
                return 0;
            }
            up->told = 1;
            return 0;
        }
        else {
            n = read(link->source.fd, up->data, sizeof(up->data));
            if(n < 0) {
                return errno == EAGAIN ? 0 : -1;
            }
            up->has_ended = n == 0;
            up->start = 0;
            up->end = (size_t)n;
        }
    }
}

static int pump_down(struct link *link)
{
    struct stream *down = &link->down;
    ssize_t n;

    for(;;) {
        if(down->start < down->end) {
            n = send(link->source.fd, down->data + down->start, down->end - down->start,
                     MSG_NOSIGNAL);
            if(n < 0) {
                return errno == EAGAIN ? 0 : -1;
            }
            down->start += (size_t)n;
        }
        else if(down->has_ended) {
            if(!down->told) {
                shutdown(link->source.fd, SHUT_WR);
            }
            down->told = 1;
            return 0;
        }
        else {
            n = libssh2_channel_read(link->channel, down->data, sizeof(down->data));
            if(n < 0) {
                return n == LIBSSH2_ERROR_EAGAIN ? 0 : -1;
            }
            down->has_ended = n == 0;
            down->start = 0;
            down->end = (size_t)n;
        }
    }
}

/* epoll may still have something to tell of it: it is freed at the end of the round. */
static void bury(struct link *link)
{
    close(link->source.fd);
    link->state = GONE;
    link->next = gone;
    gone = link;
}

/* Goes on with a connection of which something was told. */
static void go_on(struct link *link)
{
    if(link->state == OPEN) {
        if(pump_up(link) || pump_down(link) || (link->up.told && link->down.told)) {
            link->state = CLOSING;
        }
    }
    if(link->state == CLOSING && libssh2_channel_free(link->channel) != LIBSSH2_ERROR_EAGAIN) {
        bury(link);
    }
}

static void open_now(struct link *link, LIBSSH2_CHANNEL *channel)
{
    link->channel = channel;
    link->state = OPEN;
    *libssh2_ext_channel_abstract(channel) = link;
    /* Told of once whenever it becomes ready, as channels are. */
    watch(&link->source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, EPOLL_CTL_ADD);
    go_on(link);
}

/* Goes on opening the channels that are not open yet. The library tells them apart by who has
   connected. */
static void go_on_opening(void)
{
    struct link *list = opening, *link;

    opening = NULL;
    while((link = list)) {
        const struct forward *forward = link->forward;
        LIBSSH2_CHANNEL *channel = libssh2_channel_direct_tcpip_ex(
            session, forward->host, forward->port, link->peer, link->peer_port);

        list = link->next;
        if(channel) {
            open_now(link, channel);
        }
        else if(libssh2_session_last_errno(session) == LIBSSH2_ERROR_EAGAIN) {
            link->next = opening;
            opening = link;
        }
        else {
            bury(link);
        }
    }
}

/* What is little must not wait until what was sent before has been confirmed. */
static void send_at_once(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct link *new_link(struct forward *forward, int fd)
{
    struct link *link = calloc(1, sizeof(*link));

    if(!link) {
        die("memory");
    }
    link->source.kind = LINK;
    link->source.fd = fd;
    link->forward = forward;
    send_at_once(fd);
    return link;
}

/* --- where connections come from --- */

static void take_from_here(struct forward *forward)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    int fd;

    while((fd = accept4(forward->source.fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK)) >= 0) {
        struct link *link = new_link(forward, fd);

        inet_ntop(AF_INET, &peer.sin_addr, link->peer, sizeof(link->peer));
        link->peer_port = ntohs(peer.sin_port);
        link->next = opening;
        opening = link;
    }
    go_on_opening();
}

/* Begins to connect; the socket tells when that is done. -1: it cannot. */
static int connect_to(const char *host, int port, int flags)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
    char name[16];
    int fd = -1;

    snprintf(name, sizeof(name), "%d", port);
    if(getaddrinfo(host, name, &hints, &found)) {
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | flags, 0);
    if(fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void take_from_server(LIBSSH2_LISTENER *listener)
{
    struct forward *forward = *libssh2_ext_listener_abstract(listener);
    LIBSSH2_CHANNEL *channel;

    while((channel = libssh2_channel_forward_accept(listener))) {
        struct link *link = new_link(forward, connect_to(forward->host, forward->port, SOCK_NONBLOCK));

        if(link->source.fd < 0) {
            link->channel = channel;
            link->state = CLOSING;
            *libssh2_ext_channel_abstract(channel) = link;
            go_on(link);
        }
        else {
            open_now(link, channel);
        }
    }
}

/* --- the loop --- */

static void handle(const LIBSSH2_EXT_READY *ready)
{
    if(ready->channel) {
        /* None if what was told of before has freed it. */
        void **place = libssh2_ext_channel_abstract(ready->channel);

        if(place && *place) {
            go_on(*place);
        }
    }
    else if(ready->listener) {
        take_from_server(ready->listener);
    }
    else if(ready->events & LIBSSH2_EXT_AGAIN) {
        go_on_opening();
    }
}

static void handle_socket(struct source *source)
{
    switch(source->kind) {
    case FORWARD: take_from_here((struct forward *)source); break;
    case LINK: go_on((struct link *)source); break;
    case SESSION: break; /* libssh2_ext_session_ready() will see */
    }
}

static void run(void)
{
    LIBSSH2_EXT_READY ready[MANY];
    struct epoll_event events[MANY];
    int directions, timeout, count, i, waits_for = 0;

    watch(&ssh, 0, EPOLL_CTL_ADD);
    for(;;) {
        while((count = libssh2_ext_session_ready(session, ready, MANY, &directions, &timeout)) > 0) {
            for(i = 0; i < count; i++) {
                handle(&ready[i]);
            }
        }
        if(count < 0) {
            die("session");
        }
        while(gone) {
            struct link *link = gone;

            gone = link->next;
            free(link);
        }
        if(directions != waits_for) {
            waits_for = directions;
            watch(&ssh,
                  (directions & LIBSSH2_SESSION_BLOCK_INBOUND ? (uint32_t)EPOLLIN : 0) |
                      (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND ? (uint32_t)EPOLLOUT : 0),
                  EPOLL_CTL_MOD);
        }
        count = epoll_wait(epoll, events, MANY, timeout);
        for(i = 0; i < count; i++) {
            handle_socket(events[i].data.ptr);
        }
    }
}

/* --- before that --- */

static int has_fingerprint(const char *expected)
{
    const unsigned char *hash =
        (const unsigned char *)libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256);
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int i;

    if(!hash || strlen(expected) != 43) {
        return 0;
    }
    for(i = 0; i < 43; i++) {
        int bit = i * 6;
        unsigned int pair = (unsigned int)hash[bit / 8] << 8;

        if(bit / 8 + 1 < 32) {
            pair |= hash[bit / 8 + 1];
        }
        if(expected[i] != digits[pair >> (10 - bit % 8) & 63]) {
            return 0;
        }
    }
    return 1;
}

static void listen_here(struct forward *forward, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t size = sizeof(address);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if(fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 200) ||
       getsockname(fd, (struct sockaddr *)&address, &size)) {
        die("listen");
    }
    forward->source.fd = fd;
    watch(&forward->source, EPOLLIN, EPOLL_CTL_ADD);
    printf("here, port %d: to %s port %d\n", ntohs(address.sin_port), forward->host, forward->port);
}

static void listen_there(struct forward *forward, int port)
{
    forward->listener = libssh2_channel_forward_listen_ex(session, "127.0.0.1", port, &port, 200);
    if(!forward->listener) {
        die("listening on the server");
    }
    *libssh2_ext_listener_abstract(forward->listener) = forward;
    printf("server, port %d: to %s port %d\n", port, forward->host, forward->port);
}

/* `text` is "port:host:port". */
static int set_forward(char *text, int from_server)
{
    struct forward *forward = &forwards[forward_count];
    char *host = strchr(text, ':'), *port = host ? strchr(host + 1, ':') : NULL;

    if(!port || forward_count == sizeof(forwards) / sizeof(*forwards)) {
        return -1;
    }
    *host++ = *port++ = '\0';
    forward->source.kind = FORWARD;
    forward->host = host;
    forward->port = atoi(port);
    if(from_server) {
        listen_there(forward, atoi(text));
    }
    else {
        listen_here(forward, atoi(text));
    }
    forward_count++;
    return 0;
}

int main(int argc, char **argv)
{
    const char *key = NULL, *fingerprint = NULL;
    char *user, *host;
    int option, port = 22;

    while((option = getopt(argc, argv, "p:i:f:L:R:")) != -1) {
        switch(option) {
        case 'p': port = atoi(optarg); break;
        case 'i': key = optarg; break;
        case 'f': fingerprint = optarg; break;
        case 'L':
        case 'R': break; /* once there is a session */
        default: fputs(usage, stderr); return 2;
        }
    }
    user = optind + 1 == argc ? argv[optind] : NULL;
    host = user ? strchr(user, '@') : NULL;
    if(!key || !fingerprint || !host) {
        fputs(usage, stderr);
        return 2;
    }
    *host++ = '\0';

    epoll = epoll_create1(EPOLL_CLOEXEC);
    ssh.fd = connect_to(host, port, 0);
    if(ssh.fd < 0 || epoll < 0) {
        die(host);
    }
    send_at_once(ssh.fd);
    session = libssh2_init(0) ? NULL : libssh2_session_init();
    if(!session || libssh2_session_handshake(session, ssh.fd)) {
        die("handshake");
    }
    if(!has_fingerprint(fingerprint)) {
        fprintf(stderr, "tunnel: the host key is not the expected one\n");
        return 1;
    }
    if(libssh2_userauth_publickey_fromfile(session, user, NULL, key, NULL)) {
        die("log in");
    }
    for(optind = 1; (option = getopt(argc, argv, "p:i:f:L:R:")) != -1;) {
        if((option == 'L' || option == 'R') && set_forward(optarg, option == 'R')) {
            fputs(usage, stderr);
            return 2;
        }
    }
    fflush(stdout);
    libssh2_keepalive_config(session, 1, 30);
    libssh2_session_set_blocking(session, 0);
    run();
    return 0;
}
