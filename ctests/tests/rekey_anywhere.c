/* The server begins a key exchange before each kind of message: behind whatever the client waits
 * for, and while what the client says meanwhile is still on its way. With every family of ciphers,
 * with strict key exchange and without, and in answers that come in pieces. What may come beside
 * the point during a session must do no harm either. */
#include "meeting.h"

static void before_each_message(void)
{
    static const struct meeting meetings[] = {
        { "--fault rekey@service", DONE, 0, SAME },
        { "--fault rekey@auth", DONE, 0, SAME },
        { "--fault rekey@open", DONE, 0, SAME },
        { "--fault rekey@subsystem", DONE, 0, SAME },
        { "--fault rekey@version", DONE, 0, SAME },
        { "--fault rekey@reply", DONE, 0, SAME },
        { "--fault rekey@reply --at 8 --no-strict", DONE, 0, SAME },
        { "--fault rekey@reply --at 20 --chunk 7", DONE, 0, SAME },
        { "--fault rekey@adjust --window 70000", DONE, 0, SAME },
        { "--fault rekey@open --no-strict --chunk 1", DONE, 0, SAME },
        { "--fault rekey@auth --no-strict --chunk seed --seed 8", DONE, 0, SAME },
    };
    MEET(meetings);
}

/* The original has crashed on keys that change so often. */
#define OFTEN "--rekey 30000 --chunk seed"
static void families(void)
{
    static const struct meeting meetings[] = {
        { OFTEN " --cipher aes256-gcm@openssh.com", DONE, 0, OURS },
        { OFTEN " --cipher aes128-gcm@openssh.com --no-strict", DONE, 0, OURS },
        { OFTEN " --cipher chacha20-poly1305@openssh.com", DONE, 0, OURS },
        { OFTEN " --cipher chacha20-poly1305@openssh.com --no-strict", DONE, 0, OURS },
        { OFTEN " --cipher aes256-ctr --mac hmac-sha2-256-etm@openssh.com", DONE, 0, OURS },
        { OFTEN " --cipher aes192-ctr --mac hmac-sha2-512-etm@openssh.com --no-strict", DONE, 0,
          OURS },
        { OFTEN " --cipher aes128-ctr --mac hmac-sha2-256", DONE, 0, OURS },
        { OFTEN " --cipher aes256-ctr --mac hmac-sha2-512 --no-strict", DONE, 0, OURS },
        { OFTEN " --cipher aes256-cbc --mac hmac-sha2-256", DONE, 0, OURS },
        { OFTEN " --cipher aes128-cbc --mac hmac-sha2-512-etm@openssh.com --no-strict", DONE, 0,
          OURS },
    };
    MEET(meetings);
}

static void beside_the_point(void)
{
    static const struct meeting meetings[] = {
        { "--fault unimplemented@reply", DONE, 0, SAME },
        { "--fault debug@reply --at 9", DONE, 0, SAME },
        { "--fault ignore@version", DONE, 0, SAME },
        /* A second one, as servers send it when they know who logs in (RFC 8308 section 2.4). */
        { "--fault ext-info@auth", DONE, 0, SAME },
        { "--fault ext-info@auth --sig-algs none", DONE, 0, SAME },
        /* The original has no answer to it. */
        { "--fault ping@service", DONE, 0, OURS },
        { "--fault ping@open", DONE, 0, OURS },
        { "--fault ping@reply --at 12", DONE, 0, OURS },
        { "--fault asks-back --rekey 30000", DONE, 0, OURS },
    };
    MEET(meetings);
}

void test(void)
{
    watchdog(140);
    before_each_message();
    families();
    beside_the_point();
}
