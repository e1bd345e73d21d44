/* Keys change again and again while several channels move data both ways at a time and a file goes
 * up and comes down beside them: under every family of ciphers, and nothing gets lost, doubled or
 * to the wrong channel. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHANNELS = 3, ROUNDS = 16, PIECE = 24000, TOTAL = ROUNDS * PIECE };

static struct conn *c;
static LIBSSH2_CHANNEL *channels[CHANNELS];
static char *data[CHANNELS + 1]; /* what each of them carries; the last is the file */

static void give(LIBSSH2_CHANNEL *channel, const char *piece)
{
    CALL_ALL(c, done, PIECE, libssh2_channel_write(channel, piece + done, PIECE - done));
}

static bool take(LIBSSH2_CHANNEL *channel, const char *want)
{
    char piece[PIECE];
    CALL_ALL(c, done, PIECE, libssh2_channel_read(channel, piece + done, PIECE - done));
    return memcmp(piece, want, PIECE) == 0;
}

static void put(LIBSSH2_SFTP_HANDLE *file, const char *piece)
{
    CALL_ALL(c, done, PIECE, libssh2_sftp_write(file, piece + done, PIECE - done));
}

static bool get(LIBSSH2_SFTP_HANDLE *file, const char *want)
{
    char piece[PIECE];
    CALL_ALL(c, done, PIECE, libssh2_sftp_read(file, piece + done, PIECE - done));
    return memcmp(piece, want, PIECE) == 0;
}

static LIBSSH2_SFTP_HANDLE *open_file(const char *name, unsigned long flags)
{
    LIBSSH2_SFTP_HANDLE *file = CALLP(c, libssh2_sftp_open(c->sftp, temp_path(name), flags, 0600));
    if(!file)
        bail("open failed");
    return file;
}

static void open_all(void)
{
    for(int i = 0; i < CHANNELS; i++) {
        channels[i] = CALLP(c, libssh2_channel_open_session(c->session));
        if(!channels[i] || CALL(c, libssh2_channel_exec(channels[i], "exec cat")) != 0)
            bail("no channel");
    }
}

static void close_all(void)
{
    char byte;
    for(int i = 0; i < CHANNELS; i++) {
        trace_rc(c, CALL(c, libssh2_channel_send_eof(channels[i])), "send_eof");
        trace_rc(c, CALL(c, libssh2_channel_read(channels[i], &byte, 1)), "read at the end");
        trace_rc(c, CALL(c, libssh2_channel_close(channels[i])), "close");
        trace("exit status %d", libssh2_channel_get_exit_status(channels[i]));
        trace_rc(c, CALL(c, libssh2_channel_free(channels[i])), "free");
    }
}

static void family(const char *cipher, const char *mac)
{
    char config[300];
    int wrong = 0;
    snprintf(config, sizeof(config), "RekeyLimit 256K\nLogLevel DEBUG1\nCiphers %s\nMACs %s\n"
             "KexAlgorithms curve25519-sha256\n",
             cipher, mac);
    server_config(config);
    c = conn_ready();
    trace("%s %s", libssh2_session_methods(c->session, LIBSSH2_METHOD_CRYPT_CS),
          libssh2_session_methods(c->session, LIBSSH2_METHOD_MAC_SC));
    open_all();
    LIBSSH2_SFTP_HANDLE *out = open_file("file", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT);
    LIBSSH2_SFTP_HANDLE *in = open_file("given", LIBSSH2_FXF_READ);
    for(size_t at = 0; at < TOTAL; at += PIECE) {
        for(int i = 0; i < CHANNELS; i++)
            give(channels[i], data[i] + at);
        put(out, data[CHANNELS] + at);
        for(int i = CHANNELS - 1; i >= 0; i--)
            wrong += !take(channels[i], data[i] + at);
        wrong += !get(in, data[CHANNELS] + at);
    }
    is_number(wrong, 0, "pieces that are not what was sent");
    trace_sftp(c, CALL(c, libssh2_sftp_close(out)), "close");
    trace_sftp(c, CALL(c, libssh2_sftp_close(in)), "close");
    ok(file_is(temp_path("file"), data[CHANNELS], TOTAL), "the file is whole");
    remove(temp_path("file"));
    int rekeys = server_rekeys();
    ok(rekeys >= 6, "%d times new keys under %s", rekeys, cipher);
    close_all();
    conn_close(c);
}

/* A server that asks whether we are there, and hangs up when it is not told. */
static void asked_whether_alive(void)
{
    char word[8] = "";
    server_config("ClientAliveInterval 1\nClientAliveCountMax 1");
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel || CALL(c, libssh2_channel_exec(channel, "sleep 4; echo done")) != 0)
        bail("no command");
    trace_rc(c, CALL(c, libssh2_channel_read(channel, word, 4)), "read");
    trace("after four seconds: %s", word);
    ok(memcmp(word, "done", 4) == 0, "the server has not hung up");
    trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    conn_close(c);
}

void test(void)
{
    for(int i = 0; i <= CHANNELS; i++)
        data[i] = make_data(TOTAL, 20 + (uint64_t)i);
    write_whole(temp_path("given"), data[CHANNELS], TOTAL);
    family("aes256-gcm@openssh.com", "hmac-sha2-256");
    family("chacha20-poly1305@openssh.com", "hmac-sha2-256");
    family("aes128-ctr", "hmac-sha2-256-etm@openssh.com");
    family("aes192-ctr", "hmac-sha2-512");
    family("aes256-cbc", "hmac-sha2-256");
    asked_whether_alive();
    for(int i = 0; i <= CHANNELS; i++)
        free(data[i]);
}
