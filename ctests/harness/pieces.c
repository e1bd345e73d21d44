/* A table by address, which takes no memory itself: it serves within malloc. */
#include "pieces.h"

#define PLACES (1 << 16)
#define GONE ((void *)-1)

static void *table[PLACES];
static long given, countdown;
static bool refused, paused;

static size_t place_of(const void *piece)
{
    return ((uintptr_t)piece >> 4) * 0x9e3779b97f4a7c15u >> 48;
}

void piece_given(void *piece)
{
    size_t at = place_of(piece);
    if(!piece)
        return;
    if(given >= PLACES / 2)
        return; /* somebody has gone mad, and will not get further */
    while(table[at] && table[at] != GONE)
        at = (at + 1) % PLACES;
    table[at] = piece;
    given++;
}

bool piece_back(void *piece)
{
    for(size_t at = place_of(piece), looked = 0; table[at] && looked < PLACES; at = (at + 1) % PLACES, looked++)
        if(table[at] == piece) {
            /* Only what others were put behind has to be remembered. */
            table[at] = table[(at + 1) % PLACES] ? GONE : NULL;
            given--;
            return true;
        }
    return false;
}

long pieces_given(void)
{
    return given;
}

bool piece_refused(void)
{
    if(paused || countdown == 0 || --countdown > 0)
        return false;
    return refused = true;
}

void pieces_arm(long n)
{
    refused = false;
    countdown = n;
}

void pieces_pause(bool on)
{
    paused = on;
}

bool pieces_disarm(void)
{
    countdown = 0;
    return refused;
}
