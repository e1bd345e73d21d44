/* Pieces of memory that somebody has been given: each is given back once, and none that was not given. */
#ifndef CTESTS_PIECES_H
#define CTESTS_PIECES_H

#include "harness.h"

void piece_given(void *piece);
/* Whether it had been given. */
bool piece_back(void *piece);
long pieces_given(void);

/* For the allocator: whether this piece is to be refused. */
bool piece_refused(void);
/* As `struct memory` has them. */
void pieces_arm(long n);
bool pieces_disarm(void);
void pieces_pause(bool on);

#endif
