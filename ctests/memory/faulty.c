/* What a memory checker must find, to show that it looks into the library. "overrun" has the library read behind a
   buffer of the program, "leak" loses memory that the library has allocated, "leak-allocated" such memory of the
   program's allocator, "leak-in-callback" memory of the program's own while the library calls it; "none" is without
   fault. */
#include <stdlib.h>
#include <string.h>

#include <libssh2.h>

static const char *fault;

static LIBSSH2_ALLOC_FUNC(my_alloc)
{
    (void)abstract;
    return malloc(count);
}

static LIBSSH2_REALLOC_FUNC(my_realloc)
{
    (void)abstract;
    return realloc(ptr, count);
}

static LIBSSH2_FREE_FUNC(give_back)
{
    (void)abstract;
    if(!strcmp(fault, "leak-in-callback"))
        memset(malloc(50), 0, 50);
    free(ptr);
}

int main(int argc, char **argv)
{
    LIBSSH2_SESSION *session;
    unsigned int length;
    char *decoded = NULL, *text = malloc(8);

    fault = argc > 1 ? argv[1] : "none";
    session = !strcmp(fault, "leak") ? libssh2_session_init() : libssh2_session_init_ex(my_alloc, give_back, my_realloc, NULL);
    if(!session || !text)
        return 1;
    memcpy(text, "bGlic3No", 8);
    length = !strcmp(fault, "overrun") ? 40 : 8;
    libssh2_base64_decode(session, &decoded, &length, text, length);
    if(!strcmp(fault, "leak") || !strcmp(fault, "leak-allocated"))
        memset(&decoded, 0, sizeof(decoded));
    if(decoded)
        libssh2_free(session, decoded);
    free(text);
    libssh2_session_free(session);
    libssh2_exit();
    return 0;
}
