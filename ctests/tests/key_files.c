/* Key files that are of no use, each for another reason: what the calls return, and that the last error of ours tells
 * the reasons apart. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *public_path, *private_path; /* a good pair */

static const char *const denied = "Permission denied";

/* What is to be `denied` is read as nobody where the test is root, to whom everything is readable. */
static int from_file(struct conn *c, const char *public_file, const char *private_file,
                     const char *says)
{
    bool root = says == denied && geteuid() == 0;
    if(root && seteuid(65534) != 0)
        bail("root can not become somebody else");
    int rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), public_file,
                                                         private_file, NULL));
    if(root && seteuid(0) != 0)
        bail("nobody can not become root again");
    return rc;
}

static int from_memory(struct conn *c, const char *public_key, size_t public_size,
                       const char *private_key, size_t private_size)
{
    const char *user = user_name();
    return CALL(c, libssh2_userauth_publickey_frommemory(c->session, user, strlen(user), public_key,
                                                         public_size, private_key, private_size,
                                                         NULL));
}

static void refused(struct conn *c, int rc, const char *what, const char *says, bool offered)
{
    char *text = NULL;
    if(offered)
        trace_differs(c, rc, LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_FILE, "%s", what);
    else
        trace_rc(c, rc, "%s", what);
    libssh2_session_last_error(c->session, &text, NULL, 0);
    ok(rc < 0 && rc != LIBSSH2_ERROR_EAGAIN && text && (!ours || strstr(text, says)), "%s: %s, %s",
       what, error_name(rc), text ? text : "no text");
}

static const char *file_of(const char *name, const char *content, size_t size)
{
    char *path = temp_path(name);
    write_whole(path, content, size);
    return path;
}

/* The good file `from` with its line `line`, the first one is 0, replaced. */
static const char *changed(const char *name, const char *from, int line, const char *replacement)
{
    char text[4000] = "";
    size_t size;
    char *good = read_whole(from, &size);
    for(char *at = good; *at; line--) {
        size_t length = strcspn(at, "\n");
        length += at[length] == '\n';
        strncat(text, line == 0 ? replacement : at, line == 0 ? strlen(replacement) : length);
        at += length;
    }
    free(good);
    return file_of(name, text, strlen(text));
}

struct useless {
    const char *what, *path, *says; /* and what ours has to say */
};

#define SAME { false, false }
#define MISSING "No such file or directory"
#define LARGE (1024 * 1024 + 2)
#define OF(name, text) file_of(name, text, sizeof(text) - 1)

static void private_files(struct conn *c)
{
    char *loop = temp_path("loop"), *huge = malloc(LARGE), below[600];
    memset(huge, 'A', LARGE);
    if(symlink(loop, loop) != 0)
        bail("no symbolic link");
    snprintf(below, sizeof(below), "%s/key", OF("file", "x"));
    const struct useless files[] = {
        { "a missing file", temp_path("missing"), MISSING },
        { "an empty name", "", MISSING },
        { "an unreadable file", OF("unreadable", "secret"), denied },
        { "a directory", temp_path("."), "Is a directory" },
        { "a file below a file", below, "Not a directory" },
        { "a symbolic link to itself", loop, "Too many levels" },
        { "an empty file", OF("empty", ""), "is empty" },
        { "a file of zeros", OF("zeros", "\0\0\0\0\0\0\0\0"), "No private key" },
        { "a public key", public_path, "No private key" },
        { "a file that is too large", file_of("huge", huge, LARGE), "too large" },
        { "a key cut short", changed("cut", private_path, 6, ""), "No private key" },
        { "a key without its middle", changed("middle", private_path, 3, ""), "is damaged" },
        { "a key that is no Base64", changed("stars", private_path, 3, "****\n"), "is damaged" },
        { "a key of nothing",
          OF("hollow",
             "-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n"),
          "is damaged" },
        { "a key for TLS that is none",
          OF("tls", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
          "cannot be read" },
        { "a certificate for TLS",
          OF("certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
          "No private key" },
    };
    free(huge);
    chmod(temp_path("unreadable"), 0);
    for(size_t i = 0; i < COUNT(files); i++) {
        char what[100];
        size_t size;
        refused(c, from_file(c, NULL, files[i].path, files[i].says), files[i].what, files[i].says,
                false);
        snprintf(what, sizeof(what), "%s, public key given", files[i].what);
        refused(c, from_file(c, public_path, files[i].path, files[i].says), what, files[i].says, false);
        char *content = i < 6 ? NULL : read_whole(files[i].path, &size);
        if(!content)
            continue;
        snprintf(what, sizeof(what), "%s, in memory", files[i].what);
        /* Of nothing in memory it is said that there is no key. */
        refused(c, from_memory(c, NULL, 0, content, size), what,
                size == 0              ? "No private key"
                : size > 1024 * 1024 ? "too long"
                                       : files[i].says,
                false);
        free(content);
    }
}

/* What the original returns for these depends on what its crypto library has met before. */
static void encrypted_files(struct conn *c)
{
    static const char *const names[] = { "user_ed25519.openssh.enc", "user_ed25519.pkcs8.enc",
                                         "user_rsa.pem.enc" };
    static const char *const passphrases[][2] = { { NULL, "no passphrase" },
                                                  { "", "no passphrase" },
                                                  { "wrong", "is wrong" } };
    for(size_t i = 0; i < COUNT(names) * COUNT(passphrases); i++) {
        const char *name = names[i / COUNT(passphrases)], *text = NULL;
        const char *const *passphrase = passphrases[i % COUNT(passphrases)];
        int rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL,
                                                             key_path(name), passphrase[0]));
        libssh2_session_last_error(c->session, (char **)&text, NULL, 0);
        ok(rc < 0 && (!ours || (rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED && strstr(text, passphrase[1]))),
           "%s with %s: %s, %s", name, passphrase[0] ? passphrase[0] : "none", error_name(rc), text);
    }
}

static void public_files(struct conn *c)
{
    size_t size, private_size;
    char *good = read_whole(public_path, &size), part[60], second[300], other[300];
    char *private_key = read_whole(private_path, &private_size);
    snprintf(part, sizeof(part), "%.40s\n", good);
    snprintf(second, sizeof(second), "\n%s", good);
    snprintf(other, sizeof(other), "ssh-rsa %s", strchr(good, ' ') + 1);
    free(good);
    const struct {
        const char *what, *path, *says;
        bool offered[2]; /* by the original to the server, from a file and from memory */
    } files[] = {
        { "a missing public file", temp_path("missing"), MISSING, SAME },
        { "an unreadable public file", temp_path("unreadable"), denied, SAME },
        { "a directory as public file", temp_path("."), "Is a directory", SAME },
        { "an empty public file", temp_path("empty"), "is empty", SAME },
        { "a public file of one word", OF("word", "ssh-ed25519\n"), "a type and a key", SAME },
        { "a public file with an empty line first", file_of("second", second, strlen(second)),
          "a type and a key", { false, true } },
        { "a public file cut short", file_of("part", part, strlen(part)), "Server refused", SAME },
        { "a public file of another type than it says", file_of("other", other, strlen(other)),
          "another type", { true, true } },
        { "a public file that is no Base64", OF("no digits", "ssh-ed25519 ****\n"), "is damaged", SAME },
        { "a private file as public one", private_path, "is damaged", { true, true } },
    };
    for(size_t i = 0; i < COUNT(files); i++) {
        char what[100];
        refused(c, from_file(c, files[i].path, private_path, files[i].says), files[i].what,
                files[i].says, files[i].offered[0]);
        char *content = i < 4 ? NULL : read_whole(files[i].path, &size);
        if(!content)
            continue;
        snprintf(what, sizeof(what), "%s, in memory", files[i].what);
        refused(c, from_memory(c, content, size, private_key, private_size), what, files[i].says,
                files[i].offered[1]);
        free(content);
    }
    /* Nothing in memory is no public key, so that it is derived: see the end. */
    trace_rc(c, from_memory(c, "", 0, "", 0), "nothing at all in memory");
    trace_rc(c, from_memory(c, NULL, 0, NULL, 0), "NULL in memory");
    trace_rc(c, from_file(c, NULL, NULL, ""), "no file at all");
    trace_rc(c, from_file(c, public_path, NULL, ""), "no private file");
    free(private_key);
}

/* Programs count what ends a C string as well, behind a key that has no line end. */
static void terminated(const char *name)
{
    size_t size, private_size;
    char *private_key = read_whole(key_path(name), &private_size);
    char *public_key = read_whole(public_path, &size);
    *strrchr(private_key, '\n') = '\0';
    *strrchr(public_key, ' ') = '\0'; /* ahead of the comment */
    for(int with_public = 0; with_public <= 1; with_public++) {
        struct conn *c = conn_new();
        conn_handshake(c);
        int rc = from_memory(c, with_public ? public_key : NULL,
                             with_public ? strlen(public_key) + 1 : 0, private_key,
                             strlen(private_key) + 1);
        trace_rc(c, rc, "%s with its NUL, and %s public key", name, with_public ? "a" : "no");
        is_number(rc, 0, "gets in");
        conn_close(c);
    }
    free(private_key);
    free(public_key);
}

void test(void)
{
    public_path = key_path("user_ed25519.pub");
    private_path = key_path("user_ed25519.openssh");
    struct conn *c = conn_new();
    conn_handshake(c);
    private_files(c);
    encrypted_files(c);
    public_files(c);
    is_number(libssh2_userauth_authenticated(c->session), 0, "nothing of this gets in");
    size_t size;
    char *content = read_whole(private_path, &size);
    int rc = from_memory(c, "", 0, content, size);
    trace_rc(c, rc, "the key itself, after all that, with a public one of no length");
    is_number(rc, 0, "gets in");
    free(content);
    conn_close(c);
    terminated("user_ed25519.openssh");
    terminated("user_ed25519.pkcs8");
}
