/* A journey through the library in legs, each of which is gone over again and again while one piece
 * of memory after the other is refused. */
#ifndef CTESTS_JOURNEY_H
#define CTESTS_JOURNEY_H

#include "harness.h"

/* Who refuses memory. Both count what they have given out. */
struct memory {
    const char *name;
    long slow_stride; /* with CTESTS_SLOW only each so-manieth piece is refused */
    LIBSSH2_ALLOC_FUNC((*alloc));
    LIBSSH2_FREE_FUNC((*free));
    LIBSSH2_REALLOC_FUNC((*realloc));
    void (*arm)(long n);      /* the n-th piece from now on is refused, and none after it */
    bool (*disarm)(void);     /* none is refused any more; whether one was */
    void (*pause)(bool on);   /* none is refused to the program's own functions */
    long (*given)(void);      /* pieces that have not been given back */
};

/* The abstract that the program's allocator must be given the address of. */
extern int journey_mark;

/* Goes on all legs. Each call that is refused memory fails with LIBSSH2_ERROR_ALLOC or does without, nothing is lost,
 * and the session can be freed, or used on where the connection has survived. Returns how often memory was refused. */
long journey(const struct memory *memory);

#endif
