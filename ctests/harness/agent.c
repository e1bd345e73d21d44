#include "agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t agent_start(void (*serve)(int fd, const void *how), const void *how)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char *path = temp_path("made-up agent");
    remove(path);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if(bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 1) != 0)
        bail("can not listen at %s", path);
    pid_t pid = fork();
    if(pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        serve(accept(listener, NULL, NULL), how);
        _exit(0);
    }
    close(listener);
    setenv("SSH_AUTH_SOCK", path, 1);
    return pid;
}

bool agent_request(int fd, struct bytes *request)
{
    unsigned char length[4];
    if(recv(fd, length, sizeof(length), MSG_WAITALL) != (ssize_t)sizeof(length))
        return false;
    request->size = (size_t)length[2] << 8 | length[3];
    return request->size > 0 && request->size <= sizeof(request->data) &&
           recv(fd, request->data, request->size, MSG_WAITALL) == (ssize_t)request->size;
}

bool agent_answer(int fd, const struct bytes *answer)
{
    struct bytes framed = { .size = 0 };
    put_bytes(&framed, answer);
    return write(fd, framed.data, framed.size) == (ssize_t)framed.size;
}

void agent_stop(pid_t agent)
{
    signal_tree(agent, SIGKILL);
    waitpid(agent, NULL, 0);
}

LIBSSH2_AGENT *agent_connected(struct conn *c)
{
    LIBSSH2_AGENT *agent = libssh2_agent_init(c->session);
    if(!agent || libssh2_agent_connect(agent) != 0 || libssh2_agent_list_identities(agent) != 0)
        bail("no agent");
    return agent;
}

struct libssh2_agent_publickey *agent_key(LIBSSH2_AGENT *agent, int n)
{
    struct libssh2_agent_publickey *key = NULL;
    for(int i = 0; i <= n; i++)
        if(libssh2_agent_get_identity(agent, &key, key) != 0)
            return NULL;
    return key;
}
