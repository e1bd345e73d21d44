/* Algorithms one by one: what tests of each kind share. */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>

/* All that sshd has. */
#define ALL                                                                                        \
    "KexAlgorithms +diffie-hellman-group14-sha1,diffie-hellman-group1-sha1,"                       \
    "diffie-hellman-group-exchange-sha1\n"                                                         \
    "HostKeyAlgorithms +ssh-rsa\n"                                                                 \
    "Ciphers +aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc\n"                                         \
    "MACs +hmac-sha1,hmac-sha1-etm@openssh.com,hmac-sha1-96,hmac-md5,hmac-md5-96\n"

static const char *const kinds[] = { "kex",    "host key", "cipher out", "cipher in",
                                     "mac out", "mac in",   "comp out",   "comp in" };

enum { MUCH = 10 << 20, LITTLE = 3 << 19 };

/* Ours does with blocking. Less shows as much of the original, which is there to be compared with,
 * and without blocking. */
static bool moves_much(void)
{
    return ours && !nonblocking;
}

const char *matrix_rekeys(void)
{
    return moves_much() ? "RekeyLimit 6M\nLogLevel DEBUG1\n"
                        : "RekeyLimit 512K\nLogLevel DEBUG1\n";
}

const char *matrix_server(void)
{
    static char lines[1000];
    snprintf(lines, sizeof(lines), "%s%s", matrix_rekeys(), ALL);
    return lines;
}

const char *matrix_kind(int kind)
{
    return kinds[kind];
}

/* All that has been chosen, each name between two commas. */
static char tried[8000] = ",";

void matrix_agreed(struct conn *c, int kind)
{
    const char *name = libssh2_session_methods(c->session, kind);
    trace("%s %s", matrix_kind(kind), name ? name : "NULL");
}

void matrix_prefer(struct conn *c, int kind, const char *names)
{
    trace_rc(c, libssh2_session_method_pref(c->session, kind, names), "prefer %s", names);
    size_t length = strlen(tried);
    snprintf(tried + length, sizeof(tried) - length, "%s,", names);
}

static bool upload(struct conn *c, const char *data, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                                   0600));
    size_t done = 0;
    ssize_t rc = file ? 1 : -1;
    while(done < size && rc > 0) {
        rc = CALL(c, libssh2_sftp_write(file, data + done, size - done));
        done += rc > 0 ? (size_t)rc : 0;
    }
    return rc > 0 && CALL(c, libssh2_sftp_close(file)) == 0 &&
           file_is(temp_path("file"), data, size);
}

static bool download(struct conn *c, const char *data, size_t size)
{
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("file"), LIBSSH2_FXF_READ, 0));
    char *buffer = malloc(size);
    size_t done = 0;
    ssize_t rc = file ? 1 : -1;
    while(done < size && rc > 0) {
        size_t left = size - done;
        rc = CALL(c, libssh2_sftp_read(file, buffer + done, left < 100000 ? left : 100000));
        done += rc > 0 ? (size_t)rc : 0;
    }
    bool same = done == size && memcmp(buffer, data, size) == 0;
    free(buffer);
    return rc > 0 && CALL(c, libssh2_sftp_close(file)) == 0 && same;
}

void matrix_works(struct conn *c, const char *what)
{
    static char *data;
    size_t size = moves_much() ? MUCH : LITTLE;
    if(!data) {
        data = make_data(size, 9);
        memset(data, 'x', size / 8); /* something for compression to do */
    }
    int before = server_rekeys();
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    ok(upload(c, data, size), "%s: the upload is whole", what);
    int middle = server_rekeys();
    ok(download(c, data, size), "%s: the download is whole", what);
    int after = server_rekeys();
    /* The connection itself counts as minus one until it is there. */
    ok(middle - before >= 1 && after - middle >= 1, "%s: new keys %d and %d times", what,
       middle - before, after - middle);
    trace("%s works", what);
}

void matrix_pairs(const char *const *names, size_t count, int out, int in)
{
    for(size_t i = 0; i < count; i++) {
        struct conn *c = conn_new();
        if(out == LIBSSH2_METHOD_COMP_CS)
            is_number(libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1), 0, "flag");
        matrix_prefer(c, LIBSSH2_METHOD_KEX, "curve25519-sha256");
        if(out == LIBSSH2_METHOD_MAC_CS) { /* which a cipher with a MAC of its own would hide */
            matrix_prefer(c, LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr");
            matrix_prefer(c, LIBSSH2_METHOD_CRYPT_SC, "aes256-ctr");
        }
        if(out == LIBSSH2_METHOD_CRYPT_CS) { /* as which the libraries do not prefer the same */
            matrix_prefer(c, LIBSSH2_METHOD_MAC_CS, "hmac-sha2-512");
            matrix_prefer(c, LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256");
        }
        matrix_prefer(c, out, names[i]);
        matrix_prefer(c, in, names[(i + 1) % count]); /* the directions are independent */
        matrix_works(c, names[i]);
        matrix_agreed(c, out);
        matrix_agreed(c, in);
        if(out == LIBSSH2_METHOD_CRYPT_CS) { /* a cipher may have a MAC of its own */
            matrix_agreed(c, LIBSSH2_METHOD_MAC_CS);
            matrix_agreed(c, LIBSSH2_METHOD_MAC_SC);
        }
        conn_drop(c);
    }
}

void matrix_singles(const char *const *names, size_t count, int kind)
{
    for(size_t i = 0; i < count; i++) {
        struct conn *c = conn_new();
        /* What is quickest, so that the time goes where it should. */
        if(kind != LIBSSH2_METHOD_KEX)
            matrix_prefer(c, LIBSSH2_METHOD_KEX, "curve25519-sha256");
        matrix_prefer(c, kind, names[i]);
        matrix_works(c, names[i]);
        matrix_agreed(c, kind);
        conn_drop(c);
    }
}

void matrix_only_on_request(int kind, int other, const char *name, const char *server)
{
    server_config(server);
    struct conn *c = conn_new();
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    is_number(rc, LIBSSH2_ERROR_KEX_FAILURE, "not offered unless named");
    conn_drop(c);
    c = conn_new();
    matrix_prefer(c, kind, name);
    matrix_prefer(c, other, name);
    conn_handshake(c);
    ok(strcmp(libssh2_session_methods(c->session, kind), name) == 0, "%s if named", name);
    conn_drop(c);
}

void matrix_others(int kind, const char *query)
{
    char command[100], name[100], between[110];
    const char **names = NULL;
    LIBSSH2_SESSION *session = libssh2_session_init();
    int count = libssh2_session_supported_algs(session, kind, &names), missing = 0;
    for(int i = 0; i < count; i++) {
        bool known = false;
        snprintf(command, sizeof(command), "ssh -Q %s 2>/dev/null", query);
        FILE *list = popen(command, "r");
        while(list && fgets(name, sizeof(name), list)) {
            name[strcspn(name, "\n")] = '\0';
            known = known || strcmp(name, names[i]) == 0;
        }
        if(list)
            pclose(list);
        snprintf(between, sizeof(between), ",%s,", names[i]);
        if(known && !strstr(tried, between))
            matrix_singles(&names[i], 1, kind);
        else if(!known)
            diag("no OpenSSH here has %s%s", names[i], missing++ ? "" : ": other servers do");
    }
    libssh2_free(session, (void *)names);
    libssh2_session_free(session);
}

