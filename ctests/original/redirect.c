/* Preloaded into the programs, some of which leave no choice: connections to the ports that they name go to the server
 * at REDIRECT_PORT, and a file in /tmp with a fixed name is one in the directory that they run in. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    static const uint16_t ports[] = { 22, 830, 4711 };
    int (*next)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t)) dlsym(RTLD_NEXT, "connect");
    const char *port = getenv("REDIRECT_PORT");
    struct sockaddr_in there;
    if(!port || address->sa_family != AF_INET || size < sizeof(there))
        return next(fd, address, size);
    memcpy(&there, address, sizeof(there));
    for(size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
        if(there.sin_port == htons(ports[i])) {
            there.sin_port = htons((uint16_t) atoi(port));
            break;
        }
    return next(fd, (const struct sockaddr *) &there, sizeof(there));
}

FILE *fopen(const char *path, const char *mode)
{
    FILE *(*next)(const char *, const char *) =
        (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
    return next(strcmp(path, "/tmp/sftp-storage") == 0 ? "sftp-storage" : path, mode);
}
