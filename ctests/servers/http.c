/* Serves one file over HTTP on loopback, to many at a time.
 *
 *   http FILE      prints its port; ends with its parent
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int serve(int client, const char *path)
{
    char request[4096] = "", head[100];
    size_t size = 0;
    struct stat st;
    int file = open(path, O_RDONLY);
    while(!strstr(request, "\r\n\r\n")) {
        ssize_t got = read(client, request + size, sizeof(request) - 1 - size);
        if(got <= 0)
            return 1;
        size += (size_t)got;
    }
    if(file < 0 || fstat(file, &st) != 0)
        return 1;
    int length = snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %lld\r\n\r\n",
                          (long long)st.st_size);
    if(write(client, head, (size_t)length) != length)
        return 1;
    while(sendfile(client, file, NULL, 1 << 20) > 0)
        ;
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if(argc != 2 || bind(listener, (struct sockaddr *)&in, size) != 0 ||
       listen(listener, 200) != 0 || getsockname(listener, (struct sockaddr *)&in, &size) != 0)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    printf("%d\n", ntohs(in.sin_port));
    fflush(stdout);
    for(int client; (client = accept(listener, NULL, NULL)) >= 0; close(client))
        if(fork() == 0)
            _exit(serve(client, argv[1]));
    return 1;
}
