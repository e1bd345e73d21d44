/* A session by itself: allocators, settings, last error, banner, disconnect. */
#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int blocks; /* allocated and not yet freed */
static int foreign_abstracts;
static int marker;

static void note(void **abstract)
{
    if(!abstract || *abstract != &marker)
        foreign_abstracts++;
}

static LIBSSH2_ALLOC_FUNC(my_alloc)
{
    note(abstract);
    blocks++;
    return malloc(count);
}

static LIBSSH2_FREE_FUNC(my_free)
{
    note(abstract);
    blocks -= ptr != NULL;
    free(ptr);
}

static LIBSSH2_REALLOC_FUNC(my_realloc)
{
    note(abstract);
    blocks += ptr == NULL;
    return realloc(ptr, count);
}

static void last_error(struct conn *c)
{
    char *text = (char *)"untouched";
    int length = -1;
    LIBSSH2_SESSION *s = c->session;
    trace("last_error of a new session = %d", libssh2_session_last_error(s, &text, &length, 0));
    trace("text \"%s\" length %d", text, length);
    trace("set_last_error = %d", libssh2_session_set_last_error(s, -1234, "a text of ours"));
    trace("last_errno = %d", libssh2_session_last_errno(s));
    trace("last_error = %d", libssh2_session_last_error(s, &text, &length, 1));
    trace("copied text \"%s\" length %d", text, length);
    libssh2_free(s, text);
    trace("last_error without places = %d", libssh2_session_last_error(s, NULL, NULL, 0));
    libssh2_session_set_last_error(s, -5, NULL);
    libssh2_session_last_error(s, &text, &length, 0);
    trace("no text \"%s\" length %d", text, length);
    libssh2_session_set_last_error(s, 0, NULL);
    trace("last_error after reset = %d", libssh2_session_last_error(s, &text, &length, 1));
    trace("empty copy \"%s\" length %d", text, length);
    libssh2_free(s, text);
}

static void settings(struct conn *c)
{
    LIBSSH2_SESSION *s = c->session;
    int mode = libssh2_session_get_blocking(s);
    is_number(mode, !nonblocking, "blocking mode as set");
    libssh2_session_set_blocking(s, 7);
    trace("blocking is kept as given: %d", libssh2_session_get_blocking(s));
    libssh2_session_set_blocking(s, mode);
    trace("timeout %ld", libssh2_session_get_timeout(s));
    libssh2_session_set_timeout(s, 12345);
    trace("timeout %ld", libssh2_session_get_timeout(s));
    libssh2_session_set_timeout(s, 0);
    trace("read timeout %ld", libssh2_session_get_read_timeout(s));
    libssh2_session_set_read_timeout(s, 5);
    trace("read timeout %ld", libssh2_session_get_read_timeout(s));
    libssh2_session_set_read_timeout(s, 0);
    trace("read timeout %ld", libssh2_session_get_read_timeout(s));
    trace("directions %d", libssh2_session_block_directions(s));
    trace_rc(c, libssh2_session_flag(s, LIBSSH2_FLAG_SIGPIPE, 1), "flag SIGPIPE 1");
    trace_rc(c, libssh2_session_flag(s, LIBSSH2_FLAG_SIGPIPE, 0), "flag SIGPIPE 0");
    trace_rc(c, libssh2_session_flag(s, LIBSSH2_FLAG_QUOTE_PATHS, 1), "flag QUOTE_PATHS");
    trace_rc(c, libssh2_session_flag(s, 99, 1), "flag 99");
}

static LIBSSH2_IGNORE_FUNC(on_ignore)
{
    (void)session, (void)message, (void)message_len, (void)abstract;
}

static void callbacks(LIBSSH2_SESSION *s)
{
    libssh2_cb_generic *mine = (libssh2_cb_generic *)on_ignore, *before;
    before = libssh2_session_callback_set2(s, LIBSSH2_CALLBACK_IGNORE, mine);
    trace("IGNORE callback before: %s", before ? "some" : "none");
    before = libssh2_session_callback_set2(s, LIBSSH2_CALLBACK_IGNORE, NULL);
    trace("IGNORE callback then: %s", before == mine ? "mine" : "another");
    before = libssh2_session_callback_set2(s, LIBSSH2_CALLBACK_SEND, mine);
    trace("SEND callback before: %s", before ? "some" : "none");
    before = libssh2_session_callback_set2(s, LIBSSH2_CALLBACK_SEND, before);
    trace("SEND callback then: %s", before == mine ? "mine" : "another");
    before = (libssh2_cb_generic *)libssh2_session_callback_set(s, LIBSSH2_CALLBACK_RECV,
                                                                 (void *)mine);
    trace("RECV callback before: %s", before ? "some" : "none");
    libssh2_session_callback_set(s, LIBSSH2_CALLBACK_RECV, (void *)before);
    trace("callback 99: %s", libssh2_session_callback_set2(s, 99, mine) ? "some" : "none");
}

static void before_handshake(struct conn *c)
{
    LIBSSH2_SESSION *s = c->session;
    size_t length = 99;
    int type = 99;
    trace("banner %s", libssh2_session_banner_get(s) ? "some" : "none");
    trace("host key %s", libssh2_session_hostkey(s, &length, &type) ? "some" : "none");
    trace("host key length %zu type %d", length, type);
    trace("hash %s", libssh2_hostkey_hash(s, LIBSSH2_HOSTKEY_HASH_SHA256) ? "some" : "none");
    trace("cipher %s", libssh2_session_methods(s, LIBSSH2_METHOD_CRYPT_CS) ? "some" : "none");
    trace("last error %s", error_name(libssh2_session_last_errno(s)));
    trace("authenticated %d", libssh2_userauth_authenticated(s));
    trace_rc(c, libssh2_session_handshake(s, LIBSSH2_INVALID_SOCKET), "handshake on no socket");
    trace_rc(c, libssh2_session_banner_set(s, "SSH-2.0-ctests_1.0"), "banner_set");
}

static void disconnect(struct conn *c)
{
    char words[300];
    memset(words, 'x', sizeof(words));
    words[257] = '\0';
    int rc = libssh2_session_disconnect_ex(c->session, SSH_DISCONNECT_BY_APPLICATION, words, "");
    trace_rc(c, rc, "disconnect with 257 bytes of description");
    rc = libssh2_session_disconnect_ex(c->session, SSH_DISCONNECT_BY_APPLICATION, "", words);
    trace_rc(c, rc, "disconnect with 257 bytes of language");
    words[256] = '\0';
    rc = CALL(c, libssh2_session_disconnect_ex(c->session, SSH_DISCONNECT_BY_APPLICATION, words,
                                               NULL));
    trace_rc(c, rc, "disconnect with 256 bytes");
}

static void custom_allocators(void)
{
    struct conn *c = conn_new();
    libssh2_session_free(c->session);
    c->session = libssh2_session_init_ex(my_alloc, my_free, my_realloc, &marker);
    ok(c->session != NULL, "session_init_ex");
    libssh2_session_set_blocking(c->session, !nonblocking);
    void **abstract = libssh2_session_abstract(c->session);
    ok(abstract && *abstract == &marker, "session_abstract has what was given");
    foreign_abstracts = 0;
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    is_number(foreign_abstracts, 0, "each allocator call got the abstract's address");
    conn_close(c);
    is_number(blocks, 0, "everything that was allocated has been freed");
}

void test(void)
{
    struct conn *c = conn_new();
    last_error(c);
    settings(c);
    callbacks(c->session);
    before_handshake(c);
    conn_handshake(c);
    trace("banner %.8s", libssh2_session_banner_get(c->session));
    ok(fcntl(c->fd, F_GETFL) & O_NONBLOCK, "the socket is in non-blocking mode");
    /* Not before the handshake: the original would send one into the key exchange. */
    int next = -1;
    trace_rc(c, libssh2_keepalive_send(c->session, &next), "keepalive_send while disabled");
    trace("next keepalive in %d s", next);
    libssh2_keepalive_config(c->session, 1, 100);
    trace_rc(c, libssh2_keepalive_send(c->session, &next), "keepalive_send");
    ok(next > 0 && next <= 100, "seconds to the next keepalive: %d", next);
    disconnect(c);
    int rc = CALL(c, libssh2_session_free(c->session));
    trace("session_free = %s", error_name(rc));
    ok(!(fcntl(c->fd, F_GETFL) & O_NONBLOCK), "the socket is in blocking mode again");
    close(c->fd);
    free(c);
    custom_allocators();
}
