/* What the programs of this directory share: which server they meet, and what goes into the tables.
 *
 * The server is named in the environment:
 *   INTEROP_PORT    where it listens on loopback
 *   INTEROP_LOGINS  the ways to log in that it has, separated by blanks
 *   INTEROP_CAN     what else it can do: "exec", "sftp", "rekey" (it asks for new keys every 4 MiB), "rekey-down" (only
 *                   of what it sends), "volume" (it does not ask, and carries a GiB in seconds)
 * A line "= ROW<tab>CELL" that a program prints is what docs/interop.md says of this server. */
#ifndef INTEROP_H
#define INTEROP_H

#include "bytes.h"
#include "testd.h" /* last_words() */

#define USER "libssh2" /* whom every server knows */
#define PASSWORD "my test password"

/* The value of a variable, or "". */
const char *setting(const char *name);
/* Whether a list of words has that one. */
bool has_word(const char *list, const char *word);
/* Whether the server can do this. */
bool can(const char *what);

/* A TCP connection to the server. */
int dial(void);
/* A session with it, before the handshake. */
struct conn *meet(void);
/* Logs in by whatever the server has. */
int log_in(struct conn *c);
/* A session that is logged in; bails out if there is none to be had. */
struct conn *meet_and_log_in(void);

/* Says what stands in the tables for this server. */
void cell(const char *row, const char *format, ...) PRINTF(2, 3);

/* Counts from now on what the two variables below tell. Only ours has the trace for it. */
void follow(struct conn *c, int topics);
/* How often new keys have come since follow(). */
extern int new_keys;
/* The last CHANNEL_OPEN_CONFIRMATION since follow(). */
extern uint32_t open_window, open_packet;

#endif
