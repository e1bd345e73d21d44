/* The server's key and its fingerprints are those in the server's own key files; the same for a
 * certificate, which only programs are shown that ask for one. */
#include "harness.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* The binary form of a ".pub" file: "type base64 comment". */
static unsigned char *public_blob(const char *file, size_t *length)
{
    size_t size;
    char *text = read_whole(key_path(file), &size);
    if(!text)
        bail("no %s", file);
    char *base64 = strchr(text, ' ') + 1;
    size_t letters = strcspn(base64, " ");
    unsigned char *blob = malloc(letters);
    *length = (size_t)EVP_DecodeBlock(blob, (unsigned char *)base64, (int)letters);
    while(letters > 0 && base64[--letters] == '=')
        --*length;
    free(text);
    return blob;
}

static bool is_digest(const char *hash, const char *algorithm, const void *blob, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t size;
    return hash && EVP_Q_digest(NULL, algorithm, NULL, blob, length, digest, &size) &&
           memcmp(hash, digest, size) == 0;
}

static void check(const char *algorithm, const char *file)
{
    size_t length = 0, want_length;
    int type = -1;
    struct conn *c = conn_new();
    unsigned char *want = public_blob(file, &want_length);
    libssh2_session_method_pref(c->session, LIBSSH2_METHOD_HOSTKEY, algorithm);
    conn_handshake(c);
    const char *blob = libssh2_session_hostkey(c->session, &length, &type);
    trace("%s: length %zu type %d", algorithm, file[5] == 'r' ? 0 : length, type);
    ok(blob && length == want_length && memcmp(blob, want, length) == 0, "the key of %s", file);
    ok(libssh2_session_hostkey(c->session, NULL, NULL) == blob, "length and type are optional");

    const char *hash = libssh2_hostkey_hash(c->session, LIBSSH2_HOSTKEY_HASH_SHA1);
    ok(is_digest(hash, "SHA1", want, want_length), "SHA-1 of %s", file);
    hash = libssh2_hostkey_hash(c->session, LIBSSH2_HOSTKEY_HASH_SHA256);
    ok(is_digest(hash, "SHA256", want, want_length), "SHA-256 of %s", file);
    hash = libssh2_hostkey_hash(c->session, LIBSSH2_HOSTKEY_HASH_MD5);
    ok(is_digest(hash, "MD5", want, want_length) || (!ours && !hash), "MD5 of %s", file);
    trace("hash 99 %s", libssh2_hostkey_hash(c->session, 99) ? "some" : "none");
    conn_drop(c);
    free(want);
}

static void certificates(void)
{
    server_config(server_certificates());
    struct conn *c = conn_new();
    conn_handshake(c);
    const char *name = libssh2_session_methods(c->session, LIBSSH2_METHOD_HOSTKEY);
    /* The original takes one where the server has one. */
    ok(strcmp(name, ours ? "ssh-ed25519" : "ssh-ed25519-cert-v01@openssh.com") == 0,
       "without a preference: %s", name);
    conn_drop(c);
    check("ssh-ed25519-cert-v01@openssh.com", "host_ed25519-cert.pub");
    check("ecdsa-sha2-nistp256-cert-v01@openssh.com", "host_ecdsa256-cert.pub");
    check("ecdsa-sha2-nistp384-cert-v01@openssh.com", "host_ecdsa384-cert.pub");
    check("ecdsa-sha2-nistp521-cert-v01@openssh.com", "host_ecdsa521-cert.pub");
    check("rsa-sha2-512-cert-v01@openssh.com", "host_rsa-cert.pub");
    check("rsa-sha2-256-cert-v01@openssh.com", "host_rsa-cert.pub");
    server_config(NULL);
}

void test(void)
{
    check("ssh-ed25519", "host_ed25519.pub");
    check("ecdsa-sha2-nistp256", "host_ecdsa256.pub");
    check("ecdsa-sha2-nistp384", "host_ecdsa384.pub");
    check("ecdsa-sha2-nistp521", "host_ecdsa521.pub");
    check("rsa-sha2-256", "host_rsa.pub");
    check("rsa-sha2-512", "host_rsa.pub");
    certificates();
}
