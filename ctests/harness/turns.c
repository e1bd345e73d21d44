#include "turns.h"

#include <time.h>

typedef LIBSSH2_SEND_FUNC((*send_func));
typedef LIBSSH2_RECV_FUNC((*recv_func));

static send_func send_on_socket;
static recv_func recv_from_socket;
static bool sent;
static double sent_at;
static int turns, sends;

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static LIBSSH2_SEND_FUNC(on_send)
{
    ssize_t rc = send_on_socket(socket, buffer, length, flags, abstract);
    if(rc > 0) {
        if(!sent)
            sent_at = milliseconds();
        sent = true;
        sends++;
    }
    return rc;
}

static LIBSSH2_RECV_FUNC(on_recv)
{
    ssize_t rc = recv_from_socket(socket, buffer, length, flags, abstract);
    /* What comes sooner than the link lets an answer come was on its way before. */
    if(rc > 0 && sent && milliseconds() - sent_at >= 1.5 * server_delayed()) {
        sent = false;
        turns++;
    }
    return rc;
}

int turns_taken(const char *step)
{
    int result = turns;
    diag("%s: %d turns, %d sends", step, turns, sends);
    turns = sends = 0;
    return result;
}

void turns_count(struct conn *c)
{
    turns = sends = 0;
    sent = false;
    send_on_socket = (send_func)libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)on_send);
    recv_from_socket = (recv_func)libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)on_recv);
    ok(send_on_socket && recv_from_socket, "there are functions to build on");
}
