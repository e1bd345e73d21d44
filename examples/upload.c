/*
 * Uploads one file over SFTP and shows how far it is.
 *
 *     cc -o upload upload.c -lssh2
 *     ./upload -i ~/.ssh/id_ed25519 holiday.mkv me@nas.example.org:films/holiday.mkv
 *
 * Without -i it asks for the password. It prints the fingerprint of the server's key and asks
 * whether to trust it, unless -f tells which one to expect.
 */
#define _POSIX_C_SOURCE 200809L
#include <libssh2.h>
#include <libssh2_sftp.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* How much the library may have in its hands at once: more than a far server's window. */
#define BUFFER_SIZE ((size_t)4 << 20)

static const char usage[] =
    "usage: upload [-p port] [-i key [-P]] [-f fingerprint] file user@host:path\n"
    "  -p  port of the server (default 22)\n"
    "  -i  private key to log in with, in place of a password\n"
    "  -P  ask for the passphrase of that key\n"
    "  -f  SHA-256 fingerprint of the host key, as `ssh-keygen -l` prints it after SHA256:\n";

static int complain(LIBSSH2_SESSION *session, const char *what)
{
    char *text;
    int code = libssh2_session_last_error(session, &text, NULL, 0);

    fprintf(stderr, "upload: %s: %s (%d)\n", what, text, code);
    return -1;
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *a;
    int sock = -1;
    int problem = getaddrinfo(host, port, &hints, &list);

    if(problem) {
        fprintf(stderr, "upload: %s: %s\n", host, gai_strerror(problem));
        return -1;
    }
    for(a = list; a && sock < 0; a = a->ai_next) {
        sock = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if(sock >= 0 && connect(sock, a->ai_addr, a->ai_addrlen)) {
            close(sock);
            sock = -1;
        }
    }
    freeaddrinfo(list);
    if(sock < 0) {
        perror("upload: connect");
    }
    return sock;
}

/* Reads a line from standard input; `secret` keeps a terminal from showing it. */
static int ask(const char *question, int secret, char *answer, int size)
{
    struct termios shown, hidden;
    int hide = secret && tcgetattr(STDIN_FILENO, &shown) == 0;
    char *got;

    fprintf(stderr, "%s ", question);
    if(hide) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    got = fgets(answer, size, stdin);
    if(hide) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if(!got) {
        return -1;
    }
    answer[strcspn(answer, "\r\n")] = '\0';
    return 0;
}

/* Writes the 32 bytes of a SHA-256 hash as 43 characters of base64. */
static void fingerprint_text(const unsigned char *hash, char text[44])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int i;

    for(i = 0; i < 43; i++) {
        int bit = i * 6;
        unsigned int pair = (unsigned int)hash[bit / 8] << 8;

        if(bit / 8 + 1 < 32) {
            pair |= hash[bit / 8 + 1];
        }
        text[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    text[43] = '\0';
}

/* The most important check of all: without it, anyone could be at the other end. */
static int trust_server(LIBSSH2_SESSION *session, const char *expected)
{
    const char *hash = libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256);
    char text[44], answer[8];

    if(!hash) {
        return complain(session, "host key");
    }
    fingerprint_text((const unsigned char *)hash, text);
    if(expected) {
        if(strcmp(expected, text) == 0) {
            return 0;
        }
        fprintf(stderr, "upload: the host key is SHA256:%s, not the expected one\n", text);
        return -1;
    }
    fprintf(stderr, "The server's key is SHA256:%s\n", text);
    if(ask("Is this the right server (yes/no)?", 0, answer, sizeof(answer))) {
        return -1;
    }
    return strcmp(answer, "yes") == 0 ? 0 : -1;
}

static int log_in(LIBSSH2_SESSION *session, const char *user, const char *key, int ask_passphrase)
{
    char secret[256] = "";
    int result;

    if(!key || ask_passphrase) {
        if(ask(key ? "Passphrase:" : "Password:", 1, secret, sizeof(secret))) {
            return -1;
        }
    }
    if(key) {
        result = libssh2_userauth_publickey_fromfile(session, user, NULL, key, secret);
    }
    else {
        result = libssh2_userauth_password(session, user, secret);
    }
    memset(secret, 0, sizeof(secret));
    return result ? complain(session, "log in") : 0;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Draws the bar on a terminal, ten times a second at most. */
static void show_progress(double done, double size, double begin)
{
    static const char full[] = "########################################";
    static double last;
    double time = now();
    double share = size > 0 ? done / size : 1;
    int width = (int)(share * 40);

    if(!isatty(STDERR_FILENO) || (time - last < 0.1 && done < size)) {
        return;
    }
    last = time;
    fprintf(stderr, "\r[%-40.*s] %3.0f %%  %.1f of %.1f MB  %.1f MB/s ", width, full, share * 100,
            done / 1e6, size / 1e6, done / 1e6 / (time - begin + 1e-9));
    if(done >= size) {
        fputc('\n', stderr);
    }
}

/*
 * libssh2_sftp_write sends all that it is given and comes back when the server has acknowledged
 * some of it; the rest stays on its way. The next call must go on with the same bytes, and may have
 * new ones behind them. So the buffer slides over the file: what is acknowledged leaves in front,
 * new data joins at the end, and the connection never runs dry.
 */
static int send_file(LIBSSH2_SESSION *session, LIBSSH2_SFTP_HANDLE *remote, FILE *local, double size)
{
    char *buffer = malloc(BUFFER_SIZE);
    size_t start = 0, end = 0;
    double done = 0, begin = now();
    int result = -1;

    if(!buffer) {
        fprintf(stderr, "upload: out of memory\n");
        return -1;
    }
    for(;;) {
        ssize_t written;

        if(start >= BUFFER_SIZE / 2 || start == end) {
            memmove(buffer, buffer + start, end - start);
            end -= start;
            start = 0;
            end += fread(buffer + end, 1, BUFFER_SIZE - end, local);
            if(ferror(local)) {
                perror("upload: read");
                break;
            }
            if(end == 0) {
                result = 0;
                break;
            }
        }
        written = libssh2_sftp_write(remote, buffer + start, end - start);
        if(written < 0) {
            complain(session, "write");
            break;
        }
        start += (size_t)written;
        done += (double)written;
        show_progress(done, size, begin);
    }
    free(buffer);
    if(result == 0) {
        double time = now() - begin;

        printf("%.1f MB in %.2f s, %.1f MB/s\n", done / 1e6, time, done / 1e6 / (time + 1e-9));
    }
    return result;
}

static int upload(LIBSSH2_SESSION *session, const char *file, const char *path)
{
    LIBSSH2_SFTP *sftp = NULL;
    LIBSSH2_SFTP_HANDLE *remote = NULL;
    struct stat status;
    int result = -1;
    FILE *local = fopen(file, "rb");

    if(!local || fstat(fileno(local), &status)) {
        perror(file);
    }
    else if(!(sftp = libssh2_sftp_init(session))) {
        complain(session, "start SFTP");
    }
    else if(!(remote = libssh2_sftp_open(
                  sftp, path, LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC,
                  (long)(status.st_mode & 0777)))) {
        complain(session, path);
    }
    else {
        result = send_file(session, remote, local, (double)status.st_size);
    }
    /* A server may report a full disk as late as this. */
    if(remote && libssh2_sftp_close(remote) && result == 0) {
        result = complain(session, "close");
    }
    if(sftp) {
        libssh2_sftp_shutdown(sftp);
    }
    if(local) {
        fclose(local);
    }
    return result;
}

int main(int argc, char **argv)
{
    const char *port = "22", *key = NULL, *fingerprint = NULL;
    char *host, *path;
    int ask_passphrase = 0, result = -1, option, sock;
    LIBSSH2_SESSION *session;

    while((option = getopt(argc, argv, "p:i:Pf:")) != -1) {
        switch(option) {
        case 'p': port = optarg; break;
        case 'i': key = optarg; break;
        case 'P': ask_passphrase = 1; break;
        case 'f': fingerprint = optarg; break;
        default: fputs(usage, stderr); return 2;
        }
    }
    if(argc - optind != 2 || !(host = strchr(argv[optind + 1], '@')) || !(path = strchr(host, ':'))) {
        fputs(usage, stderr);
        return 2;
    }
    *host++ = '\0';
    *path++ = '\0';

    if(libssh2_init(0)) {
        return 1;
    }
    sock = connect_to(host, port);
    session = sock < 0 ? NULL : libssh2_session_init();
    if(session) {
        /* No call waits longer than this for a server that has gone silent. */
        libssh2_session_set_timeout(session, 30000);
        if(libssh2_session_handshake(session, sock)) {
            complain(session, "handshake");
        }
        else if(!trust_server(session, fingerprint) &&
                !log_in(session, argv[optind + 1], key, ask_passphrase)) {
            result = upload(session, argv[optind], path);
        }
        libssh2_session_disconnect(session, "bye");
        libssh2_session_free(session);
    }
    if(sock >= 0) {
        close(sock);
    }
    libssh2_exit();
    return result ? 1 : 0;
}
