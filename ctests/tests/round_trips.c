/* How often each step waits for the server, over a link with a delay: what can travel together
 * does. A turn is that bytes are sent and then bytes are received. */
#include "testd.h"

#include <libssh2_ext.h>
#include <stdio.h>
#include <stdlib.h>

/* The original has none of it. */
#pragma weak libssh2_ext_sftp_set_write_behind

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

/* Small files, one after the other: the turns for all. */
static int small_files(int files)
{
    taken("before");
    for(int i = 0; i < files; i++) {
        char name[20];
        snprintf(name, sizeof(name), "small %d", i);
        LIBSSH2_SFTP_HANDLE *file =
            CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name),
                                       LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
        is_number(CALL(c, libssh2_sftp_write(file, "a few bytes", 11)), 11, "write");
        is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    }
    return taken("small files");
}

/* A large file, presented in one piece: CLOSE travels behind the last WRITE. */
static int last_write_and_close(size_t size)
{
    char *data = make_data(size, 3);
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("large"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    taken("open");
    for(size_t done = 0; done < size;) {
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + done, size - done));
        if(rc <= 0)
            bail("write failed: %s", last_words(c));
        done += (size_t)rc;
    }
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    int result = taken("write and close");
    ok(file_is(temp_path("large"), data, size), "the file is whole");
    free(data);
    return result;
}

static void files(void)
{
    enum { FILES = 10 };
    int by_default = small_files(FILES);
    if(!ours)
        return;
    ok(by_default <= 3 * FILES, "%d turns for open, write and close of %d", by_default, FILES);
    is_number(libssh2_ext_sftp_set_write_behind(c->sftp, 1 << 20), 0, "set_write_behind");
    int behind = small_files(FILES);
    ok(behind <= 2 * FILES, "%d turns when written behind", behind);
    /* Written and closed in one turn, though the server answers many writes. */
    int large = last_write_and_close(500000);
    ok(large <= 2, "%d turns for a large file and its end", large);
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
    files();
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
