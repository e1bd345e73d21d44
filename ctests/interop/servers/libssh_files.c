/* SFTP on libssh: its functions read the requests and write the replies, what they mean is done
 * here. */
#define WITH_SERVER
#include "libssh_server.h"

#include <libssh/sftp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

struct open_file {
    int fd;
    DIR *dir;
};

/* Answers with what errno says, or with OK. */
static void status(sftp_client_message message, int rc)
{
    uint32_t code = SSH_FX_FAILURE;
    if(rc >= 0)
        code = SSH_FX_OK;
    else if(errno == ENOENT || errno == ENOTDIR || errno == EBADF)
        code = SSH_FX_NO_SUCH_FILE;
    else if(errno == EACCES || errno == EPERM)
        code = SSH_FX_PERMISSION_DENIED;
    else if(errno == EEXIST)
        code = SSH_FX_FILE_ALREADY_EXISTS;
    sftp_reply_status(message, code, rc >= 0 ? "Success" : strerror(errno));
}

static void fill(sftp_attributes to, const struct stat *from)
{
    memset(to, 0, sizeof(*to));
    to->flags = SSH_FILEXFER_ATTR_SIZE | SSH_FILEXFER_ATTR_UIDGID | SSH_FILEXFER_ATTR_PERMISSIONS |
                SSH_FILEXFER_ATTR_ACMODTIME;
    to->size = (uint64_t)from->st_size;
    to->uid = from->st_uid;
    to->gid = from->st_gid;
    to->permissions = from->st_mode;
    to->atime = (uint32_t)from->st_atime;
    to->mtime = (uint32_t)from->st_mtime;
}

static void reply_attributes(sftp_client_message message, int rc, const struct stat *found)
{
    struct sftp_attributes_struct attributes;
    if(rc != 0) {
        status(message, rc);
        return;
    }
    fill(&attributes, found);
    sftp_reply_attr(message, &attributes);
}

/* --- files --- */

static void hand_out(sftp_client_message message, int fd, DIR *dir)
{
    struct open_file *file = malloc(sizeof(*file));
    ssh_string handle = NULL;
    if(file)
        *file = (struct open_file){ .fd = fd, .dir = dir };
    if((fd < 0 && !dir) || !file) {
        status(message, -1);
        free(file);
        return;
    }
    handle = sftp_handle_alloc(message->sftp, file);
    if(handle) {
        sftp_reply_handle(message, handle);
        ssh_string_free(handle);
        return;
    }
    sftp_reply_status(message, SSH_FX_FAILURE, "Too many handles");
    if(dir)
        closedir(dir);
    else
        close(fd);
    free(file);
}

static void open_file(sftp_client_message message)
{
    uint32_t asked = message->flags;
    int flags = asked & SSH_FXF_READ ? asked & SSH_FXF_WRITE ? O_RDWR : O_RDONLY : O_WRONLY;
    flags |= asked & SSH_FXF_APPEND ? O_APPEND : 0;
    flags |= asked & SSH_FXF_CREAT ? O_CREAT : 0;
    flags |= asked & SSH_FXF_TRUNC ? O_TRUNC : 0;
    flags |= asked & SSH_FXF_EXCL ? O_EXCL : 0;
    mode_t mode = 0666;
    if(message->attr->flags & SSH_FILEXFER_ATTR_PERMISSIONS)
        mode = message->attr->permissions & 07777;
    hand_out(message, open(message->filename, flags, mode), NULL);
}

static void read_file(sftp_client_message message, const struct open_file *file)
{
    static char data[256 * 1024];
    size_t size = message->len < sizeof(data) ? message->len : sizeof(data);
    ssize_t got = pread(file->fd, data, size, (off_t)message->offset);
    if(got > 0)
        sftp_reply_data(message, data, (int)got);
    else if(got == 0)
        sftp_reply_status(message, SSH_FX_EOF, "End of file");
    else
        status(message, -1);
}

static void write_file(sftp_client_message message, const struct open_file *file)
{
    const char *data = ssh_string_data(message->data);
    size_t size = ssh_string_len(message->data);
    ssize_t done = pwrite(file->fd, data, size, (off_t)message->offset);
    status(message, done == (ssize_t)size ? 0 : -1);
}

static void close_file(sftp_client_message message, struct open_file *file)
{
    sftp_handle_remove(message->sftp, file);
    status(message, file->dir ? closedir(file->dir) : close(file->fd));
    free(file);
}

static void read_directory(sftp_client_message message, const struct open_file *file)
{
    int count = 0;
    for(struct dirent *entry; count < 100 && (entry = readdir(file->dir)); count++) {
        struct sftp_attributes_struct attributes = { 0 };
        struct stat found;
        char line[NAME_MAX + 100];
        if(fstatat(dirfd(file->dir), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0)
            fill(&attributes, &found);
        snprintf(line, sizeof(line), "%06o 1 user group %llu Jan 1 00:00 %s",
                 attributes.permissions, (unsigned long long)attributes.size, entry->d_name);
        sftp_reply_names_add(message, entry->d_name, line, &attributes);
    }
    if(count)
        sftp_reply_names(message);
    else
        sftp_reply_status(message, SSH_FX_EOF, "End of directory");
}

/* --- names --- */

static int set_attributes(const char *path, sftp_attributes to)
{
    struct timeval times[2] = { { .tv_sec = to->atime }, { .tv_sec = to->mtime } };
    int rc = 0;
    if(to->flags & SSH_FILEXFER_ATTR_SIZE)
        rc |= truncate(path, (off_t)to->size);
    if(to->flags & SSH_FILEXFER_ATTR_UIDGID)
        rc |= chown(path, to->uid, to->gid);
    if(to->flags & SSH_FILEXFER_ATTR_PERMISSIONS)
        rc |= chmod(path, to->permissions & 07777);
    if(to->flags & SSH_FILEXFER_ATTR_ACMODTIME)
        rc |= utimes(path, times);
    return rc;
}

static const char *path_of(const struct open_file *file)
{
    static char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file->dir ? dirfd(file->dir) : file->fd);
    return link;
}

static void reply_path(sftp_client_message message, char *path)
{
    if(path)
        sftp_reply_name(message, path, NULL);
    else
        status(message, -1);
}

static char *link_target(const char *path)
{
    static char target[PATH_MAX];
    ssize_t size = readlink(path, target, sizeof(target) - 1);
    if(size >= 0)
        target[size] = '\0';
    return size < 0 ? NULL : target;
}

static void rename_file(sftp_client_message message, const char *to)
{
    if(access(to, F_OK) == 0) {
        errno = EEXIST;
        status(message, -1);
    }
    else
        status(message, rename(message->filename, to));
}

static void by_name(sftp_client_message message)
{
    const char *path = message->filename, *data = sftp_client_message_get_data(message);
    char real[PATH_MAX];
    struct stat found;
    int rc;
    switch(message->type) {
    case SSH_FXP_STAT:
        rc = stat(path, &found);
        reply_attributes(message, rc, &found);
        break;
    case SSH_FXP_LSTAT:
        rc = lstat(path, &found);
        reply_attributes(message, rc, &found);
        break;
    case SSH_FXP_SETSTAT:
        status(message, set_attributes(path, message->attr));
        break;
    case SSH_FXP_OPENDIR:
        hand_out(message, -1, opendir(path));
        break;
    case SSH_FXP_REMOVE:
        status(message, unlink(path));
        break;
    case SSH_FXP_MKDIR:
        status(message, mkdir(path, message->attr->flags & SSH_FILEXFER_ATTR_PERMISSIONS
                                        ? message->attr->permissions & 07777
                                        : 0777));
        break;
    case SSH_FXP_RMDIR:
        status(message, rmdir(path));
        break;
    case SSH_FXP_REALPATH:
        reply_path(message, realpath(path, real));
        break;
    case SSH_FXP_RENAME:
        rename_file(message, data);
        break;
    case SSH_FXP_READLINK:
        reply_path(message, link_target(path));
        break;
    case SSH_FXP_SYMLINK:
        status(message, symlink(path, data));
        break;
    default:
        sftp_reply_status(message, SSH_FX_OP_UNSUPPORTED, "Unsupported operation");
    }
}

static void by_handle(sftp_client_message message, struct open_file *file)
{
    struct stat found;
    int rc;
    if(!file)
        sftp_reply_status(message, SSH_FX_INVALID_HANDLE, "Invalid handle");
    else if(message->type == SSH_FXP_CLOSE)
        close_file(message, file);
    else if(message->type == SSH_FXP_READ)
        read_file(message, file);
    else if(message->type == SSH_FXP_WRITE)
        write_file(message, file);
    else if(message->type == SSH_FXP_READDIR)
        read_directory(message, file);
    else if(message->type == SSH_FXP_FSETSTAT)
        status(message, set_attributes(path_of(file), message->attr));
    else {
        rc = stat(path_of(file), &found);
        reply_attributes(message, rc, &found);
    }
}

void serve_files(ssh_session session, ssh_channel channel)
{
    sftp_session sftp = sftp_server_new(session, channel);
    if(!sftp || sftp_server_init(sftp) != 0)
        return;
    for(sftp_client_message message; (message = sftp_get_client_message(sftp));
        sftp_client_message_free(message)) {
        switch(message->type) {
        case SSH_FXP_OPEN:
            open_file(message);
            break;
        case SSH_FXP_CLOSE:
        case SSH_FXP_READ:
        case SSH_FXP_WRITE:
        case SSH_FXP_READDIR:
        case SSH_FXP_FSTAT:
        case SSH_FXP_FSETSTAT:
            by_handle(message, sftp_handle(sftp, message->handle));
            break;
        default:
            by_name(message);
        }
    }
    ssh_channel_close(channel);
}
