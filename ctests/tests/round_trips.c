/* How often each step waits for the server, over a link with a delay: what can travel together
 * does. A turn is that bytes are sent and then bytes are received. */
#include "testd.h"

#include <stdlib.h>

typedef LIBSSH2_SEND_FUNC((*send_func));
typedef LIBSSH2_RECV_FUNC((*recv_func));

static struct conn *c;
static send_func send_on_socket;
static recv_func recv_from_socket;
static bool sent;
static int turns, sends;

static LIBSSH2_SEND_FUNC(on_send)
{
    ssize_t rc = send_on_socket(socket, buffer, length, flags, abstract);
    if(rc > 0) {
        sent = true;
        sends++;
    }
    return rc;
}

static LIBSSH2_RECV_FUNC(on_recv)
{
    ssize_t rc = recv_from_socket(socket, buffer, length, flags, abstract);
    if(rc > 0 && sent) {
        sent = false;
        turns++;
    }
    return rc;
}

/* What `step` has taken since the last one. */
static int taken(const char *step)
{
    int result = turns;
    diag("%s: %d turns, %d sends", step, turns, sends);
    turns = sends = 0;
    return result;
}

static void count(struct conn *connection)
{
    c = connection;
    turns = sends = 0;
    sent = false;
    send_on_socket = (send_func)libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)on_send);
    recv_from_socket = (recv_func)libssh2_session_callback_set2(
        c->session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)on_recv);
    ok(send_on_socket && recv_from_socket, "there are functions to build on");
}

void test(void)
{
    server_delay(40);
    count(conn_new());
    conn_handshake(c);
    int until_login = taken("handshake with sshd");
    conn_login(c);
    until_login += taken("login by public key");
    conn_sftp(c);
    int sftp = taken("sftp_init");
    if(ours) {
        /* With the one for the TCP connection these are four. */
        ok(until_login <= 3, "%d turns until the login is done", until_login);
        ok(sftp <= 2, "%d turns for sftp_init", sftp);
    }
    conn_close(c);

    count(testd("--seconds 20"));
    conn_handshake(c);
    until_login = taken("handshake with a server that lets more travel together");
    testd_login(c);
    until_login += taken("login by password");
    conn_sftp(c);
    sftp = taken("sftp_init");
    if(ours) {
        ok(until_login <= 3, "%d turns until the login is done", until_login);
        ok(sftp <= 2, "%d turns for sftp_init", sftp);
    }
    conn_close(c);
}
