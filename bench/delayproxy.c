/*
 * A long wire on loopback: a TCP proxy that holds every byte back for a fixed time.
 *
 *   delayproxy PORT [DELAY-MS]            such as 50, or 0.5
 *
 * Listens on a free port of 127.0.0.1, prints the port's number, and connects each client to PORT
 * of 127.0.0.1. What it receives it forwards DELAY-MS (default 50) later, in either direction, so
 * the round trip grows by twice that. It does not limit the bandwidth: a byte waits for the clock
 * alone, unless RING bytes are already on their way. It ends with its parent, and after LIFETIME.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Bytes one direction can hold: 50 ms of 640 MB/s. Memory is only used where bytes have been. */
#define RING (32u << 20)

/* Arrival times one direction can hold; a power of two. */
#define MARKS 16384u

/* Arrivals this close together (nanoseconds) share one time. */
#define GRAIN 50000

#define CONNECTIONS 16
#define LIFETIME 900

#define MILLISECOND INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define NEVER INT64_MAX

/* All bytes before the absolute stream offset `end` may leave at the time `due`. */
struct mark {
    uint64_t end;
    int64_t due;
};

/* One direction of a connection. Offsets count from the stream's start and never wrap. */
struct lane {
    int from;
    int to;
    char *ring;
    uint64_t received;
    uint64_t sent;
    struct mark marks[MARKS];
    unsigned int first_mark;
    unsigned int next_mark;
    int64_t eof_due; /* when the end of the stream may be passed on; NEVER until it came */
    bool eof_sent;
};

struct connection {
    bool open;
    struct lane lanes[2];
};

static struct connection connections[CONNECTIONS];
static int64_t delay = 50 * MILLISECOND;

static void die(const char *what)
{
    fprintf(stderr, "delayproxy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void tune(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if(fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
       listen(fd, CONNECTIONS) || getsockname(fd, (struct sockaddr *)&address, &length)) {
        die("listen");
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void lane_open(struct lane *lane, int from, int to)
{
    void *ring = mmap(NULL, RING, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if(ring == MAP_FAILED) {
        die("mmap");
    }
    lane->from = from;
    lane->to = to;
    lane->ring = ring;
    lane->received = 0;
    lane->sent = 0;
    lane->first_mark = 0;
    lane->next_mark = 0;
    lane->eof_due = NEVER;
    lane->eof_sent = false;
}

static void accept_one(int listener, int port)
{
    struct sockaddr_in address = loopback(port);
    struct connection *c = connections;
    int client = accept(listener, NULL, NULL);
    int server;

    if(client < 0) {
        return;
    }
    while(c < connections + CONNECTIONS && c->open) {
        c++;
    }
    server = socket(AF_INET, SOCK_STREAM, 0);
    if(c == connections + CONNECTIONS || server < 0 ||
       connect(server, (struct sockaddr *)&address, sizeof(address))) {
        fprintf(stderr, "delayproxy: connection refused\n");
        close(client);
        if(server >= 0) {
            close(server);
        }
        return;
    }
    tune(client);
    tune(server);
    lane_open(&c->lanes[0], client, server);
    lane_open(&c->lanes[1], server, client);
    c->open = true;
}

static void connection_close(struct connection *c)
{
    munmap(c->lanes[0].ring, RING);
    munmap(c->lanes[1].ring, RING);
    close(c->lanes[0].from);
    close(c->lanes[0].to);
    c->open = false;
}

static bool has_room(const struct lane *lane)
{
    return lane->eof_due == NEVER && lane->received - lane->sent < RING &&
           lane->next_mark - lane->first_mark < MARKS;
}

/* When the oldest thing that the lane holds may leave. */
static int64_t due(const struct lane *lane)
{
    if(lane->first_mark != lane->next_mark) {
        return lane->marks[lane->first_mark % MARKS].due;
    }
    return lane->eof_sent ? NEVER : lane->eof_due;
}

static void stamp(struct lane *lane, int64_t time)
{
    struct mark *last = &lane->marks[(lane->next_mark - 1) % MARKS];

    if(lane->first_mark != lane->next_mark && time + delay - last->due < GRAIN) {
        last->end = lane->received;
        return;
    }
    lane->marks[lane->next_mark % MARKS] = (struct mark){ lane->received, time + delay };
    lane->next_mark++;
}

/* Takes in what the socket holds. False when the connection broke. */
static bool take(struct lane *lane, int64_t time)
{
    while(has_room(lane)) {
        size_t at = lane->received % RING;
        size_t room = RING - (size_t)(lane->received - lane->sent);
        ssize_t n = recv(lane->from, lane->ring + at, room < RING - at ? room : RING - at, 0);

        if(n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if(n == 0) {
            lane->eof_due = time + delay;
            return true;
        }
        lane->received += (uint64_t)n;
        stamp(lane, time);
    }
    return true;
}

/* Passes on what is due. False when the connection broke. */
static bool give(struct lane *lane, int64_t time)
{
    while(lane->first_mark != lane->next_mark) {
        const struct mark *mark = &lane->marks[lane->first_mark % MARKS];
        size_t at = lane->sent % RING;
        size_t ready = (size_t)(mark->end - lane->sent);
        ssize_t n;

        if(mark->due > time) {
            return true;
        }
        n = send(lane->to, lane->ring + at, ready < RING - at ? ready : RING - at, MSG_NOSIGNAL);
        if(n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        lane->sent += (uint64_t)n;
        if(lane->sent == mark->end) {
            lane->first_mark++;
        }
    }
    if(lane->eof_due <= time && !lane->eof_sent) {
        shutdown(lane->to, SHUT_WR);
        lane->eof_sent = true;
    }
    return true;
}

static void serve(int listener, int port)
{
    for(;;) {
        struct pollfd polls[1 + 2 * CONNECTIONS] = { { .fd = listener, .events = POLLIN } };
        int64_t time = now();
        int64_t next = time + SECOND;
        struct timespec wait;

        for(int i = 0; i < CONNECTIONS; i++) {
            struct connection *c = &connections[i];
            struct pollfd *p = &polls[1 + 2 * i];

            p[0].fd = p[1].fd = -1;
            for(int k = 0; c->open && k < 2; k++) {
                int64_t when = due(&c->lanes[k]);

                /* The socket that this lane reads is p[k], the one that it writes p[1 - k]. */
                if(has_room(&c->lanes[k])) {
                    p[k].fd = c->lanes[k].from;
                    p[k].events |= POLLIN;
                }
                if(when <= time) {
                    p[1 - k].fd = c->lanes[k].to;
                    p[1 - k].events |= POLLOUT;
                }
                else if(when < next) {
                    next = when;
                }
            }
        }
        wait.tv_sec = (next - time) / SECOND;
        wait.tv_nsec = (next - time) % SECOND;
        if(ppoll(polls, 1 + 2 * CONNECTIONS, &wait, NULL) < 0 && errno != EINTR) {
            die("poll");
        }
        time = now();
        for(int i = 0; i < CONNECTIONS; i++) {
            struct connection *c = &connections[i];

            if(!c->open) {
                continue;
            }
            if(!take(&c->lanes[0], time) || !take(&c->lanes[1], time) ||
               !give(&c->lanes[0], time) || !give(&c->lanes[1], time) ||
               (c->lanes[0].eof_sent && c->lanes[1].eof_sent)) {
                connection_close(c);
            }
        }
        if(polls[0].revents) {
            accept_one(listener, port);
        }
    }
}

int main(int argc, char **argv)
{
    pid_t parent = getppid();

    if(argc < 2 || argc > 3 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: delayproxy PORT [DELAY-MS]\n");
        return 2;
    }
    if(argc == 3) {
        delay = (int64_t)(atof(argv[2]) * (double)MILLISECOND);
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if(getppid() != parent) {
        return 0;
    }
    alarm(LIFETIME);
    serve(listen_anywhere(), atoi(argv[1]));
}
