/* Defines a function by each callback macro, with the parameters' names that the macro brings along, and takes its
   address as a pointer of the type spelt out. Compiling this is the check. */
#include <libssh2.h>

#include "check.h"

/* Every macro also declares a pointer. */
static LIBSSH2_ALLOC_FUNC(*kept_alloc);
static LIBSSH2_REALLOC_FUNC(*kept_realloc);
static LIBSSH2_FREE_FUNC(*kept_free);
static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(*kept_userauth_publickey_sign);
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(*kept_userauth_kbdint_response);
static LIBSSH2_USERAUTH_SK_SIGN_FUNC(*kept_userauth_sk_sign);
static LIBSSH2_IGNORE_FUNC(*kept_ignore);
static LIBSSH2_DEBUG_FUNC(*kept_debug);
static LIBSSH2_DISCONNECT_FUNC(*kept_disconnect);
static LIBSSH2_PASSWD_CHANGEREQ_FUNC(*kept_passwd_changereq);
static LIBSSH2_MACERROR_FUNC(*kept_macerror);
static LIBSSH2_X11_OPEN_FUNC(*kept_x11_open);
static LIBSSH2_AUTHAGENT_FUNC(*kept_authagent);
static LIBSSH2_ADD_IDENTITIES_FUNC(*kept_add_identities);
static LIBSSH2_AUTHAGENT_SIGN_FUNC(*kept_authagent_sign);
static LIBSSH2_CHANNEL_CLOSE_FUNC(*kept_channel_close);
static LIBSSH2_RECV_FUNC(*kept_recv);
static LIBSSH2_SEND_FUNC(*kept_send);

#ifdef __cplusplus
extern "C" {
#endif

static LIBSSH2_ALLOC_FUNC(define_alloc)
{
    (void)count;
    (void)abstract;
    return 0;
}

static LIBSSH2_REALLOC_FUNC(define_realloc)
{
    (void)ptr;
    (void)count;
    (void)abstract;
    return 0;
}

static LIBSSH2_FREE_FUNC(define_free)
{
    (void)ptr;
    (void)abstract;
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(define_userauth_publickey_sign)
{
    (void)session;
    (void)sig;
    (void)sig_len;
    (void)data;
    (void)data_len;
    (void)abstract;
    return 0;
}

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(define_userauth_kbdint_response)
{
    (void)name;
    (void)name_len;
    (void)instruction;
    (void)instruction_len;
    (void)num_prompts;
    (void)prompts;
    (void)responses;
    (void)abstract;
}

static LIBSSH2_USERAUTH_SK_SIGN_FUNC(define_userauth_sk_sign)
{
    (void)session;
    (void)sig_info;
    (void)data;
    (void)data_len;
    (void)algorithm;
    (void)flags;
    (void)application;
    (void)key_handle;
    (void)key_handle_len;
    (void)abstract;
    return 0;
}

static LIBSSH2_IGNORE_FUNC(define_ignore)
{
    (void)session;
    (void)message;
    (void)message_len;
    (void)abstract;
}

static LIBSSH2_DEBUG_FUNC(define_debug)
{
    (void)session;
    (void)always_display;
    (void)message;
    (void)message_len;
    (void)language;
    (void)language_len;
    (void)abstract;
}

static LIBSSH2_DISCONNECT_FUNC(define_disconnect)
{
    (void)session;
    (void)reason;
    (void)message;
    (void)message_len;
    (void)language;
    (void)language_len;
    (void)abstract;
}

static LIBSSH2_PASSWD_CHANGEREQ_FUNC(define_passwd_changereq)
{
    (void)session;
    (void)newpw;
    (void)newpw_len;
    (void)abstract;
}

static LIBSSH2_MACERROR_FUNC(define_macerror)
{
    (void)session;
    (void)packet;
    (void)packet_len;
    (void)abstract;
    return 0;
}

static LIBSSH2_X11_OPEN_FUNC(define_x11_open)
{
    (void)session;
    (void)channel;
    (void)shost;
    (void)sport;
    (void)abstract;
}

static LIBSSH2_AUTHAGENT_FUNC(define_authagent)
{
    (void)session;
    (void)channel;
    (void)abstract;
}

static LIBSSH2_ADD_IDENTITIES_FUNC(define_add_identities)
{
    (void)session;
    (void)buffer;
    (void)agent_path;
    (void)abstract;
}

static LIBSSH2_AUTHAGENT_SIGN_FUNC(define_authagent_sign)
{
    (void)session;
    (void)blob;
    (void)blen;
    (void)data;
    (void)dlen;
    (void)signature;
    (void)sigLen;
    (void)agentPath;
    (void)abstract;
    return 0;
}

static LIBSSH2_CHANNEL_CLOSE_FUNC(define_channel_close)
{
    (void)session;
    (void)session_abstract;
    (void)channel;
    (void)channel_abstract;
}

static LIBSSH2_RECV_FUNC(define_recv)
{
    (void)socket;
    (void)buffer;
    (void)length;
    (void)flags;
    (void)abstract;
    return 0;
}

static LIBSSH2_SEND_FUNC(define_send)
{
    (void)socket;
    (void)buffer;
    (void)length;
    (void)flags;
    (void)abstract;
    return 0;
}

static void trace(LIBSSH2_SESSION *session, void *context, const char *data, size_t length)
{
    (void)session;
    (void)context;
    (void)data;
    (void)length;
}

static void generic(void)
{
}

#ifdef __cplusplus
}
#endif

int main(void)
{
    void *(*spelt_alloc)(size_t, void **) = define_alloc;
    void *(*spelt_realloc)(void *, size_t, void **) = define_realloc;
    void (*spelt_free)(void *, void **) = define_free;
    int (*spelt_userauth_publickey_sign)(
        LIBSSH2_SESSION *, unsigned char **, size_t *, const unsigned char *, size_t, void **) =
        define_userauth_publickey_sign;
    void (*spelt_userauth_kbdint_response)(
        const char *, int, const char *, int, int, const LIBSSH2_USERAUTH_KBDINT_PROMPT *,
        LIBSSH2_USERAUTH_KBDINT_RESPONSE *, void **) = define_userauth_kbdint_response;
    int (*spelt_userauth_sk_sign)(
        LIBSSH2_SESSION *, LIBSSH2_SK_SIG_INFO *, const unsigned char *, size_t, int, uint8_t,
        const char *, const unsigned char *, size_t, void **) = define_userauth_sk_sign;
    void (*spelt_ignore)(LIBSSH2_SESSION *, const char *, int, void **) = define_ignore;
    void (*spelt_debug)(
        LIBSSH2_SESSION *, int, const char *, int, const char *, int, void **) = define_debug;
    void (*spelt_disconnect)(
        LIBSSH2_SESSION *, int, const char *, int, const char *, int, void **) =
        define_disconnect;
    void (*spelt_passwd_changereq)(
        LIBSSH2_SESSION *, char **, int *, void **) = define_passwd_changereq;
    int (*spelt_macerror)(LIBSSH2_SESSION *, const char *, int, void **) = define_macerror;
    void (*spelt_x11_open)(
        LIBSSH2_SESSION *, LIBSSH2_CHANNEL *, const char *, int, void **) = define_x11_open;
    void (*spelt_authagent)(LIBSSH2_SESSION *, LIBSSH2_CHANNEL *, void **) = define_authagent;
    void (*spelt_add_identities)(
        LIBSSH2_SESSION *, void *, const char *, void **) = define_add_identities;
    int (*spelt_authagent_sign)(
        LIBSSH2_SESSION *, unsigned char *, unsigned int, const unsigned char *, unsigned int,
        unsigned char **, unsigned int *, const char *, void **) = define_authagent_sign;
    void (*spelt_channel_close)(
        LIBSSH2_SESSION *, void **, LIBSSH2_CHANNEL *, void **) = define_channel_close;
    ssize_t (*spelt_recv)(libssh2_socket_t, void *, size_t, int, void **) = define_recv;
    ssize_t (*spelt_send)(libssh2_socket_t, const void *, size_t, int, void **) = define_send;
    libssh2_trace_handler_func spelt_trace = trace;
    libssh2_cb_generic *spelt_generic = generic;

    kept_alloc = spelt_alloc;
    kept_realloc = spelt_realloc;
    kept_free = spelt_free;
    kept_userauth_publickey_sign = spelt_userauth_publickey_sign;
    kept_userauth_kbdint_response = spelt_userauth_kbdint_response;
    kept_userauth_sk_sign = spelt_userauth_sk_sign;
    kept_ignore = spelt_ignore;
    kept_debug = spelt_debug;
    kept_disconnect = spelt_disconnect;
    kept_passwd_changereq = spelt_passwd_changereq;
    kept_macerror = spelt_macerror;
    kept_x11_open = spelt_x11_open;
    kept_authagent = spelt_authagent;
    kept_add_identities = spelt_add_identities;
    kept_authagent_sign = spelt_authagent_sign;
    kept_channel_close = spelt_channel_close;
    kept_recv = spelt_recv;
    kept_send = spelt_send;
    check_number("LIBSSH2_ALLOC_FUNC", kept_alloc == define_alloc, 1);
    check_number("LIBSSH2_REALLOC_FUNC", kept_realloc == define_realloc, 1);
    check_number("LIBSSH2_FREE_FUNC", kept_free == define_free, 1);
    check_number("LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC", kept_userauth_publickey_sign == define_userauth_publickey_sign, 1);
    check_number("LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC", kept_userauth_kbdint_response == define_userauth_kbdint_response, 1);
    check_number("LIBSSH2_USERAUTH_SK_SIGN_FUNC", kept_userauth_sk_sign == define_userauth_sk_sign, 1);
    check_number("LIBSSH2_IGNORE_FUNC", kept_ignore == define_ignore, 1);
    check_number("LIBSSH2_DEBUG_FUNC", kept_debug == define_debug, 1);
    check_number("LIBSSH2_DISCONNECT_FUNC", kept_disconnect == define_disconnect, 1);
    check_number("LIBSSH2_PASSWD_CHANGEREQ_FUNC", kept_passwd_changereq == define_passwd_changereq, 1);
    check_number("LIBSSH2_MACERROR_FUNC", kept_macerror == define_macerror, 1);
    check_number("LIBSSH2_X11_OPEN_FUNC", kept_x11_open == define_x11_open, 1);
    check_number("LIBSSH2_AUTHAGENT_FUNC", kept_authagent == define_authagent, 1);
    check_number("LIBSSH2_ADD_IDENTITIES_FUNC", kept_add_identities == define_add_identities, 1);
    check_number("LIBSSH2_AUTHAGENT_SIGN_FUNC", kept_authagent_sign == define_authagent_sign, 1);
    check_number("LIBSSH2_CHANNEL_CLOSE_FUNC", kept_channel_close == define_channel_close, 1);
    check_number("LIBSSH2_RECV_FUNC", kept_recv == define_recv, 1);
    check_number("LIBSSH2_SEND_FUNC", kept_send == define_send, 1);
    check_number("libssh2_trace_handler_func", spelt_trace == trace, 1);
    check_number("libssh2_cb_generic", spelt_generic == generic, 1);
    return checked();
}
