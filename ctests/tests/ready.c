/* Programs that wait for many channels at a time by libssh2_ext_session_ready: what is told, when,
 * and how often. Every wait is for what that says and nothing else, so that a thing not told of is
 * a test that hangs, and wake-ups for nothing are counted. */
#include "echo.h"
#include "ext.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANNELS = 100, SIZE = 100 };

#define ALL_READ (LIBSSH2_EXT_READ | LIBSSH2_EXT_READ_EXTENDED)

static struct conn *c;
static int wakeups, told;
static int port;

struct life {
    LIBSSH2_CHANNEL *channel;
    size_t received;
    int told;
};

static struct life lives[CHANNELS];

/* What has to be told at once, at most `most` entries; the number of them. */
static int now(LIBSSH2_EXT_READY *entries, size_t most)
{
    int count = ext_ready(c->session, entries, most, NULL, NULL);
    told += count > 0 ? count : 0;
    return count;
}

/* What is told next. */
static int next(LIBSSH2_EXT_READY *entries, size_t most)
{
    for(;;) {
        int directions = 77, timeout = 77;
        int count = ext_ready(c->session, entries, most, &directions, &timeout);
        if(count != 0) {
            told += count > 0 ? count : 0;
            return count;
        }
        if(directions != libssh2_session_block_directions(c->session) ||
           !(directions & LIBSSH2_SESSION_BLOCK_INBOUND) || timeout < -1)
            bail("directions %d, time %d", directions, timeout);
        struct pollfd wait = { .fd = c->fd, .events = POLLIN };
        if(directions & LIBSSH2_SESSION_BLOCK_OUTBOUND)
            wait.events |= POLLOUT;
        if(poll(&wait, 1, 20000) == 0)
            bail("nothing is told any more");
        wakeups++;
    }
}

/* The one thing that is told next; bails when it is about another channel. */
static int next_of(LIBSSH2_CHANNEL *channel)
{
    LIBSSH2_EXT_READY entry;
    int count = next(&entry, 1);
    if(count != 1 || entry.channel != channel || entry.listener)
        bail("something else is told: %d, events %x", count, entry.events);
    return entry.events;
}

/* Waits until so many bytes can be read of a channel, while nothing is told. */
static void await_silently(LIBSSH2_CHANNEL *channel, unsigned long size)
{
    LIBSSH2_EXT_READY entry;
    unsigned long avail = 0;
    while(libssh2_channel_window_read_ex(channel, &avail, NULL), avail < size) {
        struct pollfd wait = { .fd = c->fd, .events = POLLIN };
        if(now(&entry, 1) != 0)
            bail("told of %x", entry.events);
        libssh2_channel_window_read_ex(channel, &avail, NULL);
        if(avail < size && poll(&wait, 1, 20000) == 0)
            bail("%lu of %lu bytes come", avail, size);
    }
}

/* Reads what there is; never waits. */
static size_t drain(LIBSSH2_CHANNEL *channel)
{
    static char space[65536];
    unsigned long avail = 0;
    size_t total = 0;
    while(libssh2_channel_window_read_ex(channel, &avail, NULL), avail > 0) {
        ssize_t got = libssh2_channel_read(channel, space, sizeof(space));
        if(got <= 0)
            bail("read: %s", error_name(got));
        total += (size_t)got;
    }
    return total;
}

static void write_all(LIBSSH2_CHANNEL *channel, const char *data, size_t size)
{
    for(size_t sent = 0; sent < size;) {
        ssize_t rc = CALL(c, libssh2_channel_write(channel, data + sent, size - sent));
        if(rc <= 0)
            bail("write: %s", error_name(rc));
        sent += (size_t)rc;
    }
}

static LIBSSH2_CHANNEL *start(const char *command)
{
    LIBSSH2_EXT_READY entry;
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_channel_open_session(c->session));
    if(!channel || CALL(c, libssh2_channel_exec(channel, command)) != 0)
        bail("%s does not start", command);
    while(now(&entry, 1) > 0) /* that it is open, and that calls may be made again */
        ;
    return channel;
}

static void end(LIBSSH2_CHANNEL *channel)
{
    if(CALL(c, libssh2_channel_free(channel)) != 0)
        bail("free failed");
}

/* That the session should be called again, and nothing else. */
static void expect_again(void)
{
    LIBSSH2_EXT_READY entry;
    if(next(&entry, 1) != 1 || entry.channel || entry.listener ||
       entry.events != LIBSSH2_EXT_AGAIN)
        bail("something else is told: %x", entry.events);
}

/* Connects without blocking. */
static void begin(void)
{
    int rc, tries;
    server_config("MaxSessions 200");
    c = conn_new();
    libssh2_session_set_blocking(c->session, 0);
    is_number(ext_ready(c->session, NULL, 0, NULL, NULL), LIBSSH2_ERROR_BAD_USE, "no connection");
    for(tries = 0; (rc = libssh2_session_handshake(c->session, c->fd)) == LIBSSH2_ERROR_EAGAIN;
        tries++)
        expect_again();
    ok(rc == 0 && tries <= 2, "handshake after %d times", tries);
    for(tries = 0; (rc = libssh2_userauth_publickey_fromfile(
                        c->session, user_name(), key_path("user_ed25519.pub"),
                        key_path("user_ed25519.openssh"), NULL)) == LIBSSH2_ERROR_EAGAIN;
        tries++)
        expect_again();
    ok(rc == 0 && tries <= 3, "login after %d times", tries);
    libssh2_session_set_blocking(c->session, !nonblocking);
}

/* --- one channel --- */

static void one(void)
{
    LIBSSH2_EXT_READY entry;
    char text[100];
    int state = 5, events = 0;
    LIBSSH2_CHANNEL *channel = start("cat; echo oops >&2; exit 3");

    ok(*ext_channel(channel) == NULL, "the program's pointer is NULL");
    *ext_channel(channel) = &state;
    is_number(now(&entry, 1), 0, "nothing has happened");
    write_all(channel, "hello\n", 6);
    is_number(next_of(channel), LIBSSH2_EXT_READ | LIBSSH2_EXT_WRITE, "it can be read");
    write_all(channel, "world\n", 6);
    await_silently(channel, 12);
    ok(true, "a channel that is left alone is silent");
    is_number(libssh2_channel_read(channel, text, 3), 3, "read");
    is_number(next_of(channel), LIBSSH2_EXT_READ | LIBSSH2_EXT_WRITE, "something is left");
    is_number((long long)drain(channel), 9, "the rest");
    is_number(now(&entry, 1), 0, "nothing is left");
    ok(*ext_channel(channel) == &state, "the program's pointer is there");

    is_number(libssh2_channel_flush(channel), 0, "nothing to drop");
    write_all(channel, "dropped\n", 8);
    is_number(next_of(channel), LIBSSH2_EXT_READ | LIBSSH2_EXT_WRITE, "it can be read");
    is_number(libssh2_channel_flush(channel), 8, "dropped");
    is_number(now(&entry, 1), 0, "nothing is left");
    write_all(channel, "kept\n", 5);
    is_number(next_of(channel), LIBSSH2_EXT_READ | LIBSSH2_EXT_WRITE, "and it can be read again");
    is_number((long long)drain(channel), 5, "read");

    CALL(c, libssh2_channel_send_eof(channel));
    while(!(events & LIBSSH2_EXT_CLOSED))
        events |= next_of(channel);
    is_number(events, LIBSSH2_EXT_READ_EXTENDED | LIBSSH2_EXT_EOF | LIBSSH2_EXT_EXIT |
                          LIBSSH2_EXT_CLOSED, "the end is told");
    is_number(libssh2_channel_get_exit_status(channel), 3, "exit status");
    is_number(now(&entry, 1), 0, "once");
    is_number(libssh2_channel_read(channel, text, 10), 0, "no data");
    is_number(libssh2_channel_read_stderr(channel, text, 2), 2, "standard error is still there");
    ok(next_of(channel) & LIBSSH2_EXT_READ_EXTENDED, "and told of, as something is left of it");
    is_number(libssh2_channel_read_stderr(channel, text, 10), 3, "the rest");
    is_number(now(&entry, 1), 0, "nothing is left");
    end(channel);
    is_number(now(&entry, 1), 0, "nobody hears of a freed channel");
    ok(!ext_channel(channel), "nor has it a pointer");

    channel = start("echo out; echo err >&2");
    ok(!*ext_channel(channel), "another channel has none of the first one's");
    libssh2_channel_handle_extended_data2(channel, LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE);
    for(events = 0; !(events & LIBSSH2_EXT_CLOSED);)
        events |= next_of(channel);
    ok((events & ALL_READ) == LIBSSH2_EXT_READ, "streams that are read as one are told of as one");
    is_number((long long)drain(channel), 8, "both are read");
    end(channel);
}

/* --- calls that are to be made again --- */

/* A file goes up and comes down again by SFTP, beside a channel that nothing happens on. */
static void transfer(LIBSSH2_SFTP *sftp)
{
    enum { WHOLE = 3 << 20 };
    const char *path = temp_path("file");
    char *data = make_data(WHOLE, 3), *back = malloc(WHOLE);
    size_t done = 0;
    ssize_t rc;
    int tries = 0;
    LIBSSH2_SFTP_HANDLE *file;
    while(!(file = libssh2_sftp_open(sftp, path, LIBSSH2_FXF_READ | LIBSSH2_FXF_WRITE |
                                                     LIBSSH2_FXF_CREAT, 0600)))
        expect_again();
    while(done < WHOLE) {
        rc = libssh2_sftp_write(file, data + done, WHOLE - done);
        if(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
            bail("write: %s", error_name(rc));
        if(rc < 0 && ++tries)
            expect_again();
        done += rc > 0 ? (size_t)rc : 0;
    }
    libssh2_sftp_seek64(file, 0);
    for(done = 0; done < WHOLE;) {
        rc = libssh2_sftp_read(file, back + done, WHOLE - done);
        if(rc <= 0 && rc != LIBSSH2_ERROR_EAGAIN)
            bail("read: %s", error_name(rc));
        if(rc < 0 && ++tries)
            expect_again();
        done += rc > 0 ? (size_t)rc : 0;
    }
    ok(memcmp(data, back, WHOLE) == 0, "a file goes up and comes down again: %d waits", tries);
    while((rc = libssh2_sftp_close(file)) == LIBSSH2_ERROR_EAGAIN)
        expect_again();
    is_number(rc, 0, "close");
    free(data);
    free(back);
}

static void again(void)
{
    LIBSSH2_EXT_READY entry;
    LIBSSH2_CHANNEL *channel;
    LIBSSH2_SFTP *sftp;
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    int rc, tries;

    libssh2_session_set_blocking(c->session, 0);
    for(tries = 0; !(channel = libssh2_channel_open_session(c->session)); tries++)
        expect_again();
    ok(tries <= 1, "an open channel is told of %d times", tries);
    for(tries = 0; (rc = libssh2_channel_exec(channel, "exit 7")) == LIBSSH2_ERROR_EAGAIN; tries++)
        while(!(next_of(channel) & LIBSSH2_EXT_AGAIN))
            ;
    is_number(rc, 0, "exec");
    ok(tries <= 1, "an answer is told of %d times", tries);
    for(tries = 0; (rc = libssh2_channel_wait_closed(channel)) != 0; tries++) {
        if(rc != LIBSSH2_ERROR_EAGAIN && rc != LIBSSH2_ERROR_INVAL)
            bail("wait_closed: %s", error_name(rc));
        next_of(channel);
    }
    ok(tries <= 4, "the end is told of %d times", tries);
    is_number(libssh2_channel_get_exit_status(channel), 7, "exit status");
    is_number(libssh2_channel_free(channel), 0, "free");

    libssh2_session_set_blocking(c->session, !nonblocking);
    channel = start("cat");
    libssh2_session_set_blocking(c->session, 0);
    for(tries = 0; (rc = libssh2_channel_free(channel)) == LIBSSH2_ERROR_EAGAIN; tries++)
        next_of(channel);
    ok(rc == 0 && tries <= 4, "the end of a free is told of: %d times", tries);

    for(tries = 0; !(sftp = libssh2_sftp_init(c->session)); tries++)
        expect_again();
    ok(tries <= 6, "SFTP begins after %d times", tries);
    for(tries = 0; (rc = libssh2_sftp_stat(sftp, "/", &attributes)) == LIBSSH2_ERROR_EAGAIN; tries++)
        expect_again();
    ok(rc == 0 && tries <= 2, "stat after %d times", tries);
    transfer(sftp);
    ok(libssh2_sftp_get_channel(sftp) && now(&entry, 1) == 0, "the channel of SFTP is not told of");
    while((rc = libssh2_sftp_shutdown(sftp)) == LIBSSH2_ERROR_EAGAIN)
        next(&entry, 1);
    is_number(rc, 0, "shutdown");
    while(now(&entry, 1) > 0)
        ;
    libssh2_session_set_blocking(c->session, !nonblocking);
}

/* --- a hundred channels --- */

static struct life *life_of(const LIBSSH2_EXT_READY *entry)
{
    return entry->channel ? *ext_channel(entry->channel) : NULL;
}

/* All are opened at a time, and each is told of once, seven at a time. */
static void open_all(void)
{
    LIBSSH2_EXT_READY entries[7];
    char name[16];
    int seen = 0;
    bool is_worth_it = true;
    libssh2_session_set_blocking(c->session, 0);
    wakeups = told = 0;
    while(seen < CHANNELS) {
        for(int i = 0; is_worth_it && i < CHANNELS; i++) {
            snprintf(name, sizeof(name), "life %d", i);
            if(!lives[i].channel && (lives[i].channel = libssh2_channel_direct_tcpip_ex(
                                         c->session, "127.0.0.1", port, name, 1)))
                *ext_channel(lives[i].channel) = &lives[i];
        }
        is_worth_it = false;
        int count = next(entries, COUNT(entries));
        for(int i = 0; i < count; i++) {
            struct life *l = life_of(&entries[i]);
            is_worth_it |= (entries[i].events & LIBSSH2_EXT_AGAIN) != 0;
            if(!l)
                continue;
            seen++;
            if(++l->told != 1 || entries[i].events != LIBSSH2_EXT_WRITE)
                bail("told %d times, events %x", l->told, entries[i].events);
        }
    }
    ok(wakeups <= CHANNELS + 2 && told <= CHANNELS * 2 + 2,
       "a hundred channels open: told %d times, %d wake-ups", told, wakeups);
    libssh2_session_set_blocking(c->session, !nonblocking);
}

/* One after the other is written to: only that one is told of. */
static void single(const char *data)
{
    wakeups = told = 0;
    for(int i = 0; i < CHANNELS; i++) {
        LIBSSH2_CHANNEL *channel = lives[(i * 7) % CHANNELS].channel;
        write_all(channel, data, SIZE);
        for(size_t got = 0; got < SIZE; got += drain(channel))
            if(!(next_of(channel) & LIBSSH2_EXT_READ))
                bail("nothing to read is told of");
    }
    ok(told <= CHANNELS * 2 && wakeups <= CHANNELS * 3,
       "a hundred answers: told %d times, %d wake-ups", told, wakeups);
}

/* All are written to, and answer in any order. */
static void everybody(const char *data)
{
    LIBSSH2_EXT_READY entries[16];
    int complete = 0;
    for(int i = 0; i < CHANNELS; i++) {
        lives[i].received = 0;
        write_all(lives[i].channel, data, SIZE);
    }
    wakeups = told = 0;
    while(complete < CHANNELS) {
        int count = next(entries, COUNT(entries));
        for(int i = 0; i < count; i++) {
            struct life *l = life_of(&entries[i]);
            l->received += drain(l->channel);
            complete += l->received == SIZE;
        }
    }
    ok(told <= CHANNELS * 2 && wakeups <= CHANNELS * 2,
       "a hundred answers at a time: told %d times, %d wake-ups", told, wakeups);
    is_number(now(entries, 1), 0, "that was all");
}

/* More is ready than fits, and little is read of each: all have their turn before one has two. */
static void turns(const char *data)
{
    LIBSSH2_EXT_READY entries[10];
    char byte;
    for(int i = 0; i < CHANNELS; i++) {
        unsigned long avail = 0;
        lives[i].told = 0;
        write_all(lives[i].channel, data, SIZE);
        /* Moves bytes, and tells nothing. */
        while(libssh2_channel_window_read_ex(lives[i].channel, &avail, NULL), avail < SIZE) {
            struct pollfd wait = { .fd = c->fd, .events = POLLIN };
            if(ext_ready(c->session, NULL, 0, NULL, NULL) != 0)
                bail("the connection is gone");
            libssh2_channel_window_read_ex(lives[i].channel, &avail, NULL);
            if(avail < SIZE)
                poll(&wait, 1, 20000);
        }
    }
    for(int round = 1; round <= 3; round++) {
        for(int piece = 0; piece < CHANNELS / 10; piece++) {
            int timeout = 77;
            int count = ext_ready(c->session, entries, 10, NULL, &timeout);
            if(count != 10 || timeout != 0)
                bail("%d of ten are told of, the next ones after %d ms", count, timeout);
            for(int i = 0; i < 10; i++) {
                struct life *l = life_of(&entries[i]);
                if(++l->told != round)
                    bail("told %d times in round %d", l->told, round);
                if(libssh2_channel_read(l->channel, &byte, 1) != 1)
                    bail("read failed");
            }
        }
    }
    ok(true, "ten at a time, each has its turn");
    for(int i = 0; i < CHANNELS; i++)
        drain(lives[i].channel);
    is_number(now(entries, 1), 0, "what has been read since is not told of");
}

static void hundred(void)
{
    char data[SIZE];
    memset(data, 'x', sizeof(data));
    pid_t server = echo_all(&port);
    open_all();
    single(data);
    everybody(data);
    turns(data);
    for(int i = 0; i < CHANNELS; i++)
        end(lives[i].channel);
    signal_tree(server, SIGKILL);
    waitpid(server, NULL, 0);
}

/* --- writing more than the socket and the windows take --- */

/* Writes until that would block, or the whole is written: whether that has happened just now. */
static bool write_on(LIBSSH2_CHANNEL *channel, size_t *sent, size_t whole)
{
    static char data[100000];
    ssize_t rc = 0;
    if(*sent >= whole)
        return false;
    while(*sent < whole && (rc = libssh2_channel_write(channel, data, sizeof(data))) > 0)
        *sent += (size_t)rc;
    if(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN)
        bail("write: %s", error_name(rc));
    return *sent >= whole;
}

static void writers(const char *config, bool rekeys)
{
    enum { WRITERS = 4, TOTAL = 4 << 20 };
    const int little = 4096; /* the socket never takes all of a piece */
    LIBSSH2_EXT_READY entries[WRITERS];
    size_t sent[WRITERS] = { 0 }, least = TOTAL;
    int in_vain = 0, done = 0;
    server_config(config);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
    for(int i = 0; i < WRITERS; i++) {
        LIBSSH2_CHANNEL *channel = start("cat >/dev/null");
        *ext_channel(channel) = &sent[i];
        lives[i].channel = channel;
    }
    libssh2_session_set_blocking(c->session, 0);
    for(int i = 0; i < WRITERS; i++)
        done += write_on(lives[i].channel, &sent[i], TOTAL);
    while(done < WRITERS) {
        int count = next(entries, WRITERS);
        for(int i = 0; i < count; i++) {
            size_t *at = entries[i].channel ? *ext_channel(entries[i].channel) : NULL;
            if(!at || !(entries[i].events & LIBSSH2_EXT_WRITE))
                continue;
            size_t before = *at;
            done += write_on(entries[i].channel, at, TOTAL);
            in_vain += *at == before;
        }
        if(done > 0 && least == TOTAL)
            for(int i = 0; i < WRITERS; i++)
                least = sent[i] < least ? sent[i] : least;
    }
    ok(least > TOTAL / 4, "nobody falls behind: %zu KiB when the first is done", least >> 10);
    ok(in_vain < 200, "%d calls in vain", in_vain);
    libssh2_session_set_blocking(c->session, !nonblocking);
    for(int i = 0; i < WRITERS; i++)
        end(lives[i].channel);
    if(rekeys)
        ok(server_rekeys() > 2, "the keys have changed");
    conn_close(c);
}

/* --- connections to a listener --- */

static void listener(void)
{
    enum { CLIENTS = 20 };
    LIBSSH2_EXT_READY entry;
    int clients[CLIENTS], bound = 0, state = 9, accepted = 0;
    LIBSSH2_LISTENER *found =
        CALLP(c, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", 0, &bound, CLIENTS));
    if(!found)
        bail("listen failed");
    *ext_listener(found) = &state;
    while(now(&entry, 1) > 0)
        ;
    for(int i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(bound);
    told = 0;
    while(accepted < CLIENTS) {
        if(next(&entry, 1) != 1)
            bail("the connection is gone");
        if(entry.channel)
            continue;
        if(entry.listener != found || entry.events != LIBSSH2_EXT_ACCEPT ||
           *ext_listener(found) != &state)
            bail("something else is told: %x", entry.events);
        lives[accepted].channel = libssh2_channel_forward_accept(found);
        if(!lives[accepted].channel)
            bail("there is none to accept");
        accepted++;
    }
    ok(told <= CLIENTS * 2, "%d connections, told %d times", CLIENTS, told);
    while(now(&entry, 1) > 0)
        if(entry.listener)
            bail("there is one more");
    if(write(clients[3], "three", 5) != 5 || write(clients[7], "seven", 5) != 5)
        bail("write failed");
    told = 0;
    for(size_t got = 0; got < 10;) {
        if(next(&entry, 1) != 1 || !(entry.events & LIBSSH2_EXT_READ))
            bail("something else is told: %x", entry.events);
        got += drain(entry.channel);
    }
    ok(told <= 4, "two of them said something, told %d times", told);
    for(int i = 0; i < CLIENTS; i++) {
        end(lives[i].channel);
        close(clients[i]);
    }
    clients[0] = connect_to(bound);
    while(next(&entry, 1) == 1 && entry.listener != found)
        ;
    is_number(CALL(c, libssh2_channel_forward_cancel(found)), 0, "cancel");
    while(now(&entry, 1) > 0)
        if(entry.listener)
            bail("a listener that is gone is told of");
    ok(!ext_listener(found), "a listener that is gone has no pointer");
    close(clients[0]);
}

/* --- time --- */

static void keepalive(void)
{
    LIBSSH2_EXT_READY entry;
    int directions, timeout = 77;
    is_number(ext_ready(c->session, &entry, 1, &directions, &timeout), 0, "nothing to do");
    ok(timeout > 3000000 && timeout <= 3600000, "new keys are due in an hour: %d", timeout);
    libssh2_keepalive_config(c->session, 1, 2);
    is_number(ext_ready(c->session, &entry, 1, &directions, &timeout), 0, "nothing to do");
    ok(timeout > 1000 && timeout <= 2000, "a keepalive is due in two seconds: %d", timeout);
    struct pollfd wait = { .fd = c->fd, .events = POLLIN };
    is_number(poll(&wait, 1, timeout), 0, "the server has nothing to say");
    is_number(ext_ready(c->session, &entry, 1, &directions, &timeout), 0, "it is sent");
    ok(timeout > 1000 && timeout <= 2000, "the next one is due in two seconds: %d", timeout);
    is_number(poll(&wait, 1, 20000), 1, "the server answers");
    is_number(now(&entry, 1), 0, "which is nothing to tell of");
    libssh2_keepalive_config(c->session, 0, 0);
}

/* --- the end --- */

static void lost(void)
{
    LIBSSH2_EXT_READY entries[3];
    LIBSSH2_CHANNEL *channel = start("echo early; read line");
    int events = 0, directions = 77, timeout = 77;
    char first;
    start("cat"); /* nothing to tell of it */
    is_number(CALL(c, libssh2_channel_read(channel, &first, 1)), 1, "something arrives");
    signal_tree(c->sshd, SIGKILL);
    while(!(events & LIBSSH2_EXT_ENDED)) {
        int count = next(entries, COUNT(entries));
        if(count <= 0)
            bail("the end is not told of: %s", error_name(count));
        for(int i = 0; i < count; i++) {
            if(entries[i].channel == channel)
                events |= entries[i].events & LIBSSH2_EXT_READ;
            if(!entries[i].channel && !entries[i].listener)
                events |= entries[i].events & LIBSSH2_EXT_ENDED;
        }
    }
    ok(events & LIBSSH2_EXT_READ, "what had arrived is told of first");
    for(int i = 0; i < 3; i++)
        is_number(ext_ready(c->session, entries, 3, &directions, &timeout),
                  LIBSSH2_ERROR_SOCKET_RECV, "then comes the error");
    is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_SOCKET_RECV, "last error");
    is_number(directions, 0, "nothing is to be waited for");
    is_number(ext_ready(c->session, NULL, 0, NULL, NULL), LIBSSH2_ERROR_SOCKET_RECV, "no entries");
    is_number((long long)drain(channel), 5, "what had arrived is read");
    conn_drop(c);
}

static int in_callback = 77;

/* The program's send function calls it. */
static ssize_t sending(libssh2_socket_t socket, const void *bytes, size_t size, int flags,
                       void **abstract)
{
    (void)abstract;
    if(in_callback == 77)
        in_callback = ext_ready(c->session, NULL, 0, NULL, NULL);
    ssize_t sent = send(socket, bytes, size, flags);
    return sent < 0 ? -errno : sent;
}

static void misuse(void)
{
    LIBSSH2_EXT_READY entry;
    is_number(ext_ready(NULL, &entry, 1, NULL, NULL), LIBSSH2_ERROR_BAD_USE, "no session");
    is_number(ext_ready(c->session, NULL, 1, NULL, NULL), LIBSSH2_ERROR_BAD_USE, "no entries");
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_SEND, (libssh2_cb_generic *)sending);
    LIBSSH2_CHANNEL *channel = start("true");
    is_number(in_callback, LIBSSH2_ERROR_BAD_USE, "from within the program's send function");
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_SEND, NULL);
    end(channel);
}

void test(void)
{
    if(!ours) {
        skip("the original has no such function");
        return;
    }
    watchdog(120);
    trace_off(true);
    begin();
    one();
    again();
    hundred();
    listener();
    misuse();
    keepalive();
    lost();
    writers(NULL, false);
    writers("RekeyLimit 1M\nLogLevel DEBUG1", true);
}
