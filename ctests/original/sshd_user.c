/* Preloaded into a server: shows it a user "libssh2" with the password "my test password", who is whoever runs it and
 * at home in HOME_DIRECTORY, and others like him, whose names begin with "libssh2-". So no system account is needed for
 * programs that log in under these names, and nobody's own files are read or written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

struct passwd *getpwnam(const char *name)
{
    static struct passwd user = {
        .pw_passwd = "$6$libssh2$sbe.naAxPtQ5yCmOwQsUKZfNy8XN3ebF04tmXQFk.96Lhq6rmnvOiecMy2Bh4W0H3BHxwbadv792vZMD.OQ3c0",
        .pw_gecos = "",
        .pw_dir = HOME_DIRECTORY,
        .pw_shell = "/bin/sh",
    };
    struct passwd *(*next)(const char *) =
        (struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");
    static char other[64] = "libssh2";
    if(strcmp(name, "libssh2") != 0 &&
       (strncmp(name, "libssh2-", 8) != 0 || strlen(name) >= sizeof(other)))
        return next(name);
    user.pw_name = strcpy(other, name);
    user.pw_uid = getuid();
    user.pw_gid = getgid();
    return &user;
}

/* By it sshd finds the user's known hosts. */
struct passwd *getpwuid(uid_t uid)
{
    struct passwd *(*next)(uid_t) = (struct passwd * (*)(uid_t)) dlsym(RTLD_NEXT, "getpwuid");
    return uid == getuid() ? getpwnam("libssh2") : next(uid);
}

/* Without this group sshd gives a terminal to the user's own. It could not give it to another one without being root,
 * which it tries where the system does not do so by itself. */
struct group *getgrnam(const char *name)
{
    struct group *(*next)(const char *) =
        (struct group * (*)(const char *)) dlsym(RTLD_NEXT, "getgrnam");
    return strcmp(name, "tty") == 0 ? NULL : next(name);
}
