#include "authenticator.h"

#include <openssl/ecdsa.h>
#include <openssl/sha.h>
#include <stdio.h>

const char *sk_name(enum sk_type type)
{
    return type == SK_ED25519 ? "sk-ssh-ed25519@openssh.com" : "sk-ecdsa-sha2-nistp256@openssh.com";
}

void authenticator_make(struct authenticator *made, enum sk_type type)
{
    made->type = type;
    made->flags = SK_PRESENT;
    made->counter = 0;
    made->key = type == SK_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                   : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if(!made->key)
        bail("no key");
}

void authenticator_public(const struct authenticator *of, struct bytes *blob)
{
    unsigned char point[100];
    size_t size = sizeof(point);
    put_text(blob, sk_name(of->type));
    if(of->type == SK_ED25519)
        EVP_PKEY_get_raw_public_key(of->key, point, &size);
    else {
        EVP_PKEY_get_octet_string_param(of->key, "pub", point, sizeof(point), &size);
        put_text(blob, "nistp256");
    }
    put_string(blob, point, size);
    put_text(blob, SK_APPLICATION);
}

void authenticator_public_text(const struct authenticator *of, char *text, size_t size)
{
    struct bytes blob = { .size = 0 };
    authenticator_public(of, &blob);
    snprintf(text, size, "%s %s a comment\n", sk_name(of->type), base64(&blob));
}

/* As CTAP2 has it: the hash of the application, flags, counter, the hash of the data. */
void authenticator_sign(struct authenticator *by, const void *data, size_t size, struct bytes *r,
                        struct bytes *s)
{
    unsigned char hash[SHA256_DIGEST_LENGTH], raw[200];
    size_t raw_size = sizeof(raw);
    struct bytes message = { .size = 0 };
    put(&message, SHA256((const unsigned char *)SK_APPLICATION, strlen(SK_APPLICATION), hash),
        sizeof(hash));
    put_u8(&message, by->flags);
    put_u32(&message, ++by->counter);
    put(&message, SHA256(data, size, hash), sizeof(hash));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, NULL, by->type == SK_ED25519 ? NULL : EVP_sha256(), NULL, by->key);
    if(EVP_DigestSign(context, raw, &raw_size, message.data, message.size) != 1)
        bail("can not sign");
    EVP_MD_CTX_free(context);
    r->size = s->size = 0;
    if(by->type == SK_ED25519) {
        put(r, raw, raw_size);
        return;
    }
    const unsigned char *at = raw;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)raw_size);
    r->size = (size_t)BN_bn2bin(ECDSA_SIG_get0_r(pair), r->data);
    s->size = (size_t)BN_bn2bin(ECDSA_SIG_get0_s(pair), s->data);
    ECDSA_SIG_free(pair);
}

void authenticator_free(struct authenticator *made)
{
    EVP_PKEY_free(made->key);
    made->key = NULL;
}
