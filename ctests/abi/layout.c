/* Size and offsets of every public struct, and the type of every member. The numbers are libssh2's on a 64-bit
   system. */
#include <stddef.h>

#include <libssh2.h>
#include <libssh2_publickey.h>
#include <libssh2_sftp.h>

#include "check.h"

#define SIZE(type, size) check_number("sizeof " #type, (long)sizeof(type), (size))
/* The assignment warns, and so fails, when the member is not of this type. */
#define MEMBER(type, member, offset, member_type) \
    do { \
        static type whole; \
        member_type *pointer = &whole.member; \
        check_number("offset of " #type "." #member, (long)offsetof(type, member), (offset)); \
        check_number("sizeof " #type "." #member, (long)sizeof(*pointer), \
                     (long)sizeof(member_type)); \
    } while(0)

typedef LIBSSH2_USERAUTH_SK_SIGN_FUNC(*sk_sign_function);

static void authentication(void)
{
    SIZE(LIBSSH2_USERAUTH_KBDINT_PROMPT, 24);
    MEMBER(LIBSSH2_USERAUTH_KBDINT_PROMPT, text, 0, unsigned char *);
    MEMBER(LIBSSH2_USERAUTH_KBDINT_PROMPT, length, 8, size_t);
    MEMBER(LIBSSH2_USERAUTH_KBDINT_PROMPT, echo, 16, unsigned char);

    SIZE(LIBSSH2_USERAUTH_KBDINT_RESPONSE, 16);
    MEMBER(LIBSSH2_USERAUTH_KBDINT_RESPONSE, text, 0, char *);
    MEMBER(LIBSSH2_USERAUTH_KBDINT_RESPONSE, length, 8, unsigned int);

    SIZE(LIBSSH2_SK_SIG_INFO, 40);
    MEMBER(LIBSSH2_SK_SIG_INFO, flags, 0, uint8_t);
    MEMBER(LIBSSH2_SK_SIG_INFO, counter, 4, uint32_t);
    MEMBER(LIBSSH2_SK_SIG_INFO, sig_r, 8, unsigned char *);
    MEMBER(LIBSSH2_SK_SIG_INFO, sig_r_len, 16, size_t);
    MEMBER(LIBSSH2_SK_SIG_INFO, sig_s, 24, unsigned char *);
    MEMBER(LIBSSH2_SK_SIG_INFO, sig_s_len, 32, size_t);

    SIZE(LIBSSH2_PRIVKEY_SK, 48);
    MEMBER(LIBSSH2_PRIVKEY_SK, algorithm, 0, int);
    MEMBER(LIBSSH2_PRIVKEY_SK, flags, 4, uint8_t);
    MEMBER(LIBSSH2_PRIVKEY_SK, application, 8, const char *);
    MEMBER(LIBSSH2_PRIVKEY_SK, key_handle, 16, const unsigned char *);
    MEMBER(LIBSSH2_PRIVKEY_SK, handle_len, 24, size_t);
    MEMBER(LIBSSH2_PRIVKEY_SK, sign_callback, 32, sk_sign_function);
    MEMBER(LIBSSH2_PRIVKEY_SK, orig_abstract, 40, void **);
}

static void polling(void)
{
#ifndef LIBSSH2_NO_DEPRECATED
    SIZE(LIBSSH2_POLLFD, 32);
    MEMBER(LIBSSH2_POLLFD, type, 0, unsigned char);
    MEMBER(LIBSSH2_POLLFD, fd.socket, 8, libssh2_socket_t);
    MEMBER(LIBSSH2_POLLFD, fd.channel, 8, LIBSSH2_CHANNEL *);
    MEMBER(LIBSSH2_POLLFD, fd.listener, 8, LIBSSH2_LISTENER *);
    MEMBER(LIBSSH2_POLLFD, events, 16, unsigned long);
    MEMBER(LIBSSH2_POLLFD, revents, 24, unsigned long);
#endif
}

typedef struct libssh2_knownhost known_host;
typedef struct libssh2_agent_publickey agent_key;

static void known_hosts_and_agent(void)
{
    SIZE(known_host, 40);
    MEMBER(known_host, magic, 0, unsigned int);
    MEMBER(known_host, node, 8, void *);
    MEMBER(known_host, name, 16, char *);
    MEMBER(known_host, key, 24, char *);
    MEMBER(known_host, typemask, 32, int);

    SIZE(agent_key, 40);
    MEMBER(agent_key, magic, 0, unsigned int);
    MEMBER(agent_key, node, 8, void *);
    MEMBER(agent_key, blob, 16, unsigned char *);
    MEMBER(agent_key, blob_len, 24, size_t);
    MEMBER(agent_key, comment, 32, char *);
}

static void sftp(void)
{
    SIZE(LIBSSH2_SFTP_ATTRIBUTES, 56);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, flags, 0, unsigned long);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, filesize, 8, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, uid, 16, unsigned long);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, gid, 24, unsigned long);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, permissions, 32, unsigned long);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, atime, 40, unsigned long);
    MEMBER(LIBSSH2_SFTP_ATTRIBUTES, mtime, 48, unsigned long);

    SIZE(LIBSSH2_SFTP_STATVFS, 88);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_bsize, 0, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_frsize, 8, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_blocks, 16, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_bfree, 24, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_bavail, 32, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_files, 40, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_ffree, 48, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_favail, 56, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_fsid, 64, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_flag, 72, libssh2_uint64_t);
    MEMBER(LIBSSH2_SFTP_STATVFS, f_namemax, 80, libssh2_uint64_t);
}

static void publickey(void)
{
    SIZE(libssh2_publickey_attribute, 40);
    MEMBER(libssh2_publickey_attribute, name, 0, const char *);
    MEMBER(libssh2_publickey_attribute, name_len, 8, unsigned long);
    MEMBER(libssh2_publickey_attribute, value, 16, const char *);
    MEMBER(libssh2_publickey_attribute, value_len, 24, unsigned long);
    MEMBER(libssh2_publickey_attribute, mandatory, 32, char);

    SIZE(libssh2_publickey_list, 56);
    MEMBER(libssh2_publickey_list, packet, 0, unsigned char *);
    MEMBER(libssh2_publickey_list, name, 8, const unsigned char *);
    MEMBER(libssh2_publickey_list, name_len, 16, unsigned long);
    MEMBER(libssh2_publickey_list, blob, 24, const unsigned char *);
    MEMBER(libssh2_publickey_list, blob_len, 32, unsigned long);
    MEMBER(libssh2_publickey_list, num_attrs, 40, unsigned long);
    MEMBER(libssh2_publickey_list, attrs, 48, libssh2_publickey_attribute *);
}

static void scalars(void)
{
    SIZE(libssh2_uint64_t, 8);
    SIZE(libssh2_int64_t, 8);
    SIZE(libssh2_socket_t, 4);
    SIZE(libssh2_crypto_engine_t, 4);
    check_number("libssh2_struct_stat", (long)sizeof(libssh2_struct_stat), (long)sizeof(struct stat));
    check_number("libssh2_struct_stat_size", (long)sizeof(libssh2_struct_stat_size),
                 (long)sizeof(off_t));
    check_number("libssh2_no_crypto", libssh2_no_crypto, 0);
    check_number("libssh2_openssl", libssh2_openssl, 1);
    check_number("libssh2_gcrypt", libssh2_gcrypt, 2);
    check_number("libssh2_mbedtls", libssh2_mbedtls, 3);
    check_number("libssh2_wincng", libssh2_wincng, 4);
    check_number("libssh2_os400qc3", libssh2_os400qc3, 5);
}

/* A program may declare a handle by its tag without including a header, so tag and type must be the same. Compiling
   this is the check. */
#define TAG(type) \
    do { \
        struct _##type *pointer = (type *)0; \
        check_number("struct _" #type, pointer == (struct _##type *)0, 1); \
    } while(0)

static void tags(void)
{
    TAG(LIBSSH2_SESSION);
    TAG(LIBSSH2_CHANNEL);
    TAG(LIBSSH2_LISTENER);
    TAG(LIBSSH2_KNOWNHOSTS);
    TAG(LIBSSH2_AGENT);
    TAG(LIBSSH2_SFTP);
    TAG(LIBSSH2_SFTP_HANDLE);
    TAG(LIBSSH2_PUBLICKEY);
    TAG(LIBSSH2_SFTP_ATTRIBUTES);
    TAG(LIBSSH2_SFTP_STATVFS);
    TAG(LIBSSH2_USERAUTH_KBDINT_PROMPT);
    TAG(LIBSSH2_USERAUTH_KBDINT_RESPONSE);
    TAG(LIBSSH2_SK_SIG_INFO);
    TAG(LIBSSH2_PRIVKEY_SK);
    TAG(libssh2_publickey_attribute);
    TAG(libssh2_publickey_list);
#ifndef LIBSSH2_NO_DEPRECATED
    TAG(LIBSSH2_POLLFD);
#endif
}

int main(void)
{
    authentication();
    polling();
    known_hosts_and_agent();
    sftp();
    publickey();
    scalars();
    tags();
    return checked();
}
