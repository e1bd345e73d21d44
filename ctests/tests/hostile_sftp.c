/* Wrong answers of a channel and of SFTP. */
#include "meeting.h"

static void channels(void)
{
    static const struct meeting meetings[] = {
        { "--fault open-refused-1", SFTP, REFUSED, SAME },
        { "--fault open-refused-2", SFTP, REFUSED, SAME },
        { "--fault open-refused-3", SFTP, REFUSED, SAME },
        { "--fault open-refused-4", SFTP, REFUSED, SAME },
        { "--fault subsystem-refused", SFTP, REFUSED, SAME },
        /* To the original every failure to open is a refusal. */
        { "--fault close@open", SFTP, RECV, OURS },
        { "--fault close@subsystem", SFTP, RECV, OURS },
        { "--fault disconnect@open", SFTP, GONE, OURS },
        { "--fault cut@open --keep 5", SFTP, PROTO, OURS },
        { "--fault cut@open --keep 13", SFTP, PROTO, OURS },
        { "--fault cut@subsystem", SFTP, PROTO, OURS },
        { "--fault open-packet-zero", SFTP, REFUSED, SAME },
        /* The original lets this pass. */
        { "--fault open-twice", SFTP, PROTO, OURS },
        { "--fault channel-success@open", DONE, 0, SAME },
        { "--fault channel-unknown", DONE, 0, SAME },
        { "--fault channel-close", STAT, RECV, SAME },
        { "--fault channel-eof", STAT, RECV, SAME },
        { "--fault adjust-overflow", STAT, PROTO, SAME },
        /* The original takes as much as there is. */
        { "--fault data-past-end", STAT, PROTO, OURS },
        { "--fault exit-status-short", STAT, PROTO, SAME },
        { "--fault exit-signal-huge", STAT, PROTO, SAME },
        /* The original does not answer what it does not know. */
        { "--fault asks-back", DONE, 0, OURS },
        { "--fault window-overrun", STAT, BOUNDARY, SAME },
        /* Nothing is to be had from a server that takes nothing. */
        { "--window 0", SFTP, TIMEOUT, OURS },
    };
    MEET(meetings);
}

/* The program hears the server's own words. */
static void says(const char *arguments, const char *words)
{
    struct conn *c = testd("%s", arguments);
    conn_handshake(c);
    testd_login(c);
    c->sftp = CALLP(c, libssh2_sftp_init(c->session));
    LIBSSH2_SFTP_HANDLE *file =
        c->sftp ? CALLP(c, libssh2_sftp_open(c->sftp, "none", LIBSSH2_FXF_READ, 0)) : NULL;
    ok(!file, "%s: refused", arguments);
    ok(!ours || strstr(last_words(c), words), "it says: %s", last_words(c));
    conn_drop(c);
}

static void words(void)
{
    says("--fault open-refused-1", "the server's reason");
    says("--fault open-refused-2", "the server's reason");
    says("--fault open-refused-3", "the server's reason");
    says("--fault open-refused-4", "the server's reason");
    says("--fault disconnect@open", "the server has had enough");
    says("--fault status-instead-of-handle --at 1", "no such file after all");
}

static void versions(void)
{
    static const struct meeting meetings[] = {
        { "--fault close@version", SFTP, RECV, SAME },
        { "--fault version-2", DONE, 0, SAME },
        { "--fault version-past-end", SFTP, LIBSSH2_ERROR_BUFFER_TOO_SMALL, SAME },
        { "--fault version-status", SFTP, PROTOCOL, OURS },
        { "--fault version-none", SFTP, TIMEOUT, OURS },
        { "--fault cut@version --keep 5", SFTP, PROTO, OURS },
    };
    MEET(meetings);
}

static void replies(void)
{
    static const struct meeting meetings[] = {
        /* The original does not ask for limits. */
        { "--limit 8192", DONE, 0, OURS },
        { "--limit 262144", DONE, 0, OURS },
        /* The original waits on, or takes what is of no use for a reply. */
        { "--fault reply-id", STAT, PROTOCOL, OURS },
        { "--fault reply-type", STAT, PROTOCOL, OURS },
        { "--fault reply-type-unknown", STAT, PROTOCOL, SAME },
        { "--fault reply-length-0", STAT, BOUNDARY, SAME },
        { "--fault reply-length-4", STAT, BOUNDARY, SAME },
        { "--fault reply-length-huge", STAT, EXCEEDED, SAME },
        { "--fault reply-short", STAT, PROTOCOL, SAME },
        { "--fault reply-twice", STAT, PROTOCOL, OURS },
        { "--fault reply-silence", STAT, TIMEOUT, OURS },
        { "--fault attributes-endless", STAT, PROTOCOL, SAME },
        { "--fault attributes-short", STAT, PROTOCOL, SAME },
        { "--fault name-count", LIST, PROTOCOL, SAME },
        /* The original gives PROTO, which its manual does not. */
        { "--fault name-past-end", LIST, PROTOCOL, OURS },
        { "--fault name-count --at 2", LIST, PROTOCOL, SAME },
        { "--fault handle-long", LIST, PROTOCOL, SAME },
        { "--fault handle-past-end", LIST, PROTOCOL, SAME },
        { "--fault status-before-handle", DONE, 0, SAME },
        /* The original waits for the handle. */
        { "--fault status-instead-of-handle", LIST, PROTOCOL, OURS },
    };
    MEET(meetings);
}

static void files(void)
{
    static const struct meeting meetings[] = {
        { "--fault read-ok", READ, PROTOCOL, SAME },
        { "--fault read-long", READ, PROTOCOL, SAME },
        { "--fault read-error", READ, PROTOCOL, SAME },
        { "--fault read-error --at 2", READ, PROTOCOL, SAME },
        { "--fault write-error", WRITE, PROTOCOL, SAME },
        { "--fault write-error --at 3 --limit 30000", WRITE, PROTOCOL, SAME },
        /* The original makes no difference between a short answer and a wrong one. */
        { "--fault read-short", DONE, 0, OURS },
        { "--fault read-short --at 3 --limit 10000", DONE, 0, OURS },
    };
    MEET(meetings);
}

void test(void)
{
    watchdog(140);
    channels();
    words();
    versions();
    replies();
    files();
}
