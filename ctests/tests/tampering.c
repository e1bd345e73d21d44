/* Somebody on the line changes a byte: in the key exchange, and in what is encrypted. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct conn *c;

/* What to change. While the exchange is in the clear: a byte of the first packet of type `type`,
 * counted from its payload's begin, or from its end if negative. After that: the byte that
 * comes `skip` bytes later. */
static struct {
    bool armed, in_clear;
    int type;
    long place;
    size_t skip;
} plan;

/* Where the stream of plain packets stands. */
static struct {
    bool banner_seen;
    unsigned char header[5];
    size_t at; /* within the packet, its length field included */
} stream;

static int mac_errors;

static LIBSSH2_MACERROR_FUNC(on_mac_error)
{
    (void)session, (void)packet, (void)packet_len, (void)abstract;
    mac_errors++;
    return -1;
}

static void follow(unsigned char *byte)
{
    if(!stream.banner_seen) {
        stream.banner_seen = *byte == '\n';
        return;
    }
    if(stream.at < 5)
        stream.header[stream.at] = *byte;
    size_t length = (size_t)stream.header[2] << 8 | stream.header[3];
    stream.at++;
    if(stream.at <= 5)
        return;
    static int type;
    if(stream.at == 6)
        type = *byte;
    size_t payload = length - 1 - stream.header[4], place = stream.at - 6;
    size_t target = plan.place < 0 ? payload - (size_t)-plan.place : (size_t)plan.place;
    if(plan.armed && type == plan.type && place == target) {
        *byte ^= 1;
        plan.armed = false;
    }
    if(stream.at == 4 + length)
        stream.at = 0;
}

static LIBSSH2_RECV_FUNC(receive)
{
    (void)abstract;
    unsigned char *bytes = buffer;
    ssize_t received = recv(socket, buffer, length, flags);
    for(ssize_t i = 0; i < received; i++) {
        if(plan.armed && plan.in_clear)
            follow(&bytes[i]);
        else if(plan.armed && plan.skip-- == 0) {
            bytes[i] ^= 1;
            plan.armed = false;
        }
    }
    return received < 0 ? -errno : received;
}

static void install(void)
{
    memset(&stream, 0, sizeof(stream));
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_RECV,
                                  (libssh2_cb_generic *)receive);
}

/* A change of anything that the host key signs, or of the signature, must be noticed. */
static void in_the_exchange(const char *what, const char *key_type, int type, long place)
{
    c = conn_new();
    libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, key_type);
    plan.armed = plan.in_clear = true;
    plan.type = type;
    plan.place = place;
    install();
    libssh2_session_set_timeout(c->session, 5000);
    c->limit_ms = 5000;
    int rc = CALL(c, libssh2_session_handshake(c->session, c->fd));
    ok(!plan.armed, "a byte was changed");
    trace_rc(c, rc, "%s with another %s", key_type, what);
    is_number(rc, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, what);
    conn_drop(c);
}

/* The first byte of the next packet is at 0: its length is at 0, its content from 4 on. `want` is
 * 0 for a change of the length, which may also look like a packet that is still to come. */
static void in_a_packet(const char *cipher, const char *mac, size_t skip, int want)
{
    LIBSSH2_SFTP_ATTRIBUTES a;
    c = conn_new();
    libssh2_session_method_pref(c->session, LIBSSH2_METHOD_CRYPT_SC, cipher);
    if(mac)
        libssh2_session_method_pref(c->session, LIBSSH2_METHOD_MAC_SC, mac);
    plan.armed = false;
    install();
    libssh2_session_callback_set2(c->session, LIBSSH2_CALLBACK_MACERROR,
                                  (libssh2_cb_generic *)on_mac_error);
    conn_handshake(c);
    conn_login(c);
    conn_sftp(c);
    mac_errors = 0;
    plan.armed = true;
    plan.in_clear = false;
    plan.skip = skip;
    c->limit_ms = want ? 5000 : 300;
    libssh2_session_set_timeout(c->session, c->limit_ms);
    int rc = CALL(c, libssh2_sftp_stat(c->sftp, "/", &a));
    ok(!plan.armed, "a byte was changed");
    trace("%s %s: byte %zu changed: %s", cipher, mac ? mac : "", skip,
          want ? error_name(rc) : "an error");
    is_number(mac_errors, rc == LIBSSH2_ERROR_INVALID_MAC, "MACERROR callback");
    ok(want ? rc == want : rc < 0, "stat: %s", error_name(rc));
    /* The original goes on as if nothing had been. */
    if(ours) {
        int again = CALL(c, libssh2_sftp_stat(c->sftp, "/", &a));
        is_number(again, rc, "the session stays dead");
    }
    conn_drop(c);
}

void test(void)
{
    static const char *const keys[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512" };
    enum { KEXINIT = 20, KEX_ECDH_REPLY = 31 };
    for(size_t i = 0; i < COUNT(keys); i++) {
        in_the_exchange("signature", keys[i], KEX_ECDH_REPLY, -3);
        in_the_exchange("host key", keys[i], KEX_ECDH_REPLY, 45);
    }
    in_the_exchange("cookie", keys[0], KEXINIT, 5);
    /* Type, length and 51 bytes of host key, length: there is the server's share of the secret. */
    in_the_exchange("public value", keys[0], KEX_ECDH_REPLY, 1 + 4 + 51 + 4 + 7);

    in_a_packet("aes256-gcm@openssh.com", NULL, 10, LIBSSH2_ERROR_DECRYPT);
    in_a_packet("aes128-gcm@openssh.com", NULL, 3, 0);
    in_a_packet("chacha20-poly1305@openssh.com", NULL, 10, LIBSSH2_ERROR_DECRYPT);
    in_a_packet("aes256-ctr", "hmac-sha2-256", 10, LIBSSH2_ERROR_INVALID_MAC);
    in_a_packet("aes128-ctr", "hmac-sha2-512", 20, LIBSSH2_ERROR_INVALID_MAC);
    in_a_packet("aes256-ctr", "hmac-sha2-256-etm@openssh.com", 10, LIBSSH2_ERROR_INVALID_MAC);
    in_a_packet("aes192-ctr", "hmac-sha2-512-etm@openssh.com", 20, LIBSSH2_ERROR_INVALID_MAC);
}
