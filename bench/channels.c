/*
 * Talks over one of many channels, for bench/channels.sh to count what each call costs.
 *
 *   channels PORT USER KEY CHANNELS ROUNDS
 *
 * Each round writes to one channel, whose other end answers, and reads the answer. The others are open and idle. Each call
 * of the library that is to be counted stands in a function of its own, whose name says what it is.
 */
#include <libssh2_ext.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1000, SIZE = 100 };

#define COUNTED __attribute__((noinline, noclone))

static LIBSSH2_SESSION *session;
static LIBSSH2_CHANNEL *channels[MOST];
static int sock;

static void fail(const char *what)
{
    char *text = NULL;
    int code = session ? libssh2_session_last_error(session, &text, NULL, 0) : 0;

    fprintf(stderr, "channels: %s: error %d, %s\n", what, code, text ? text : "");
    exit(1);
}

COUNTED ssize_t counted_write(LIBSSH2_CHANNEL *channel, const char *data)
{
    return libssh2_channel_write(channel, data, SIZE);
}

COUNTED ssize_t counted_read(LIBSSH2_CHANNEL *channel, char *space)
{
    return libssh2_channel_read(channel, space, SIZE);
}

COUNTED int counted_ready(LIBSSH2_EXT_READY *entry)
{
    return libssh2_ext_session_ready(session, entry, 1, NULL, NULL);
}

COUNTED int counted_ready_in_vain(LIBSSH2_EXT_READY *entry)
{
    return libssh2_ext_session_ready(session, entry, 1, NULL, NULL);
}

static void wait_for_answer(void)
{
    struct pollfd wait = { .fd = sock, .events = POLLIN };

    if(poll(&wait, 1, 20000) != 1) {
        fail("no answer");
    }
}

static void play(int rounds, LIBSSH2_CHANNEL *channel)
{
    char data[SIZE], answer[SIZE];
    LIBSSH2_EXT_READY entry;

    memset(data, 'x', SIZE);
    while(rounds-- > 0) {
        if(counted_write(channel, data) != SIZE) {
            fail("write");
        }
        do {
            wait_for_answer();
        } while(counted_ready(&entry) == 0);
        if(entry.channel != channel || !(entry.events & LIBSSH2_EXT_READ)) {
            fail("something else is ready");
        }
        if(counted_read(channel, answer) != SIZE || memcmp(data, answer, SIZE)) {
            fail("read");
        }
        if(counted_ready_in_vain(&entry) != 0) {
            fail("more is ready");
        }
    }
}

/* What happens once is over: the command runs, and the channel has been told of. */
static void settle(LIBSSH2_CHANNEL *channel)
{
    LIBSSH2_EXT_READY entry;
    char byte = 'x';

    if(libssh2_channel_exec(channel, "exec cat") ||
       libssh2_channel_write(channel, &byte, 1) != 1 ||
       libssh2_channel_read(channel, &byte, 1) != 1) {
        fail("first byte");
    }
    while(libssh2_ext_session_ready(session, &entry, 1, NULL, NULL) > 0) {
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    int count, i, on = 1;

    if(argc != 6 || (count = atoi(argv[4])) < 1 || count > MOST) {
        fprintf(stderr, "usage: channels PORT USER KEY CHANNELS ROUNDS\n");
        return 2;
    }
    alarm(300);
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sock = socket(AF_INET, SOCK_STREAM, 0);
    if(connect(sock, (struct sockaddr *)&address, sizeof(address))) {
        fail("connect");
    }
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    session = libssh2_session_init();
    if(!session || libssh2_session_handshake(session, sock) ||
       libssh2_userauth_publickey_fromfile(session, argv[2], NULL, argv[3], NULL)) {
        fail("log in");
    }
    for(i = 0; i < count; i++) {
        channels[i] = libssh2_channel_open_session(session);
        if(!channels[i]) {
            fail("open");
        }
    }
    settle(channels[count / 2]);
    play(atoi(argv[5]), channels[count / 2]);
    libssh2_session_disconnect(session, "done");
    libssh2_session_free(session);
    return 0;
}
