/* The common ground of the C tests: one program, one concern.
 *
 * A program defines `void test(void)`. It runs against whatever libssh2.so.1 the loader finds, in
 * the mode its argument names ("blocking" or "nonblocking"), and prints TAP on standard output.
 * Lines that begin with "| " are its trace: what each call returned, in a form that depends on
 * neither time nor machine. The trace of the original library and that of ours must be equal;
 * ctests/run.sh compares them. Everything a program starts (sshd, helpers, its temporary
 * directory) is gone when it ends, however it ends.
 */
#ifndef CTESTS_HARNESS_H
#define CTESTS_HARNESS_H

#include <libssh2.h>
#include <libssh2_sftp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/types.h>

#define PRINTF(text, first) __attribute__((format(printf, text, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What each program provides. */
void test(void);

/* --- this run (main.c) --- */

extern bool nonblocking; /* the mode under test */
extern bool ours;        /* OURS=1: stricter than the original, where the contract asks for it */

/* A file in the program's temporary directory; the result stays valid. */
char *temp_path(const char *name);
/* A key or another fixture made by keys.sh. */
const char *key_path(const char *name);
/* The name of the user that runs the test, whom sshd lets in. */
const char *user_name(void);
/* How many times slower than usual everything is: CTESTS_SLOW, for valgrind and the like. */
unsigned slowness(void);
/* Ends the program unless it is done in so many seconds from now (60 at the start). */
void watchdog(unsigned seconds);
/* Milliseconds of a monotonic clock. */
long long now_ms(void);
/* Sends a signal to the process, or to it and all that descend from it. */
void signal_tree(pid_t root, int signal_number);
/* Descendants of `root` whose command is `name`, at most `max`; returns how many. */
int find_descendants(pid_t root, const char *name, pid_t *found, int max);
/* Runs a program; returns its exit status, or -1 if a signal ended it. */
int run(const char *const argv[]);

/* --- results (tap.c) --- */

/* One TAP result. Returns `passed`. */
bool ok(bool passed, const char *format, ...) PRINTF(2, 3);
/* ok() that shows both numbers when they differ. */
bool is_number(long long got, long long want, const char *what);
/* A comment that is not compared. */
void diag(const char *format, ...) PRINTF(1, 2);
/* A line of the trace, which is compared between the libraries. */
void trace(const char *format, ...) PRINTF(1, 2);
/* For what only one library is asked: what would be traced becomes a comment. */
void trace_off(bool off);
/* Leaves part of the program out: one passed TAP result that says why. */
void skip(const char *why);
/* Gives up on the whole program. */
noreturn void bail(const char *format, ...) PRINTF(1, 2);
/* Prints the TAP plan; returns the exit status. */
int finish(void);
/* How many results have failed so far. */
int failures(void);

/* Names of the numbers that calls give: "EAGAIN", "NO_SUCH_FILE", or the number itself. */
const char *error_name(long long code);
const char *fx_name(unsigned long status);

/* --- the server (server.c) --- */

/* Lines of sshd_config that go before (and so override) the ordinary ones. NULL: none. */
void server_config(const char *lines);
/* Such lines: SFTP has this fault, see servers/fake_sftp.c. */
void server_sftp(const char *fault);
/* Such lines, by which the server has a certificate for each of its keys. */
const char *server_certificates(void);
/* From now on connections take so many milliseconds in either direction, by a proxy; 0: no longer. */
void server_delay(int ms);
/* How many that are now. */
int server_delayed(void);
/* The port of loopback to connect to instead of `port` for that. */
uint16_t delayed(uint16_t port);
/* Starts an sshd for one connection; stores the client's end of the TCP connection. */
pid_t server_start(int *client);
/* Starts servers for any number of connections, for programs that connect by themselves; the port. */
int server_port(void);
/* The last lines of sshd's log go out as comments. */
void server_log(void);
/* How often sshd has put new keys in place after the first ones, over all connections since
 * server_config; that must ask for LogLevel DEBUG1. */
int server_rekeys(void);
/* A TCP connection on loopback; stores both ends. */
void tcp_pair(int *client, int *server);

/* --- a connection (conn.c) --- */

struct conn {
    LIBSSH2_SESSION *session;
    LIBSSH2_SFTP *sftp;
    int fd;
    pid_t sshd;
    int waits;          /* EAGAINs waited for */
    int undirected;     /* EAGAINs that came without a direction */
    int stuck;          /* EAGAINs whose direction never became ready */
    long long deadline; /* of the call under way */
    long long limit_ms; /* how long a non-blocking call may take in all (20 s unless changed) */
};

/* Connects to a new sshd and makes a session in this run's mode. Never fails: bails out. */
struct conn *conn_new(void);
/* The same over a socket that leads to another server, the process `server`. */
struct conn *conn_over(int fd, pid_t server);
/* Each brings the connection one step on, from the step before. Bails out when it can not. */
void conn_handshake(struct conn *c);
void conn_login(struct conn *c);
void conn_sftp(struct conn *c);
/* All the steps. */
struct conn *conn_ready(void);
/* Ends it in the ordinary order, checks each result, and that EAGAIN always had a direction. */
void conn_close(struct conn *c);
/* Frees the session and closes the socket, whatever state they are in; nothing is checked. */
void conn_drop(struct conn *c);

/* Used by CALL: sets the deadline; waits as block_directions says. False: give up. */
void conn_start_call(struct conn *c);
bool conn_wait(struct conn *c);
/* Like conn_wait, for calls that may return EAGAIN on a blocking session as well. */
bool conn_wait_always(struct conn *c);

/* Repeats a call that returns a number while it would block. In blocking mode it runs once. */
#define CALL(c, expression)                                                                        \
    ({                                                                                             \
        conn_start_call(c);                                                                        \
        __typeof__(expression) call_result;                                                        \
        do                                                                                         \
            call_result = (expression);                                                            \
        while(call_result == LIBSSH2_ERROR_EAGAIN && conn_wait(c));                                \
        call_result;                                                                               \
    })

/* Repeats a call that moves some bytes until they are all moved; so far that is `done`. */
#define CALL_ALL(c, done, size, expression)                                                        \
    for(size_t done = 0; done < (size);) {                                                         \
        long long moved_now = CALL(c, expression);                                                 \
        if(moved_now <= 0)                                                                         \
            bail("%s = %s", #expression, error_name(moved_now));                                   \
        done += (size_t)moved_now;                                                                 \
    }

/* CALL for a call that returns a pointer and leaves EAGAIN as the session's last error. */
#define CALLP(c, expression)                                                                       \
    ({                                                                                             \
        conn_start_call(c);                                                                        \
        __typeof__(expression) call_result;                                                        \
        do                                                                                         \
            call_result = (expression);                                                            \
        while(!call_result && libssh2_session_last_errno((c)->session) == LIBSSH2_ERROR_EAGAIN &&  \
              conn_wait(c));                                                                       \
        call_result;                                                                               \
    })

/* Traces "what = NAME". On ours a negative result must also be the session's last error. */
void trace_rc(struct conn *c, long long rc, const char *what, ...) PRINTF(3, 4);
/* trace_rc, and the SFTP status when the result is SFTP_PROTOCOL. */
void trace_sftp(struct conn *c, long long rc, const char *what, ...) PRINTF(3, 4);
/* Traces "what = handle", or NULL with the session's last error and the SFTP status. */
void trace_pointer(struct conn *c, const void *pointer, const char *what, ...) PRINTF(3, 4);
/* For results in which ours is better by design: each library must give its own. */
void trace_differs(struct conn *c, long long rc, long long theirs, long long ours_is,
                   const char *what, ...) PRINTF(5, 6);

/* --- files and data (data.c) --- */

/* `size` bytes that do not repeat, from `seed`; free() it. */
char *make_data(size_t size, uint64_t seed);
/* The whole file; free() it. NULL if there is none. */
char *read_whole(const char *path, size_t *size);
void write_whole(const char *path, const void *data, size_t size);
/* Whether the file holds exactly these bytes. */
bool file_is(const char *path, const void *data, size_t size);
long long file_size(const char *path);

/* --- a transport that hinders (fault.c) --- */

/* From now on the session's socket is used in pieces of 1 to 8 bytes, and each second call on
 * it would block. Also keeps account of whether the directions named lead to progress. */
void fault_install(struct conn *c);
/* Reports the account: every wait must have been followed by a use of that direction. */
void fault_report(void);
/* Used by CALL: an EAGAIN named these directions; the call that followed an EAGAIN is over. */
void fault_waits(int directions);
void fault_settle(void);

#endif
