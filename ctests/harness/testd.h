/* The server of testkit/, which does on demand what no real server does, and lets in by password.
 * `ssh2-testd --help` names all that it can do. The program is the one that SSH2_TESTD names. */
#ifndef CTESTS_TESTD_H
#define CTESTS_TESTD_H

#include "harness.h"

#define TESTD_USER "user"
#define TESTD_PASSWORD "secret"

/* Starts a server and connects to it; `arguments` are separated by blanks, and files
 * among them are those of keys.sh. It shows testd_root() and lets TESTD_USER in with
 * TESTD_PASSWORD. What the connection's calls may take is 10 s. */
struct conn *testd(const char *arguments, ...) PRINTF(1, 2);
/* The directory that it shows, in the program's temporary directory. */
const char *testd_root(void);
/* Logs in by password; bails out when it can not. */
void testd_login(struct conn *c);
/* Whether the last error of the session is `code`, and its text says more than nothing. */
bool has_words(struct conn *c, long long code);
/* The text of the session's last error. */
const char *last_words(struct conn *c);

#endif
