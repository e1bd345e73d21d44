/* Known hosts: adding, checking, reading and writing; ssh-keygen has the last word. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PLAIN LIBSSH2_KNOWNHOST_TYPE_PLAIN
#define SHA1 LIBSSH2_KNOWNHOST_TYPE_SHA1
#define CUSTOM LIBSSH2_KNOWNHOST_TYPE_CUSTOM
#define RAW LIBSSH2_KNOWNHOST_KEYENC_RAW
#define BASE64 LIBSSH2_KNOWNHOST_KEYENC_BASE64
#define ED25519 LIBSSH2_KNOWNHOST_KEY_ED25519
#define UNKNOWN LIBSSH2_KNOWNHOST_KEY_UNKNOWN
#define OPENSSH LIBSSH2_KNOWNHOST_FILE_OPENSSH

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
/* The hash of 192.168.1.61. */
#define SALT "F1E1KeoE/eEWhi10WpGv4OdiO6Y="
#define HASH "3988QV0VE8wmZL7suNrYQLITLCg="

static LIBSSH2_SESSION *session;
static LIBSSH2_KNOWNHOSTS *hosts;

static void fresh(void)
{
    libssh2_knownhost_free(hosts);
    hosts = libssh2_knownhost_init(session);
    if(!hosts)
        bail("no collection");
}

/* Each entry, and how it would be written. */
static int dump(void)
{
    struct libssh2_knownhost *entry = NULL;
    int count = 0;
    while(libssh2_knownhost_get(hosts, &entry, entry) == 0) {
        char line[1000];
        size_t length = 0;
        int rc = libssh2_knownhost_writeline(hosts, entry, line, sizeof(line), &length, OPENSSH);
        trace("  %s %s mask %x magic %x", entry->name ? entry->name : "(no name)", entry->key,
              (unsigned)entry->typemask, entry->magic);
        if(rc == 0)
            trace("    %zu %zu [%.*s]", length, strlen(line), (int)strcspn(line, "\n"), line);
        else
            trace("    %s", error_name(rc));
        ok(rc != 0 || (length == strlen(line) && line[length - 1] == '\n'), "a line ends a line");
        count++;
    }
    return count;
}

static int read_line(const char *line)
{
    fresh();
    int rc = libssh2_knownhost_readline(hosts, line, strlen(line), OPENSSH);
    trace("readline [%.70s] = %s", line, error_name(rc));
    if(rc != 0 && ours)
        is_number(libssh2_session_last_errno(session), rc, "last_errno");
    return dump();
}

static void lines(void)
{
    static const char *const lines[] = {
        "host ssh-ed25519 " KEY " comment  two  \n",
        "host ssh-ed25519 " KEY "\nmore",
        "a,b,[c]:22 ssh-ed25519 " KEY,
        "  # a comment",
        "   ",
        "",
        "host",
        "host ssh-ed25519",
        "host ssh-ed25519 AAAA",
        "host AAAAAAAAAAAAAAAAAAAAAAAAA",
        "host 1024 35 1234567890123456789012345 comment",
        "host foo-type@x " KEY,
        "host ssh-rsa " KEY,
        "host ecdsa-sha2-nistp256 " KEY,
        "host ecdsa-sha2-nistp384 " KEY,
        "host ecdsa-sha2-nistp521 " KEY,
        "host sk-ssh-ed25519@openssh.com " KEY,
        "host\tssh-ed25519\t" KEY "\tc",
        "host ssh-ed25519 " KEY " ",
        "|1|abcd ssh-ed25519 " KEY,
        "|1|" SALT "|" HASH " ssh-rsa " KEY " hi",
        "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|" HASH " ssh-rsa " KEY,
        "|2|x|y ssh-ed25519 " KEY,
        "host ssh-ed25519 not*base64*at*all*!!! x",
    };
    for(size_t i = 0; i < COUNT(lines); i++)
        read_line(lines[i]);
    fresh();
    trace("another format = %s", error_name(libssh2_knownhost_readline(hosts, "x", 1, 2)));
    trace("no line = %s", error_name(libssh2_knownhost_readline(hosts, NULL, 1, OPENSSH)));
    const char *line = "host ssh-ed25519 " KEY;
    trace("half a line = %s", error_name(libssh2_knownhost_readline(hosts, line, 50, OPENSSH)));
    dump();
    for(int length = 254; length <= 255; length++) {
        char long_line[400];
        snprintf(long_line, sizeof(long_line), "%0*d ssh-ed25519 " KEY, length, 0);
        fresh();
        trace("a name of %d = %s", length,
              error_name(libssh2_knownhost_readline(hosts, long_line, strlen(long_line), OPENSSH)));
    }
}

/* What the original does not understand as OpenSSH does. */
static void special_lines(void)
{
    if(!ours) {
        skip("the original knows neither negation nor markers nor CR");
        return;
    }
    trace_off(true);
    is_number(read_line("host ssh-ed25519 " KEY "\r\n"), 1, "a line that ends as on Windows");
    struct libssh2_knownhost *entry = NULL;
    ok(libssh2_knownhost_get(hosts, &entry, NULL) == 0 && strcmp(entry->key, KEY) == 0,
       "CR is not part of the key");
    is_number(read_line("*.net,!bad.net ssh-ed25519 " KEY), 1, "a line with negation is one entry");
    is_number(read_line("host ssh-rsa               AAAA"), 0,
              "what is long enough for a key by its blanks alone is no entry");
    is_number(read_line("@revoked bad ssh-ed25519 " KEY), 1, "a marker");
    ok(libssh2_knownhost_get(hosts, &entry, NULL) == 0 && strcmp(entry->name, "@revoked") == 0,
       "is shown in the name's place");
    is_number(read_line("ecdsa,host ssh- " KEY), 2, "a type of key that begins like another");
    ok(libssh2_knownhost_get(hosts, &entry, NULL) == 0 && entry->typemask == (PLAIN | BASE64 | UNKNOWN),
       "is another");
    trace_off(false);
}

static int add(const char *host, const char *salt, const char *key, size_t size,
               const char *comment, int mask)
{
    struct libssh2_knownhost *entry = NULL;
    int rc = libssh2_knownhost_addc(hosts, host, salt, key, size, comment,
                                    comment ? strlen(comment) : 0, mask, &entry);
    trace("addc %.20s %.20s mask %x = %s", host ? host : "NULL", key ? key : "NULL", (unsigned)mask,
          error_name(rc));
    if(rc == 0)
        ok(entry && entry->typemask == mask && entry->magic == 0xdeadcafe, "the new entry");
    return rc;
}

static void adding(void)
{
    char *huge = malloc(1024 * 1024 + 2);
    memset(huge, 'a', 1024 * 1024 + 1);
    huge[1024 * 1024 + 1] = '\0';
    fresh();
    is_number(add("raw", NULL, "\x00\x01\x02key", 6, "comment", PLAIN | RAW | ED25519), 0, "raw");
    add("text", NULL, "a2V5AAAA", 4, NULL, PLAIN | BASE64 | ED25519);
    add("neither", NULL, "a2V5", 4, "", PLAIN | ED25519);
    add("both", NULL, "a2V5", 4, "c", PLAIN | RAW | BASE64 | ED25519);
    add("custom name", NULL, "a2V5", 4, NULL, CUSTOM | BASE64 | ED25519);
    add("unknown type", NULL, "a2V5", 4, NULL, PLAIN | BASE64 | UNKNOWN);
    add("type 9", NULL, "a2V5", 4, NULL, PLAIN | BASE64 | 9 << LIBSSH2_KNOWNHOST_KEY_SHIFT);
    add("no type", NULL, "a2V5", 4, NULL, PLAIN | BASE64);
    add("name format 4", NULL, "a2V5", 4, NULL, 4 | BASE64 | ED25519);
    add("no name format", NULL, "a2V5", 4, NULL, BASE64 | ED25519);
    add("rsa1", NULL, "1024 35 12345", 13, NULL, PLAIN | BASE64 | LIBSSH2_KNOWNHOST_KEY_RSA1);
    add(HASH, SALT, "a2V5", 4, "c", SHA1 | BASE64 | ED25519);
    add(HASH, NULL, "a2V5", 4, NULL, SHA1 | BASE64 | ED25519);
    add(HASH, "", "a2V5", 4, NULL, SHA1 | BASE64 | ED25519);
    add("", NULL, "a2V5", 4, NULL, PLAIN | BASE64 | ED25519);
    add("no key", NULL, "a2V5", 0, NULL, PLAIN | BASE64 | ED25519);
    add("no key", NULL, NULL, 4, NULL, PLAIN | BASE64 | ED25519);
    add(NULL, NULL, "a2V5", 4, NULL, PLAIN | BASE64 | ED25519);
    add(huge, NULL, "a2V5", 4, NULL, PLAIN | BASE64 | ED25519);
    add("huge key", NULL, huge, 1024 * 1024 + 1, NULL, PLAIN | BASE64 | ED25519);
    add("huge comment", NULL, "a2V5", 4, huge, PLAIN | BASE64 | ED25519);
    int rc = libssh2_knownhost_add(hosts, "text", NULL, "a2V5", 4, PLAIN | BASE64 | ED25519, NULL);
    trace("add, the same once more = %s", error_name(rc));
    trace("addc without a collection = %s",
          error_name(libssh2_knownhost_add(NULL, "x", NULL, "a2V5", 4, PLAIN | BASE64 | ED25519, NULL)));
    dump();
    free(huge);
}

static void check(const char *host, int port, const char *key, size_t size, int mask)
{
    struct libssh2_knownhost mark, *entry = &mark;
    int rc = libssh2_knownhost_checkp(hosts, host, port, key, size, mask, &entry);
    trace("checkp %.20s %d %.10s %zu mask %x = %d %s", host ? host : "NULL", port,
          key ? key : "NULL", size, (unsigned)mask, rc,
          entry == &mark      ? "untouched"
          : !entry            ? "NULL"
          : entry->name       ? entry->name
                              : "(no name)");
}

static void checking(void)
{
    static const char file[] = "host ssh-ed25519 a2V5AAAAAAAA\n"
                               "[host]:2222 ssh-ed25519 cG9ydAAAAAAA\n"
                               "host ssh-rsa cnNhAAAAAAAAAAAA\n"
                               "|1|" SALT "|" HASH " ssh-ed25519 a2V5AAAAAAAA\n"
                               "other host-type a2V5AAAAAAAA\n";
    static const char key[] = "key\0\0\0\0\0\0"; /* a2V5AAAAAAAA */
    fresh();
    write_whole(temp_path("known"), file, sizeof(file) - 1);
    is_number(libssh2_knownhost_readfile(hosts, temp_path("known"), OPENSSH), 5, "readfile");
    add("custom name", NULL, "a2V5AAAAAAAA", 12, NULL, CUSTOM | BASE64 | ED25519);

    check("host", -1, "a2V5AAAAAAAA", 12, PLAIN | BASE64 | ED25519);
    check("host", -1, "a2V5AAAAAAAA", 0, PLAIN | BASE64 | ED25519);
    check("host", -1, "a2V5AAAA", 8, PLAIN | BASE64 | ED25519);
    check("host", -1, key, 9, PLAIN | RAW | ED25519);
    check("host", -1, key, 8, PLAIN | RAW | ED25519);
    check("host", -1, key, 0, PLAIN | RAW | ED25519);
    check("host", -1, key, 9, PLAIN | ED25519);
    check("host", -1, key, 9, PLAIN | RAW);
    check("host", -1, key, 9, PLAIN | RAW | UNKNOWN);
    check("host", -1, key, 9, PLAIN | RAW | LIBSSH2_KNOWNHOST_KEY_SSHRSA);
    check("host", -1, key, 9, PLAIN | RAW | LIBSSH2_KNOWNHOST_KEY_ECDSA_256);
    check("HOST", -1, key, 9, PLAIN | RAW | ED25519);
    check("host", 22, key, 9, PLAIN | RAW | ED25519);
    check("host", 2222, key, 9, PLAIN | RAW | ED25519);
    check("host", 2222, "port\0\0\0\0\0", 9, PLAIN | RAW | ED25519);
    check("host", 2222, "new\0\0\0\0\0\0", 9, PLAIN | RAW | ED25519);
    check("host", 0, key, 9, PLAIN | RAW | ED25519);
    check("host", 99999, key, 9, PLAIN | RAW | ED25519);
    check("192.168.1.61", -1, key, 9, PLAIN | RAW | ED25519);
    check("192.168.1.61", 22, "new", 3, PLAIN | RAW | ED25519);
    check("192.168.1.62", 22, key, 9, PLAIN | RAW | ED25519);
    check("other", -1, key, 9, PLAIN | RAW | UNKNOWN);
    check("other", -1, key, 9, PLAIN | RAW);
    check("nobody", 22, "x", 1, PLAIN | RAW);
    check("host", -1, key, 9, SHA1 | RAW | ED25519);
    check("host", -1, key, 9, CUSTOM | RAW | ED25519);
    check("custom name", -1, key, 9, CUSTOM | RAW | ED25519);
    check("custom name", -1, key, 9, PLAIN | RAW | ED25519);
    check("host", -1, key, 9, RAW | ED25519);
    check("host", -1, key, 9, 4 | RAW | ED25519);
    check(NULL, -1, key, 9, PLAIN | RAW | ED25519);
    check("host", -1, NULL, 9, PLAIN | RAW | ED25519);
    check("host", -1, key, 1024 * 1024 + 1, PLAIN | BASE64 | ED25519);
    check("", -1, key, 9, PLAIN | RAW | ED25519);
    for(int length = 264; length <= 265; length++) {
        char name[300];
        snprintf(name, sizeof(name), "%0*d", length, 0);
        trace("a name of %d", length);
        check(name, 22, key, 9, PLAIN | RAW | ED25519);
        check(name, -1, key, 9, PLAIN | RAW | ED25519);
    }
    trace("check = %d",
          libssh2_knownhost_check(hosts, "host", key, 9, PLAIN | RAW | ED25519, NULL));
    trace("check without a collection = %d",
          libssh2_knownhost_check(NULL, "host", key, 9, PLAIN | RAW | ED25519, NULL));
}

/* An IPv6 address is the same one in whatever way it is written. */
static void addresses(void)
{
    static const char *const stored[] = {
        "2001:db8:0:0:0:0:0:1", "2001:DB8::0001", "::ffff:192.0.2.1", "[2001:db8:0::1]:2222",
        "[2001:db8:0::1]",      "1::2::3",        "0:0:0:0:0:0:0:0",
    };
    static const char *const asked[] = { "2001:db8::1", "::ffff:c000:201", "1::2::3", "1:0::2::3", "::", "192.0.2.1" };
    for(size_t i = 0; i < COUNT(stored); i++) {
        fresh();
        add(stored[i], NULL, "a2V5AAAAAAAA", 12, NULL, PLAIN | BASE64 | ED25519);
        for(size_t j = 0; j < COUNT(asked); j++)
            for(int port = -1; port <= 2222; port += 2223)
                check(asked[j], port, "a2V5AAAAAAAA", 12, PLAIN | BASE64 | ED25519);
        check(stored[i], 2222, "a2V5BBBBBBBB", 12, PLAIN | BASE64 | ED25519);
    }
}

static void deleting(void)
{
    fresh();
    static const char list[] = "a,b,c ssh-ed25519 " KEY;
    libssh2_knownhost_readline(hosts, list, sizeof(list) - 1, OPENSSH);
    struct libssh2_knownhost *first = NULL, *second = NULL, *third = NULL, *end = NULL, none = { 0 };
    libssh2_knownhost_get(hosts, &first, NULL);
    libssh2_knownhost_get(hosts, &second, first);
    libssh2_knownhost_get(NULL, &third, second);
    trace("%s %s %s", first->name, second->name, third->name);
    trace("behind the last = %d, without a collection %d", libssh2_knownhost_get(hosts, &end, third),
          libssh2_knownhost_get(NULL, &end, third));
    trace("nothing to start from = %s", error_name(libssh2_knownhost_get(NULL, &end, NULL)));
    trace("nowhere to store = %s", error_name(libssh2_knownhost_get(hosts, NULL, NULL)));
    trace("del = %s", error_name(libssh2_knownhost_del(hosts, second)));
    struct libssh2_knownhost *next = NULL;
    ok(libssh2_knownhost_get(hosts, &next, first) == 0 && next == third,
       "the others stay where they are");
    trace("del of what is no entry = %s", error_name(libssh2_knownhost_del(hosts, &none)));
    trace("del of nothing = %s", error_name(libssh2_knownhost_del(hosts, NULL)));
    if(ours)
        is_number(libssh2_knownhost_del(hosts, second), LIBSSH2_ERROR_INVAL, "del twice");
    dump();
    size_t length = 0, whole = strlen("c ssh-ed25519 " KEY "\n");
    for(size_t room = whole - 1; room <= whole + 1; room++) {
        char line[200] = "untouched";
        int rc = libssh2_knownhost_writeline(hosts, first, line, room, &length, OPENSSH);
        trace("writeline with room %d = %s, %zu, %.9s", (int)(room - whole), error_name(rc), length,
              line);
    }
    char line[200];
    trace("writeline in another format = %s",
          error_name(libssh2_knownhost_writeline(hosts, first, line, sizeof(line), &length, 2)));
    trace("writeline of what is no entry = %s",
          error_name(libssh2_knownhost_writeline(hosts, &none, line, sizeof(line), &length, OPENSSH)));
    libssh2_knownhost_free(NULL);
}

static void files(void)
{
    char *path = temp_path("known"), *copy = temp_path("copy");
    static const char text[] = "# comment\n\none ssh-ed25519 " KEY "\nbad\ntwo ssh-ed25519 " KEY "\n";
    write_whole(path, text, sizeof(text) - 1);
    fresh();
    int rc = libssh2_knownhost_readfile(hosts, path, OPENSSH);
    trace("a file with a bad line = %s", error_name(rc));
    dump();
    static const char good[] = "one ssh-ed25519 " KEY " c\na,b ssh-rsa " KEY;
    write_whole(path, good, sizeof(good) - 1);
    fresh();
    trace("a good file = %d", libssh2_knownhost_readfile(hosts, path, OPENSSH));
    trace("no file = %s", error_name(libssh2_knownhost_readfile(hosts, "/nonexistent", OPENSSH)));
    trace("another format = %s", error_name(libssh2_knownhost_readfile(hosts, path, 3)));
    trace("writefile = %s", error_name(libssh2_knownhost_writefile(hosts, copy, OPENSSH)));
    size_t size;
    char *written = read_whole(copy, &size);
    trace("%s", written);
    free(written);
    trace("writefile nowhere = %s",
          error_name(libssh2_knownhost_writefile(hosts, "/nonexistent/x", OPENSSH)));
    trace("writefile in another format = %s", error_name(libssh2_knownhost_writefile(hosts, copy, 2)));
    if(!ours) {
        skip("the original loses comments and cuts long lines");
        return;
    }
    char *long_text = malloc(20000);
    int length = snprintf(long_text, 20000, "# comment\n\n|1|odd ssh-rsa " KEY "\n*.a,!b.a ssh-rsa " KEY
                          " %09000d\n@cert-authority * ssh-rsa " KEY "\n# end\n", 1);
    write_whole(path, long_text, (size_t)length);
    fresh();
    is_number(libssh2_knownhost_readfile(hosts, path, OPENSSH), 6, "lines");
    is_number(libssh2_knownhost_writefile(hosts, copy, OPENSSH), 0, "writefile");
    ok(file_is(copy, long_text, (size_t)length), "the file is written as it was read");
    free(long_text);
}

/* Whether ssh-keygen finds the host in the file, by a line that is no marker's. */
static bool keygen_finds(const char *name, const char *path)
{
    char command[600];
    snprintf(command, sizeof(command), "ssh-keygen -F '%s' -f '%s' | grep -v -e '^#' -e '^@' -q", name,
             path);
    return run((const char *const[]){ "sh", "-c", command, NULL }) == 0;
}

/* The same questions to ssh-keygen and to the library, over a file and over its hashed copy. */
static void judged(void)
{
    if(!ours) {
        skip("the original knows no patterns");
        return;
    }
    static const char *const names[] = { "host", "[host]:2222", "a.example.com", "bad.example.com",
                                         "b.bad.example.com", "example.com", "10.1.2.3", "10.1.22.3",
                                         "x", "xy", "alias", "192.168.1.61", "odd*name", "",
                                         "[star]:99", "@revoked", "revoked" };
    char *path = temp_path("judged"), *hashed = temp_path("hashed");
    size_t key_size;
    char *line = read_whole(key_path("host_ed25519.pub"), &key_size);
    char *key = strchr(line, ' ') + 1;
    key[strcspn(key, " \n")] = '\0';
    FILE *file = fopen(path, "w");
    fprintf(file, "host,alias ssh-ed25519 %s\n[host]:2222 ssh-ed25519 %s\n", key, key);
    fprintf(file, "*.example.com,!*bad.example.com ssh-ed25519 %s c\n", key);
    fprintf(file, "10.1.?.* ssh-ed25519 %s\n? ssh-ed25519 %s\n", key, key);
    fprintf(file, "|1|" SALT "|" HASH " ssh-ed25519 %s\n[*]:99 ssh-ed25519 %s\n", key, key);
    fprintf(file, "@cert-authority revoked ssh-ed25519 %s\n", key);
    fclose(file);
    run((const char *const[]){ "cp", path, hashed, NULL });
    char command[300];
    snprintf(command, sizeof(command), "ssh-keygen -H -f '%s' >'%s' 2>&1", hashed, temp_path("log"));
    is_number(run((const char *const[]){ "sh", "-c", command, NULL }), 0, "ssh-keygen -H");
    for(int i = 0; i < 2; i++) {
        const char *which = i ? hashed : path;
        fresh();
        ok(libssh2_knownhost_readfile(hosts, which, OPENSSH) > 0, "readfile %d", i);
        for(size_t n = 0; n < COUNT(names); n++) {
            if(!*names[n])
                continue;
            int rc = libssh2_knownhost_check(hosts, names[n], key, strlen(key),
                                             PLAIN | BASE64 | ED25519, NULL);
            bool theirs = keygen_finds(names[n], which);
            ok((rc == LIBSSH2_KNOWNHOST_CHECK_MATCH) == theirs, "%s: %d, ssh-keygen %s", names[n], rc,
               theirs ? "finds it" : "does not");
        }
        /* And what we write is what ssh-keygen reads. */
        char *copy = temp_path(i ? "hashed copy" : "plain copy");
        is_number(libssh2_knownhost_writefile(hosts, copy, OPENSSH), 0, "writefile");
        for(size_t n = 0; n < COUNT(names); n++)
            if(*names[n])
                ok(keygen_finds(names[n], copy) == keygen_finds(names[n], which), "%s in the copy",
                   names[n]);
    }
    int rc = libssh2_knownhost_readline(hosts, "@revoked * ssh-ed25519 ", 0, OPENSSH);
    is_number(rc, 0, "an empty line");
    char revoked[300];
    snprintf(revoked, sizeof(revoked), "@revoked * ssh-ed25519 %s", key);
    libssh2_knownhost_readline(hosts, revoked, strlen(revoked), OPENSSH);
    rc = libssh2_knownhost_check(hosts, "host", key, strlen(key), PLAIN | BASE64 | ED25519, NULL);
    is_number(rc, LIBSSH2_KNOWNHOST_CHECK_MISMATCH, "a revoked key never matches");
    free(line);
}

void test(void)
{
    session = libssh2_session_init();
    libssh2_session_set_blocking(session, !nonblocking);
    ok(!libssh2_knownhost_init(NULL), "no session, no collection");
    lines();
    special_lines();
    adding();
    checking();
    addresses();
    deleting();
    files();
    judged();
    libssh2_knownhost_free(hosts);
    libssh2_session_free(session);
}
