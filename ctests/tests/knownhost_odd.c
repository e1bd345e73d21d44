/* Known hosts in files of odd lines: the library and ssh-keygen must find the same, in the file, in what the library
 * writes of it, and in what ssh-keygen makes of it with hashed names. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define OPENSSH LIBSSH2_KNOWNHOST_FILE_OPENSSH
#define FILES 8
#define LINES 30

static LIBSSH2_SESSION *session;
static char *key;       /* of the host that is looked for */
static unsigned random_state;

static unsigned below(unsigned bound)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % bound;
}

#define ONE_OF(list) (list)[below(COUNT(list))]

static const char *const names[] = { "a",         "b",     "host",           "x.example.com",
                                     "y.example.com", "[a]:22", "[host]:2222",    "10.1.2.3",
                                     "::1",       "[::1]:2222", "a-b_c",      "nobody",
                                     "1",         "under.x.example.com",     "xn--bcher-kva" };

/* Several names and patterns, with what may stand between them. */
static void add_hosts(char *line, bool patterns)
{
    static const char *const more[] = { "*",      "?",      "*.example.com", "!a",        "!*.example.com",
                                        "10.1.?.*", "[*]:2222", "h*t",       "!host,host", "**",
                                        "a?",     "!",      "[host]:*",      "*a*",       "::?" };
    unsigned count = 1 + below(3);
    for(unsigned i = 0; i < count; i++) {
        if(i > 0)
            strcat(line, below(8) ? "," : ",,");
        strcat(line, patterns && below(3) == 0 ? ONE_OF(more) : ONE_OF(names));
    }
}

/* A line that `ssh-keygen -H` takes as well. */
static void add_line(char *line, bool patterns)
{
    static const char *const blanks[] = { " ", " ", " ", "\t", "  ", " \t " };
    static const char *const comments[] = { "", "", " comment", "  two words ", "\t#", " \\ \"", " = " };
    static const char *const starts[] = { "", "", "", " ", "\t\t" };
    strcat(line, ONE_OF(starts));
    switch(below(12)) {
    case 0:
        strcat(line, "# comment, with ssh-ed25519 AAAAC3NzaC1lZDI1NTE5");
        break;
    case 1:
        break; /* empty, but for blanks */
    case 2:
        /* With a tab ssh-keygen takes it for an invalid line; ours takes that for a marker as well. */
        strcat(line, below(2) ? "@revoked " : "@cert-authority ");
        /* fall through */
    default:
        add_hosts(line, patterns);
        strcat(line, ONE_OF(blanks));
        strcat(line, "ssh-ed25519");
        strcat(line, ONE_OF(blanks));
        strcat(line, below(4) ? key : "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
        strcat(line, ONE_OF(comments));
    }
}

/* One that makes no sense, or not much. */
static void add_nonsense(char *line)
{
    static const char *const nonsense[] = {
        "host",
        "host ssh-ed25519",
        "host ssh-ed25519 ",
        "host ssh-ed25519 AAAA",
        "host ssh-ed25519               AAAA",
        "host a                         b",
        "host ssh-ed25519 AAAAA               ",
        "@revoked",
        "@revoked host",
        "@unknown host ssh-ed25519 AAAAAAAAAAAAAAAAAAAA",
        "|1|nothing ssh-ed25519 AAAAAAAAAAAAAAAAAAAA",
        "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=| ssh-ed25519 AAAAAAAAAAAAAAAAAAAA",
        "|1|*|* ssh-ed25519 AAAAAAAAAAAAAAAAAAAA",
        "|2|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 AAAAAAAAAAAAAAAAAAAA",
        ", ssh-ed25519 AAAAAAAAAAAAAAAAAAAA",
        "host 1024 35 12345678901234567890",
        "host no-such-type AAAAAAAAAAAAAAAAAAAA",
        "host ssh-dss AAAAB3NzaC1kc3MAAACBAKyqkBvGw7s",
    };
    strcat(line, ONE_OF(nonsense));
}

static void write_file(const char *path, bool nonsense)
{
    FILE *file = fopen(path, "w");
    for(int i = 0; i < LINES; i++) {
        char line[800] = "";
        if(nonsense && below(4) == 0)
            add_nonsense(line);
        else
            add_line(line, nonsense);
        fprintf(file, "%s%s", line, nonsense && below(6) == 0 ? "\r\n" : "\n");
    }
    fclose(file);
}

/* Line by line, since the first one that makes no sense ends the reading of a file. */
static LIBSSH2_KNOWNHOSTS *read_lines(const char *path)
{
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(session);
    size_t size;
    char *text = read_whole(path, &size);
    for(char *line = text; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        int rc = libssh2_knownhost_readline(hosts, line, length, OPENSSH);
        ok(rc == 0 || rc == LIBSSH2_ERROR_METHOD_NOT_SUPPORTED || rc == LIBSSH2_ERROR_INVAL,
           "readline = %s: %.*s", error_name(rc), (int)length - 1, line);
        line += length;
    }
    free(text);
    return hosts;
}

static bool finds(LIBSSH2_KNOWNHOSTS *hosts, const char *name)
{
    int rc = libssh2_knownhost_check(hosts, name, key, strlen(key),
                                     LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64 |
                                         LIBSSH2_KNOWNHOST_KEY_ED25519,
                                     NULL);
    return rc == LIBSSH2_KNOWNHOST_CHECK_MATCH;
}

/* Whether ssh-keygen finds the name in the file, with that key. A key that is revoked for the name counts nowhere. */
static bool keygen_finds(const char *name, const char *path, char *shown, size_t room)
{
    char command[700], line[1000];
    bool found = false, revoked = false;
    snprintf(command, sizeof(command), "exec ssh-keygen -F '%s' -f '%s' 2>/dev/null", name, path);
    FILE *output = popen(command, "r");
    *shown = '\0';
    while(fgets(line, sizeof(line), output)) {
        if(line[0] == '#' || !strstr(line, key)) /* "# Host ... found", and other keys */
            continue;
        const char *text = line + strspn(line, " \t");
        revoked |= strncmp(text, "@revoked", 8) == 0;
        found |= *text != '@';
        snprintf(shown + strlen(shown), room - strlen(shown), "%s", line);
    }
    pclose(output);
    return found && !revoked;
}

static void same_as_keygen(LIBSSH2_KNOWNHOSTS *hosts, const char *path, const char *what)
{
    char shown[4000];
    for(size_t n = 0; n < COUNT(names); n++) {
        bool keygen = keygen_finds(names[n], path, shown, sizeof(shown));
        ok(finds(hosts, names[n]) == keygen, "%s, %s: ssh-keygen %s it by %s", what, names[n],
           keygen ? "finds" : "does not find", shown);
    }
}

static void file(int number)
{
    char *path = temp_path("odd"), *copy = temp_path("copy"), *again = temp_path("again");
    char what[40];
    size_t size;
    bool nonsense = number % 2;
    random_state = (unsigned)number * 7919;
    write_file(path, nonsense);
    LIBSSH2_KNOWNHOSTS *hosts = read_lines(path);
    snprintf(what, sizeof(what), "file %d", number);
    same_as_keygen(hosts, path, what);

    is_number(libssh2_knownhost_writefile(hosts, copy, OPENSSH), 0, "writefile");
    snprintf(what, sizeof(what), "what was written of file %d", number);
    same_as_keygen(hosts, copy, what);
    libssh2_knownhost_free(hosts);

    hosts = libssh2_knownhost_init(session);
    int lines = libssh2_knownhost_readfile(hosts, copy, OPENSSH);
    ok(lines >= 0, "readfile of it: %d", lines);
    same_as_keygen(hosts, copy, what);
    is_number(libssh2_knownhost_writefile(hosts, again, OPENSSH), 0, "writefile again");
    char *written = read_whole(copy, &size);
    ok(file_is(again, written, size), "what was written reads and is written the same");
    free(written);
    libssh2_knownhost_free(hosts);
    if(nonsense)
        return; /* ssh-keygen hashes no such file */

    char command[700];
    snprintf(command, sizeof(command), "ssh-keygen -H -f '%s' 2>&1", path);
    is_number(run((const char *const[]){ "sh", "-c", command, NULL }), 0, "ssh-keygen -H");
    hosts = read_lines(path);
    snprintf(what, sizeof(what), "file %d, hashed", number);
    same_as_keygen(hosts, path, what);
    libssh2_knownhost_free(hosts);
}

void test(void)
{
    if(!ours) {
        skip("the original knows no patterns, no markers and no CR");
        return;
    }
    size_t size;
    char *line = read_whole(key_path("host_ed25519.pub"), &size);
    key = strchr(line, ' ') + 1;
    key[strcspn(key, " \n")] = '\0';
    session = libssh2_session_init();
    for(int number = 0; number < FILES; number++)
        file(number);
    libssh2_session_free(session);
    free(line);
}
