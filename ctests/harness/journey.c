/* The legs, and how each is gone over. */
#include "journey.h"

#include "agent.h"
#include "testd.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define DATA_SIZE 100000

/* How far a session has come. */
enum stage { NOTHING, MADE, GREETED, LOGGED_IN, SFTP_UP };

struct leg {
    const char *name;
    int (*go)(struct conn *c); /* 0, or what the first call that failed failed with */
    enum stage from;           /* what has to be there before */
    bool by_password;          /* the server is ssh2-testd */
    bool compressed;
};

int journey_mark;
static const struct memory *memory;
static in_port_t testd_port, sshd_port;
static char *data, *back;
static long before; /* pieces that are none of the leg's */

/* --- steps of a leg --- */

/* What a call that returned NULL has failed with. */
static int failure(struct conn *c)
{
    int code = libssh2_session_last_errno(c->session);
    return code ? code : LIBSSH2_ERROR_INVAL;
}

/* Goes on only if nothing has failed yet. */
#define STEP(call)                                                                                 \
    do                                                                                             \
        if(rc == 0)                                                                                \
            rc = (call);                                                                           \
    while(0)

#define POINTER(place, call)                                                                       \
    do                                                                                             \
        if(rc == 0 && !((place) = CALLP(c, call)))                                                 \
            rc = failure(c);                                                                       \
    while(0)

/* Of a call that counts. */
static int counted(long long result, long long wanted)
{
    return result < 0 ? (int)result : result == wanted ? 0 : LIBSSH2_ERROR_INVAL;
}

static int make(struct conn *c)
{
    int rc = 0;
    c->session = libssh2_session_init_ex(memory->alloc, memory->free, memory->realloc, &journey_mark);
    if(!c->session)
        return LIBSSH2_ERROR_ALLOC; /* there is nothing to ask */
    libssh2_session_set_blocking(c->session, !nonblocking);
    libssh2_session_set_timeout(c->session, c->limit_ms);
    return rc;
}

static void quiet(LIBSSH2_SESSION *session, void *context, const char *text, size_t length)
{
    (void)session, (void)context, (void)text, (void)length;
}

static int set_up(struct conn *c)
{
    int rc = make(c);
    STEP(libssh2_session_banner_set(c->session, "SSH-2.0-journey"));
    STEP(libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1));
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX,
                                     "curve25519-sha256,diffie-hellman-group14-sha256"));
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519,rsa-sha2-512"));
    return rc;
}

static int shake_hands(struct conn *c)
{
    return CALL(c, libssh2_session_handshake(c->session, c->fd));
}

static int exchange_on_a_guess(struct conn *c)
{
    int rc = libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX,
                                         "sntrup761x25519-sha512@openssh.com");
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, "ecdsa-sha2-nistp256"));
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_CRYPT_CS, "aes128-ctr"));
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_CRYPT_SC, "chacha20-poly1305@openssh.com"));
    STEP(shake_hands(c));
    return rc;
}

static int exchange_in_a_group(struct conn *c)
{
    int rc = libssh2_session_method_pref(c->session, LIBSSH2_METHOD_KEX,
                                         "diffie-hellman-group-exchange-sha256");
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, "rsa-sha2-512"));
    STEP(libssh2_session_method_pref(c->session, LIBSSH2_METHOD_CRYPT_CS, "aes256-cbc"));
    STEP(shake_hands(c));
    return rc;
}

static int list_methods(struct conn *c)
{
    char *list = CALLP(c, libssh2_userauth_list(c->session, TESTD_USER, (unsigned)strlen(TESTD_USER)));
    return list ? 0 : failure(c);
}

static int by_password(struct conn *c)
{
    char *said;
    int rc = list_methods(c);
    STEP(libssh2_userauth_banner(c->session, &said));
    STEP(CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD)));
    return rc;
}

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(respond)
{
    (void)name, (void)name_len, (void)instruction, (void)instruction_len, (void)prompts;
    for(int i = 0; i < num_prompts; i++) {
        memory->pause(true);
        responses[i].text = memcpy(memory->alloc(3, abstract), "bob", 3);
        responses[i].length = 3;
        memory->pause(false);
    }
}

static int by_keyboard(struct conn *c)
{
    return CALL(c, libssh2_userauth_keyboard_interactive(c->session, TESTD_USER, respond));
}

static int by_key(struct conn *c)
{
    return CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(),
                                                       key_path("user_ed25519.pub"),
                                                       key_path("user_ed25519.openssh"), NULL));
}

static int by_rsa_key(struct conn *c)
{
    return CALL(c, libssh2_userauth_publickey_fromfile(c->session, user_name(), NULL,
                                                       key_path("user_rsa.openssh"), NULL));
}

static LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC(refuse)
{
    (void)session, (void)sig, (void)sig_len, (void)data, (void)data_len, (void)abstract;
    return LIBSSH2_ERROR_ALGO_UNSUPPORTED;
}

/* The program does not sign; that far it comes. */
static int by_signer(struct conn *c)
{
    size_t size;
    char *text = read_whole(key_path("user_ed25519.pub"), &size);
    char *blob = NULL;
    unsigned length = 0;
    int rc = libssh2_base64_decode(c->session, &blob, &length, strchr(text, ' ') + 1,
                                   (unsigned)strcspn(strchr(text, ' ') + 1, " \n"));
    STEP(CALL(c, libssh2_userauth_publickey(c->session, user_name(), (unsigned char *)blob, length, refuse,
                                            &(void *){ NULL })));
    libssh2_free(c->session, blob);
    free(text);
    return rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED ? 0 : rc;
}

static int start_sftp(struct conn *c)
{
    int rc = 0;
    POINTER(c->sftp, libssh2_sftp_init(c->session));
    return rc;
}

static int sftp_begins_and_ends(struct conn *c)
{
    int rc = start_sftp(c);
    STEP(CALL(c, libssh2_sftp_shutdown(c->sftp)));
    if(c->sftp && rc != 0)
        CALL(c, libssh2_sftp_shutdown(c->sftp));
    c->sftp = NULL;
    return rc;
}

static int upload(struct conn *c)
{
    LIBSSH2_SFTP_HANDLE *file = NULL;
    int rc = 0;
    POINTER(file, libssh2_sftp_open(c->sftp, temp_path("journey.file"),
                                    LIBSSH2_FXF_WRITE | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, 0644));
    for(size_t sent = 0; rc == 0 && sent < DATA_SIZE;) {
        ssize_t count = CALL(c, libssh2_sftp_write(file, data + sent, DATA_SIZE - sent));
        if(count > 0)
            sent += (size_t)count;
        else
            rc = counted(count, 1);
    }
    STEP(CALL(c, libssh2_sftp_fsync(file)));
    int closed = file ? CALL(c, libssh2_sftp_close(file)) : 0;
    STEP(closed);
    return rc;
}

static int download(struct conn *c)
{
    LIBSSH2_SFTP_HANDLE *file = NULL;
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    size_t got = 0;
    int rc = 0;
    memset(back, 0, DATA_SIZE);
    POINTER(file, libssh2_sftp_open(c->sftp, temp_path("journey.file"), LIBSSH2_FXF_READ, 0));
    STEP(CALL(c, libssh2_sftp_fstat(file, &attributes)));
    while(rc == 0 && got < DATA_SIZE) {
        ssize_t count = CALL(c, libssh2_sftp_read(file, back + got, got < 30000 ? 1000 : 20000));
        if(count > 0)
            got += (size_t)count;
        else
            rc = counted(count, 1);
    }
    if(rc == 0 && memcmp(back, data, DATA_SIZE) != 0)
        ok(false, "what was read is what was written");
    int closed = file ? CALL(c, libssh2_sftp_close(file)) : 0;
    STEP(closed);
    return rc;
}

static int look_at_paths(struct conn *c)
{
    char target[500], name[100], line[200];
    LIBSSH2_SFTP_ATTRIBUTES attributes;
    LIBSSH2_SFTP_STATVFS disk;
    LIBSSH2_SFTP_HANDLE *directory = NULL;
    const char *made = temp_path("journey.dir"), *moved = temp_path("journey.moved");
    rmdir(made);
    rmdir(moved);
    int rc = CALL(c, libssh2_sftp_stat(c->sftp, temp_path("."), &attributes));
    STEP(counted(CALL(c, libssh2_sftp_realpath(c->sftp, "/", target, sizeof(target))), 1));
    STEP(CALL(c, libssh2_sftp_mkdir(c->sftp, made, 0755)));
    STEP(CALL(c, libssh2_sftp_rename(c->sftp, made, moved)));
    STEP(CALL(c, libssh2_sftp_rmdir(c->sftp, moved)));
    STEP(CALL(c, libssh2_sftp_statvfs(c->sftp, "/", 1, &disk)));
    POINTER(directory, libssh2_sftp_opendir(c->sftp, key_path(".")));
    for(int count = 1; rc == 0 && count > 0;)
        if((count = CALL(c, libssh2_sftp_readdir_ex(directory, name, sizeof(name), line, sizeof(line),
                                                    &attributes))) < 0)
            rc = count;
    int closed = directory ? CALL(c, libssh2_sftp_closedir(directory)) : 0;
    STEP(closed);
    /* The server's own words. */
    if(rc == 0) {
        rc = CALL(c, libssh2_sftp_unlink(c->sftp, "/nonexistent/file"));
        rc = rc == LIBSSH2_ERROR_SFTP_PROTOCOL ? 0 : rc == 0 ? LIBSSH2_ERROR_INVAL : rc;
    }
    return rc;
}

static int run_command(struct conn *c)
{
    LIBSSH2_CHANNEL *channel = NULL;
    char text[4000], *signal_name = NULL;
    size_t length = 0;
    int rc = 0;
    POINTER(channel, libssh2_channel_open_session(c->session));
    STEP(CALL(c, libssh2_channel_request_pty(channel, "vt100")));
    STEP(CALL(c, libssh2_channel_exec(channel, "read x; echo error >&2; echo out $x; kill -TERM $$")));
    STEP(counted(CALL(c, libssh2_channel_write(channel, "word\n", 5)), 5));
    while(rc == 0 && !libssh2_channel_eof(channel)) {
        ssize_t count = CALL(c, libssh2_channel_read(channel, text, sizeof(text)));
        if(count < 0)
            rc = (int)count;
    }
    STEP(CALL(c, libssh2_channel_close(channel)));
    STEP(libssh2_channel_get_exit_signal(channel, &signal_name, &length, NULL, NULL, NULL, NULL));
    if(rc == 0 && length == 0)
        rc = LIBSSH2_ERROR_INVAL;
    libssh2_free(c->session, signal_name);
    if(channel) {
        int freed = CALL(c, libssh2_channel_free(channel));
        STEP(freed);
    }
    return rc;
}

static int copy_by_scp(struct conn *c)
{
    LIBSSH2_CHANNEL *channel = NULL;
    libssh2_struct_stat stat;
    int rc = 0;
    POINTER(channel, libssh2_scp_send64(c->session, temp_path("journey.scp"), 0644, 1000, 5, 6));
    for(size_t sent = 0; rc == 0 && sent < 1000;) {
        ssize_t count = CALL(c, libssh2_channel_write(channel, data + sent, 1000 - sent));
        if(count > 0)
            sent += (size_t)count;
        else
            rc = counted(count, 1);
    }
    STEP(CALL(c, libssh2_channel_send_eof(channel)));
    STEP(CALL(c, libssh2_channel_wait_eof(channel)));
    if(channel) {
        int freed = CALL(c, libssh2_channel_free(channel));
        STEP(freed);
        channel = NULL;
    }
    POINTER(channel, libssh2_scp_recv2(c->session, temp_path("journey.scp"), &stat));
    if(rc == 0 && stat.st_size != 1000)
        rc = LIBSSH2_ERROR_INVAL;
    if(channel) {
        int freed = CALL(c, libssh2_channel_free(channel));
        STEP(freed);
    }
    return rc;
}

static int forward_a_port(struct conn *c)
{
    LIBSSH2_LISTENER *listener = NULL;
    LIBSSH2_CHANNEL *there = NULL, *here = NULL;
    char text[10];
    int port = 0, rc = 0;
    POINTER(listener, libssh2_channel_forward_listen_ex(c->session, "127.0.0.1", 0, &port, 4));
    POINTER(there, libssh2_channel_direct_tcpip(c->session, "127.0.0.1", port));
    POINTER(here, libssh2_channel_forward_accept(listener));
    STEP(counted(CALL(c, libssh2_channel_write(there, "hello", 5)), 5));
    STEP(counted(CALL(c, libssh2_channel_read(here, text, sizeof(text))), 5));
    STEP(counted(CALL(c, libssh2_channel_write_stderr(here, "again", 5)), 5));
    for(int i = 0; i < 2; i++) {
        LIBSSH2_CHANNEL *channel = i ? here : there;
        int freed = channel ? CALL(c, libssh2_channel_free(channel)) : 0;
        STEP(freed);
    }
    int cancelled = listener ? CALL(c, libssh2_channel_forward_cancel(listener)) : 0;
    STEP(cancelled);
    return rc;
}

static int know_hosts(struct conn *c)
{
    const char *file = temp_path("journey.known"), *line = "a,b ssh-ed25519 " KEY " comment";
    struct libssh2_knownhost *entry = NULL;
    char text[300];
    size_t length;
    int rc = 0;
    LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(c->session);
    if(!hosts)
        return failure(c);
    STEP(libssh2_knownhost_readline(hosts, line, strlen(line), LIBSSH2_KNOWNHOST_FILE_OPENSSH));
    STEP(libssh2_knownhost_readline(hosts, "# nothing", 9, LIBSSH2_KNOWNHOST_FILE_OPENSSH));
    STEP(libssh2_knownhost_addc(hosts, "zmj5YIdQ9fYm6RmIqqJuLqzvBwY=", "x+EAYZ5EbWGxBNBQ3g8CAK0n7Yk=", "key", 3,
                                "comment", 7,
                                LIBSSH2_KNOWNHOST_TYPE_SHA1 | LIBSSH2_KNOWNHOST_KEYENC_RAW |
                                    LIBSSH2_KNOWNHOST_KEY_SSHRSA,
                                &entry));
    STEP(libssh2_knownhost_writefile(hosts, file, LIBSSH2_KNOWNHOST_FILE_OPENSSH));
    STEP(counted(libssh2_knownhost_readfile(hosts, file, LIBSSH2_KNOWNHOST_FILE_OPENSSH), 4));
    if(rc == 0) {
        int found = libssh2_knownhost_checkp(hosts, "b", 22, KEY, strlen(KEY),
                                             LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64 |
                                                 LIBSSH2_KNOWNHOST_KEY_ED25519,
                                             &entry);
        if(found != LIBSSH2_KNOWNHOST_CHECK_MATCH)
            rc = found == LIBSSH2_KNOWNHOST_CHECK_FAILURE ? failure(c) : LIBSSH2_ERROR_INVAL;
    }
    STEP(libssh2_knownhost_writeline(hosts, entry, text, sizeof(text), &length, LIBSSH2_KNOWNHOST_FILE_OPENSSH));
    entry = NULL;
    for(int more = 0; rc == 0 && more == 0;)
        if((more = libssh2_knownhost_get(hosts, &entry, entry)) < 0)
            rc = more;
    if(rc == 0 && (rc = libssh2_knownhost_get(hosts, &entry, NULL)) == 0)
        rc = libssh2_knownhost_del(hosts, entry);
    libssh2_knownhost_free(hosts);
    return rc;
}

static void serve_agent(int fd, const void *how)
{
    struct bytes request, answer, key = { .size = 0 };
    (void)how;
    put_text(&key, "a key");
    while(agent_request(fd, &request)) {
        answer.size = 0;
        if(request.data[0] == REQUEST_IDENTITIES) {
            put_u8(&answer, IDENTITIES_ANSWER);
            put_u32(&answer, 2);
            for(int i = 0; i < 2; i++) {
                put_bytes(&answer, &key);
                put_text(&answer, "comment");
            }
        }
        else
            put_u8(&answer, AGENT_FAILURE);
        if(!agent_answer(fd, &answer))
            return;
    }
}

static int ask_an_agent(struct conn *c)
{
    struct libssh2_agent_publickey *key = NULL;
    int rc = 0;
    pid_t pid = agent_start(serve_agent, NULL);
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    if(!agent)
        rc = failure(c);
    STEP(libssh2_agent_connect(agent));
    STEP(libssh2_agent_list_identities(agent));
    STEP(libssh2_agent_get_identity(agent, &key, NULL));
    STEP(counted(key->blob_len, 9));
    libssh2_agent_free(agent);
    agent_stop(pid);
    return rc;
}

static int ask_this_and_that(struct conn *c)
{
    char *text = NULL;
    const char **names = NULL;
    unsigned length;
    int rc = 0, size = 0;
    libssh2_trace_sethandler(c->session, NULL, quiet);
    libssh2_trace(c->session, ~0);
    for(int kind = LIBSSH2_METHOD_KEX; rc == 0 && kind <= LIBSSH2_METHOD_COMP_SC; kind++) {
        int count = libssh2_session_supported_algs(c->session, kind, &names);
        if(count > 0)
            libssh2_free(c->session, names);
        rc = count < 0 ? count : 0;
    }
    STEP(libssh2_base64_decode(c->session, &text, &length, KEY, (unsigned)strlen(KEY)));
    if(rc == 0)
        libssh2_free(c->session, text);
    if(rc == 0 && (!libssh2_session_banner_get(c->session) ||
                   !libssh2_hostkey_hash(c->session, LIBSSH2_HOSTKEY_HASH_SHA256)))
        rc = failure(c);
    STEP(CALL(c, libssh2_keepalive_send(c->session, &size)));
    if(rc == 0) {
        /* Too long for the place of short ones. */
        char words[400];
        memset(words, 'w', sizeof(words) - 1);
        words[sizeof(words) - 1] = '\0';
        rc = libssh2_session_set_last_error(c->session, LIBSSH2_ERROR_INVAL, words);
        rc = rc == LIBSSH2_ERROR_INVAL ? 0 : rc;
    }
    if(rc == 0) {
        int code = libssh2_session_last_error(c->session, &text, &size, 1);
        if(code != LIBSSH2_ERROR_INVAL || (text && strlen(text) != (size_t)size))
            ok(false, "last_error tells %s and %d bytes", error_name(code), size);
        /* NULL says it all. */
        rc = text ? 0 : LIBSSH2_ERROR_ALLOC;
        libssh2_free(c->session, text);
    }
    libssh2_trace(c->session, 0);
    return rc;
}

static int say_goodbye(struct conn *c)
{
    return CALL(c, libssh2_session_disconnect(c->session, "the journey is over"));
}

static const struct leg legs[] = {
    { "session_init and settings", set_up, .from = NOTHING },
    { "handshake", shake_hands, .from = MADE },
    { "handshake on a guess", exchange_on_a_guess, .from = MADE },
    { "handshake with a group of the server's", exchange_in_a_group, .from = MADE },
    { "login by password", by_password, .from = GREETED, .by_password = true },
    { "login by keyboard", by_keyboard, .from = GREETED, .by_password = true },
    { "login by key", by_key, .from = GREETED },
    { "login by RSA key", by_rsa_key, .from = GREETED },
    { "login by key, compressed", by_key, .from = GREETED, .compressed = true },
    { "login by a program that does not sign", by_signer, .from = GREETED },
    { "known hosts", know_hosts, .from = LOGGED_IN },
    { "agent", ask_an_agent, .from = LOGGED_IN },
    { "this and that", ask_this_and_that, .from = LOGGED_IN },
    { "SFTP", sftp_begins_and_ends, .from = LOGGED_IN },
    { "upload", upload, .from = SFTP_UP },
    { "download", download, .from = SFTP_UP },
    { "upload, compressed", upload, .from = SFTP_UP, .compressed = true },
    { "download, compressed", download, .from = SFTP_UP, .compressed = true },
    { "paths", look_at_paths, .from = SFTP_UP },
    { "command", run_command, .from = LOGGED_IN },
    { "SCP", copy_by_scp, .from = LOGGED_IN },
    { "forwarded port", forward_a_port, .from = LOGGED_IN },
    { "disconnect", say_goodbye, .from = LOGGED_IN },
};

/* --- going over a leg --- */

static int connect_to(in_port_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(port) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bail("no connection to a server");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* How long a call may take. */
static long long patience(void)
{
    return 10000LL * slowness();
}

/* A session where the leg begins, or what there is before the first. Nothing is refused meanwhile. */
static struct conn *prepare(const struct leg *leg)
{
    static const struct {
        enum stage to;
        int (*step)(struct conn *c);
    } steps[] = { { MADE, make }, { GREETED, shake_hands }, { LOGGED_IN, by_key }, { SFTP_UP, start_sftp } };
    struct conn *c = calloc(1, sizeof(*c));
    c->limit_ms = patience();
    c->fd = leg->from == NOTHING ? -1 : connect_to(leg->by_password ? testd_port : sshd_port);
    for(size_t i = 0; i < COUNT(steps) && steps[i].to <= leg->from; i++) {
        int rc = steps[i].step(c);
        if(rc == 0 && steps[i].to == MADE && leg->compressed)
            rc = libssh2_session_flag(c->session, LIBSSH2_FLAG_COMPRESS, 1);
        if(rc != 0)
            bail("%s can not be begun: %s (%s)", leg->name, error_name(rc), c->session ? last_words(c) : "");
    }
    return c;
}

/* Everything must be given back, whatever state the session is in. */
static void give_up(struct conn *c, const char *name, long n)
{
    if(c->session) {
        c->limit_ms = patience();
        int rc = CALL(c, libssh2_session_free(c->session));
        if(rc != 0)
            ok(false, "%s, piece %ld: the session can not be freed: %s", name, n, error_name(rc));
    }
    if(memory->given() != before)
        ok(false, "%s, piece %ld: %ld pieces are lost", name, n, memory->given() - before);
    if(c->fd >= 0)
        close(c->fd);
    free(c);
}

/* How often memory was refused. */
static long go_over(const struct leg *leg)
{
    /* Every piece is refused where that is not slow, and each second one where the calls are the same but for their
     * waits. */
    const char *step = getenv("JOURNEY_STEP");
    long most = nonblocking && !getenv("CTESTS_ALL") ? 2 : 1;
    long stride = step ? atol(step) : slowness() > 1 ? memory->slow_stride : most;
    long survived = 0, spared = 0, times = 0;
    struct conn *c = NULL;
    int failed = failures();
    long n = nonblocking ? 1 + stride / 2 : 1;
    before = memory->given();
    for(;; n += stride) {
        if(!c)
            c = prepare(leg);
        memory->arm(n);
        int rc = leg->go(c);
        bool refused = memory->disarm();
        times += refused;
        if(rc != 0 && (!refused || rc != LIBSSH2_ERROR_ALLOC)) {
            ok(false, "%s, piece %ld%s: %s (%s)", leg->name, n, refused ? "" : " (none)", error_name(rc),
               c->session ? last_words(c) : "");
            give_up(c, leg->name, n);
            c = NULL;
            if(!refused || failures() > failed + 20)
                break;
            continue;
        }
        if(!refused)
            break;
        spared += rc == 0;
        /* Who goes on must get there, unless the connection is over. */
        if(leg->from >= LOGGED_IN) {
            int again = leg->go == say_goodbye ? LIBSSH2_ERROR_ALLOC : leg->go(c);
            if(again == 0) {
                survived++;
                continue;
            }
            if(again != LIBSSH2_ERROR_ALLOC)
                ok(false, "%s after piece %ld: %s (%s)", leg->name, n, error_name(again), last_words(c));
        }
        give_up(c, leg->name, n);
        c = NULL;
    }
    if(c)
        give_up(c, leg->name, n);
    ok(failures() == failed, "%s without one of %ld pieces", leg->name, n - 1);
    diag("%s: %ld times it went on afterwards, %ld times nothing was missed", leg->name, survived, spared);
    return times;
}

long journey(const struct memory *how)
{
    long times = 0;
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    memory = how;
    data = make_data(DATA_SIZE, 11);
    back = malloc(DATA_SIZE);
    struct conn *first = testd("--ask Name=bob --banner Hello --seconds 600");
    if(getpeername(first->fd, (struct sockaddr *)&address, &size) != 0)
        bail("no address");
    testd_port = ntohs(address.sin_port);
    server_config("Compression yes\nCiphers +aes256-cbc\n");
    sshd_port = (in_port_t)server_port();
    const char *only = getenv("JOURNEY_LEG");
    for(size_t i = 0; i < COUNT(legs); i++)
        if(!only || strcmp(only, legs[i].name) == 0)
            times += go_over(&legs[i]);
    conn_drop(first);
    free(data);
    free(back);
    return times;
}
