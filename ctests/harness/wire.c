/* The wire is a process between two sockets. */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    QUIET = 15,  /* ms without a byte from the client: it has said what it had to say */
    WAITS = 100, /* ms until it counts as one that says nothing */
};

struct wire {
    pid_t pid;
    int control;
};

/* Passes on what one end has. False when that has ended. */
static bool pass(int from, int to)
{
    static char bytes[65536];
    ssize_t count = read(from, bytes, sizeof(bytes));
    if(count <= 0)
        return false;
    for(ssize_t sent = 0; sent < count;) {
        ssize_t rc = send(to, bytes + sent, (size_t)(count - sent), MSG_NOSIGNAL);
        if(rc < 0)
            return false;
        sent += rc;
    }
    return true;
}

/* Takes in what the client says until it has said it. */
static void hear(int client)
{
    static char bytes[65536];
    struct pollfd readable = { .fd = client, .events = POLLIN };
    for(int patience = WAITS; poll(&readable, 1, patience) > 0; patience = QUIET)
        if(read(client, bytes, sizeof(bytes)) <= 0)
            return;
}

static noreturn void end(int client, int server, bool reset)
{
    struct linger at_once = { .l_onoff = 1 };
    char byte;
    close(server);
    hear(client);
    if(reset)
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    else
        shutdown(client, SHUT_WR);
    while(!reset && read(client, &byte, 1) > 0)
        ;
    _exit(0);
}

static noreturn void carry(int client, int server, int control, bool silent)
{
    for(;;) {
        struct pollfd ends[3] = { { .fd = control, .events = POLLIN },
                                  { .fd = silent ? -1 : client, .events = POLLIN },
                                  { .fd = silent ? -1 : server, .events = POLLIN } };
        if(poll(ends, COUNT(ends), -1) < 0 && errno != EINTR)
            _exit(1);
        if(ends[0].revents) {
            char state;
            if(read(control, &state, 1) != 1 || write(control, &state, 1) != 1)
                _exit(0);
            if(state == WIRE_ENDS || state == WIRE_RESETS)
                end(client, server, state == WIRE_RESETS);
            silent = state == WIRE_SILENT;
            continue;
        }
        if((ends[1].revents && !pass(client, server)) || (ends[2].revents && !pass(server, client)))
            _exit(0);
    }
}

struct wire *wire_new(struct conn *c, enum wire_state state)
{
    int near, far, control[2];
    struct wire *wire = calloc(1, sizeof(*wire));
    tcp_pair(&near, &far);
    if(!wire || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0)
        bail("no wire");
    wire->control = control[0];
    wire->pid = fork();
    if(wire->pid < 0)
        bail("fork failed");
    if(wire->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(near);
        close(control[0]);
        carry(far, c->fd, control[1], state == WIRE_SILENT);
    }
    close(far);
    close(control[1]);
    close(c->fd);
    c->fd = near;
    return wire;
}

void wire_set(struct wire *wire, enum wire_state state)
{
    char byte = (char)state;
    if(write(wire->control, &byte, 1) != 1 || read(wire->control, &byte, 1) != 1)
        bail("the wire does not answer");
}

void wire_free(struct wire *wire)
{
    kill(wire->pid, SIGKILL);
    waitpid(wire->pid, NULL, 0);
    close(wire->control);
    free(wire);
}
