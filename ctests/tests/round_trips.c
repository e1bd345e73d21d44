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

/* The turns of a handshake with a server that prefers curve25519-sha256 and ssh-ed25519, by a
 * program that has chosen both lists. */
static int chosen(const char *kex, const char *host_key)
{
    count(conn_new());
    trace_rc(c, libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX, kex), "prefer %s", kex);
    trace_rc(c, libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, host_key),
             "prefer %s", host_key);
    conn_handshake(c);
    int turns_taken = taken("handshake");
    trace("kex %s, host key %s", libssh2_session_methods(c->session, LIBSSH2_METHOD_KEX),
          libssh2_session_methods(c->session, LIBSSH2_METHOD_HOSTKEY));
    conn_login(c);
    taken("login");
    conn_close(c);
    return turns_taken;
}

static void guesses(void)
{
    server_config("KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256\n");
    int right = chosen("curve25519-sha256,ecdh-sha2-nistp256", "ssh-ed25519,rsa-sha2-512");
    int other_kex = chosen("ecdh-sha2-nistp256,curve25519-sha256", "ssh-ed25519");
    int other_key = chosen("curve25519-sha256", "rsa-sha2-512,ssh-ed25519");
    if(ours) {
        ok(right == 1, "%d turn where the guess of the key exchange is right", right);
        ok(other_kex == 2, "%d turns where it is wrong in the method", other_kex);
        ok(other_key == 2, "%d turns where it is wrong in the host key", other_key);
    }
    server_config(NULL);
}

void test(void)
{
    server_delay(40);
    guesses();
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
