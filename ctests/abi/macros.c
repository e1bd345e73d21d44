/* Calls every macro of the interface that stands for a function, with functions that write down what they are given,
   and compares. It is not linked with the library, whose functions are defined here. */
#include <libssh2.h>
#include <libssh2_publickey.h>
#include <libssh2_sftp.h>

#include "check.h"

/* What the last call wrote down. */
static char seen[512];

static void note(const char *word)
{
    if(seen[0])
        strcat(seen, " ");
    strcat(seen, word);
}

static void note_number(long number)
{
    char word[32];
    sprintf(word, "%ld", number);
    note(word);
}

static void note_text(const char *text, size_t length)
{
    char word[64];
    if(!text)
        note("NULL");
    else {
        sprintf(word, "'%.*s'", (int)length, text);
        note(word);
    }
}

static void note_terminated(const char *text)
{
    note_text(text, text ? strlen(text) : 0);
}

/* What pointers point to. They are told apart by address, so nothing looks inside. */
static char session_thing, channel_thing, sftp_thing, handle_thing, pkey_thing, buffer[64], blob_thing;
static LIBSSH2_SFTP_ATTRIBUTES attributes;
static LIBSSH2_SESSION *const session = (LIBSSH2_SESSION *)(void *)&session_thing;
static LIBSSH2_CHANNEL *const channel = (LIBSSH2_CHANNEL *)(void *)&channel_thing;
static LIBSSH2_SFTP *const sftp = (LIBSSH2_SFTP *)(void *)&sftp_thing;
static LIBSSH2_SFTP_HANDLE *const handle = (LIBSSH2_SFTP_HANDLE *)(void *)&handle_thing;
static LIBSSH2_PUBLICKEY *const pkey = (LIBSSH2_PUBLICKEY *)(void *)&pkey_thing;
static unsigned char *const blob = (unsigned char *)&blob_thing;

static void note_pointer(const void *pointer)
{
    note(!pointer                   ? "NULL"
         : pointer == &session_thing ? "session"
         : pointer == &channel_thing ? "channel"
         : pointer == &sftp_thing    ? "sftp"
         : pointer == &handle_thing  ? "handle"
         : pointer == &pkey_thing    ? "pkey"
         : pointer == buffer         ? "buffer"
         : pointer == &blob_thing    ? "blob"
         : pointer == &attributes    ? "attributes"
                                     : "another pointer");
}

#define CALLED(function, first) \
    do { \
        seen[0] = 0; \
        note(function); \
        note_pointer(first); \
    } while(0)

#ifdef __cplusplus
extern "C" {
#endif

LIBSSH2_SESSION *libssh2_session_init_ex(LIBSSH2_ALLOC_FUNC(*a), LIBSSH2_FREE_FUNC(*f),
                                         LIBSSH2_REALLOC_FUNC(*r), void *abstract)
{
    CALLED("session_init_ex", abstract);
    note(a || f || r ? "allocators" : "no allocators");
    return session;
}

int libssh2_session_disconnect_ex(LIBSSH2_SESSION *s, int reason, const char *text, const char *l)
{
    CALLED("session_disconnect_ex", s);
    note_number(reason);
    note_terminated(text);
    note_terminated(l);
    return 0;
}

int libssh2_userauth_password_ex(LIBSSH2_SESSION *s, const char *user, unsigned int user_len,
                                 const char *word, unsigned int word_len,
                                 LIBSSH2_PASSWD_CHANGEREQ_FUNC(*change))
{
    CALLED("userauth_password_ex", s);
    note_text(user, user_len);
    note_text(word, word_len);
    note(change ? "callback" : "NULL");
    return 0;
}

int libssh2_userauth_publickey_fromfile_ex(LIBSSH2_SESSION *s, const char *user,
                                           unsigned int user_len, const char *pub,
                                           const char *priv, const char *phrase)
{
    CALLED("userauth_publickey_fromfile_ex", s);
    note_text(user, user_len);
    note_terminated(pub);
    note_terminated(priv);
    note_terminated(phrase);
    return 0;
}

int libssh2_userauth_hostbased_fromfile_ex(LIBSSH2_SESSION *s, const char *user,
                                           unsigned int user_len, const char *pub,
                                           const char *priv, const char *phrase, const char *host,
                                           unsigned int host_len, const char *local,
                                           unsigned int local_len)
{
    CALLED("userauth_hostbased_fromfile_ex", s);
    note_text(user, user_len);
    note_terminated(pub);
    note_terminated(priv);
    note_terminated(phrase);
    note_text(host, host_len);
    note_text(local, local_len);
    return 0;
}

int libssh2_userauth_keyboard_interactive_ex(LIBSSH2_SESSION *s, const char *user,
                                             unsigned int user_len,
                                             LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(*answer))
{
    CALLED("userauth_keyboard_interactive_ex", s);
    note_text(user, user_len);
    note(answer ? "callback" : "NULL");
    return 0;
}

LIBSSH2_CHANNEL *libssh2_channel_open_ex(LIBSSH2_SESSION *s, const char *type,
                                         unsigned int type_len, unsigned int window,
                                         unsigned int packet, const char *message,
                                         unsigned int message_len)
{
    CALLED("channel_open_ex", s);
    note_text(type, type_len);
    note_number((long)window);
    note_number((long)packet);
    note_text(message, message_len);
    note_number((long)message_len);
    return channel;
}

LIBSSH2_CHANNEL *libssh2_channel_direct_tcpip_ex(LIBSSH2_SESSION *s, const char *host, int port,
                                                 const char *shost, int sport)
{
    CALLED("channel_direct_tcpip_ex", s);
    note_terminated(host);
    note_number(port);
    note_terminated(shost);
    note_number(sport);
    return channel;
}

LIBSSH2_LISTENER *libssh2_channel_forward_listen_ex(LIBSSH2_SESSION *s, const char *host, int port,
                                                    int *bound, int queue)
{
    CALLED("channel_forward_listen_ex", s);
    note_terminated(host);
    note_number(port);
    note_pointer(bound);
    note_number(queue);
    return NULL;
}

int libssh2_channel_setenv_ex(LIBSSH2_CHANNEL *c, const char *name, unsigned int name_len,
                              const char *value, unsigned int value_len)
{
    CALLED("channel_setenv_ex", c);
    note_text(name, name_len);
    note_text(value, value_len);
    return 0;
}

int libssh2_channel_request_pty_ex(LIBSSH2_CHANNEL *c, const char *term, unsigned int term_len,
                                   const char *modes, unsigned int modes_len, int width,
                                   int height, int width_px, int height_px)
{
    CALLED("channel_request_pty_ex", c);
    note_text(term, term_len);
    note_text(modes, modes_len);
    note_number((long)modes_len);
    note_number(width);
    note_number(height);
    note_number(width_px);
    note_number(height_px);
    return 0;
}

int libssh2_channel_request_pty_size_ex(LIBSSH2_CHANNEL *c, int width, int height, int width_px,
                                        int height_px)
{
    CALLED("channel_request_pty_size_ex", c);
    note_number(width);
    note_number(height);
    note_number(width_px);
    note_number(height_px);
    return 0;
}

int libssh2_channel_x11_req_ex(LIBSSH2_CHANNEL *c, int single, const char *protocol,
                               const char *cookie, int screen)
{
    CALLED("channel_x11_req_ex", c);
    note_number(single);
    note_terminated(protocol);
    note_terminated(cookie);
    note_number(screen);
    return 0;
}

int libssh2_channel_signal_ex(LIBSSH2_CHANNEL *c, const char *name, size_t name_len)
{
    CALLED("channel_signal_ex", c);
    note_text(name, name_len);
    return 0;
}

int libssh2_channel_process_startup(LIBSSH2_CHANNEL *c, const char *request,
                                    unsigned int request_len, const char *message,
                                    unsigned int message_len)
{
    CALLED("channel_process_startup", c);
    note_text(request, request_len);
    note_text(message, message_len);
    note_number((long)message_len);
    return 0;
}

ssize_t libssh2_channel_read_ex(LIBSSH2_CHANNEL *c, int stream, char *into, size_t length)
{
    CALLED("channel_read_ex", c);
    note_number(stream);
    note_pointer(into);
    note_number((long)length);
    return 0;
}

ssize_t libssh2_channel_write_ex(LIBSSH2_CHANNEL *c, int stream, const char *from, size_t length)
{
    CALLED("channel_write_ex", c);
    note_number(stream);
    note_pointer(from);
    note_number((long)length);
    return 0;
}

unsigned long libssh2_channel_window_read_ex(LIBSSH2_CHANNEL *c, unsigned long *available,
                                             unsigned long *initial)
{
    CALLED("channel_window_read_ex", c);
    note_pointer(available);
    note_pointer(initial);
    return 0;
}

unsigned long libssh2_channel_window_write_ex(LIBSSH2_CHANNEL *c, unsigned long *initial)
{
    CALLED("channel_window_write_ex", c);
    note_pointer(initial);
    return 0;
}

int libssh2_channel_flush_ex(LIBSSH2_CHANNEL *c, int stream)
{
    CALLED("channel_flush_ex", c);
    note_number(stream);
    return 0;
}

#ifndef LIBSSH2_NO_DEPRECATED
void libssh2_channel_handle_extended_data(LIBSSH2_CHANNEL *c, int mode)
{
    CALLED("channel_handle_extended_data", c);
    note_number(mode);
}

LIBSSH2_CHANNEL *libssh2_scp_send_ex(LIBSSH2_SESSION *s, const char *path, int mode, size_t size,
                                     long mtime, long atime)
{
    CALLED("scp_send_ex", s);
    note_terminated(path);
    note_number(mode);
    note_number((long)size);
    note_number(mtime);
    note_number(atime);
    return channel;
}
#endif

LIBSSH2_SFTP_HANDLE *libssh2_sftp_open_ex(LIBSSH2_SFTP *s, const char *path, unsigned int path_len,
                                          unsigned long flags, long mode, int type)
{
    CALLED("sftp_open_ex", s);
    note_text(path, path_len);
    note_number((long)flags);
    note_number(mode);
    note_number(type);
    return handle;
}

LIBSSH2_SFTP_HANDLE *libssh2_sftp_open_ex_r(LIBSSH2_SFTP *s, const char *path, size_t path_len,
                                            unsigned long flags, long mode, int type,
                                            LIBSSH2_SFTP_ATTRIBUTES *attrs)
{
    CALLED("sftp_open_ex_r", s);
    note_text(path, path_len);
    note_number((long)flags);
    note_number(mode);
    note_number(type);
    note_pointer(attrs);
    return handle;
}

int libssh2_sftp_readdir_ex(LIBSSH2_SFTP_HANDLE *h, char *name, size_t name_len, char *line,
                            size_t line_len, LIBSSH2_SFTP_ATTRIBUTES *attrs)
{
    CALLED("sftp_readdir_ex", h);
    note_pointer(name);
    note_number((long)name_len);
    note_pointer(line);
    note_number((long)line_len);
    note_pointer(attrs);
    return 0;
}

int libssh2_sftp_close_handle(LIBSSH2_SFTP_HANDLE *h)
{
    CALLED("sftp_close_handle", h);
    return 0;
}

void libssh2_sftp_seek64(LIBSSH2_SFTP_HANDLE *h, libssh2_uint64_t offset)
{
    CALLED("sftp_seek64", h);
    note_number((long)offset);
}

int libssh2_sftp_fstat_ex(LIBSSH2_SFTP_HANDLE *h, LIBSSH2_SFTP_ATTRIBUTES *attrs, int set)
{
    CALLED("sftp_fstat_ex", h);
    note_pointer(attrs);
    note_number(set);
    return 0;
}

int libssh2_sftp_rename_ex(LIBSSH2_SFTP *s, const char *from, unsigned int from_len,
                           const char *to, unsigned int to_len, long flags)
{
    CALLED("sftp_rename_ex", s);
    note_text(from, from_len);
    note_text(to, to_len);
    note_number(flags);
    return 0;
}

int libssh2_sftp_posix_rename_ex(LIBSSH2_SFTP *s, const char *from, size_t from_len,
                                 const char *to, size_t to_len)
{
    CALLED("sftp_posix_rename_ex", s);
    note_text(from, from_len);
    note_text(to, to_len);
    return 0;
}

int libssh2_sftp_unlink_ex(LIBSSH2_SFTP *s, const char *path, unsigned int path_len)
{
    CALLED("sftp_unlink_ex", s);
    note_text(path, path_len);
    return 0;
}

int libssh2_sftp_mkdir_ex(LIBSSH2_SFTP *s, const char *path, unsigned int path_len, long mode)
{
    CALLED("sftp_mkdir_ex", s);
    note_text(path, path_len);
    note_number(mode);
    return 0;
}

int libssh2_sftp_rmdir_ex(LIBSSH2_SFTP *s, const char *path, unsigned int path_len)
{
    CALLED("sftp_rmdir_ex", s);
    note_text(path, path_len);
    return 0;
}

int libssh2_sftp_stat_ex(LIBSSH2_SFTP *s, const char *path, unsigned int path_len, int type,
                         LIBSSH2_SFTP_ATTRIBUTES *attrs)
{
    CALLED("sftp_stat_ex", s);
    note_text(path, path_len);
    note_number(type);
    note_pointer(attrs);
    return 0;
}

int libssh2_sftp_symlink_ex(LIBSSH2_SFTP *s, const char *path, unsigned int path_len, char *target,
                            unsigned int target_len, int type)
{
    CALLED("sftp_symlink_ex", s);
    note_text(path, path_len);
    note_pointer(target);
    note_number((long)target_len);
    note_number(type);
    return 0;
}

int libssh2_publickey_add_ex(LIBSSH2_PUBLICKEY *p, const unsigned char *name,
                             unsigned long name_len, const unsigned char *key,
                             unsigned long key_len, char overwrite, unsigned long count,
                             const libssh2_publickey_attribute attrs[])
{
    CALLED("publickey_add_ex", p);
    note_text((const char *)name, name_len);
    note_pointer(key);
    note_number((long)key_len);
    note_number(overwrite);
    note_number((long)count);
    for(; attrs && count; count--, attrs++) {
        note_text(attrs->name, attrs->name_len);
        note_text(attrs->value, attrs->value_len);
        note_number(attrs->mandatory);
    }
    return 0;
}

int libssh2_publickey_remove_ex(LIBSSH2_PUBLICKEY *p, const unsigned char *name,
                                unsigned long name_len, const unsigned char *key,
                                unsigned long key_len)
{
    CALLED("publickey_remove_ex", p);
    note_text((const char *)name, name_len);
    note_pointer(key);
    note_number((long)key_len);
    return 0;
}

static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(answer_prompts)
{
    (void)name;
    (void)name_len;
    (void)instruction;
    (void)instruction_len;
    (void)num_prompts;
    (void)prompts;
    (void)responses;
    (void)abstract;
}

#ifdef __cplusplus
}
#endif

/* Checks what `call`, a macro's use, hands on. */
#define CALL(call, should_be) \
    do { \
        seen[0] = 0; \
        (void)call; \
        check_text(#call, seen, should_be); \
    } while(0)

static void sessions(void)
{
    CALL(libssh2_session_init(), "session_init_ex NULL no allocators");
    CALL(libssh2_session_disconnect(session, "bye"), "session_disconnect_ex session 11 'bye' ''");
    CALL(libssh2_userauth_password(session, "me", "secret"),
         "userauth_password_ex session 'me' 'secret' NULL");
    CALL(libssh2_userauth_publickey_fromfile(session, "me", "a.pub", "a", "words"),
         "userauth_publickey_fromfile_ex session 'me' 'a.pub' 'a' 'words'");
    CALL(libssh2_userauth_publickey_fromfile(session, "me", NULL, "a", NULL),
         "userauth_publickey_fromfile_ex session 'me' NULL 'a' NULL");
    CALL(libssh2_userauth_hostbased_fromfile(session, "me", "a.pub", "a", "words", "host"),
         "userauth_hostbased_fromfile_ex session 'me' 'a.pub' 'a' 'words' 'host' 'me'");
    CALL(libssh2_userauth_keyboard_interactive(session, "me", &answer_prompts),
         "userauth_keyboard_interactive_ex session 'me' callback");
}

static void channels(void)
{
    CALL(libssh2_channel_open_session(session),
         "channel_open_ex session 'session' 2097152 32768 NULL 0");
    CALL(libssh2_channel_direct_tcpip(session, "host", 80),
         "channel_direct_tcpip_ex session 'host' 80 '127.0.0.1' 22");
    CALL(libssh2_channel_forward_listen(session, 80),
         "channel_forward_listen_ex session NULL 80 NULL 16");
    CALL(libssh2_channel_setenv(channel, "LANG", "C"), "channel_setenv_ex channel 'LANG' 'C'");
    CALL(libssh2_channel_request_pty(channel, "vt100"),
         "channel_request_pty_ex channel 'vt100' NULL 0 80 24 0 0");
    CALL(libssh2_channel_request_pty_size(channel, 100, 50),
         "channel_request_pty_size_ex channel 100 50 0 0");
    CALL(libssh2_channel_x11_req(channel, 1), "channel_x11_req_ex channel 0 NULL NULL 1");
    CALL(libssh2_channel_signal(channel, "TERM"), "channel_signal_ex channel 'TERM'");
    CALL(libssh2_channel_shell(channel), "channel_process_startup channel 'shell' NULL 0");
    CALL(libssh2_channel_exec(channel, "ls"), "channel_process_startup channel 'exec' 'ls' 2");
    CALL(libssh2_channel_subsystem(channel, "sftp"),
         "channel_process_startup channel 'subsystem' 'sftp' 4");
    CALL(libssh2_channel_read(channel, buffer, 5), "channel_read_ex channel 0 buffer 5");
    CALL(libssh2_channel_read_stderr(channel, buffer, 5), "channel_read_ex channel 1 buffer 5");
    CALL(libssh2_channel_write(channel, buffer, 5), "channel_write_ex channel 0 buffer 5");
    CALL(libssh2_channel_write_stderr(channel, buffer, 5), "channel_write_ex channel 1 buffer 5");
    CALL(libssh2_channel_window_read(channel), "channel_window_read_ex channel NULL NULL");
    CALL(libssh2_channel_window_write(channel), "channel_window_write_ex channel NULL");
    CALL(libssh2_channel_flush(channel), "channel_flush_ex channel 0");
    CALL(libssh2_channel_flush_stderr(channel), "channel_flush_ex channel 1");
#ifndef LIBSSH2_NO_DEPRECATED
    CALL(libssh2_channel_ignore_extended_data(channel, 1),
         "channel_handle_extended_data channel 1");
    CALL(libssh2_channel_ignore_extended_data(channel, 0),
         "channel_handle_extended_data channel 0");
    CALL(libssh2_scp_send(session, "file", 0644, 5), "scp_send_ex session 'file' 420 5 0 0");
#endif
}

static void sftp_calls(void)
{
    CALL(libssh2_sftp_open(sftp, "file", LIBSSH2_FXF_READ | LIBSSH2_FXF_CREAT, 0600),
         "sftp_open_ex sftp 'file' 9 384 0");
    CALL(libssh2_sftp_open_r(sftp, "file", LIBSSH2_FXF_READ, 0600, &attributes),
         "sftp_open_ex_r sftp 'file' 1 384 0 attributes");
    CALL(libssh2_sftp_opendir(sftp, "dir"), "sftp_open_ex sftp 'dir' 0 0 1");
    CALL(libssh2_sftp_readdir(handle, buffer, 5, &attributes),
         "sftp_readdir_ex handle buffer 5 NULL 0 attributes");
    CALL(libssh2_sftp_close(handle), "sftp_close_handle handle");
    CALL(libssh2_sftp_closedir(handle), "sftp_close_handle handle");
    CALL(libssh2_sftp_rewind(handle), "sftp_seek64 handle 0");
    CALL(libssh2_sftp_fstat(handle, &attributes), "sftp_fstat_ex handle attributes 0");
    CALL(libssh2_sftp_fsetstat(handle, &attributes), "sftp_fstat_ex handle attributes 1");
    CALL(libssh2_sftp_rename(sftp, "old", "newer"), "sftp_rename_ex sftp 'old' 'newer' 7");
    CALL(libssh2_sftp_posix_rename(sftp, "old", "newer"),
         "sftp_posix_rename_ex sftp 'old' 'newer'");
    CALL(libssh2_sftp_unlink(sftp, "file"), "sftp_unlink_ex sftp 'file'");
    CALL(libssh2_sftp_mkdir(sftp, "dir", 0700), "sftp_mkdir_ex sftp 'dir' 448");
    CALL(libssh2_sftp_rmdir(sftp, "dir"), "sftp_rmdir_ex sftp 'dir'");
    CALL(libssh2_sftp_stat(sftp, "file", &attributes), "sftp_stat_ex sftp 'file' 0 attributes");
    CALL(libssh2_sftp_lstat(sftp, "file", &attributes), "sftp_stat_ex sftp 'file' 1 attributes");
    CALL(libssh2_sftp_setstat(sftp, "file", &attributes), "sftp_stat_ex sftp 'file' 2 attributes");
    strcpy(buffer, "link");
    CALL(libssh2_sftp_symlink(sftp, "file", buffer), "sftp_symlink_ex sftp 'file' buffer 4 0");
    CALL(libssh2_sftp_readlink(sftp, "link", buffer, 5), "sftp_symlink_ex sftp 'link' buffer 5 1");
    CALL(libssh2_sftp_realpath(sftp, ".", buffer, 5), "sftp_symlink_ex sftp '.' buffer 5 2");
}

static void file_types(void)
{
    static const struct {
        long type;
        const char *is;
    } files[] = {
        { LIBSSH2_SFTP_S_IFLNK, "1000000" },  { LIBSSH2_SFTP_S_IFREG, "0100000" },
        { LIBSSH2_SFTP_S_IFDIR, "0010000" },  { LIBSSH2_SFTP_S_IFCHR, "0001000" },
        { LIBSSH2_SFTP_S_IFBLK, "0000100" },  { LIBSSH2_SFTP_S_IFIFO, "0000010" },
        { LIBSSH2_SFTP_S_IFSOCK, "0000001" }, { 0, "0000000" },
    };
    size_t i;
    for(i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        long mode = files[i].type | 07777;
        char is[8];
        is[0] = LIBSSH2_SFTP_S_ISLNK(mode) ? '1' : '0';
        is[1] = LIBSSH2_SFTP_S_ISREG(mode) ? '1' : '0';
        is[2] = LIBSSH2_SFTP_S_ISDIR(mode) ? '1' : '0';
        is[3] = LIBSSH2_SFTP_S_ISCHR(mode) ? '1' : '0';
        is[4] = LIBSSH2_SFTP_S_ISBLK(mode) ? '1' : '0';
        is[5] = LIBSSH2_SFTP_S_ISFIFO(mode) ? '1' : '0';
        is[6] = LIBSSH2_SFTP_S_ISSOCK(mode) ? '1' : '0';
        is[7] = 0;
        check_text("LIBSSH2_SFTP_S_IS...", is, files[i].is);
    }
}

static void publickey_calls(void)
{
    /* The macros bring their own commas. C89 cannot initialise an array with what strlen() returns. */
    libssh2_publickey_attribute list[] = {
        libssh2_publickey_attribute_fast("comment", "home", 0)
#if defined(__STDC_VERSION__) || defined(__cplusplus)
        libssh2_publickey_attribute("from", "10.*", 1)
#else
        libssh2_publickey_attribute_fast("from", "10.*", 1)
#endif
    };
    static const unsigned char name[] = "ssh-rsa";
    CALL(libssh2_publickey_add(pkey, name, blob, 9, 1, sizeof(list) / sizeof(list[0]), list),
         "publickey_add_ex pkey 'ssh-rsa' blob 9 1 2 'comment' 'home' 0 'from' '10.*' 1");
    CALL(libssh2_publickey_remove(pkey, name, blob, 9), "publickey_remove_ex pkey 'ssh-rsa' blob 9");
}

int main(void)
{
    sessions();
    channels();
    sftp_calls();
    file_types();
    publickey_calls();
    return checked();
}
