#include "bytes.h"

#include <openssl/evp.h>
#include <stdlib.h>

void put(struct bytes *to, const void *data, size_t size)
{
    if(size > sizeof(to->data) - to->size)
        bail("too many bytes");
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

void put_u8(struct bytes *to, unsigned number)
{
    put(to, &(unsigned char){ (unsigned char)number }, 1);
}

void put_u32(struct bytes *to, uint32_t number)
{
    for(int shift = 24; shift >= 0; shift -= 8)
        put_u8(to, number >> shift & 0xff);
}

void put_string(struct bytes *to, const void *data, size_t size)
{
    put_u32(to, (uint32_t)size);
    put(to, data, size);
}

void put_text(struct bytes *to, const char *text)
{
    put_string(to, text, strlen(text));
}

void put_bytes(struct bytes *to, const struct bytes *bytes)
{
    put_string(to, bytes->data, bytes->size);
}

const char *base64(const struct bytes *from)
{
    static char text[sizeof(from->data) * 4 / 3 + 5];
    EVP_EncodeBlock((unsigned char *)text, from->data, (int)from->size);
    return text;
}

void put_blob(struct bytes *to, const char *line)
{
    const char *digits = strchr(line, ' ') + 1;
    int count = (int)strcspn(digits, " \n");
    unsigned char *blob = malloc((size_t)count);
    int size = EVP_DecodeBlock(blob, (const unsigned char *)digits, count);
    for(int i = count; i > 0 && digits[i - 1] == '='; i--)
        size--;
    put(to, blob, (size_t)size);
    free(blob);
}
