/* Known hosts, judged by ssh itself: it connects to the server of the tests under each name, and
 * goes on or not by what a file says. The library is asked about the same name, key and file.
 * Letters are left out, whose case matters to the library as it does to the original. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPENSSH = LIBSSH2_KNOWNHOST_FILE_OPENSSH, RAW = LIBSSH2_KNOWNHOST_KEYENC_RAW };

static int port;
static struct conn *c;

/* A line of the file, in which %s is the key of the server. */
struct line {
    const char *text;
    const char *name; /* under which the server is met */
};

/* Whether ssh takes the server under that name; it never gets as far as to log in. */
static bool ssh_takes(const char *name, const char *algorithm, const char *path)
{
    char command[1500];
    snprintf(command, sizeof(command),
             "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile='%s' "
             "-o GlobalKnownHostsFile=none -o HostKeyAlias='%s' -o HostKeyAlgorithms=%s "
             "-o CheckHostIP=no -o PreferredAuthentications=none -o LogLevel=ERROR "
             "-p %d nobody@127.0.0.1 true >'%s' 2>&1; ! grep -q -i -e 'verification failed' -e 'REVOKED' '%s' "
             "&& grep -q 'Permission denied' '%s'",
             path, name, algorithm, port, temp_path("ssh"), temp_path("ssh"), temp_path("ssh"));
    return run((const char *const[]){ "sh", "-c", command, NULL }) == 0;
}

/* Whether the library does: what it is shown is what the server has shown to this connection. */
static bool library_takes(const char *name, const char *path)
{
    size_t size;
    int type;
    const char *key = libssh2_session_hostkey(c->session, &size, &type);
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
    ok(libssh2_knownhost_readfile(hosts, path, OPENSSH) >= 0, "readfile");
    int rc = libssh2_knownhost_checkp(hosts, name, -1, key, size, LIBSSH2_KNOWNHOST_TYPE_PLAIN | RAW, NULL);
    libssh2_knownhost_free(hosts);
    return rc == LIBSSH2_KNOWNHOST_CHECK_MATCH;
}

static void same(const char *name, const char *algorithm, const char *path, const char *what)
{
    bool ssh = ssh_takes(name, algorithm, path), library = library_takes(name, path);
    ok(ssh == library, "%s as %s: ssh %s it, the library %s", what, name, ssh ? "takes" : "refuses",
       library ? "does" : "does not");
}

static void greet(const char *algorithm)
{
    c = conn_new();
    libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, algorithm);
    conn_handshake(c);
}

/* The two words of a public key file. */
static char *words_of(const char *name)
{
    size_t size;
    char *line = read_whole(key_path(name), &size);
    line[strcspn(line, " ") + 1 + strcspn(strchr(line, ' ') + 1, " \n")] = '\0';
    return line;
}

static void each_line(void)
{
    static const struct line lines[] = {
        { "host %s\n", "host" },
        { "host %s comment of many words\r\n", "host" },
        { "other %s\n", "host" },
        { "one,two,host %s\n", "host" },
        { "*.example.com %s\n", "a.example.com" },
        { "*.example.com %s\n", "example.com" },
        { "h?st %s\n", "host" },
        { "*,!host %s\n", "host" },
        { "*,!host %s\n", "hosts" },
        { "!host %s\n", "host" },
        { "\t host   %s\n", "host" },
        { "# host %s\n", "host" },
        { "@revoked host %s\n", "host" },
        { "host %s\n@revoked * %s\n", "host" },
        { "@revoked other %s\nhost %s\n", "host" },
        { "@cert-authority host %s\n", "host" },
        { "@unheard-of host %s\n", "host" },
        { "[host]:2222 %s\n", "[host]:2222" },
        { "[host]:2222 %s\n", "host" },
        { "host nonsense\nhost %s\n", "host" },
        { "nothing %s\n\n\nhost %s", "host" },
    };
    char *key = words_of("host_ed25519.pub"), *path = temp_path("known"), text[2000];
    greet("ssh-ed25519");
    for(size_t i = 0; i < COUNT(lines); i++) {
        char what[80];
        snprintf(text, sizeof(text), lines[i].text, key, key);
        write_whole(path, text, strlen(text));
        snprintf(what, sizeof(what), "line %zu", i);
        if(strstr(lines[i].text, "nonsense")) { /* the library says so, and reads no further */
            ok(ssh_takes(lines[i].name, "ssh-ed25519", path), "ssh passes over %s", what);
            continue;
        }
        same(lines[i].name, "ssh-ed25519", path, what);
        if(strncmp(lines[i].text, "host %s\n", 8) == 0 || strncmp(lines[i].text, "[host]", 6) == 0) {
            snprintf(text, sizeof(text), "ssh-keygen -q -H -f '%s' 2>/dev/null", path);
            is_number(run((const char *const[]){ "sh", "-c", text, NULL }), 0, "ssh-keygen -H");
            same(lines[i].name, "ssh-ed25519", path, "the same, hashed");
        }
    }
    free(key);
    conn_drop(c);
}

/* A file with keys of every type, and with none that the server has. */
static void each_type(void)
{
    static const char *const types[][2] = { { "ed25519", "ssh-ed25519" },
                                            { "ecdsa256", "ecdsa-sha2-nistp256" },
                                            { "rsa", "rsa-sha2-512" } };
    for(size_t i = 0; i < COUNT(types); i++) {
        char *path = temp_path("known"), name[40], text[3000];
        greet(types[i][1]);
        snprintf(name, sizeof(name), "host_%s.pub", types[i][0]);
        char *key = words_of(name);
        snprintf(name, sizeof(name), "user_%s.pub", types[i][0]);
        char *other = words_of(name);
        snprintf(text, sizeof(text), "right %s\nwrong %s\nboth %s\nboth %s\n", key, other, other, key);
        write_whole(path, text, strlen(text));
        same("right", types[i][1], path, types[i][0]);
        same("wrong", types[i][1], path, types[i][0]);
        same("both", types[i][1], path, types[i][0]);
        /* What the library writes, ssh reads the same. */
        LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
        libssh2_knownhost_readfile(hosts, path, OPENSSH);
        is_number(libssh2_knownhost_writefile(hosts, temp_path("written"), OPENSSH), 0, "writefile");
        libssh2_knownhost_free(hosts);
        ok(ssh_takes("right", types[i][1], temp_path("written")) &&
               ssh_takes("both", types[i][1], temp_path("written")) &&
               !ssh_takes("wrong", types[i][1], temp_path("written")),
           "what was written of it");
        free(key);
        free(other);
        conn_drop(c);
    }
}

/* The server shows a certificate for "localhost". */
static void certified(void)
{
    static const char algorithm[] = "ssh-ed25519-cert-v01@openssh.com";
    static const struct line lines[] = {
        { "@cert-authority * %s\n", "localhost" },
        { "@cert-authority local* %s\n", "localhost" },
        { "@cert-authority other %s\n", "localhost" },
        { "@cert-authority * %s\n", "other" },
        { "@cert-authority * %s\n@revoked * %s\n", "localhost" },
        { "localhost %s\n", "localhost" },
    };
    char *authority = words_of("ca.pub"), *key = words_of("host_ed25519.pub"), *path = temp_path("known");
    greet(algorithm);
    for(size_t i = 0; i < COUNT(lines); i++) {
        char text[2000], what[80];
        snprintf(text, sizeof(text), lines[i].text, authority, authority);
        write_whole(path, text, strlen(text));
        snprintf(what, sizeof(what), "authority %zu", i);
        same(lines[i].name, algorithm, path, what);
        /* With the key that is in it revoked. */
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "@revoked * %s\n", key);
        write_whole(path, text, strlen(text));
        same(lines[i].name, algorithm, path, "the same, its key revoked");
    }
    free(authority);
    free(key);
    conn_drop(c);
}

void test(void)
{
    if(!ours) {
        skip("the original knows no patterns, no markers and no CR");
        return;
    }
    if(nonblocking) {
        skip("nothing of this waits");
        return;
    }
    watchdog(140);
    server_config("MaxStartups 100\n");
    port = server_port();
    each_line();
    each_type();
    server_config(server_certificates());
    port = server_port();
    certified();
}
