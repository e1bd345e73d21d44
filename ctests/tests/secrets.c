/* Once a login is over, however it ended, nothing in the memory of the process shows by which
 * password, answers, passphrase or private key it was tried. */
#include "testd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MASK = 0xa5, MOST = 64, CHUNK = 1 << 20 };

/* What is looked for. It is kept in a form that does not look like it. */
struct secret {
    unsigned char masked[MOST];
    size_t size;
};

/* Every write counts. */
static void wipe(void *data, size_t size)
{
    for(volatile unsigned char *at = data; size > 0; size--)
        *at++ = 0;
}

static void hide(struct secret *secret, const void *data, size_t size)
{
    secret->size = size < MOST ? size : MOST;
    for(size_t i = 0; i < secret->size; i++)
        secret->masked[i] = ((const unsigned char *)data)[i] ^ MASK;
}

/* A copy as it is, to be wiped and freed, behind so many other bytes. */
static char *shown_behind(const struct secret *secret, size_t ahead)
{
    char *copy = malloc(ahead + secret->size + 1);
    memset(copy, '.', ahead);
    for(size_t i = 0; i < secret->size; i++)
        copy[ahead + i] = (char)(secret->masked[i] ^ MASK);
    copy[ahead + secret->size] = '\0';
    return copy;
}

static char *shown(const struct secret *secret)
{
    return shown_behind(secret, 0);
}

/* A copy for the library to free, behind what the allocator writes over once it is freed. */
static char *given(const struct secret *secret, size_t *size)
{
    enum { AHEAD = 32 };
    *size = AHEAD + secret->size;
    return shown_behind(secret, AHEAD);
}

static void forget(char *copy)
{
    wipe(copy, strlen(copy));
    free(copy);
}

/* One that occurs nowhere else. */
static void invent(struct secret *secret, unsigned seed)
{
    unsigned state = seed * 2654435761u + (unsigned)getpid();
    secret->size = 24;
    for(size_t i = 0; i < secret->size; i++) {
        state = state * 1103515245u + 12345u;
        secret->masked[i] = (unsigned char)('a' + (state >> 16) % 26) ^ MASK;
    }
}

static bool is_at(const struct secret *secret, const unsigned char *bytes)
{
    for(size_t i = 0; i < secret->size; i++)
        if((bytes[i] ^ MASK) != secret->masked[i])
            return false;
    return true;
}

/* How often it occurs in what the process can write to. */
static int occurrences(const struct secret *secret)
{
    static unsigned char *chunk;
    if(!chunk)
        chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int memory = open("/proc/self/mem", O_RDONLY), count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[600];
    if(memory < 0 || !maps)
        bail("the process can not look at itself");
    while(fgets(line, sizeof(line), maps)) {
        unsigned long start, end;
        char access[5];
        if(sscanf(line, "%lx-%lx %4s", &start, &end, access) != 3 || access[0] != 'r' ||
           access[1] != 'w')
            continue;
        for(unsigned long at = start; at < end; at += CHUNK - MOST) {
            if(at + MOST > (unsigned long)chunk && at < (unsigned long)chunk + CHUNK)
                continue; /* what is looked through has been copied here */
            size_t wanted = end - at < CHUNK ? end - at : CHUNK;
            ssize_t size = pread(memory, chunk, wanted, (off_t)at);
            for(ssize_t i = 0; i + (ssize_t)secret->size <= size; i++)
                if(is_at(secret, chunk + i)) {
                    diag("at %lx, %s", at + (unsigned long)i, line);
                    count++;
                }
            wipe(chunk, CHUNK);
        }
    }
    fclose(maps);
    close(memory);
    return count;
}

static void is_gone(const struct secret *secret, const char *what)
{
    is_number(occurrences(secret), 0, what);
}

/* Looking finds what is there. */
static void looking(void)
{
    struct secret secret;
    invent(&secret, 1);
    is_gone(&secret, "before");
    char *copy = shown(&secret);
    is_number(occurrences(&secret), 1, "while it is there");
    forget(copy);
    is_gone(&secret, "behind it");
}

/* --- passwords --- */

static struct secret new_password;

static LIBSSH2_PASSWD_CHANGEREQ_FUNC(change)
{
    (void)session, (void)abstract;
    size_t size;
    *newpw = given(&new_password, &size);
    *newpw_len = (int)size;
}

static int by_password(struct conn *c, const struct secret *secret)
{
    char *password = shown(secret);
    int rc = CALL(c, libssh2_userauth_password_ex(c->session, TESTD_USER, sizeof(TESTD_USER) - 1,
                                                  password, (unsigned)secret->size, change));
    forget(password);
    return rc;
}

static void passwords(void)
{
    struct secret secret;
    invent(&secret, 2);
    struct conn *c = testd(" ");
    conn_handshake(c);
    is_number(by_password(c, &secret), LIBSSH2_ERROR_AUTHENTICATION_FAILED, "a wrong password");
    is_gone(&secret, "a wrong password");
    conn_drop(c);
    is_gone(&secret, "a wrong password, behind the session");

    invent(&new_password, 3);
    c = testd("--change 1");
    conn_handshake(c);
    int rc = CALL(c, libssh2_userauth_password_ex(c->session, TESTD_USER, sizeof(TESTD_USER) - 1,
                                                  TESTD_PASSWORD, sizeof(TESTD_PASSWORD) - 1, change));
    is_number(rc, 0, "a change of the password");
    is_gone(&new_password, "a new password");
    conn_drop(c);
}

/* --- answers --- */

static struct secret answer;

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    (void)name, (void)name_len, (void)instruction, (void)instruction_len, (void)prompts;
    (void)abstract;
    for(int i = 0; i < num_prompts; i++) {
        size_t size;
        responses[i].text = given(&answer, &size);
        responses[i].length = (unsigned)size;
    }
}

static void answers(void)
{
    invent(&answer, 4);
    struct conn *c = testd("--ask One=1,Two=2");
    conn_handshake(c);
    int rc = CALL(c, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, respond));
    ok(rc < 0, "wrong answers: %s", error_name(rc));
    is_gone(&answer, "wrong answers");
    conn_drop(c);
}

/* --- keys --- */

/* The 32 bytes that are an Ed25519 key, out of OpenSSH's form of it. */
static void seed_of(const char *name, struct secret *seed)
{
    char command[600];
    unsigned char bytes[32];
    snprintf(command, sizeof(command), "sed '1d;$d' '%s' | base64 -d | tail -c +162 | head -c 32",
             key_path(name));
    FILE *pipe = popen(command, "r");
    setvbuf(pipe, NULL, _IONBF, 0);
    if(fread(bytes, 1, sizeof(bytes), pipe) != sizeof(bytes))
        bail("no seed in %s", name);
    pclose(pipe);
    hide(seed, bytes, sizeof(bytes));
    wipe(bytes, sizeof(bytes));
}

/* Some bytes of a prime of an RSA key, as files have them and as libcrypto calculates with them. */
static void prime_of(const char *name, struct secret *prime, struct secret *reversed)
{
    enum { SKIPPED = 40, USED = 32 };
    char command[600], digits[2 * (SKIPPED + USED)];
    unsigned char bytes[USED], backwards[USED];
    snprintf(command, sizeof(command),
             "openssl rsa -in '%s' -noout -text | sed -n '/^prime1:/,/^prime2:/{/prime/d;p}' | tr -d ' :\n'",
             key_path(name));
    FILE *pipe = popen(command, "r");
    setvbuf(pipe, NULL, _IONBF, 0);
    if(fread(digits, 1, sizeof(digits), pipe) != sizeof(digits))
        bail("no prime in %s", name);
    pclose(pipe);
    for(int i = 0; i < USED; i++) {
        unsigned byte;
        sscanf(digits + 2 * (SKIPPED + i), "%2x", &byte);
        bytes[i] = backwards[USED - 1 - i] = (unsigned char)byte;
    }
    hide(prime, bytes, USED);
    hide(reversed, backwards, USED);
    wipe(digits, sizeof(digits));
    wipe(bytes, USED);
    wipe(backwards, USED);
}

static void log_in_and_out(const char *name)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    int rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL, key_path(name),
                                                         "secret"));
    is_number(rc, 0, name);
    conn_drop(c);
}

static void keys(void)
{
    static const char *const forms[] = { "openssh", "openssh.enc", "pkcs8", "pkcs8.enc", "pem", "pem.enc" };
    struct secret seed, prime, reversed;
    char name[60], what[100];
    seed_of("user_ed25519.openssh", &seed);
    prime_of("user_rsa.pem", &prime, &reversed);
    is_gone(&seed, "a seed before");
    is_gone(&prime, "a prime before");
    is_gone(&reversed, "a prime before, backwards");
    for(size_t i = 0; i < COUNT(forms); i++) {
        snprintf(name, sizeof(name), "user_rsa.%s", forms[i]);
        log_in_and_out(name);
        snprintf(what, sizeof(what), "a prime of %s", name);
        is_gone(&prime, what);
        snprintf(what, sizeof(what), "a prime of %s, backwards", name);
        is_gone(&reversed, what);
        if(strncmp(forms[i], "pem", 3) == 0)
            continue; /* which Ed25519 has not */
        snprintf(name, sizeof(name), "user_ed25519.%s", forms[i]);
        log_in_and_out(name);
        snprintf(what, sizeof(what), "the seed of %s", name);
        is_gone(&seed, what);
    }
}

static void passphrases(void)
{
    struct secret seed, passphrase;
    seed_of("user_ed25519.openssh", &seed);
    invent(&passphrase, 5);
    char *key = temp_path("key"), *text = shown(&passphrase);
    size_t size;
    char *plain = read_whole(key_path("user_ed25519.openssh"), &size);
    write_whole(key, plain, size);
    wipe(plain, size);
    free(plain);
    if(chmod(key, 0600) != 0 || run((const char *const[]){ "ssh-keygen", "-q", "-p", "-a", "2", "-P",
                                                           "", "-N", text, "-f", key, NULL }) != 0)
        bail("ssh-keygen does not encrypt the key");
    forget(text);
    is_gone(&passphrase, "before");
    for(int right = 0; right < 2; right++) {
        struct conn *c = conn_new();
        conn_handshake(c);
        text = shown(&passphrase);
        text[3] ^= right ? 0 : 1;
        struct secret used;
        hide(&used, text, passphrase.size);
        int rc = CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL, key, text));
        forget(text);
        is_number(rc, right ? 0 : LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, right ? "right" : "wrong");
        is_gone(&used, right ? "the right passphrase" : "a wrong passphrase");
        is_gone(&seed, "the secret behind it");
        conn_drop(c);
    }
}

void test(void)
{
#ifdef __SANITIZE_ADDRESS__
    skip("each frame of the stack is kept for a while after its function has returned");
    return;
#endif
    watchdog(120);
    looking();
    if(!ours) {
        skip("the original leaves some");
        return;
    }
    passwords();
    answers();
    keys();
    passphrases();
}
