/* One algorithm after the other, each chosen through method_pref: it carries a login and a file
 * there and back, with new keys exchanged in the middle of both. */
#ifndef CTESTS_MATRIX_H
#define CTESTS_MATRIX_H

#include "harness.h"

/* Has sshd begin a key exchange in the middle of each file, and tell of it. */
const char *matrix_rekeys(void);
/* That, and all algorithms that sshd has. */
const char *matrix_server(void);
/* What a LIBSSH2_METHOD_ number stands for. */
const char *matrix_kind(int kind);

/* Sets a preference, and traces what that gave. */
void matrix_prefer(struct conn *c, int kind, const char *names);
/* Traces what was agreed upon. */
void matrix_agreed(struct conn *c, int kind);
/* Handshake as preferred, login, and the file: 10 MiB, but less where the same is seen of less. */
void matrix_works(struct conn *c, const char *what);

/* Each of the names by itself: of one kind, or in the two directions, which are independent. */
void matrix_singles(const char *const *names, size_t count, int kind);
void matrix_pairs(const char *const *names, size_t count, int out, int in);
/* Whatever else ours and this OpenSSH know of that kind, whose names `ssh -Q query` lists. */
void matrix_others(int kind, const char *query);
/* With such a server there is no handshake unless the program names the method. */
void matrix_only_on_request(int kind, int other, const char *name, const char *server);

#endif
