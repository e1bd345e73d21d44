/* An authenticator that is made of software: a security key whose user always touches it. */
#ifndef CTESTS_AUTHENTICATOR_H
#define CTESTS_AUTHENTICATOR_H

#include "bytes.h"

#include <openssl/evp.h>

enum sk_type { SK_ED25519, SK_ECDSA };

/* What its keys are for. */
#define SK_APPLICATION "ssh:test"
/* What it says it has checked, OpenSSH's PROTOCOL.u2f. */
#define SK_PRESENT 1
#define SK_VERIFIED 4

struct authenticator {
    enum sk_type type;
    EVP_PKEY *key;
    uint8_t flags;    /* what it says it has checked */
    uint32_t counter; /* of its last signature */
};

/* The name of the key's type. */
const char *sk_name(enum sk_type type);
/* Gives it a new key. */
void authenticator_make(struct authenticator *made, enum sk_type type);
/* The public key. */
void authenticator_public(const struct authenticator *of, struct bytes *blob);
/* The line of a public file. */
void authenticator_public_text(const struct authenticator *of, char *text, size_t size);
/* Signs; Ed25519 has no `s`. */
void authenticator_sign(struct authenticator *by, const void *data, size_t size, struct bytes *r,
                        struct bytes *s);
void authenticator_free(struct authenticator *made);

#endif
