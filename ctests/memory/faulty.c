/* What a memory checker must find, to show that it looks into the library: "overrun" has the library read behind a
   buffer of the program, "leak" loses memory that the library has allocated, "none" does neither. */
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>

int main(int argc, char **argv)
{
    const char *fault = argc > 1 ? argv[1] : "none";
    LIBSSH2_SESSION *session = libssh2_session_init();
    unsigned int length = !strcmp(fault, "overrun") ? 40 : 8;
    char *decoded = NULL, *text = malloc(8);

    if(!session || !text)
        return 1;
    memcpy(text, "bGlic3No", 8);
    libssh2_base64_decode(session, &decoded, &length, text, length);
    if(!strcmp(fault, "leak"))
        memset(&decoded, 0, sizeof(decoded));
    if(decoded)
        libssh2_free(session, decoded);
    free(text);
    libssh2_session_free(session);
    libssh2_exit();
    return 0;
}
