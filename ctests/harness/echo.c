#include "echo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static noreturn void serve(int listener)
{
    struct pollfd fds[500];
    char space[32768];
    nfds_t count = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
    for(;;) {
        if(poll(fds, count, -1) < 0)
            continue;
        for(nfds_t i = count; i-- > 1;) {
            if(!fds[i].revents)
                continue;
            ssize_t got = read(fds[i].fd, space, sizeof(space));
            bool over = got <= 0;
            for(ssize_t sent = 0; !over && sent < got;) {
                ssize_t n = send(fds[i].fd, space + sent, (size_t)(got - sent), MSG_NOSIGNAL);
                if(n <= 0)
                    over = true;
                else
                    sent += n;
            }
            if(over) {
                close(fds[i].fd);
                fds[i] = fds[--count];
            }
        }
        if(fds[0].revents && count < COUNT(fds))
            fds[count++] = (struct pollfd){ .fd = accept(listener, NULL, NULL), .events = POLLIN };
    }
}

pid_t echo_all(int *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(bind(listener, (struct sockaddr *)&in, sizeof(in)) != 0 || listen(listener, 200) != 0 ||
       getsockname(listener, (struct sockaddr *)&in, &size) != 0)
        bail("no server");
    *port = ntohs(in.sin_port);
    pid_t pid = fork();
    if(pid == 0)
        serve(listener);
    close(listener);
    return pid;
}

int connect_to(int port)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = { .tv_sec = 20 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if(connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}
