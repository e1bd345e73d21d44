/* What the server takes: the largest requests, answers, packets, and how many handles. Found by
 * asking for the limits and by trying, in SFTP spoken by hand over a channel of the library. */
#include "interop.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    INIT = 1,
    VERSION = 2,
    OPEN = 3,
    READ = 5,
    WRITE = 6,
    STATUS = 101,
    HANDLE = 102,
    DATA = 103,
    EXTENDED = 200,
    EXTENDED_REPLY = 201,
    MOST = 4 << 20,      /* what is tried at most */
    MOST_HANDLES = 1100, /* likewise */
    KIB = 1024,
};

static struct conn *c;
static LIBSSH2_CHANNEL *channel;
static unsigned char *reply; /* the last one: type, id and so on */
static uint32_t reply_size;

static uint32_t number(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

static unsigned char *put_number(unsigned char *at, uint32_t value)
{
    value = htonl(value);
    memcpy(at, &value, 4);
    return at + 4;
}

/* --- packets --- */

static bool send_all(const unsigned char *data, size_t size)
{
    for(size_t done = 0; done < size;) {
        ssize_t rc = libssh2_channel_write(channel, (const char *)data + done, size - done);
        if(rc <= 0)
            return false;
        done += (size_t)rc;
    }
    return true;
}

static bool read_all(unsigned char *to, size_t size)
{
    for(size_t done = 0; done < size;) {
        ssize_t rc = libssh2_channel_read(channel, (char *)to + done, size - done);
        if(rc <= 0)
            return false;
        done += (size_t)rc;
    }
    return true;
}

/* Reads the next packet; false if the server has hung up. */
static bool receive(void)
{
    unsigned char head[4];
    if(!read_all(head, 4) || (reply_size = number(head)) < 5 || reply_size > MOST + 100)
        return false;
    free(reply);
    reply = malloc(reply_size);
    return reply && read_all(reply, reply_size);
}

/* Sends a request, whose fields begin with its id, and takes its answer: the type, or -1. */
static int ask(unsigned type, const unsigned char *fields, size_t size)
{
    unsigned char head[5];
    put_number(head, (uint32_t)size + 1);
    head[4] = (unsigned char)type;
    return send_all(head, 5) && send_all(fields, size) && receive() ? reply[0] : -1;
}

/* --- sessions --- */

static void begin(void)
{
    static const unsigned char version[4] = { 0, 0, 0, 3 };
    c = meet_and_log_in();
    libssh2_session_set_timeout(c->session, 5000);
    if(!(channel = libssh2_channel_open_session(c->session)) ||
       libssh2_channel_subsystem(channel, "sftp") != 0 || ask(INIT, version, 4) != VERSION)
        bail("no SFTP: %s", last_words(c));
}

static void end(void)
{
    conn_drop(c);
}

/* Opens a file; its handle, which lasts until the next call, or NULL. */
static const unsigned char *open_file(const char *path, uint32_t flags, uint32_t *size)
{
    static unsigned char handle[256];
    unsigned char packet[600], *at = put_number(packet, 7);
    at = put_number(at, (uint32_t)strlen(path));
    memcpy(at, path, strlen(path));
    at = put_number(at + strlen(path), flags);
    at = put_number(at, 0);
    if(ask(OPEN, packet, (size_t)(at - packet)) != HANDLE || (*size = number(reply + 5)) > 256)
        return NULL;
    memcpy(handle, reply + 9, *size);
    return handle;
}

/* --- what is tried --- */

static bool write_works(uint32_t length)
{
    uint32_t size = 0;
    begin();
    remove(temp_path("written"));
    const unsigned char *handle =
        open_file(temp_path("written"), LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT, &size);
    if(!handle)
        bail("open failed");
    unsigned char *packet = calloc(1, length + 400), *at = put_number(packet, 9);
    at = put_number(at, size);
    memcpy(at, handle, size);
    at = put_number(put_number(at + size, 0), 0);
    at = put_number(at, length) + length;
    bool works = ask(WRITE, packet, (size_t)(at - packet)) == STATUS && number(reply + 5) == 0 &&
                 file_size(temp_path("written")) == length;
    free(packet);
    end();
    return works;
}

/* How many bytes come back when so many are asked for; -1 if that ends the connection or is
 * refused. */
static long read_gives(uint32_t length)
{
    uint32_t size = 0;
    begin();
    const unsigned char *handle = open_file(temp_path("to read"), LIBSSH2_FXF_READ, &size);
    if(!handle)
        bail("open failed");
    unsigned char packet[400], *at = put_number(packet, 9);
    at = put_number(at, size);
    memcpy(at, handle, size);
    at = put_number(put_number(put_number(at + size, 0), 0), length);
    int type = ask(READ, packet, (size_t)(at - packet));
    long got = type == DATA ? (long)number(reply + 5) : -1;
    end();
    return got;
}

static int handles(void)
{
    uint32_t size;
    int count = 0;
    begin();
    while(count < MOST_HANDLES && open_file(temp_path("to read"), LIBSSH2_FXF_READ, &size))
        count++;
    end();
    return count;
}

/* --- the report --- */

static const char *in_kib(char *text, size_t room, uint64_t bytes)
{
    if(bytes % KIB == 0)
        snprintf(text, room, "%llu KiB", (unsigned long long)bytes / KIB);
    else
        snprintf(text, room, "%llu", (unsigned long long)bytes);
    return text;
}

/* The largest write: of these sizes the last that works, and then what lies before the next. */
static uint32_t largest_write(void)
{
    static const uint32_t sizes[] = { 16 * KIB,  32 * KIB,   64 * KIB,   128 * KIB,
                                      256 * KIB, 1024 * KIB, 4096 * KIB };
    uint32_t works = 0, fails = 0;
    for(size_t i = 0; i < COUNT(sizes) && !fails; i++)
        if(write_works(sizes[i]))
            works = sizes[i];
        else
            fails = sizes[i];
    while(fails && fails - works > 64) {
        uint32_t middle = works + (fails - works) / 2;
        if(write_works(middle))
            works = middle;
        else
            fails = middle;
    }
    return works / 64 * 64;
}

static uint64_t limit(const unsigned char *at)
{
    return (uint64_t)number(at) << 32 | number(at + 4);
}

static void announced(void)
{
    char names[1000] = "", words[3][32];
    bool has_limits = false;
    begin();
    cell("SFTP version", "%u", number(reply + 1));
    for(uint32_t at = 5; at + 8 <= reply_size;) {
        uint32_t size = number(reply + at);
        if(size > reply_size - at - 8)
            break;
        if(size == 18 && memcmp(reply + at + 4, "limits@openssh.com", 18) == 0)
            has_limits = true;
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%.*s", *names ? ", " : "",
                 (int)size, (char *)reply + at + 4);
        at += 4 + size;
        at += 4 + (at + 4 <= reply_size ? number(reply + at) : 0);
    }
    cell("extensions", "%s", *names ? names : "none");
    if(has_limits) {
        unsigned char packet[40], *at = put_number(packet, 1);
        at = put_number(at, 18);
        memcpy(at, "limits@openssh.com", 18);
        if(ask(EXTENDED, packet, 26) == EXTENDED_REPLY && reply_size >= 37)
            cell("limits@openssh.com", "packet %s, read %s, write %s, %llu handles",
                 in_kib(words[0], 32, limit(reply + 5)), in_kib(words[1], 32, limit(reply + 13)),
                 in_kib(words[2], 32, limit(reply + 21)), (unsigned long long)limit(reply + 29));
        else
            cell("limits@openssh.com", "**no answer**");
    }
    else
        cell("limits@openssh.com", "–");
    end();
}

static void channel_limits(void)
{
    char words[2][32];
    c = meet_and_log_in();
    follow(c, LIBSSH2_TRACE_CONN | LIBSSH2_TRACE_KEX);
    channel = libssh2_channel_open_session(c->session);
    libssh2_session_last_errno(c->session);
    ok(open_packet > 0, "the channel is open");
    cell("channel packet", "%s", in_kib(words[0], 32, open_packet));
    cell("channel window", "%s", in_kib(words[1], 32, open_window));
    end();
}

void test(void)
{
    char text[32];
    watchdog(120);
    if(!ours) {
        skip("the trace of ours is needed");
        return;
    }
    char *data = make_data(MOST, 1);
    write_whole(temp_path("to read"), data, MOST);
    free(data);
    channel_limits();
    announced();
    uint32_t most = largest_write();
    cell("largest write", "%s%s", most >= MOST ? "at least " : "", in_kib(text, sizeof(text), most));
    long least = read_gives(32 * KIB), more = read_gives(MOST);
    for(uint32_t size = MOST / 2; more < 0 && size > 32 * KIB; size /= 2)
        more = read_gives(size);
    cell("largest read", "%s%s", more >= MOST ? "at least " : "",
         in_kib(text, sizeof(text), more > 0 ? (uint64_t)more : 0));
    int count = handles();
    /* Where it is the number of files that a process may have open, other connections count as well. */
    if(count >= 900)
        cell("handles", "%s", count >= MOST_HANDLES ? "at least 1100" : "about 1000");
    else
        cell("handles", "%d", count);
    /* What the library asks for where nothing is announced. */
    ok(most >= 32 * KIB, "32 KiB can be written at once: %u", most);
    ok(least > 0, "32 KiB can be asked for: %ld come", least);
    ok(count > 0, "%d handles", count);
}
