/* An SFTP server that answers well but for one thing, which its argument names. sshd runs it as
 * its subsystem. Its one file has SIZE bytes, byte N of which is N * 7. With "refuse-N" it opens
 * what it is asked to and refuses all the rest with the status N, with "refuse-all-N" that too;
 * with "echo" a file has the attributes that it was opened with. */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE 1000000

enum {
    INIT = 1, VERSION = 2, OPEN = 3, CLOSE = 4, READ = 5, WRITE = 6, FSTAT = 8, OPENDIR = 11,
    READDIR = 12, REALPATH = 16, STAT = 17, READLINK = 19,
    STATUS = 101, HANDLE = 102, DATA = 103, NAME = 104, ATTRS = 105
};

static const char *fault;

static bool is(const char *name)
{
    return strcmp(fault, name) == 0;
}

static bool begins(const char *name)
{
    return strncmp(fault, name, strlen(name)) == 0;
}

/* --- packets out; with "reverse" they are held back while requests keep coming --- */

struct packet {
    size_t length;
    unsigned char *bytes;
};

static struct packet held[4096];
static size_t held_count;
static unsigned char out[600000];
static size_t out_length;

static void u8(unsigned value)
{
    out[out_length++] = (unsigned char)value;
}

static void u32(uint32_t value)
{
    for(int shift = 24; shift >= 0; shift -= 8)
        u8(value >> shift);
}

static void raw(const void *data, size_t length)
{
    memcpy(out + out_length, data, length);
    out_length += length;
}

static void string(const char *text)
{
    u32((uint32_t)strlen(text));
    raw(text, strlen(text));
}

static void write_all(const unsigned char *bytes, size_t length)
{
    while(length) {
        ssize_t rc = write(STDOUT_FILENO, bytes, length);
        if(rc <= 0)
            exit(0);
        bytes += rc;
        length -= (size_t)rc;
    }
}

static void begin(int type, uint32_t id)
{
    out_length = 4;
    u8((unsigned)type);
    u32(id);
}

static void send_raw(uint32_t length_field)
{
    size_t end = out_length;
    out_length = 0;
    u32(length_field);
    out_length = end;
    if(!strstr(fault, "reverse")) {
        write_all(out, out_length);
        return;
    }
    held[held_count].bytes = malloc(out_length);
    memcpy(held[held_count].bytes, out, out_length);
    held[held_count++].length = out_length;
}

static void send_it(void)
{
    send_raw((uint32_t)out_length - 4);
}

static void release(void)
{
    while(held_count > 0) {
        struct packet *last = &held[--held_count];
        write_all(last->bytes, last->length);
        free(last->bytes);
    }
}

static void status(uint32_t id, uint32_t code, const char *text)
{
    begin(STATUS, id);
    u32(code);
    string(text);
    string("en");
    send_it();
}

/* --- requests in --- */

static unsigned char in[600000];
static size_t in_length, in_at;

static void read_exactly(unsigned char *to, size_t length)
{
    while(length) {
        struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
        if(held_count && poll(&input, 1, 30) == 0)
            release();
        ssize_t rc = read(STDIN_FILENO, to, length);
        if(rc <= 0)
            exit(0);
        to += rc;
        length -= (size_t)rc;
    }
}

static uint32_t get_u32(void)
{
    const unsigned char *at = in + in_at;
    in_at += 4;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int receive(void)
{
    read_exactly(in, 4);
    in_at = 0;
    in_length = get_u32();
    if(in_length > sizeof(in))
        exit(1);
    read_exactly(in, in_length);
    in_at = 1;
    return in[0];
}

/* --- what goes wrong --- */

static void version(void)
{
    out_length = 4;
    u8(is("version-of-another-type") ? STATUS : VERSION);
    if(!is("version-short")) /* version-N */
        u32(begins("version-") && fault[8] >= '0' && fault[8] <= '9'
                ? (uint32_t)strtoul(fault + 8, NULL, 10)
                : 3);
    if(begins("refuse-")) { /* so that all can be refused that has to be announced */
        string("posix-rename@openssh.com");
        string("1");
    }
    if(is("version-bad-extension")) {
        u32(0x7fffffff);
        raw("limits", 6);
    }
    if(is("version-length-0"))
        send_raw(0);
    else if(is("version-length-huge"))
        send_raw(0x7fffffff);
    else if(!is("version-none"))
        send_it();
    if(is("version-none"))
        exit(0);
}

/* With pairs that nobody knows behind those of the draft. */
static void extended_attrs(void)
{
    u32(0x8000000d);
    u32(0);
    u32(4711);
    u32(0100644);
    u32(1000000000);
    u32(1000000001);
    u32(2);
    string("acl@example.com");
    string("everybody");
    string("");
    string("");
}

static unsigned char opened_with[100];
static size_t opened_with_length;

static void attrs(uint32_t id)
{
    begin(ATTRS, id);
    if(is("echo")) {
        raw(opened_with, opened_with_length);
        send_it();
        return;
    }
    if(is("attrs-extended")) {
        extended_attrs();
        send_it();
        return;
    }
    u32(is("attrs-bad-extended") ? 0x80000004 : 4); /* permissions */
    if(!is("attrs-short"))
        u32(0100644);
    if(is("attrs-bad-extended"))
        u32(0xffffffff);
    send_it();
}

static void stat_reply(uint32_t id)
{
    if(begins("id-")) { /* an id that nobody asked with, and then perhaps the right one */
        attrs(id + 1000);
        if(is("id-unknown-only"))
            exit(0);
        attrs(id);
    }
    else if(begins("length-")) {
        begin(ATTRS, id);
        memset(out + out_length, 0, 300000);
        out_length += is("length-300000") ? 300000 - 5 : 100;
        send_raw((uint32_t)strtoul(fault + 7, NULL, 10));
    }
    else if(is("status-short")) {
        begin(STATUS, id);
        send_it();
    }
    else if(is("status-without-text")) {
        begin(STATUS, id);
        u32(3);
        send_it();
    }
    else if(is("status-bad-text")) {
        begin(STATUS, id);
        u32(3);
        u32(0x7fffffff);
        raw("text", 4);
        send_it();
    }
    else if(is("status-unheard-of"))
        status(id, 12345, "an odd one");
    else if(is("type-wrong")) {
        begin(HANDLE, id);
        string("h");
        send_it();
    }
    else if(is("type-unknown")) {
        begin(250, id);
        send_it();
    }
    else
        attrs(id);
}

static void handle(uint32_t id)
{
    static char many[5001];
    memset(many, 'h', 5000);
    if(is("handle-after-ok"))
        status(id, 0, "fine");
    begin(HANDLE, id);
    if(is("handle-past-end")) {
        u32(0x7fffffff);
        raw("h", 1);
    }
    else
        string(is("handle-empty") ? "" : is("handle-long") ? many : "h");
    send_it();
}

static void data(uint32_t id)
{
    static unsigned served;
    in_at += get_u32() + 4;
    uint32_t offset = get_u32(), length = get_u32();
    if(offset >= SIZE) {
        status(id, 1, "end of file");
        return;
    }
    if(length > SIZE - offset)
        length = SIZE - offset;
    if(++served == 2 && is("data-short") && length > 10)
        length /= 2;
    if(served == 2 && is("data-empty"))
        length = 0;
    begin(DATA, id);
    uint32_t sent = served == 2 && is("data-long") ? length + 10 : length;
    u32(served == 2 && is("data-past-end") ? length + 100000 : sent);
    for(uint32_t i = 0; i < sent; i++)
        u8((offset + i) * 7);
    send_it();
}

static void name(uint32_t id, bool listing)
{
    static bool listed;
    if(listing && listed) {
        status(id, 1, "no more");
        return;
    }
    listed = true;
    begin(NAME, id);
    u32(is("name-count-huge") ? 0xffffffff : is("name-count-0") ? 0 : is("name-count-2") ? 2 : 1);
    if(is("name-past-end")) {
        u32(0x7fffffff);
        raw("name", 4);
    }
    else if(!is("name-count-0")) {
        string("name");
        if(!is("name-cut")) {
            string("-rw-r--r-- name");
            if(is("attrs-extended"))
                extended_attrs();
            else
                u32(0);
        }
    }
    send_it();
}

int main(int argc, char **argv)
{
    unsigned writes = 0;
    fault = argc > 1 ? argv[1] : "";
    if(receive() != INIT)
        return 1;
    version();
    for(;;) {
        int type = receive();
        uint32_t id = get_u32();
        bool opens = type == OPEN || type == OPENDIR;
        if(begins("refuse-") && !(opens && !begins("refuse-all-"))) {
            const char *code = strrchr(fault, '-') + 1;
            status(id, (uint32_t)strtoul(code, NULL, 10), "not for you");
            continue;
        }
        if(type == OPEN) {
            in_at += get_u32() + 4; /* the name and the flags */
            opened_with_length = in_length - in_at;
            if(opened_with_length > sizeof(opened_with))
                return 1;
            memcpy(opened_with, in + in_at, opened_with_length);
        }
        switch(type) {
        case OPEN:
        case OPENDIR: handle(id); break;
        case READ: data(id); break;
        case WRITE:
            if(++writes == 3 && begins("write-fails"))
                status(id, 4, "the disk is on fire");
            else
                status(id, 0, "");
            break;
        case STAT:
        case FSTAT: stat_reply(id); break;
        case READDIR: name(id, true); break;
        case REALPATH:
        case READLINK: name(id, false); break;
        case CLOSE: status(id, 0, ""); break;
        default: status(id, 8, "unsupported");
        }
    }
}
