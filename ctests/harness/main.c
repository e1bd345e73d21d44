/* Runs one program: a child does the test, the parent sees to it that nothing outlives it.
 *
 * The parent is a "child subreaper", so whatever loses its own parent (sshd's sessions do, they
 * also leave the process group) becomes a child of it and is found and killed at the end. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CTESTS_DIR
#error "CTESTS_DIR must name the directory of keys.sh"
#endif

bool nonblocking, ours;
static char *directory; /* the temporary one */
static volatile sig_atomic_t told_to_stop;

char *temp_path(const char *name)
{
    char *path;
    if(asprintf(&path, "%s/%s", directory, name) < 0)
        abort();
    return path; /* a test is short: its paths live as long as it does */
}

const char *key_path(const char *name)
{
    const char *keys = getenv("CTESTS_KEYS");
    if(!keys) {
        keys = temp_path("keys");
        if(access(keys, F_OK) != 0) {
            diag("making keys");
            if(run((const char *[]){ CTESTS_DIR "/keys.sh", keys, NULL }) != 0)
                bail("keys.sh failed");
        }
        setenv("CTESTS_KEYS", keys, 1);
    }
    char *path;
    if(asprintf(&path, "%s/%s", keys, name) < 0)
        abort();
    return path;
}

const char *user_name(void)
{
    const struct passwd *entry = getpwuid(getuid());
    if(!entry)
        bail("the user %d has no name", (int)getuid());
    return entry->pw_name;
}

unsigned slowness(void)
{
    const char *slow = getenv("CTESTS_SLOW");
    return slow && atoi(slow) > 0 ? (unsigned)atoi(slow) : 1;
}

void watchdog(unsigned seconds)
{
    alarm(seconds * slowness());
}

long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int run(const char *const argv[])
{
    int status;
    pid_t pid = fork();
    if(pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    if(pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* --- processes --- */

struct process {
    pid_t pid, parent;
    char name[32];
};

static int all_processes(struct process *list, int max)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    if(!proc)
        return 0;
    for(struct dirent *entry; (entry = readdir(proc)) && count < max;) {
        char path[300];
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        FILE *stat = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if(!stat)
            continue;
        struct process *p = &list[count];
        if(fscanf(stat, "%d (%31[^)]) %*c %d", &p->pid, p->name, &p->parent) == 3)
            count++;
        fclose(stat);
    }
    closedir(proc);
    return count;
}

static int descendants(pid_t root, struct process *found, int max)
{
    static struct process list[8192];
    int total = all_processes(list, (int)COUNT(list)), count = 0;
    for(int at = -1; at < count; at++) {
        pid_t parent = at < 0 ? root : found[at].pid;
        for(int i = 0; i < total && count < max; i++)
            if(list[i].parent == parent)
                found[count++] = list[i];
    }
    return count;
}

int find_descendants(pid_t root, const char *name, pid_t *pids, int max)
{
    struct process found[256];
    int count = descendants(root, found, (int)COUNT(found)), matching = 0;
    for(int i = 0; i < count && matching < max; i++)
        if(strcmp(found[i].name, name) == 0)
            pids[matching++] = found[i].pid;
    return matching;
}

void signal_tree(pid_t root, int signal_number)
{
    struct process found[256];
    if(root <= 0) /* the server is not the program's own */
        return;
    int count = descendants(root, found, (int)COUNT(found));
    kill(root, signal_number);
    for(int i = 0; i < count; i++)
        kill(found[i].pid, signal_number);
}

/* Kills whatever descends from this process, until there is nothing left to wait for. */
static void reap_all(void)
{
    for(int round = 0; round < 2000; round++) {
        struct process found[256];
        int count = descendants(getpid(), found, (int)COUNT(found));
        for(int i = 0; i < count; i++)
            kill(found[i].pid, SIGKILL);
        pid_t gone;
        while((gone = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if(gone < 0 && errno == ECHILD)
            return;
        poll(NULL, 0, 5);
    }
}

/* --- start and end --- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position)
{
    (void)st;
    (void)position;
    if(type == FTW_DNR)
        chmod(path, 0700);
    remove(path);
    return 0;
}

static void stop(int signal_number)
{
    told_to_stop = signal_number;
}

static noreturn void run_test(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if(getppid() == 1)
        _exit(1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    watchdog(60);
    test();
    exit(finish());
}

/* Waits for the test; returns the exit status for the whole program. */
static int wait_for(pid_t child)
{
    int status;
    for(pid_t pid; (pid = wait(&status)) != child;) /* others are orphans that have come here */
        if(pid < 0 && (errno != EINTR || told_to_stop))
            return 1;
    if(WIFEXITED(status))
        return WEXITSTATUS(status);
    printf("Bail out! %s\n", WTERMSIG(status) == SIGALRM ? "the test took too long"
                                                         : strsignal(WTERMSIG(status)));
    return 1;
}

int main(int argc, char **argv)
{
    if(argc != 2 || (strcmp(argv[1], "blocking") != 0 && strcmp(argv[1], "nonblocking") != 0)) {
        fprintf(stderr, "usage: %s blocking|nonblocking\n", argv[0]);
        return 2;
    }
    nonblocking = strcmp(argv[1], "nonblocking") == 0;
    ours = getenv("OURS") && strcmp(getenv("OURS"), "1") == 0;
    struct sigaction action = { .sa_handler = stop };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_DFL); /* the library must not raise it */
    umask(022);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const char *temporary = getenv("TMPDIR");
    if(asprintf(&directory, "%s/ctests.XXXXXX", temporary ? temporary : "/tmp") < 0 ||
       !mkdtemp(directory)) {
        perror("mkdtemp");
        return 2;
    }
    pid_t child = fork();
    if(child == 0)
        run_test();
    int status = child < 0 ? 2 : wait_for(child);
    reap_all();
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return told_to_stop ? 128 + told_to_stop : status;
}
