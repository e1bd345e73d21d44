/* A sparse file of more than 4 GiB by SCP, both ways, with OpenSSH's scp at the other end. It takes a
 * while and 5 GB of disk: only with CTESTS_ALL=1. */
#include "harness.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static const long long size = (4LL << 30) + 123457;

static struct conn *c;
static char space[PIECE];

/* Data at the beginning, across both 32-bit limits, and at the end; holes between. */
static void make_file(const char *path)
{
    const long long places[] = { 0, (2LL << 30) - 5000, (4LL << 30) - 5000, size - 10000 };
    char *data = make_data(10000, 8);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    for(size_t i = 0; i < COUNT(places); i++) {
        data[0] = (char)i;
        if(pwrite(file, data, 10000, places[i]) != 10000)
            bail("no sparse file");
    }
    close(file);
    free(data);
}

static const char *hex(EVP_MD_CTX *sum)
{
    unsigned char hash[32];
    char *text = malloc(65);
    EVP_DigestFinal_ex(sum, hash, NULL);
    EVP_MD_CTX_free(sum);
    for(size_t i = 0; i < sizeof(hash); i++)
        sprintf(text + 2 * i, "%02x", hash[i]);
    return text;
}

static EVP_MD_CTX *new_sum(void)
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    return sum;
}

static const char *sum_of(const char *path)
{
    EVP_MD_CTX *sum = new_sum();
    int file = open(path, O_RDONLY);
    ssize_t got;
    while((got = read(file, space, PIECE)) > 0)
        EVP_DigestUpdate(sum, space, (size_t)got);
    close(file);
    return hex(sum);
}

static void up(const char *from, const char *to, const char *sum)
{
    int file = open(from, O_RDONLY);
    long long begin = now_ms(), sent = 0;
    ssize_t got;
    struct stat st;
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_send64(c->session, to, 0600, size, 0, 0));
    if(!channel)
        bail("scp_send64: %s", error_name(libssh2_session_last_errno(c->session)));
    while((got = read(file, space, PIECE)) > 0)
        for(ssize_t done = 0; done < got;) {
            ssize_t rc = CALL(c, libssh2_channel_write(channel, space + done, (size_t)(got - done)));
            if(rc <= 0)
                bail("write: %s", error_name(rc));
            done += rc;
            sent += rc;
        }
    is_number(sent, size, "bytes sent");
    is_number(CALL(c, libssh2_channel_send_eof(channel)), 0, "send_eof");
    is_number(CALL(c, libssh2_channel_wait_eof(channel)), 0, "wait_eof");
    is_number(CALL(c, libssh2_channel_wait_closed(channel)), 0, "wait_closed");
    is_number(libssh2_channel_get_exit_status(channel), 0, "scp is content");
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "free");
    diag("up: %lld ms", now_ms() - begin);
    ok(stat(to, &st) == 0 && st.st_size == size, "all of it is there");
    ok(strcmp(sum_of(to), sum) == 0, "and it is the same");
    close(file);
    unlink(to);
}

static void down(const char *from, const char *to, const char *sum)
{
    int file = open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
    long long begin = now_ms(), received = 0;
    EVP_MD_CTX *arrived = new_sum();
    struct stat st;
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_recv2(c->session, from, &st));
    if(!channel)
        bail("scp_recv2: %s", error_name(libssh2_session_last_errno(c->session)));
    is_number(st.st_size, size, "the size that is told");
    while(received < size) {
        static const char zeros[PIECE];
        size_t want = size - received < PIECE ? (size_t)(size - received) : PIECE;
        ssize_t got = CALL(c, libssh2_channel_read(channel, space, want));
        if(got <= 0)
            bail("read: %s", error_name(got));
        EVP_DigestUpdate(arrived, space, (size_t)got);
        if(memcmp(space, zeros, (size_t)got) != 0 &&
           pwrite(file, space, (size_t)got, received) != got)
            bail("no room");
        received += got;
    }
    is_number(CALL(c, libssh2_channel_free(channel)), 0, "free");
    diag("down: %lld ms", now_ms() - begin);
    ok(strcmp(hex(arrived), sum) == 0, "what arrived is the same");
    ok(ftruncate(file, size) == 0 && fsync(file) == 0 && fstat(file, &st) == 0 && st.st_blocks < 200000,
       "the copy is sparse: %lld blocks", (long long)st.st_blocks);
    ok(strcmp(sum_of(to), sum) == 0, "so is the copy");
    close(file);
    unlink(to);
}

void test(void)
{
    if(!getenv("CTESTS_ALL") || !ours) {
        skip("only with CTESTS_ALL=1, and on our library");
        return;
    }
    watchdog(900);
    trace_off(true);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    c->limit_ms = 60000;
    const char *source = temp_path("source"), *copy = temp_path("copy");
    make_file(source);
    const char *sum = sum_of(source);
    diag("SHA-256 %s", sum);
    up(source, copy, sum);
    down(source, copy, sum);
    unlink(source);
    conn_close(c);
}
