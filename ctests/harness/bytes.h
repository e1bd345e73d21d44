/* Bytes as SSH writes them, RFC 4251 section 5. */
#ifndef CTESTS_BYTES_H
#define CTESTS_BYTES_H

#include "harness.h"

struct bytes {
    unsigned char data[4000];
    size_t size;
};

/* Each bails out when there is no more room. */
void put(struct bytes *to, const void *data, size_t size);
void put_u8(struct bytes *to, unsigned number);
void put_u32(struct bytes *to, uint32_t number);
void put_string(struct bytes *to, const void *data, size_t size);
void put_text(struct bytes *to, const char *text);
void put_bytes(struct bytes *to, const struct bytes *bytes); /* as a string */

/* Base64 of them, until the next call. */
const char *base64(const struct bytes *from);
/* Appends the blob in a line "type base64 comment", which is what .pub files hold. */
void put_blob(struct bytes *to, const char *line);

#endif
