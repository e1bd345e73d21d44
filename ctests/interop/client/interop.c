#include "interop.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for(const char *at = list; (at = strstr(at, word)); at += length)
        if((at == list || at[-1] == ' ' || at[-1] == ',') &&
           (at[length] == '\0' || at[length] == ' ' || at[length] == ','))
            return true;
    return false;
}

bool can(const char *what)
{
    return has_word(setting("INTEROP_CAN"), what);
}

int dial(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons((uint16_t)atoi(setting("INTEROP_PORT"))) };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bail("nobody listens at port %s", setting("INTEROP_PORT"));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

struct conn *meet(void)
{
    return conn_over(dial(), 0);
}

int log_in(struct conn *c)
{
    if(has_word(setting("INTEROP_LOGINS"), "ed25519"))
        return CALL(c, libssh2_userauth_publickey_fromfile(c->session, USER,
                                                           key_path("user_ed25519.pub"),
                                                           key_path("user_ed25519.openssh"), NULL));
    return CALL(c, libssh2_userauth_password(c->session, USER, PASSWORD));
}

struct conn *meet_and_log_in(void)
{
    struct conn *c = meet();
    conn_handshake(c);
    int rc = log_in(c);
    if(rc != 0)
        bail("no login: %s (%s)", error_name(rc), last_words(c));
    return c;
}

void cell(const char *row, const char *format, ...)
{
    va_list arguments;
    printf("= %s\t", row);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/* --- the trace --- */

int new_keys;
uint32_t open_window, open_packet;

static void on_line(LIBSSH2_SESSION *session, void *context, const char *data, size_t length)
{
    char line[400];
    snprintf(line, sizeof(line), "%.*s", (int)length, data);
    (void)session;
    (void)context;
    if(strstr(line, "received NEWKEYS"))
        new_keys++;
    const char *opened = strstr(line, "received CHANNEL_OPEN_CONFIRMATION");
    if(opened)
        sscanf(opened, "%*s %*s of %*u as %*u, window %" SCNu32 ", packets of %" SCNu32,
               &open_window, &open_packet);
    if(*setting("INTEROP_TRACE"))
        diag("%s", line);
}

void follow(struct conn *c, int topics)
{
    new_keys = 0;
    libssh2_trace(c->session, topics);
    libssh2_trace_sethandler(c->session, NULL, on_line);
}
