/* test_hostkey takes two things from within the original library. What every program can have does the same. */
#include "libssh2_priv.h"

static inline int decode(LIBSSH2_SESSION *session, char **bytes, size_t *length, const char *text, size_t text_length)
{
    unsigned int decoded = 0;
    int rc = libssh2_base64_decode(session, bytes, &decoded, text, (unsigned int)text_length);
    *length = decoded;
    return rc;
}
#define ssh2_base64_decode decode

#undef SSH2_FREE
#define SSH2_FREE(session, memory) libssh2_free(session, memory)
