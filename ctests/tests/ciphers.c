/* Ciphers, MACs and compression: each that can be had carries a login and a file there and back, in
 * either direction; what is weak only on request. */
#include "matrix.h"

void test(void)
{
    static const char *const ciphers[] = { "aes256-gcm@openssh.com", "aes128-gcm@openssh.com",
                                           "chacha20-poly1305@openssh.com", "aes256-ctr",
                                           "aes192-ctr", "aes128-ctr" };
    static const char *const chained[] = { "aes256-cbc", "aes192-cbc", "aes128-cbc" };
    static const char *const macs[] = { "hmac-sha2-256", "hmac-sha2-512",
                                        "hmac-sha2-256-etm@openssh.com",
                                        "hmac-sha2-512-etm@openssh.com" };
    static const char *const compressions[] = { "zlib@openssh.com", "none" };
    watchdog(220);
    server_config(matrix_server());
    matrix_pairs(ciphers, COUNT(ciphers), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
    matrix_pairs(chained, COUNT(chained), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
    matrix_pairs(macs, COUNT(macs), LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC);
    matrix_pairs(compressions, 1, LIBSSH2_METHOD_COMP_CS, LIBSSH2_METHOD_COMP_SC);
    if(!ours)
        return;
    /* What the original leaves out as it is built here. */
    static const char *const legacy[] = { "3des-cbc", "aes128-cbc" };
    static const char *const more_macs[] = { "hmac-sha1", "hmac-sha1-96", "hmac-md5",
                                             "hmac-sha1-etm@openssh.com", "hmac-md5-96" };
    trace_off(true);
    matrix_pairs(legacy, COUNT(legacy), LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC);
    matrix_pairs(more_macs, COUNT(more_macs), LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC);
    matrix_pairs(compressions, COUNT(compressions), LIBSSH2_METHOD_COMP_CS, LIBSSH2_METHOD_COMP_SC);
    matrix_others(LIBSSH2_METHOD_CRYPT_CS, "cipher");
    matrix_others(LIBSSH2_METHOD_MAC_CS, "mac");
    matrix_only_on_request(LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC, "3des-cbc",
                           "Ciphers 3des-cbc");
    matrix_only_on_request(LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC, "hmac-sha1",
                           "Ciphers aes128-ctr\nMACs hmac-sha1");
}
