/* The functions that others have replaced do what those do. */
#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

static char sent[256];
static ssize_t (*send_on_socket)(libssh2_socket_t, const void *, size_t, int, void **);

static LIBSSH2_SEND_FUNC(on_send)
{
    if(!*sent)
        memcpy(sent, buffer, length < sizeof(sent) - 1 ? length : sizeof(sent) - 1);
    return send_on_socket(socket, buffer, length, flags, abstract);
}

void test(void)
{
    struct conn *c = conn_new();
    trace_rc(c, libssh2_banner_set(c->session, "SSH-2.0-old_style"), "banner_set");
    send_on_socket = (__typeof__(send_on_socket))libssh2_session_callback_set(
        c->session, LIBSSH2_CALLBACK_SEND, (void *)on_send);
    ok(send_on_socket != NULL, "there was a function that sends");
    trace_rc(c, CALL(c, libssh2_session_startup(c->session, c->fd)), "session_startup");
    trace("the server got %.20s", sent);
    conn_login(c);

    LIBSSH2_CHANNEL *channel =
        CALLP(c, libssh2_channel_open_ex(c->session, "session", 7, 4096, 4096, NULL, 0));
    ok(channel != NULL, "channel_open_ex");
    is_number(libssh2_channel_window_read(channel), 4096, "the window");
    long before; /* an error number would come as an unsigned long */
    before = CALL(c, (long)libssh2_channel_receive_window_adjust(channel, 100, 0));
    trace("window before a grant that is put off: %ld", before);
    before = CALL(c, (long)libssh2_channel_receive_window_adjust(channel, 2000, 0));
    trace("window before: %ld", before);
    before = CALL(c, (long)libssh2_channel_receive_window_adjust(channel, 0, 1));
    trace("window now: %lu, %ld", before, libssh2_channel_window_read(channel));
    /* With the new window the command gets through at once, and its output comes whole. */
    trace_rc(c, CALL(c, libssh2_channel_exec(channel, "head -c 6000 /dev/zero")), "exec");
    char text[8192];
    size_t came = 0;
    ssize_t rc;
    while((rc = CALL(c, libssh2_channel_read(channel, text + came, sizeof(text) - came))) > 0)
        came += (size_t)rc;
    trace("%zu bytes, then %s", came, error_name(rc));
    libssh2_channel_ignore_extended_data(channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "channel_free");
    conn_close(c);
}
