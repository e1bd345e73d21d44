/* How often each step waits for the server, over a link with a delay: what can travel together
 * does. */
#include "testd.h"
#include "turns.h"

#include <libssh2_ext.h>
#include <stdio.h>
#include <stdlib.h>

/* The original has none of it. */
#pragma weak libssh2_ext_sftp_set_write_behind

static struct conn *c;

static void count(struct conn *connection)
{
    c = connection;
    turns_count(c);
}

/* Small files, one after the other: the turns for all. */
static int small_files(int files)
{
    turns_taken("before");
    for(int i = 0; i < files; i++) {
        char name[20];
        snprintf(name, sizeof(name), "small %d", i);
        LIBSSH2_SFTP_HANDLE *file =
            CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name),
                                       LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
        is_number(CALL(c, libssh2_sftp_write(file, "a few bytes", 11)), 11, "write");
        is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    }
    return turns_taken("small files");
}

/* A large file, presented in one piece: CLOSE travels behind the last WRITE. */
static int last_write_and_close(size_t size)
{
    char *data = make_data(size, 3);
    LIBSSH2_SFTP_HANDLE *file =
        CALLP(c, libssh2_sftp_open(c->sftp, temp_path("large"),
                                   LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, 0600));
    turns_taken("open");
    for(size_t done = 0; done < size;) {
        ssize_t rc = CALL(c, libssh2_sftp_write(file, data + done, size - done));
        if(rc <= 0)
            bail("write failed: %s", last_words(c));
        done += (size_t)rc;
    }
    is_number(CALL(c, libssh2_sftp_close(file)), 0, "close");
    int result = turns_taken("write and close");
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
    files();
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
