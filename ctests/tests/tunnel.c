/* examples/tunnel.c at work: curl gets a file through it, and hundreds of connections go through it
 * both ways. */
#include "echo.h"

#include <poll.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 200, CURLS = 3, FILE_SIZE = 10 << 20 };

/* Starts a program; the descriptor that its standard output can be read from. */
static FILE *start(pid_t *pid, const char *const argv[])
{
    int output[2];
    if(pipe(output) != 0)
        bail("no pipe");
    *pid = fork();
    if(*pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(output[1], STDOUT_FILENO);
        dup2(STDOUT_FILENO, STDERR_FILENO);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(output[1]);
    return fdopen(output[0], "r");
}

static const char *server(const char *name)
{
    char *path;
    if(asprintf(&path, "%s/%s", getenv("CTESTS_SERVERS"), name) < 0)
        bail("no memory");
    return path;
}

static char *print(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    if(vasprintf(&text, format, arguments) < 0)
        bail("no memory");
    va_end(arguments);
    return text;
}

/* The first number in the next line that a program prints. */
static int port_from(FILE *output)
{
    char line[200] = "";
    if(!fgets(line, sizeof(line), output) || !strpbrk(line, "0123456789"))
        bail("a program that should tell its port says: %s", line);
    return atoi(strpbrk(line, "0123456789"));
}

/* The SHA-256 of sshd's host key, as ssh-keygen prints it. */
static const char *fingerprint(void)
{
    static char text[100];
    FILE *output = popen(print("ssh-keygen -lf %s", key_path("host_ed25519.pub")), "r");
    if(!output || fscanf(output, "%*s SHA256:%99s", text) != 1)
        bail("ssh-keygen failed");
    pclose(output);
    return text;
}

static bool same_files(const char *a, const char *b)
{
    return run((const char *[]){ "cmp", a, b, NULL }) == 0;
}

static long cpu_ms(pid_t pid)
{
    char *path = print("/proc/%d/stat", (int)pid);
    unsigned long user = 0, system = 0;
    FILE *stat = fopen(path, "r");
    if(!stat || fscanf(stat, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                       &system) != 2)
        bail("no %s", path);
    fclose(stat);
    return (long)((user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

/* curl, several at a time. */
static void fetch(int port, const char *path)
{
    pid_t curls[CURLS];
    const char *url = print("http://127.0.0.1:%d/file", port);
    if(run((const char *[]){ "curl", "--version", NULL }) != 0) {
        skip("no curl here");
        return;
    }
    for(int i = 0; i < CURLS; i++) {
        curls[i] = fork();
        if(curls[i] == 0) {
            const char *const argv[] = { "curl", "-q", "-sS", "-f", "-m", "60", "--noproxy", "*",
                                         "-o", temp_path(print("copy%d", i)), url, NULL };
            _exit(run(argv));
        }
    }
    for(int i = 0; i < CURLS; i++) {
        int status = -1;
        waitpid(curls[i], &status, 0);
        ok(status == 0 && same_files(path, temp_path(print("copy%d", i))),
           "curl %d has the file: %d", i, status);
    }
}

/* Connections that say something and hear it again, all open at a time. */
static void talk(int port, const char *what)
{
    int fds[CONNECTIONS], good = 0, closed = 0;
    char byte;
    for(int i = 0; i < CONNECTIONS; i++) {
        fds[i] = connect_to(port);
        if(fds[i] < 0 || send(fds[i], &i, sizeof(i), MSG_NOSIGNAL) != sizeof(i))
            bail("%s: connection %d failed", what, i);
    }
    for(int round = 0; round < 2; round++)
        for(int i = 0; i < CONNECTIONS; i++) {
            int answer = -1;
            ssize_t got = recv(fds[i], &answer, sizeof(answer), MSG_WAITALL);
            good += got == sizeof(answer) && answer == i + round * 1000;
            answer = i + 1000;
            if(round == 0 && send(fds[i], &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
                bail("%s: connection %d failed", what, i);
        }
    is_number(good, CONNECTIONS * 2, what);
    for(int i = 0; i < CONNECTIONS; i++)
        shutdown(fds[i], SHUT_WR);
    for(int i = 0; i < CONNECTIONS; i++) {
        closed += recv(fds[i], &byte, 1, 0) == 0;
        close(fds[i]);
    }
    is_number(closed, CONNECTIONS, "each hears the end as well");
}

void test(void)
{
    if(!ours) {
        skip("the original has not what the example shows");
        return;
    }
    if(!nonblocking) {
        skip("the example never blocks");
        return;
    }
    watchdog(120);
    pid_t http, tunnel;
    int echo;
    char *file = temp_path("file"), *data = make_data(FILE_SIZE, 4);
    write_whole(file, data, FILE_SIZE);
    free(data);
    int web = port_from(start(&http, (const char *[]){ server("http"), file, NULL }));
    echo_all(&echo);
    server_config("MaxSessions 500\nMaxStartups 100");
    FILE *output = start(&tunnel, (const char *[]){
        server("tunnel"), "-p", print("%d", server_port()), "-i", key_path("user_ed25519.openssh"),
        "-f", fingerprint(), "-L", print("0:127.0.0.1:%d", web), "-L",
        print("0:127.0.0.1:%d", echo), "-R", print("0:127.0.0.1:%d", echo), "-L", "0:127.0.0.1:1",
        print("%s@127.0.0.1", user_name()), NULL });
    int to_web = port_from(output), to_echo = port_from(output), from_server = port_from(output);
    int to_nobody = port_from(output);

    fetch(to_web, file);
    talk(to_echo, "connections from here, each answered twice");
    talk(from_server, "connections from the server, each answered twice");
    int fd = connect_to(to_nobody);
    char byte;
    ok(fd >= 0 && recv(fd, &byte, 1, 0) == 0, "a connection to nobody is closed");

    /* With connections open that say nothing it sleeps. */
    int idle[20];
    for(size_t i = 0; i < COUNT(idle); i++)
        idle[i] = connect_to(to_echo);
    ok(send(idle[19], "x", 1, MSG_NOSIGNAL) == 1 && recv(idle[19], &byte, 1, 0) == 1, "all are open");
    long before = cpu_ms(tunnel);
    poll(NULL, 0, 1000);
    ok(cpu_ms(tunnel) - before <= 50, "an idle tunnel sleeps: %ld ms", cpu_ms(tunnel) - before);
    int status = -1;
    is_number(waitpid(tunnel, &status, WNOHANG), 0, "it still runs");
}
