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

void test(void)
{
    server_delay(40);
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
