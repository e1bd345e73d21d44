/* Servers that speak nonsense before there are keys: each handshake ends with an error, soon. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BANNER "SSH-2.0-Bad_1.0\r\n"
#define TEXT(literal) literal, sizeof(literal) - 1

struct script {
    const char *what;
    const char *bytes;
    size_t length;
    bool any_code; /* which error it is may differ between the libraries */
};

/* Sends the script, then reads until the client goes away. */
static noreturn void serve(int socket, const struct script *script, bool hang_up)
{
    char buffer[4096];
    signal(SIGPIPE, SIG_IGN);
    for(size_t sent = 0; sent < script->length;) {
        ssize_t rc = write(socket, script->bytes + sent, script->length - sent);
        if(rc <= 0)
            _exit(0);
        sent += (size_t)rc;
    }
    if(hang_up)
        shutdown(socket, SHUT_WR); /* an orderly end, whatever the client still sends */
    while(read(socket, buffer, sizeof(buffer)) > 0)
        ;
    _exit(0);
}

static void meet(const struct script *script, bool hang_up)
{
    int client, server;
    tcp_pair(&client, &server);
    pid_t pid = fork();
    if(pid == 0) {
        close(client);
        serve(server, script, hang_up);
    }
    close(server);
    struct conn *c = conn_over(client, pid);
    c->limit_ms = hang_up ? 10000 : 300;
    libssh2_session_set_timeout(c->session, c->limit_ms);
    long long start = now_ms();
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    const char *name = error_name(rc);
    trace("%s, then %s: %s", script->what, hang_up ? "the end" : "silence",
          script->any_code ? "an error" : name);
    ok(rc < 0 && (rc != LIBSSH2_ERROR_EAGAIN || (nonblocking && !hang_up)), "%s: %s",
       script->what, name);
    char *text = NULL;
    int length = 0;
    if(rc != LIBSSH2_ERROR_EAGAIN) {
        libssh2_session_last_error(c->session, &text, &length, 0);
        ok(length > 0, "it says: %s", text);
        if(ours)
            is_number(libssh2_session_last_errno(c->session), rc, "last_errno agrees");
    }
    ok(now_ms() - start < 3000, "it took %lld ms", now_ms() - start);
    conn_drop(c);
}

/* A plain packet: length, padding length, payload, padding. */
static size_t packet(char *out, const char *payload, size_t length)
{
    size_t padding = 8 - (5 + length) % 8;
    padding += padding < 4 ? 8 : 0;
    size_t total = 1 + length + padding;
    out[0] = (char)(total >> 24);
    out[1] = (char)(total >> 16);
    out[2] = (char)(total >> 8);
    out[3] = (char)total;
    out[4] = (char)padding;
    memcpy(out + 5, payload, length);
    memset(out + 5 + length, 0, padding);
    return 4 + total;
}

static void meet_packet(const char *what, const char *payload, size_t length)
{
    char *bytes = malloc(length + 300);
    memcpy(bytes, TEXT(BANNER));
    size_t size = sizeof(BANNER) - 1 + packet(bytes + sizeof(BANNER) - 1, payload, length);
    meet(&(struct script){ what, bytes, size, false }, true);
    free(bytes);
}

static void banners(void)
{
    static char long_line[9000];
    memset(long_line, 'x', sizeof(long_line));
    long_line[sizeof(long_line) - 1] = '\n';
    static const struct script scripts[] = {
        { "nothing", TEXT(""), false },
        { "half a banner", TEXT("SSH-2.0-Half"), false },
        { "garbage without a line end", TEXT("220 mail.example.com"), false },
        { "lines of garbage", TEXT("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"), false },
        { "a NUL in the banner", TEXT("SSH-2.0-Bad\0Server\r\n"), false },
        { "binary garbage", TEXT("\x16\x03\x01\x02\xff\xfe\n\x80\x81\n"), false },
        { "a line of 9000 letters", long_line, sizeof(long_line), true },
        { "a banner alone", TEXT(BANNER), false },
        { "a banner after other lines", TEXT("Welcome\r\nto this host\r\n" BANNER), false },
    };
    for(size_t i = 0; i < COUNT(scripts); i++)
        meet(&scripts[i], true);
    meet(&scripts[0], false);
    meet(&scripts[1], false);
    meet(&scripts[7], false);
}

static void framing(void)
{
    static const struct script scripts[] = {
        { "a packet of length 0", TEXT(BANNER "\0\0\0\0\4\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "a packet of length 1", TEXT(BANNER "\0\0\0\1\0\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "a packet of length 2^32-1", TEXT(BANNER "\377\377\377\377\4\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "a packet of length 2^31-1", TEXT(BANNER "\177\377\377\377\4\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "a packet of length 40001", TEXT(BANNER "\0\0\234\101\4\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "padding longer than the packet", TEXT(BANNER "\0\0\0\14\377\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "padding as long as the packet", TEXT(BANNER "\0\0\0\14\14\24\0\0\0\0\0\0\0\0\0\0"), false },
        { "half a packet", TEXT(BANNER "\0\0\1\4\4\24\0\0"), false },
    };
    for(size_t i = 0; i < COUNT(scripts); i++)
        meet(&scripts[i], true);
    meet(&scripts[COUNT(scripts) - 1], false);
}

#define KEXINIT "\24" "0123456789abcdef"
#define NAMES(length, text) "\0\0\0" length text

static void messages(void)
{
    meet_packet("KEXINIT that ends after its cookie", TEXT(KEXINIT));
    meet_packet("KEXINIT with half a cookie", TEXT("\24" "0123"));
    meet_packet("KEXINIT with a list past its end",
                TEXT(KEXINIT NAMES("\21", "curve25519-sha256") "\177\377\377\377ssh-ed25519"));
    meet_packet("KEXINIT of empty lists",
                TEXT(KEXINIT "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                             "\0\0\0\0\0\0\0\0\0\0"));
    meet_packet("KEXINIT with nothing in common",
                TEXT(KEXINIT NAMES("\1", "k") NAMES("\1", "h") NAMES("\1", "c") NAMES("\1", "c")
                         NAMES("\1", "m") NAMES("\1", "m") NAMES("\4", "none")
                             NAMES("\4", "none") "\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    meet_packet("DISCONNECT", TEXT("\1\0\0\0\13\0\0\0\6go off\0\0\0\0"));
    meet_packet("DISCONNECT with a text past its end", TEXT("\1\0\0\0\13\177\377\377\377go"));
    meet_packet("DISCONNECT of one byte", TEXT("\1"));
    meet_packet("an empty message", TEXT(""));
    meet_packet("NEWKEYS at once", TEXT("\25"));
    meet_packet("SERVICE_ACCEPT at once", TEXT("\6\0\0\0\14ssh-userauth"));
}

void test(void)
{
    banners();
    framing();
    messages();
}
