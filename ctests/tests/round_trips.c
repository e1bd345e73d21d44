/* How often each step waits for the server, over a link with a delay: what can travel together
 * does. */
#include "testd.h"
#include "turns.h"

static struct conn *c;

static void count(struct conn *connection)
{
    c = connection;
    turns_count(c);
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
    int turns = turns_taken("handshake");
    trace("kex %s, host key %s", libssh2_session_methods(c->session, LIBSSH2_METHOD_KEX),
          libssh2_session_methods(c->session, LIBSSH2_METHOD_HOSTKEY));
    conn_login(c);
    turns_taken("login");
    conn_close(c);
    return turns;
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
    int until_login = turns_taken("handshake with sshd");
    conn_login(c);
    until_login += turns_taken("login by public key");
    conn_sftp(c);
    int sftp = turns_taken("sftp_init");
    if(ours) {
        /* With the one for the TCP connection these are four. */
        ok(until_login <= 3, "%d turns until the login is done", until_login);
        ok(sftp <= 2, "%d turns for sftp_init", sftp);
    }
    conn_close(c);

    count(testd("--seconds 20"));
    conn_handshake(c);
    until_login = turns_taken("handshake with a server that lets more travel together");
    testd_login(c);
    until_login += turns_taken("login by password");
    conn_sftp(c);
    sftp = turns_taken("sftp_init");
    if(ours) {
        ok(until_login <= 3, "%d turns until the login is done", until_login);
        ok(sftp <= 2, "%d turns for sftp_init", sftp);
    }
    conn_close(c);
}
