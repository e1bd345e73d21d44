/* Meetings with servers that do something wrong: each goes through a whole session as far as it
 * gets, and knows where that ends and how. */
#ifndef CTESTS_MEETING_H
#define CTESTS_MEETING_H

#include "testd.h"

/* What a session does, one step after the other. */
enum step {
    HANDSHAKE,
    LOGIN,
    SFTP,
    STAT, /* three times */
    LIST, /* a directory of 25 files */
    OPEN_WRITE,
    WRITE, /* MEETING_SIZE bytes */
    CLOSE_WRITE,
    OPEN_READ,
    READ, /* them again */
    CLOSE_READ,
    DONE,
    SERVICE, /* handshake or login: ours does not wait for the service in the handshake */
};

#define MEETING_SIZE 300000

/* OURS: the original does worse, or never ends. */
enum whose { SAME, OURS };

struct meeting {
    const char *arguments; /* of the server */
    enum step step;        /* the one that fails */
    int code;              /* with this; 0 if none does */
    enum whose whose;
};

/* Each must end with the code expected, at the step expected, with words for it, soon, and no call
 * after it may hang. What is read must be what was written. If `code` is TIMEOUT, the session has
 * a short limit, and without blocking it must be at EAGAIN still. */
void meet_all(const struct meeting *meetings, size_t count);

#define MEET(meetings) meet_all(meetings, COUNT(meetings))

/* Short names for the codes that are met most. */
enum {
    KEX = LIBSSH2_ERROR_KEX_FAILURE,               /* up to the server's KEXINIT */
    EXCHANGE = LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, /* from there to the new keys */
    GONE = LIBSSH2_ERROR_SOCKET_DISCONNECT,
    RECV = LIBSSH2_ERROR_SOCKET_RECV,
    BANNER = LIBSSH2_ERROR_BANNER_RECV,
    PROTO = LIBSSH2_ERROR_PROTO,
    DECRYPT = LIBSSH2_ERROR_DECRYPT,
    BOUNDARY = LIBSSH2_ERROR_OUT_OF_BOUNDARY,
    MAC = LIBSSH2_ERROR_INVALID_MAC,
    TIMEOUT = LIBSSH2_ERROR_TIMEOUT,
    DENIED = LIBSSH2_ERROR_AUTHENTICATION_FAILED,
    REFUSED = LIBSSH2_ERROR_CHANNEL_FAILURE,
    CLOSED = LIBSSH2_ERROR_CHANNEL_CLOSED,
    PROTOCOL = LIBSSH2_ERROR_SFTP_PROTOCOL,
    EXCEEDED = LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED,
};

#endif
