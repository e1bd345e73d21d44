/* The server's lists of algorithms beside ours: every name that both have is connected with once.
 * The server's lists are read from its own KEXINIT, ours from the one that the library sends. */
#include "interop.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KINDS = 5, LISTS = 10 };

static const struct {
    const char *name;
    int out, in; /* LIBSSH2_METHOD_* */
} kinds[KINDS] = {
    { "kex", LIBSSH2_METHOD_KEX, LIBSSH2_METHOD_KEX },
    { "hostkey", LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_HOSTKEY },
    { "cipher", LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC },
    { "mac", LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC },
    { "compression", LIBSSH2_METHOD_COMP_CS, LIBSSH2_METHOD_COMP_SC },
};

/* What one side says at the beginning. */
struct hello {
    char ident[256];
    char *lists[LISTS]; /* in the order of LIBSSH2_METHOD_* */
};

static void read_exactly(int fd, void *to, size_t size)
{
    for(size_t got = 0; got < size;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        ssize_t n = poll(&wait, 1, 10000) == 1 ? read(fd, (char *)to + got, size - got) : -1;
        if(n <= 0)
            bail("no KEXINIT");
        got += (size_t)n;
    }
}

/* Reads an identification and a KEXINIT, RFC 4253 sections 4.2, 6 and 7.1. */
static void read_hello(int fd, struct hello *hello)
{
    size_t length = 0;
    do {
        length = 0;
        do {
            read_exactly(fd, &hello->ident[length], 1);
        } while(hello->ident[length++] != '\n' && length < sizeof(hello->ident));
        hello->ident[strcspn(hello->ident, "\r\n")] = '\0';
    } while(strncmp(hello->ident, "SSH-", 4) != 0);
    unsigned char head[5], *payload;
    read_exactly(fd, head, sizeof(head));
    uint32_t size;
    memcpy(&size, head, 4);
    size = ntohl(size) - 1;
    if(size < 60 || size > 35000 || !(payload = malloc(size + 1)))
        bail("a KEXINIT of %u bytes", size);
    read_exactly(fd, payload, size);
    size_t at = 1 + 16;
    for(int i = 0; i < LISTS; i++) {
        uint32_t list;
        if(payload[0] != 20 || at + 4 > size)
            bail("message %d is no KEXINIT", payload[0]);
        memcpy(&list, payload + at, 4);
        list = ntohl(list);
        if(list > size - at - 4)
            bail("a list of %u bytes", list);
        hello->lists[i] = strndup((char *)payload + at + 4, list);
        at += 4 + list;
    }
    free(payload);
}

static void hear_server(struct hello *server)
{
    static const char ident[] = "SSH-2.0-interop\r\n";
    int fd = dial();
    if(write(fd, ident, sizeof(ident) - 1) < 0)
        bail("the server has hung up");
    read_hello(fd, server);
    close(fd);
}

/* What the library offers of itself, with compression allowed. */
static void hear_ourselves(struct hello *library)
{
    int ends[2];
    if(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        bail("no sockets");
    LIBSSH2_SESSION *session = libssh2_session_init();
    libssh2_session_flag(session, LIBSSH2_FLAG_COMPRESS, 1);
    libssh2_session_set_blocking(session, 0);
    libssh2_session_handshake(session, ends[0]);
    if(write(ends[1], "SSH-2.0-interop\r\n", 17) != 17)
        bail("no sockets");
    libssh2_session_handshake(session, ends[0]);
    read_hello(ends[1], library);
    libssh2_session_free(session);
    close(ends[0]);
    close(ends[1]);
}

/* --- connecting --- */

static struct hello server, library;

/* The first of these names that the server has, or NULL. */
static const char *common(int kind, const char *const *names)
{
    for(; *names; names++)
        if(has_word(server.lists[kind], *names))
            return *names;
    return NULL;
}

static void prefer(struct conn *c, int kind, const char *name)
{
    if(libssh2_session_method_pref(c->session, kind, name) != 0)
        diag("%s can not be preferred: %s", name, last_words(c));
}

/* A MAC shows only beside a cipher that has none of its own. */
static const char *plain_cipher(void)
{
    static const char *const names[] = { "aes128-ctr", "aes256-ctr", "aes256-cbc", NULL };
    return common(LIBSSH2_METHOD_CRYPT_CS, names);
}

/* One connection as far as a channel. */
static void connect_by(int kind, const char *name)
{
    static const char *const quick[] = { "curve25519-sha256", "curve25519-sha256@libssh.org",
                                         "ecdh-sha2-nistp256", NULL };
    struct conn *c = meet();
    int rc;
    if(kind == 4)
        libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1);
    if(kind != 0 && common(LIBSSH2_METHOD_KEX, quick))
        prefer(c, LIBSSH2_METHOD_KEX, common(LIBSSH2_METHOD_KEX, quick));
    if(kind == 3) {
        prefer(c, LIBSSH2_METHOD_CRYPT_CS, plain_cipher());
        prefer(c, LIBSSH2_METHOD_CRYPT_SC, plain_cipher());
    }
    if(strstr(server.ident, "-Go") && strstr(name, "-cbc")) { /* not with encrypt-then-MAC */
        prefer(c, LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256");
        prefer(c, LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256");
    }
    prefer(c, kinds[kind].out, name);
    prefer(c, kinds[kind].in, name);
    rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    const char *out = rc == 0 ? libssh2_session_methods(c->session, kinds[kind].out) : "";
    const char *in = rc == 0 ? libssh2_session_methods(c->session, kinds[kind].in) : "";
    bool agreed = out && in && strcmp(out, name) == 0 && strcmp(in, name) == 0;
    LIBSSH2_CHANNEL *channel = NULL;
    if(agreed && (rc = log_in(c)) == 0)
        channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!ok(channel != NULL, "%s %s", kinds[kind].name, name))
        diag("  %s: %s", agreed ? error_name(rc) : "another name", last_words(c));
    cell(name, channel ? "yes" : "**no**");
    conn_drop(c);
}

static bool is_pseudo(const char *name)
{
    return strncmp(name, "ext-info-", 9) == 0 || strncmp(name, "kex-strict-", 11) == 0;
}

static void try_kind(int kind)
{
    struct conn *c = meet();
    const char **names = NULL;
    libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1);
    int count = libssh2_session_supported_algs(c->session, kinds[kind].out, &names);
    if(count <= 0)
        bail("no names of %s", kinds[kind].name);
    for(int i = 0; i < count; i++) {
        if(is_pseudo(names[i]))
            continue;
        bool is_default = has_word(library.lists[kinds[kind].out], names[i]);
        cell(names[i], "[%s %s]", kinds[kind].name, is_default ? "default" : "request");
        if(!has_word(server.lists[kinds[kind].out], names[i]) ||
           !has_word(server.lists[kinds[kind].in], names[i]))
            cell(names[i], "–");
        else if(kind == 3 && !plain_cipher())
            cell(names[i], "unused");
        else if(strstr(server.ident, "-AsyncSSH") &&
                strcmp(names[i], "ssh-rsa-cert-v01@openssh.com") == 0)
            cell(names[i], "untried"); /* it signs as for the last one who wanted the certificate */
        else
            connect_by(kind, names[i]);
    }
    /* The names that only the server has. */
    char *rest = strdup(server.lists[kinds[kind].out]), *state = NULL, line[4000] = "";
    for(char *name = strtok_r(rest, ",", &state); name; name = strtok_r(NULL, ",", &state)) {
        bool known = is_pseudo(name);
        for(int i = 0; i < count && !known; i++)
            known = strcmp(names[i], name) == 0;
        if(!known && strlen(line) + strlen(name) + 4 < sizeof(line))
            sprintf(line + strlen(line), "%s%s", *line ? ", " : "", name);
        else if(!known)
            diag("left out: %s", name);
    }
    char row[40];
    snprintf(row, sizeof(row), "other %s", kinds[kind].name);
    cell(row, "%s", *line ? line : "none");
    free(rest);
    libssh2_free(c->session, (void *)names);
    conn_drop(c);
}

void test(void)
{
    watchdog(120);
    hear_server(&server);
    hear_ourselves(&library);
    cell("ident", "%s", server.ident);
    for(int kind = 0; kind < KINDS; kind++)
        try_kind(kind);
    /* And as both like it best. */
    struct conn *c = meet_and_log_in();
    for(int kind = 0; kind < KINDS; kind++) {
        char row[40];
        snprintf(row, sizeof(row), "chosen %s", kinds[kind].name);
        cell(row, "%s", libssh2_session_methods(c->session, kinds[kind].out));
    }
    ok(true, "a login with nothing preferred");
    conn_drop(c);
}
