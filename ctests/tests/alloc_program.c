/* The program's own allocator refuses one piece of memory after the other, all along the way. */
#include "journey.h"
#include "pieces.h"

#include <stdlib.h>

static void check_abstract(void **abstract)
{
    if(!abstract || *abstract != &journey_mark)
        ok(false, "an allocator is given the abstract");
}

static LIBSSH2_ALLOC_FUNC(my_alloc)
{
    check_abstract(abstract);
    void *piece = piece_refused() ? NULL : malloc(count);
    piece_given(piece);
    return piece;
}

static LIBSSH2_FREE_FUNC(my_free)
{
    check_abstract(abstract);
    if(ptr && !piece_back(ptr))
        ok(false, "what is freed has been allocated");
    else
        free(ptr);
}

static LIBSSH2_REALLOC_FUNC(my_realloc)
{
    check_abstract(abstract);
    if(piece_refused())
        return NULL;
    if(ptr)
        piece_back(ptr);
    void *piece = realloc(ptr, count);
        piece_given(piece ? piece : ptr);
    return piece;
}

void test(void)
{
    static const struct memory program = { "the program", 1, my_alloc, my_free, my_realloc,
                                           pieces_arm, pieces_disarm, pieces_pause, pieces_given };
    watchdog(140);
    if(!ours) {
        skip("the original takes all of its memory there, and loses some when it is refused");
        return;
    }
    ok(journey(&program) > 2 || getenv("JOURNEY_LEG"), "memory was refused");
}
