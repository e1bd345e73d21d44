/* A server of the publickey subsystem (RFC 4819) that keeps its keys in memory.
 *
 *   fake_publickey VERSION [deny | news]    refuses everything; also says what nobody knows
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_KEYS = 32, MOST = 50000 };

struct text {
    const unsigned char *start;
    uint32_t size;
};

static struct key {
    unsigned char *name_and_blob; /* as they came: two strings */
    size_t size;
    unsigned char *attributes; /* number, and names and values */
    size_t attributes_size;
} keys[MOST_KEYS];
static int count;
static unsigned char out[MOST * 2];
static size_t out_size;

static void put(const void *bytes, size_t size)
{
    memcpy(out + out_size, bytes, size);
    out_size += size;
}

static void put_u32(uint32_t number)
{
    unsigned char bytes[4] = { (unsigned char)(number >> 24), (unsigned char)(number >> 16),
                               (unsigned char)(number >> 8), (unsigned char)number };
    put(bytes, 4);
}

static void put_text(const char *text)
{
    put_u32((uint32_t)strlen(text));
    put(text, strlen(text));
}

static void begin(const char *name)
{
    out_size = 4;
    put_text(name);
}

static void end(void)
{
    size_t size = out_size;
    out_size = 0;
    put_u32((uint32_t)(size - 4));
    for(size_t sent = 0; sent < size;) {
        ssize_t n = write(1, out + sent, size - sent);
        if(n <= 0)
            exit(1);
        sent += (size_t)n;
    }
}

static void status(uint32_t code, const char *text)
{
    begin("status");
    put_u32(code);
    put_text(text);
    put_text("en");
    end();
}

static void read_all(void *space, size_t size)
{
    for(size_t got = 0; got < size;) {
        ssize_t n = read(0, (char *)space + got, size - got);
        if(n <= 0)
            exit(0);
        got += (size_t)n;
    }
}

static const unsigned char *at, *limit;

static uint32_t number(void)
{
    if(limit - at < 4)
        exit(2);
    at += 4;
    return (uint32_t)at[-4] << 24 | (uint32_t)at[-3] << 16 | (uint32_t)at[-2] << 8 | at[-1];
}

static struct text string(void)
{
    struct text text;
    text.size = number();
    if((size_t)(limit - at) < text.size)
        exit(2);
    text.start = at;
    at += text.size;
    return text;
}

static int find(const unsigned char *start, size_t size)
{
    for(int i = 0; i < count; i++)
        if(keys[i].size == size && memcmp(keys[i].name_and_blob, start, size) == 0)
            return i;
    return -1;
}

static unsigned char *copy(const void *start, size_t size)
{
    unsigned char *memory = malloc(size + 1);
    return memcpy(memory, start, size);
}

static void add(int version)
{
    struct text comment = { NULL, 0 };
    if(version == 1)
        comment = string();
    const unsigned char *start = at;
    string();
    string();
    size_t size = (size_t)(at - start);
    int place = find(start, size), overwrite = version > 1 ? *at++ : 0;
    if(place >= 0 && !overwrite) {
        status(6, "have it");
        return;
    }
    out_size = 0;
    if(version == 1) {
        put_u32(comment.size);
        if(comment.size)
            put(comment.start, comment.size);
    }
    else {
        uint32_t attributes = number();
        put_u32(attributes);
        for(uint32_t i = 0; i < attributes; i++) {
            struct text name = string(), value = string();
            if(*at++ && name.size == 7 && memcmp(name.start, "unknown", 7) == 0) {
                status(9, "no such attribute");
                return;
            }
            put_u32(name.size);
            put(name.start, name.size);
            put_u32(value.size);
            put(value.start, value.size);
        }
    }
    if(place < 0)
        place = count++;
    keys[place].name_and_blob = copy(start, size);
    keys[place].size = size;
    keys[place].attributes = copy(out, out_size);
    keys[place].attributes_size = out_size;
    status(0, "");
}

static void list(int version, int news)
{
    if(news) {
        begin("news of no interest"); /* unknown names are to be skipped */
        end();
    }
    for(int i = 0; i < count; i++) {
        begin("publickey");
        if(version == 1)
            put(keys[i].attributes, keys[i].attributes_size);
        put(keys[i].name_and_blob, keys[i].size);
        if(version > 1)
            put(keys[i].attributes, keys[i].attributes_size);
        end();
    }
    status(0, "");
}

int main(int argc, char **argv)
{
    static unsigned char packet[MOST];
    int version = argc > 1 ? atoi(argv[1]) : 2;
    int denies = argc > 2 && strcmp(argv[2], "deny") == 0;
    int news = argc > 2 && !denies;
    for(;;) {
        unsigned char head[4];
        read_all(head, 4);
        size_t size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
        if(size > sizeof(packet))
            return 3;
        read_all(packet, size);
        at = packet;
        limit = packet + size;
        struct text name = string();
#define IS(text) (name.size == strlen(text) && memcmp(name.start, text, name.size) == 0)
        if(IS("version")) {
            begin("version");
            put_u32((uint32_t)version);
            end();
        }
        else if(denies)
            status(1, "go away");
        else if(IS("add"))
            add(version);
        else if(IS("list"))
            list(version, news);
        else if(IS("remove")) {
            const unsigned char *start = at;
            string();
            string();
            int place = find(start, (size_t)(at - start));
            if(place >= 0)
                keys[place] = keys[--count];
            status(place >= 0 ? 0 : 4, place >= 0 ? "" : "not here");
        }
        else
            status(8, "what?");
    }
}
