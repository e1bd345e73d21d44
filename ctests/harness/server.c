/* A private sshd. Each connection gets a process of its own, `sshd -i` on the accepted end of a
 * TCP connection over loopback: no port to choose, no daemon to end. */
#include "harness.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <shadow.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const host_keys[] = { "ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa" };
static const char *extra = "";
static int delay;

void server_config(const char *lines)
{
    extra = lines ? lines : "";
    remove(temp_path("sshd.log"));
}

void server_sftp(const char *fault)
{
    static char line[500];
    const char *servers = getenv("CTESTS_SERVERS");
    if(!servers)
        bail("CTESTS_SERVERS must name the directory of fake_sftp");
    snprintf(line, sizeof(line), "Subsystem sftp %s/fake_sftp %s", servers, fault);
    server_config(line);
}

const char *server_certificates(void)
{
    static char lines[4000];
    size_t length = 0;
    for(size_t i = 0; i < COUNT(host_keys); i++) {
        char name[40];
        snprintf(name, sizeof(name), "host_%s-cert.pub", host_keys[i]);
        length += (size_t)snprintf(lines + length, sizeof(lines) - length, "HostCertificate %s\n",
                                   key_path(name));
    }
    return lines;
}

void server_delay(int ms)
{
    delay = ms;
}

int server_delayed(void)
{
    return delay;
}

uint16_t delayed(uint16_t port)
{
    if(delay == 0)
        return port;
    char path[500], to[16], milliseconds[16], line[16] = "";
    int output[2];
    snprintf(path, sizeof(path), "%s/delayproxy", getenv("CTESTS_SERVERS"));
    snprintf(to, sizeof(to), "%d", port);
    snprintf(milliseconds, sizeof(milliseconds), "%d", delay);
    if(pipe2(output, O_CLOEXEC) != 0)
        bail("no pipe");
    pid_t pid = fork();
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(output[1], STDOUT_FILENO);
        execl(path, path, to, milliseconds, (char *)NULL);
        _exit(127);
    }
    close(output[1]);
    if(pid < 0 || read(output[0], line, sizeof(line) - 1) <= 0)
        bail("no delay proxy (%s)", path);
    close(output[0]);
    return (uint16_t)atoi(line);
}

void tcp_pair(int *client, int *server)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(listener < 0 || *client < 0 ||
       bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
       listen(listener, 1) != 0 ||
       getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        bail("no TCP on loopback");
    address.sin_port = htons(delayed(ntohs(address.sin_port)));
    if(connect(*client, (struct sockaddr *)&address, sizeof(address)) != 0 ||
       (*server = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
        bail("no TCP on loopback");
    setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    close(listener);
}

static const char *sshd_program(void)
{
    static const char *const places[] = { "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd" };
    const char *given = getenv("SSHD");
    if(given)
        return given;
    for(size_t i = 0; i < COUNT(places); i++)
        if(access(places[i], X_OK) == 0)
            return places[i];
    bail("no sshd here: install openssh-server or name it in SSHD");
}

/* Without PAM sshd refuses users whose password is locked with "!". Only root can see that. */
static bool password_is_locked(void)
{
    const struct spwd *entry = getspnam(user_name());
    return entry && entry->sp_pwdp && entry->sp_pwdp[0] == '!';
}

/* Two servers that look for a free display at the same time can both bind one and then fail to
 * listen, so each program that runs has ten displays of its own: for as long as it holds a name. */
static int first_display(void)
{
    static int display;
    if(display != 0)
        return display;
    int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for(display = 20; display < 1000; display += 10) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        /* The first byte stays 0: a name that is no file, and goes with its socket. */
        snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "ctests-display-%d", display);
        if(bind(holder, (struct sockaddr *)&name, sizeof(name)) == 0)
            return display;
    }
    bail("no displays left");
}

static const char *write_config(void)
{
    const char *path = temp_path("sshd_config");
    FILE *file = fopen(path, "w");
    if(!file)
        bail("can not write %s", path);
    /* sshd keeps the first value that it meets, so the program's own lines come first. */
    fprintf(file, "%s\n", extra);
    for(size_t i = 0; i < COUNT(host_keys); i++) {
        char name[32];
        snprintf(name, sizeof(name), "host_%s", host_keys[i]);
        fprintf(file, "HostKey %s\n", key_path(name));
    }
    fprintf(file,
            "AuthorizedKeysFile %s\n"
            "PidFile none\n"
            "StrictModes no\n"
            "UsePAM %s\n"
            "PermitRootLogin yes\n"
            "PubkeyAuthentication yes\n"
            "PasswordAuthentication yes\n"
            "KbdInteractiveAuthentication no\n"
            "MaxAuthTries 100\n"
            "LoginGraceTime 300\n"
            "UseDNS no\n"
            "PrintMotd no\n"
            "X11DisplayOffset %d\n"
            /* The first keeps bash from reading ~/.bashrc before a subsystem; the second is where
             * sshd's xauth keeps cookies, lest programs that run at a time wait for one another. */
            "SetEnv SHLVL=9 XAUTHORITY=%s\n"
            "LogLevel VERBOSE\n",
            key_path("authorized_keys"), password_is_locked() ? "yes" : "no",
            first_display(), temp_path("Xauthority"));
    if(!strstr(extra, "Subsystem")) /* the one keyword that sshd does not let come twice */
        fprintf(file, "Subsystem sftp internal-sftp\n");
    fclose(file);
    return path;
}

/* In a process of its own: becomes the sshd of that connection. */
static noreturn void become_sshd(const char *config, int connection)
{
    const char *program = sshd_program();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    int null = open("/dev/null", O_WRONLY);
    dup2(connection, STDIN_FILENO);
    dup2(connection, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
    execl(program, program, "-i", "-f", config, "-E", temp_path("sshd.log"), (char *)NULL);
    _exit(127);
}

static const char *prepare(void)
{
    if(getuid() == 0)
        mkdir("/run/sshd", 0755); /* sshd insists on it, as the place that it gives up rights in */
    return write_config();
}

pid_t server_start(int *client)
{
    const char *config = prepare();
    int server;
    tcp_pair(client, &server);
    pid_t pid = fork();
    if(pid < 0)
        bail("fork failed");
    if(pid == 0)
        become_sshd(config, server);
    close(server);
    return pid;
}

int server_port(void)
{
    const char *config = prepare();
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
       listen(listener, 10) != 0 ||
       getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        bail("no TCP on loopback");
    pid_t pid = fork();
    if(pid < 0)
        bail("fork failed");
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        for(int connection; (connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
            if(fork() == 0)
                become_sshd(config, connection);
            close(connection);
        }
        _exit(1);
    }
    close(listener);
    return ntohs(address.sin_port);
}

void server_log(void)
{
    enum { LAST = 25 };
    char lines[LAST][300];
    size_t count = 0;
    FILE *file = fopen(temp_path("sshd.log"), "r");
    if(!file)
        return;
    while(fgets(lines[count % LAST], sizeof(lines[0]), file))
        count++;
    fclose(file);
    for(size_t i = count > LAST ? count - LAST : 0; i < count; i++)
        diag("sshd: %.*s", (int)strcspn(lines[i % LAST], "\r\n"), lines[i % LAST]);
}

int server_rekeys(void)
{
    size_t size;
    int connections = 0, exchanges = 0;
    char *log = read_whole(temp_path("sshd.log"), &size);
    for(char *at = log; at && (at = strstr(at, "Connection from")); at++)
        connections++;
    for(char *at = log; at && (at = strstr(at, "SSH2_MSG_NEWKEYS received")); at++)
        exchanges++;
    free(log);
    return exchanges - connections;
}
