/*
 * Does a job over SFTP and says what that cost: moves a known pattern, up or down, writes many
 * small files, asks for attributes, or lists a directory. Or takes what a command prints.
 *
 * The same source is linked with the original and with our library, so that a difference between
 * two runs is a difference between the libraries. One line of key=value pairs goes to stdout:
 *
 *   lib      version the library reports
 *   bytes    payload moved
 *   count    files written, attributes asked for, or names listed; 1 for a transfer
 *   wall     seconds from the opened file to the last acknowledged (or received) byte, with -e to
 *            its end; for the other jobs from the first request to the last answer
 *   user,sys CPU seconds of this process in that time
 *   peak     most memory of this process at a time until then, in KiB
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
    unsigned int count;
    const struct job *job;
    bool nonblocking;
    bool sliding;
    bool verify;
    bool until_closed;
    char *pattern; /* what is uploaded, or should come */
    char *space;   /* where a download goes */
};

struct counts {
    uint64_t calls;
    uint64_t eagain;
    uint64_t zero;
    uint64_t bytes;
    uint64_t done;
};

/* What there is to do. `run` is given the open file if the job is about one. */
struct job {
    const char *name;
    unsigned long open_flags; /* 0 for a job that opens what it needs by itself */
    void (*run)(LIBSSH2_SFTP_HANDLE *, const struct options *, struct counts *);
};

static const struct job *find_job(const char *name);

static LIBSSH2_SESSION *session;
static LIBSSH2_SFTP *sftp;
static LIBSSH2_CHANNEL *channel; /* of a command */
static int sock = -1;

static const char usage[] =
    "usage: driver [options] upload|download|files|stats|list PATH\n"
    "  files writes files into the directory PATH, -s bytes each; stats asks for the attributes of\n"
    "  PATH again and again; list reads the directory PATH to its end\n"
    "usage: driver [options] output COMMAND\n"
    "  reads -s bytes of what the command prints\n"
    "  -f COUNT    how many files or attributes (default: 100)\n"
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
    "  -e          the time ends when the file is closed\n"
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
                         .count = 100,
                         .seconds = 120 };
    int c;

    while((c = getopt(argc, argv, "p:u:k:c:m:s:b:t:f:wnve")) != -1) {
        switch(c) {
        case 'p': o.port = atoi(optarg); break;
        case 'u': o.user = optarg; break;
        case 'k': o.key = optarg; break;
        case 'c': o.cipher = optarg; break;
        case 'm': o.mac = optarg; break;
        case 's': o.size = parse_size(optarg); break;
        case 'b': o.buffer = (size_t)parse_size(optarg); break;
        case 't': o.seconds = (unsigned int)atoi(optarg); break;
        case 'f': o.count = (unsigned int)atoi(optarg); break;
        case 'w': o.sliding = true; break;
        case 'n': o.nonblocking = true; break;
        case 'v': o.verify = true; break;
        case 'e': o.until_closed = true; break;
        default: fputs(usage, stderr); exit(2);
        }
    }
    if(argc - optind == 2) {
        o.job = find_job(argv[optind]);
    }
    if(!o.job || !o.port || !o.user || !o.key || !o.buffer) {
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

/* The most memory that this process has had, in KiB. (That of getrusage() counts the shell that it came of.) */
static long peak_memory(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    long peak = 0;

    while(status && fgets(line, sizeof(line), status)) {
        sscanf(line, "VmHWM: %ld", &peak);
    }
    if(status) {
        fclose(status);
    }
    return peak;
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
    uint64_t done = 0;
    uint64_t end = 0;

    while(done < o->size) {
        if(o->sliding || done == end) {
            end = o->size - done < o->buffer ? o->size : done + o->buffer;
        }
        done += book(libssh2_sftp_write(file, o->pattern + done % PERIOD, (size_t)(end - done)),
                     counts, "write");
    }
    counts->bytes += done;
}

static void download(LIBSSH2_SFTP_HANDLE *file, const struct options *o, struct counts *counts)
{
    uint64_t done = 0;

    while(done < o->size) {
        ssize_t result = libssh2_sftp_read(file, o->space, o->buffer);

        if(result == 0) {
            fail("the file ends early");
        }
        if(result > 0 && o->verify && memcmp(o->space, o->pattern + done % PERIOD, (size_t)result)) {
            fail("the download differs from the pattern");
        }
        done += book(result, counts, "read");
    }
    counts->bytes += done;
}

/* Repeats a call that gives a handle while it would block. */
static LIBSSH2_SFTP_HANDLE *open_path(const char *path, unsigned long flags, int type)
{
    LIBSSH2_SFTP_HANDLE *handle;

    do {
        handle = libssh2_sftp_open_ex(sftp, path, (unsigned int)strlen(path), flags, 0600, type);
    } while(!handle && libssh2_session_last_errno(session) == LIBSSH2_ERROR_EAGAIN &&
            (wait_for_socket(), 1));
    if(!handle) {
        fail(path);
    }
    return handle;
}

static void close_handle(LIBSSH2_SFTP_HANDLE *handle)
{
    int result;

    while((result = libssh2_sftp_close_handle(handle)) == LIBSSH2_ERROR_EAGAIN) {
        wait_for_socket();
    }
    if(result) {
        fail("close");
    }
}

static void files(LIBSSH2_SFTP_HANDLE *none, const struct options *o, struct counts *counts)
{
    unsigned int i;

    (void)none;
    for(i = 0; i < o->count; i++) {
        char path[4096];
        LIBSSH2_SFTP_HANDLE *file;

        snprintf(path, sizeof(path), "%s/%u", o->path, i);
        file = open_path(path, LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                         LIBSSH2_SFTP_OPENFILE);
        upload(file, o, counts);
        close_handle(file);
        counts->done++;
    }
}

static void stats(LIBSSH2_SFTP_HANDLE *none, const struct options *o, struct counts *counts)
{
    (void)none;
    while(counts->done < o->count) {
        LIBSSH2_SFTP_ATTRIBUTES attributes;
        int result = libssh2_sftp_stat(sftp, o->path, &attributes);

        if(result != LIBSSH2_ERROR_EAGAIN) {
            counts->done++;
        }
        book(result ? result : 1, counts, "stat");
    }
}

static void list(LIBSSH2_SFTP_HANDLE *none, const struct options *o, struct counts *counts)
{
    LIBSSH2_SFTP_HANDLE *directory = open_path(o->path, 0, LIBSSH2_SFTP_OPENDIR);
    char name[4096];
    int result;

    (void)none;
    while((result = libssh2_sftp_readdir(directory, name, sizeof(name), NULL)) != 0) {
        counts->done += book(result, counts, "readdir") > 0;
    }
    close_handle(directory);
}

/* Reads so much of what the command prints. */
static void output(LIBSSH2_SFTP_HANDLE *none, const struct options *o, struct counts *counts)
{
    (void)none;
    while(counts->bytes < o->size) {
        ssize_t result = libssh2_channel_read(channel, o->space, o->buffer);

        if(result == 0) {
            fail("the command prints less");
        }
        counts->bytes += book(result, counts, "read");
    }
}

static const struct job jobs[] = {
    { "upload", LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, upload },
    { "download", LIBSSH2_FXF_READ, download },
    { "files", 0, files },
    { "stats", 0, stats },
    { "list", 0, list },
    { "output", 0, output },
};

static const struct job *find_job(const char *name)
{
    size_t i;

    for(i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if(!strcmp(jobs[i].name, name)) {
            return &jobs[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct options o = parse_options(argc, argv);
    struct counts counts = { 0 };
    struct rusage before, after;
    double connected, opened, moved, closed;
    long peak;
    LIBSSH2_SFTP_HANDLE *file = NULL;

    alarm(o.seconds);
    o.pattern = make_pattern(o.buffer);
    o.space = calloc(1, o.buffer);
    if(!o.space) {
        fail("out of memory");
    }
    memset(o.space, 1, o.buffer);
    if(libssh2_init(0)) {
        fail("init");
    }
    connect_to(o.port);
    connected = now();
    log_in(&o);
    sftp = libssh2_sftp_init(session);
    if(!sftp) {
        fail("sftp_init");
    }
    if(o.job->open_flags) {
        file = open_path(o.path, o.job->open_flags, LIBSSH2_SFTP_OPENFILE);
    }
    if(o.job->run == output) {
        channel = libssh2_channel_open_session(session);
        if(!channel || libssh2_channel_exec(channel, o.path)) {
            fail(o.path);
        }
    }
    libssh2_session_set_blocking(session, !o.nonblocking);

    getrusage(RUSAGE_SELF, &before);
    opened = now();
    o.job->run(file, &o, &counts);
    if(file && o.until_closed) {
        close_handle(file);
    }
    moved = now();
    getrusage(RUSAGE_SELF, &after);
    peak = peak_memory();

    libssh2_session_set_blocking(session, 1);
    if(file && !o.until_closed) {
        close_handle(file);
    }
    if(channel) {
        libssh2_channel_free(channel);
    }
    closed = now();
    libssh2_sftp_shutdown(sftp);
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    close(sock);

    printf("lib=%s bytes=%llu count=%llu wall=%.6f user=%.6f sys=%.6f rate=%.3f peak=%ld calls=%llu "
           "eagain=%llu zero=%llu login=%.6f close=%.6f\n",
           libssh2_version(0), (unsigned long long)counts.bytes,
           (unsigned long long)(file ? 1 : counts.done), moved - opened,
           seconds(after.ru_utime) - seconds(before.ru_utime),
           seconds(after.ru_stime) - seconds(before.ru_stime),
           (double)counts.bytes / 1e6 / (moved - opened), peak,
           (unsigned long long)counts.calls, (unsigned long long)counts.eagain,
           (unsigned long long)counts.zero, opened - connected, closed - moved);
    libssh2_exit();
    return 0;
}
