/* Preloaded into sshd: shows it a user "libssh2", who is whoever runs it. So no system account is
 * needed for tests that log in under this name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

struct passwd *getpwnam(const char *name)
{
    static struct passwd user;
    struct passwd *(*next)(const char *) =
        (struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");
    if(strcmp(name, "libssh2") != 0)
        return next(name);
    struct passwd *me = getpwuid(getuid());
    if(!me)
        return NULL;
    user = *me;
    user.pw_name = "libssh2";
    user.pw_passwd = "*"; /* no password, but not locked either */
    return &user;
}
