/* A transport that hinders: every second call would block, and 1 to 8 bytes pass at a time.
 *
 * It also checks what the directions of an EAGAIN promise: if the library asked to be called
 * again when the socket is readable, it must then read; if writable, then write. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static bool installed;
static unsigned calls, sizes;
static int waited_for; /* directions of the last EAGAIN; 0: none pending */
static bool has_sent, has_received; /* since that EAGAIN */
static int idle_waits, waits;

static size_t piece(size_t length)
{
    sizes = sizes * 1103515245u + 12345u;
    size_t size = 1 + (sizes >> 16) % 8;
    return size < length ? size : length;
}

static LIBSSH2_SEND_FUNC(send_some)
{
    (void)abstract;
    has_sent = true;
    if(calls++ % 2)
        return -EAGAIN;
    ssize_t sent = send(socket, buffer, piece(length), flags);
    return sent < 0 ? -errno : sent;
}

static LIBSSH2_RECV_FUNC(receive_some)
{
    (void)abstract;
    has_received = true;
    if(calls++ % 2)
        return -EAGAIN;
    ssize_t received = recv(socket, buffer, piece(length), flags);
    return received < 0 ? -errno : received;
}

void fault_install(struct conn *c)
{
    installed = true;
    waited_for = idle_waits = waits = 0;
    calls = 0;
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_SEND,
                                  (libssh2_cb_generic *)send_some);
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_RECV,
                                  (libssh2_cb_generic *)receive_some);
}

void fault_settle(void)
{
    if(!installed || !waited_for)
        return;
    waits++;
    bool used = (has_received && (waited_for & LIBSSH2_SESSION_BLOCK_INBOUND)) ||
                (has_sent && (waited_for & LIBSSH2_SESSION_BLOCK_OUTBOUND));
    idle_waits += !used;
    waited_for = 0;
}

void fault_waits(int directions)
{
    fault_settle();
    waited_for = directions;
    has_sent = has_received = false;
}

void fault_report(void)
{
    fault_settle();
    diag("%u transport calls, %d waits, %d of them without use", calls, waits, idle_waits);
    is_number(idle_waits, 0, "each direction waited for was used by the next call");
}
