/* Agents, as their users see them, and the common part of agents that a test makes up. */
#ifndef CTESTS_AGENT_H
#define CTESTS_AGENT_H

#include "bytes.h"

/* draft-ietf-sshm-ssh-agent, section 6.1 */
enum {
    AGENT_FAILURE = 5,
    REQUEST_IDENTITIES = 11,
    IDENTITIES_ANSWER = 12,
    SIGN_REQUEST = 13,
    SIGN_RESPONSE = 14
};

/* Starts an agent in a process of its own, which serves one connection, and which SSH_AUTH_SOCK leads to. */
pid_t agent_start(void (*serve)(int fd, const void *how), const void *how);
/* For `serve`: the next request, from its number on; false when the program has hung up. */
bool agent_request(int fd, struct bytes *request);
/* For `serve`: answers, from the number on. */
bool agent_answer(int fd, const struct bytes *answer);
/* Ends it. */
void agent_stop(pid_t agent);

/* A handle whose agent has told its keys; bails out when it can not. */
LIBSSH2_AGENT *agent_connected(struct conn *c);
/* The n-th of them, or NULL. */
struct libssh2_agent_publickey *agent_key(LIBSSH2_AGENT *agent, int n);

#endif
