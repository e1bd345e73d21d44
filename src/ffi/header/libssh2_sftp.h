#include <unistd.h>

#include "libssh2.h"

/* What a file is, from its attributes' `permissions`. */
#define LIBSSH2_SFTP_S_ISLNK(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFLNK)
#define LIBSSH2_SFTP_S_ISREG(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFREG)
#define LIBSSH2_SFTP_S_ISDIR(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFDIR)
#define LIBSSH2_SFTP_S_ISCHR(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFCHR)
#define LIBSSH2_SFTP_S_ISBLK(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFBLK)
#define LIBSSH2_SFTP_S_ISFIFO(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFIFO)
#define LIBSSH2_SFTP_S_ISSOCK(m) (((m) & LIBSSH2_SFTP_S_IFMT) == LIBSSH2_SFTP_S_IFSOCK)

/* Shorter forms of the functions below. Those that take a path by itself measure it with strlen(), so they evaluate
   that argument twice. */

/* Files. */
#define libssh2_sftp_open(sftp, path, flags, mode) \
    libssh2_sftp_open_ex((sftp), (path), (unsigned int)strlen(path), \
                         (flags), (mode), LIBSSH2_SFTP_OPENFILE)
#define libssh2_sftp_open_r(sftp, path, flags, mode, attributes) \
    libssh2_sftp_open_ex_r((sftp), (path), strlen(path), \
                           (flags), (mode), LIBSSH2_SFTP_OPENFILE, (attributes))
#define libssh2_sftp_close(handle) libssh2_sftp_close_handle(handle)
#define libssh2_sftp_rewind(handle) libssh2_sftp_seek64((handle), 0)
#define libssh2_sftp_fstat(handle, attributes) libssh2_sftp_fstat_ex((handle), (attributes), 0)
#define libssh2_sftp_fsetstat(handle, attributes) libssh2_sftp_fstat_ex((handle), (attributes), 1)

/* Directories. */
#define libssh2_sftp_opendir(sftp, path) \
    libssh2_sftp_open_ex((sftp), (path), (unsigned int)strlen(path), 0, 0, LIBSSH2_SFTP_OPENDIR)
#define libssh2_sftp_readdir(handle, buffer, length, attributes) \
    libssh2_sftp_readdir_ex((handle), (buffer), (length), NULL, 0, (attributes))
#define libssh2_sftp_closedir(handle) libssh2_sftp_close_handle(handle)
#define libssh2_sftp_mkdir(sftp, path, mode) \
    libssh2_sftp_mkdir_ex((sftp), (path), (unsigned int)strlen(path), (mode))
#define libssh2_sftp_rmdir(sftp, path) \
    libssh2_sftp_rmdir_ex((sftp), (path), (unsigned int)strlen(path))

/* Names. */
#define libssh2_sftp_unlink(sftp, path) \
    libssh2_sftp_unlink_ex((sftp), (path), (unsigned int)strlen(path))
#define libssh2_sftp_rename(sftp, from, to) \
    libssh2_sftp_rename_ex((sftp), \
                           (from), (unsigned int)strlen(from), (to), (unsigned int)strlen(to), \
                           LIBSSH2_SFTP_RENAME_OVERWRITE | LIBSSH2_SFTP_RENAME_ATOMIC | \
                               LIBSSH2_SFTP_RENAME_NATIVE)
#define libssh2_sftp_posix_rename(sftp, from, to) \
    libssh2_sftp_posix_rename_ex((sftp), (from), strlen(from), (to), strlen(to))
#define libssh2_sftp_stat(sftp, path, attributes) \
    libssh2_sftp_stat_ex((sftp), (path), (unsigned int)strlen(path), \
                         LIBSSH2_SFTP_STAT, (attributes))
#define libssh2_sftp_lstat(sftp, path, attributes) \
    libssh2_sftp_stat_ex((sftp), (path), (unsigned int)strlen(path), \
                         LIBSSH2_SFTP_LSTAT, (attributes))
#define libssh2_sftp_setstat(sftp, path, attributes) \
    libssh2_sftp_stat_ex((sftp), (path), (unsigned int)strlen(path), \
                         LIBSSH2_SFTP_SETSTAT, (attributes))
/* With OpenSSH's server, makes `linkpath` lead to `path`. */
#define libssh2_sftp_symlink(sftp, path, linkpath) \
    libssh2_sftp_symlink_ex((sftp), \
                            (path), (unsigned int)strlen(path), \
                            (linkpath), (unsigned int)strlen(linkpath), \
                            LIBSSH2_SFTP_SYMLINK)
#define libssh2_sftp_readlink(sftp, path, target, length) \
    libssh2_sftp_symlink_ex((sftp), (path), (unsigned int)strlen(path), \
                            (target), (length), LIBSSH2_SFTP_READLINK)
#define libssh2_sftp_realpath(sftp, path, target, length) \
    libssh2_sftp_symlink_ex((sftp), (path), (unsigned int)strlen(path), \
                            (target), (length), LIBSSH2_SFTP_REALPATH)
