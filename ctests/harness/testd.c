/* Starting the server of testkit/. One process for each connection, as with sshd. */
#include "testd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

const char *testd_root(void)
{
    static char *root;
    if(!root) {
        root = temp_path("root");
        if(mkdir(root, 0755) != 0)
            bail("can not make %s", root);
    }
    return root;
}

/* The server's port, as it prints it. */
static in_port_t read_port(int from)
{
    char line[16] = "";
    size_t length = 0;
    while(length < sizeof(line) - 1 && read(from, &line[length], 1) == 1 && line[length] != '\n')
        length++;
    return (in_port_t)atoi(line);
}

static pid_t start(char *const argv[], in_port_t *port)
{
    static int stdin_of_last = -1;
    int input[2], output[2];
    const char *keys = key_path("."); /* host keys are named as they are named there */
    if(pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0)
        bail("no pipe");
    pid_t pid = fork();
    if(pid < 0)
        bail("fork failed");
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if(chdir(keys) != 0)
            _exit(127);
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        int log = open(temp_path("testd.log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(log, STDERR_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    *port = read_port(output[0]);
    close(output[0]);
    if(stdin_of_last >= 0)
        close(stdin_of_last); /* the server before this one ends, if it has not */
    stdin_of_last = input[1];
    return pid;
}

static int connect_to(in_port_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(delayed(port)) };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        bail("no connection to ssh2-testd");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

struct conn *testd(const char *arguments, ...)
{
    char text[500];
    char *program = getenv("SSH2_TESTD");
    char *argv[40] = { program, "--password", TESTD_PASSWORD, "--root", (char *)testd_root() };
    size_t count = 5;
    in_port_t port = 0;
    va_list values;
    if(!program)
        bail("SSH2_TESTD must name the server: cargo build --example ssh2-testd");
    va_start(values, arguments);
    vsnprintf(text, sizeof(text), arguments, values);
    va_end(values);
    for(char *word = strtok(text, " "); word && count < COUNT(argv) - 1; word = strtok(NULL, " "))
        argv[count++] = word;
    pid_t pid = start(argv, &port);
    if(!port)
        bail("ssh2-testd does not start: %s", arguments);
    struct conn *c = conn_over(connect_to(port), pid);
    c->limit_ms = 10000;
    libssh2_session_set_timeout(c->session, c->limit_ms);
    return c;
}

void testd_login(struct conn *c)
{
    int rc = CALL(c, libssh2_userauth_password(c->session, TESTD_USER, TESTD_PASSWORD));
    if(rc != 0)
        bail("login failed: %s (%s)", error_name(rc), last_words(c));
}

const char *last_words(struct conn *c)
{
    char *text = NULL;
    libssh2_session_last_error(c->session, &text, NULL, 0);
    return text ? text : "";
}

bool has_words(struct conn *c, long long code)
{
    return libssh2_session_last_errno(c->session) == code && *last_words(c) != '\0';
}
