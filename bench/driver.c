/*
 * Moves a known pattern over SFTP, or takes what a command prints, and says what that cost.
 *
 * The same source is linked with the original and with our library, so that a difference between
 * two runs is a difference between the libraries. One line of key=value pairs goes to stdout:
 *
 *   lib      version the library reports
 *   bytes    payload moved
 *   wall     seconds from the opened file to the last acknowledged (or received) byte
 *   user,sys CPU seconds of this process in that time
 *   rate     MB/s (10^6 bytes per second of wall)
 *   calls    calls of libssh2_sftp_write or _read; eagain and zero count those results
 *   login    seconds from the connected socket to the opened file
 *   close    seconds that closing the file took
 */
#include <libssh2.h>
#include <libssh2_sftp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The payload repeats after a prime number of bytes: a block that lands in the wrong place shows. */
#define PERIOD 65521

/* How often a call may say "nothing, no error" in a row before it counts as a hang. */
#define ZEROS_MAX 1000

struct options {
    int port;
    const char *user;
    const char *key;
    const char *cipher;
    const char *mac;
    const char *path;
    size_t buffer;
    uint64_t size;
    unsigned int seconds;
    bool download;
    bool output;
    bool nonblocking;
    bool sliding;
    bool verify;
};

struct counts {
    uint64_t calls;
    uint64_t eagain;
    uint64_t zero;
};

static LIBSSH2_SESSION *session;
static int sock = -1;

static const char usage[] =
    "usage: driver [options] upload|download PATH\n"
    "       driver [options] output COMMAND\n"
    "  -p PORT     of the server on 127.0.0.1\n"
    "  -u USER     to log in as\n"
    "  -k FILE     private key, without passphrase\n"
    "  -c CIPHER   both ways (default: aes256-gcm@openssh.com)\n"
    "  -m MAC      both ways (default: the library's choice)\n"
    "  -s SIZE     bytes to move, K or M appended for KiB or MiB (default: 64M)\n"
    "  -b SIZE     bytes offered per call (default: 256K)\n"
    "  -w          sliding window: each upload call offers a full buffer from the first\n"
    "              unacknowledged byte on (default: one buffer is drained, then comes the next)\n"
    "  -n          non-blocking session, waiting in poll()\n"
    "  -v          compare what a download brings with the pattern\n"
    "  -t SECONDS  kill the run after this time (default: 120)\n";

static void fail(const char *what)
{
    char *text = NULL;
    int code = 0;

    if(session) {
        code = libssh2_session_last_error(session, &text, NULL, 0);
    }
    fprintf(stderr, "driver: %s: error %d%s%s\n", what, code, text ? ", " : "", text ? text : "");
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static uint64_t parse_size(const char *text)
{
    char *end;
    uint64_t size = strtoull(text, &end, 10);

    if(*end == 'K') {
        size <<= 10;
        end++;
    }
    else if(*end == 'M') {
        size <<= 20;
        end++;
    }
    if(end == text || *end) {
        fprintf(stderr, "driver: not a size: %s\n", text);
        exit(2);
    }
    return size;
}

static struct options parse_options(int argc, char **argv)
{
    struct options o = { .cipher = "aes256-gcm@openssh.com",
                         .buffer = 256 << 10,
                         .size = 64 << 20,
                         .seconds = 120 };
    int c;

    while((c = getopt(argc, argv, "p:u:k:c:m:s:b:t:wnv")) != -1) {
        switch(c) {
        case 'p': o.port = atoi(optarg); break;
        case 'u': o.user = optarg; break;
        case 'k': o.key = optarg; break;
        case 'c': o.cipher = optarg; break;
        case 'm': o.mac = optarg; break;
        case 's': o.size = parse_size(optarg); break;
        case 'b': o.buffer = (size_t)parse_size(optarg); break;
        case 't': o.seconds = (unsigned int)atoi(optarg); break;
        case 'w': o.sliding = true; break;
        case 'n': o.nonblocking = true; break;
        case 'v': o.verify = true; break;
        default: fputs(usage, stderr); exit(2);
        }
    }
    if(argc - optind != 2 || !o.port || !o.user || !o.key || !o.buffer) {
        fputs(usage, stderr);
        exit(2);
    }
    o.download = !strcmp(argv[optind], "download");
    o.output = !strcmp(argv[optind], "output");
    if(!o.download && !o.output && strcmp(argv[optind], "upload")) {
        fputs(usage, stderr);
        exit(2);
    }
    o.path = argv[optind + 1];
    return o;
}

/* Sleeps until the socket can do what the library said it waits for. */
static void wait_for_socket(void)
{
    int directions = libssh2_session_block_directions(session);
    struct pollfd p = { .fd = sock };

    if(directions & LIBSSH2_SESSION_BLOCK_INBOUND) {
        p.events |= POLLIN;
    }
    if(directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) {
        p.events |= POLLOUT;
    }
    if(!p.events) {
        fail("EAGAIN without a direction to wait for");
    }
    if(poll(&p, 1, 30000) <= 0) {
        fail("no progress for 30 s");
    }
}

static void connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sock = socket(AF_INET, SOCK_STREAM, 0);
    if(sock < 0 || connect(sock, (struct sockaddr *)&address, sizeof(address))) {
        fprintf(stderr, "driver: connect to port %d: %s\n", port, strerror(errno));
        exit(1);
    }
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void prefer(int method, const char *names)
{
    if(libssh2_session_method_pref(session, method, names)) {
        fail(names);
    }
}

static void log_in(const struct options *o)
{
    session = libssh2_session_init();
    if(!session) {
        fail("session_init");
    }
    prefer(LIBSSH2_METHOD_CRYPT_CS, o->cipher);
    prefer(LIBSSH2_METHOD_CRYPT_SC, o->cipher);
    if(o->mac) {
        prefer(LIBSSH2_METHOD_MAC_CS, o->mac);
        prefer(LIBSSH2_METHOD_MAC_SC, o->mac);
    }
    if(libssh2_session_handshake(session, sock)) {
        fail("handshake");
    }
    if(libssh2_userauth_publickey_fromfile(session, o->user, NULL, o->key, NULL)) {
        fail("log in");
    }
}

/* PERIOD bytes of noise, repeated until a whole buffer can start anywhere in the first period. */
static char *make_pattern(size_t buffer)
{
    size_t length = PERIOD + buffer;
    char *pattern = malloc(length);
    uint32_t x = 2463534242u;
    size_t i;

    if(!pattern) {
        fail("out of memory");
    }
    for(i = 0; i < PERIOD; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pattern[i] = (char)(x >> 24);
    }
    for(; i < length; i++) {
        pattern[i] = pattern[i - PERIOD];
    }
    return pattern;
}

/* Books the result of one call: the bytes that it moved, or 0 when it is to be repeated. */
static uint64_t book(ssize_t result, struct counts *counts, const char *what)
{
    static unsigned int zeros;

    counts->calls++;
    if(result == LIBSSH2_ERROR_EAGAIN) {
        counts->eagain++;
        wait_for_socket();
        return 0;
    }
    if(result < 0) {
        fail(what);
    }
    if(result == 0) {
        counts->zero++;
        if(++zeros > ZEROS_MAX) {
            fail("only zeros");
        }
        return 0;
    }
    zeros = 0;
    return (uint64_t)result;
}

static void upload(LIBSSH2_SFTP_HANDLE *file, const struct options *o, struct counts *counts)
{
    char *pattern = make_pattern(o->buffer);
    uint64_t done = 0;
    uint64_t end = 0;

    while(done < o->size) {
        if(o->sliding || done == end) {
            end = o->size - done < o->buffer ? o->size : done + o->buffer;
        }
        done += book(libssh2_sftp_write(file, pattern + done % PERIOD, (size_t)(end - done)),
                     counts, "write");
    }
    free(pattern);
}

static void download(LIBSSH2_SFTP_HANDLE *file, const struct options *o, struct counts *counts)
{
    char *pattern = make_pattern(o->buffer);
    char *buffer = malloc(o->buffer);
    uint64_t done = 0;

    if(!buffer) {
        fail("out of memory");
    }
    while(done < o->size) {
        ssize_t result = libssh2_sftp_read(file, buffer, o->buffer);

        if(result == 0) {
            fail("the file ends early");
        }
        if(result > 0 && o->verify && memcmp(buffer, pattern + done % PERIOD, (size_t)result)) {
            fail("the download differs from the pattern");
        }
        done += book(result, counts, "read");
    }
    free(buffer);
    free(pattern);
}

/* Reads all that the command prints, which must be so much. */
static void take_output(LIBSSH2_CHANNEL *channel, const struct options *o, struct counts *counts)
{
    char *buffer = malloc(o->buffer);
    uint64_t done = 0;

    if(!buffer) {
        fail("out of memory");
    }
    while(done < o->size) {
        ssize_t result = libssh2_channel_read(channel, buffer, o->buffer);

        if(result == 0) {
            fail("the command prints less");
        }
        done += book(result, counts, "read");
    }
    free(buffer);
}

int main(int argc, char **argv)
{
    struct options o = parse_options(argc, argv);
    struct counts counts = { 0 };
    struct rusage before, after;
    double connected, opened, moved, closed;
    LIBSSH2_SFTP *sftp = NULL;
    LIBSSH2_SFTP_HANDLE *file = NULL;
    LIBSSH2_CHANNEL *channel = NULL;

    alarm(o.seconds);
    if(libssh2_init(0)) {
        fail("init");
    }
    connect_to(o.port);
    connected = now();
    log_in(&o);
    if(o.output) {
        channel = libssh2_channel_open_session(session);
        if(!channel || libssh2_channel_exec(channel, o.path)) {
            fail(o.path);
        }
    }
    else {
        sftp = libssh2_sftp_init(session);
        if(!sftp) {
            fail("sftp_init");
        }
        file = libssh2_sftp_open(
            sftp, o.path,
            o.download ? LIBSSH2_FXF_READ
                       : LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
            0600);
        if(!file) {
            fail(o.path);
        }
    }
    libssh2_session_set_blocking(session, !o.nonblocking);

    getrusage(RUSAGE_SELF, &before);
    opened = now();
    if(o.output) {
        take_output(channel, &o, &counts);
    }
    else if(o.download) {
        download(file, &o, &counts);
    }
    else {
        upload(file, &o, &counts);
    }
    moved = now();
    getrusage(RUSAGE_SELF, &after);

    libssh2_session_set_blocking(session, 1);
    if(channel ? libssh2_channel_free(channel) : libssh2_sftp_close(file)) {
        fail("close");
    }
    closed = now();
    if(sftp) {
        libssh2_sftp_shutdown(sftp);
    }
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    close(sock);

    printf("lib=%s bytes=%llu wall=%.6f user=%.6f sys=%.6f rate=%.3f calls=%llu eagain=%llu "
           "zero=%llu login=%.6f close=%.6f\n",
           libssh2_version(0), (unsigned long long)o.size, moved - opened,
           seconds(after.ru_utime) - seconds(before.ru_utime),
           seconds(after.ru_stime) - seconds(before.ru_stime),
           (double)o.size / 1e6 / (moved - opened), (unsigned long long)counts.calls,
           (unsigned long long)counts.eagain, (unsigned long long)counts.zero, opened - connected,
           closed - moved);
    libssh2_exit();
    return 0;
}
