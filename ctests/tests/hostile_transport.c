/* A server whose key exchange is genuine but for one thing: the client must notice, end with the
 * error that fits and say what happened, soon. What may happen without harm must do none.
 *
 * The original takes some of it for granted, or waits for ever for what never comes: there its
 * result is not compared, and the comment says why. */
#include "meeting.h"

#include <signal.h>

static void good(void)
{
    static const struct meeting meetings[] = {
        { " ", DONE, 0, SAME },
        { "--no-strict", DONE, 0, SAME },
        { "--chunk 1", DONE, 0, SAME },
        { "--chunk 7", DONE, 0, SAME },
        { "--chunk seed --seed 5", DONE, 0, SAME },
        { "--host-key host_ecdsa256", DONE, 0, SAME },
        { "--host-key host_rsa", DONE, 0, SAME },
        { "--cipher aes128-ctr --mac hmac-sha2-256", DONE, 0, SAME },
        { "--cipher aes192-ctr --mac hmac-sha2-512-etm@openssh.com", DONE, 0, SAME },
        { "--cipher aes256-ctr --mac hmac-sha2-512", DONE, 0, SAME },
        { "--cipher aes128-gcm@openssh.com", DONE, 0, SAME },
        { "--cipher aes256-gcm@openssh.com", DONE, 0, SAME },
        { "--cipher chacha20-poly1305@openssh.com", DONE, 0, SAME },
        /* The original does not throw the wrongly guessed packet away. */
        { "--fault kex-wrong-guess", DONE, 0, OURS },
        { "--fault ignore@auth", DONE, 0, SAME },
        { "--fault debug@open", DONE, 0, SAME },
        { "--fault ignore@reply", DONE, 0, SAME },
        { "--fault ignore@kex-reply --no-strict", DONE, 0, SAME },
        /* The original now and then crashes when keys change so often. */
        { "--rekey 1", DONE, 0, OURS },
        { "--rekey 1 --no-strict --chunk 7", DONE, 0, OURS },
        /* The original never sends UNIMPLEMENTED, which the server waits for. */
        { "--fault unknown@auth", DONE, 0, OURS },
        { "--fault unknown@reply", DONE, 0, OURS },
    };
    MEET(meetings);
}

static void banners(void)
{
    static const struct meeting meetings[] = {
        { "--fault close@ident", HANDSHAKE, GONE, SAME },
        { "--fault truncate@ident", HANDSHAKE, GONE, SAME },
        /* The original meets the NUL in the first line, and so does ours. */
        { "--fault banner-binary", HANDSHAKE, BANNER, SAME },
        { "--fault banner-nul", HANDSHAKE, BANNER, SAME },
        /* The original cuts the line and then takes its rest for a packet. */
        { "--fault banner-long", HANDSHAKE, BANNER, OURS },
        /* The original reads such lines for ever, and any version. */
        { "--fault banner-endless", HANDSHAKE, BANNER, OURS },
        { "--fault banner-old", HANDSHAKE, BANNER, OURS },
    };
    MEET(meetings);
}

static void key_exchange(void)
{
    static const struct meeting meetings[] = {
        { "--fault close@kexinit", HANDSHAKE, KEX, SAME },
        { "--fault truncate@kexinit", HANDSHAKE, KEX, SAME },
        { "--fault close@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault truncate@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault close@newkeys", HANDSHAKE, EXCHANGE, SAME },
        { "--fault disconnect@kexinit", HANDSHAKE, KEX, SAME },
        { "--fault disconnect@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault disconnect@newkeys", HANDSHAKE, EXCHANGE, SAME },
        { "--fault disconnect-short@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault length-huge@kexinit", HANDSHAKE, KEX, SAME },
        { "--fault length-zero@kexinit", HANDSHAKE, KEX, SAME },
        /* The original waits for bytes that never come. */
        { "--fault length-odd@kexinit", HANDSHAKE, KEX, OURS },
        { "--fault length-huge@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault padding@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault empty@kexinit", HANDSHAKE, KEX, OURS },
        { "--fault empty@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault cut@kexinit", HANDSHAKE, KEX, SAME },
        { "--fault cut@kexinit --keep 17", HANDSHAKE, KEX, SAME },
        { "--fault cut@kexinit --keep 200", HANDSHAKE, KEX, SAME },
        { "--fault cut@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault cut@kex-reply --keep 60", HANDSHAKE, EXCHANGE, SAME },
        { "--fault cut@kex-reply --keep 120", HANDSHAKE, EXCHANGE, SAME },
        { "--fault kexinit-past-end", HANDSHAKE, KEX, SAME },
        { "--fault kexinit-nothing-in-common", HANDSHAKE, KEX, SAME },
        { "--fault kexinit-empty", HANDSHAKE, KEX, SAME },
        { "--fault kexinit-twice", HANDSHAKE, EXCHANGE, SAME },
        /* The original takes the second one for nothing. */
        { "--fault kexinit-twice --no-strict", HANDSHAKE, EXCHANGE, OURS },
        { "--fault kex-reply-number", HANDSHAKE, EXCHANGE, SAME },
        { "--fault kex-zero-value", HANDSHAKE, EXCHANGE, SAME },
        { "--fault kex-short-value", HANDSHAKE, EXCHANGE, SAME },
        { "--fault newkeys@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        /* The original uses keys that there are none of yet. */
        { "--fault newkeys@kex-reply --no-strict", HANDSHAKE, EXCHANGE, OURS },
    };
    MEET(meetings);
}

static void host_keys(void)
{
    static const struct meeting meetings[] = {
        { "--fault signature-flip", HANDSHAKE, EXCHANGE, SAME },
        { "--fault signature-flip --host-key host_ecdsa256", HANDSHAKE, EXCHANGE, SAME },
        { "--fault signature-flip --host-key host_rsa", HANDSHAKE, EXCHANGE, SAME },
        { "--fault signature-other", HANDSHAKE, EXCHANGE, SAME },
        { "--fault signature-other --host-key host_rsa", HANDSHAKE, EXCHANGE, SAME },
        { "--fault signature-empty", HANDSHAKE, EXCHANGE, SAME },
        { "--fault host-key-garbage", HANDSHAKE, EXCHANGE, SAME },
        { "--fault host-key-type --host-key host_ecdsa384", HANDSHAKE, EXCHANGE, SAME },
        /* The original does not look at the name of the signature's algorithm. */
        { "--fault signature-name", HANDSHAKE, EXCHANGE, OURS },
        /* The original takes another host key in a later exchange without a word. */
        { "--fault host-key-changes --rekey 1", LOGIN, EXCHANGE, OURS },
    };
    MEET(meetings);
}

static void strict(void)
{
    static const struct meeting meetings[] = {
        { "--fault ignore@kexinit", HANDSHAKE, KEX, SAME },
        { "--fault ignore@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault debug@kex-reply", HANDSHAKE, EXCHANGE, SAME },
        { "--fault ignore@newkeys", HANDSHAKE, EXCHANGE, SAME },
    };
    MEET(meetings);
}

/* The packets behind the first key exchange. */
static void sealed(void)
{
    static const struct meeting meetings[] = {
        /* The original waits for the answer in the handshake. */
        { "--fault close@service", SERVICE, RECV, OURS },
        { "--fault disconnect@service", SERVICE, GONE, OURS },
        { "--fault service-refused", SERVICE, GONE, OURS },
        { "--fault service-other", SERVICE, PROTO, OURS },
        { "--fault cut@service", SERVICE, PROTO, OURS },
        { "--fault ext-info-endless", SERVICE, PROTO, OURS },
        { "--fault close@auth", LOGIN, RECV, SAME },
        { "--fault disconnect@auth", LOGIN, GONE, SAME },
        { "--fault flip@auth --cipher aes256-gcm@openssh.com", LOGIN, DECRYPT, SAME },
        { "--fault flip@auth --cipher chacha20-poly1305@openssh.com", LOGIN, DECRYPT, SAME },
        { "--fault flip@auth --cipher aes128-ctr --mac hmac-sha2-256", LOGIN, MAC, SAME },
        { "--fault flip@auth --cipher aes128-ctr --mac hmac-sha2-512-etm@openssh.com", LOGIN, MAC, SAME },
        { "--fault flip@reply --at 2", STAT, DECRYPT, SAME },
        { "--fault length-huge@reply --cipher aes256-gcm@openssh.com", STAT, BOUNDARY, SAME },
        { "--fault length-huge@reply --cipher chacha20-poly1305@openssh.com", STAT, BOUNDARY, SAME },
        { "--fault length-huge@reply --cipher aes256-ctr --mac hmac-sha2-256", STAT, BOUNDARY, SAME },
        { "--fault length-huge@reply --cipher aes256-ctr --mac hmac-sha2-256-etm@openssh.com", STAT,
          BOUNDARY, SAME },
        { "--fault length-zero@reply --cipher aes256-gcm@openssh.com", STAT, DECRYPT, SAME },
        { "--fault length-zero@reply --cipher chacha20-poly1305@openssh.com", STAT, DECRYPT, SAME },
        { "--fault length-zero@reply --cipher aes256-ctr --mac hmac-sha2-256", STAT, DECRYPT, SAME },
        /* The original waits for bytes that never come. */
        { "--fault length-odd@reply --cipher aes256-ctr --mac hmac-sha2-256-etm@openssh.com", STAT, DECRYPT, OURS },
        { "--fault empty@reply", STAT, DECRYPT, OURS },
        /* The original uses keys that there are none of. */
        { "--fault newkeys@reply", STAT, PROTO, OURS },
        { "--fault close@reply", STAT, RECV, SAME },
        { "--fault truncate@reply", STAT, RECV, SAME },
        { "--fault disconnect@reply", STAT, GONE, SAME },
        { "--fault disconnect-short@reply", STAT, GONE, SAME },
    };
    MEET(meetings);
}

/* A rekey that goes wrong, and one in the middle of which the server goes. The original may crash
 * on rekeys that follow each other at once. */
static void rekeys(void)
{
    static const struct meeting meetings[] = {
        { "--rekey 1 --fault close@kexinit --at 2", LOGIN, RECV, OURS },
        { "--rekey 1 --fault close@kex-reply --at 2", LOGIN, RECV, OURS },
        { "--rekey 1 --fault signature-flip --at 2", LOGIN, EXCHANGE, OURS },
        { "--rekey 1 --fault kex-zero-value --at 2", LOGIN, EXCHANGE, OURS },
    };
    MEET(meetings);
}

/* Servers that never come to an end: the time limit of the session must. The original's codes
 * depend on where it stops, and what floods it reads for ever. */
static void endless(void)
{
    static const struct meeting meetings[] = {
        { "--fault silence@ident", HANDSHAKE, TIMEOUT, OURS },
        { "--fault silence@kexinit", HANDSHAKE, TIMEOUT, OURS },
        { "--fault silence@kex-reply", HANDSHAKE, TIMEOUT, OURS },
        { "--fault silence@newkeys", HANDSHAKE, TIMEOUT, OURS },
        { "--fault silence@auth", LOGIN, TIMEOUT, OURS },
        { "--fault flood@auth", LOGIN, TIMEOUT, OURS },
        { "--fault flood@reply", STAT, TIMEOUT, OURS },
        { "--fault flood@kex-reply --no-strict", HANDSHAKE, TIMEOUT, OURS },
    };
    MEET(meetings);
}

/* Saying goodbye is over when the words have left, whatever the server does. */
static void goodbye(void)
{
    struct conn *c = testd(" ");
    conn_handshake(c);
    testd_login(c);
    kill(c->sshd, SIGSTOP);
    long long start = now_ms();
    int rc = CALL(c, libssh2_session_disconnect(c->session, "bye"));
    trace_rc(c, rc, "disconnect from a server that has stopped");
    is_number(rc, 0, "disconnect from a server that has stopped");
    ok(now_ms() - start < 2000, "it took %lld ms", now_ms() - start);
    is_number(c->stuck, 0, "each EAGAIN named a direction that came");
    conn_drop(c);
}

void test(void)
{
    watchdog(140);
    good();
    banners();
    key_exchange();
    host_keys();
    strict();
    sealed();
    rekeys();
    endless();
    goodbye();
}
