/* libssh2_base64_decode. */
#include "harness.h"

#include <stdio.h>

static void decode(LIBSSH2_SESSION *session, const char *text, size_t size)
{
    char *bytes = NULL, hex[100] = "";
    unsigned length = 0;
    int rc = libssh2_base64_decode(session, &bytes, &length, text, (unsigned)size);
    if(rc == 0)
        for(unsigned i = 0; i < length && i < 40; i++)
            snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
    trace("%.40s (%zu) = %s %u %s", text, size, error_name(rc), rc == 0 ? length : 0, hex);
    if(rc != 0)
        is_number(libssh2_session_last_errno(session), rc, "last_errno");
    else
        libssh2_free(session, bytes);
}

void test(void)
{
    static const char *const texts[] = {
        "",         "Zg==",  "Zg",       "Zm8=",          "Zm9v",   "Zm9vYg==", "Zm9vYmE=",
        "Zm9vYmFy", "+/+/",  "Zm\n9v\r\n", " Z m 9 v ",     "Zm-_9v", "=Zm9v",    "Zm9vY",
        "Z",        "Zh==",  "AAECAwQFBgcICQoLDA0ODw==",
    };
    LIBSSH2_SESSION *session = libssh2_session_init();
    for(size_t i = 0; i < COUNT(texts); i++)
        decode(session, texts[i], strlen(texts[i]));
    decode(session, "Zm9vYmFy", 4);
    decode(session, "Zm\0" "9v", 5);
    if(ours) {
        char *bytes;
        unsigned length;
        is_number(libssh2_base64_decode(NULL, &bytes, &length, "Zg", 2), LIBSSH2_ERROR_BAD_USE,
                  "no session");
        is_number(libssh2_base64_decode(session, NULL, &length, "Zg", 2), LIBSSH2_ERROR_BAD_USE,
                  "no place for the bytes");
    }
    ok(true, "decoded");
    libssh2_session_free(session);
}
