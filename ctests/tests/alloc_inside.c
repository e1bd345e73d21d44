/* Whatever the library itself allocates is refused, one piece after the other, all along the way: this program's malloc
 * takes the place of the C library's, and knows by where it is called from whom it serves. */
#include "journey.h"
#include "pieces.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>

static uintptr_t library_start, library_end;

/* AddressSanitizer has a malloc of its own, which nobody may stand before. */
#ifdef __SANITIZE_ADDRESS__
#define IS_SERVED_BY_OTHERS true
#else
#define IS_SERVED_BY_OTHERS false

#define CALLED_BY_LIBRARY                                                                          \
    ((uintptr_t)__builtin_return_address(0) - library_start < library_end - library_start)

/* The C library's own, by name: valgrind watches those. */
#define REAL(name)                                                                                 \
    ({                                                                                             \
        static __typeof__(name) *real;                                                             \
        if(!real)                                                                                  \
            real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                    \
        real;                                                                                      \
    })

static void *given(void *piece)
{
    piece_given(piece);
    return piece;
}

#define SERVE(expression)                                                                          \
    do {                                                                                           \
        if(!CALLED_BY_LIBRARY)                                                                     \
            return (expression);                                                                   \
        if(piece_refused()) {                                                                      \
            errno = ENOMEM;                                                                        \
            return NULL;                                                                           \
        }                                                                                          \
        return given(expression);                                                                  \
    } while(0)

void *malloc(size_t size)
{
    SERVE(REAL(malloc)(size));
}

void *calloc(size_t count, size_t size)
{
    SERVE(REAL(calloc)(count, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    SERVE(REAL(aligned_alloc)(alignment, size));
}

int posix_memalign(void **place, size_t alignment, size_t size)
{
    if(CALLED_BY_LIBRARY && piece_refused())
        return ENOMEM;
    int rc = REAL(posix_memalign)(place, alignment, size);
    if(rc == 0 && CALLED_BY_LIBRARY)
        piece_given(*place);
    return rc;
}

void *realloc(void *old, size_t size)
{
    bool counts = CALLED_BY_LIBRARY;
    if(counts && piece_refused()) {
        errno = ENOMEM;
        return NULL;
    }
    bool was_given = old && piece_back(old);
    void *piece = REAL(realloc)(old, size);
    if(counts || was_given)
        piece_given(piece ? piece : old);
    return piece;
}

void free(void *piece)
{
    if(piece)
        piece_back(piece);
    REAL(free)(piece);
}

#endif

/* --- the program's allocator, which refuses nothing --- */

static LIBSSH2_ALLOC_FUNC(plain_alloc)
{
    (void)abstract;
    return malloc(count);
}

static LIBSSH2_FREE_FUNC(plain_free)
{
    (void)abstract;
    free(ptr);
}

static LIBSSH2_REALLOC_FUNC(plain_realloc)
{
    (void)abstract;
    return realloc(ptr, count);
}

static int find_library(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    if(!strstr(info->dlpi_name, "libssh2.so"))
        return 0;
    library_start = info->dlpi_addr;
    for(int i = 0; i < info->dlpi_phnum; i++)
        if(info->dlpi_phdr[i].p_type == PT_LOAD)
            library_end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 1;
}

void test(void)
{
    static const struct memory inside = { "the library", 29, plain_alloc, plain_free, plain_realloc,
                                          pieces_arm, pieces_disarm, pieces_pause, pieces_given };
    watchdog(230);
    if(!ours) {
        skip("the original takes its memory from the program's allocator");
        return;
    }
    if(IS_SERVED_BY_OTHERS) {
        skip("another malloc serves the library");
        return;
    }
    if(!dl_iterate_phdr(find_library, NULL))
        bail("the library is not found in memory");
    unsetenv("RUST_BACKTRACE"); /* its words take memory and keep it */
    ok(journey(&inside) > 20 || getenv("JOURNEY_LEG"), "memory was refused");
}
