/* The library by itself: init and exit, version, build options, tracing, the public structs. */
#include "harness.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void versions(void)
{
    const char *version = libssh2_version(0);
    trace("version %.6s", version ? version : "NULL");
    trace("version asked for 1.0.0: %s", libssh2_version(0x010000) ? "given" : "refused");
    trace("version asked for 1.11.1: %s", libssh2_version(0x010b01) ? "given" : "refused");
    trace("version asked for 1.12.0: %s", libssh2_version(0x010c00) ? "given" : "refused");
    trace("version asked for 127.0.0: %s", libssh2_version(0x7f0000) ? "given" : "refused");
    trace("version asked for a negative one: %s", libssh2_version(-1) ? "given" : "refused");
    /* The original calls itself 1.11.2 and counts itself as 1.11.1. */
    ok((libssh2_version(0x010b02) != NULL) == ours, "version asked for 1.11.2");
    if(ours) {
        ok(strcmp(version, "1.11.2") == 0, "version is 1.11.2");
        is_number(LIBSSH2_VERSION_NUM, 0x010b02, "LIBSSH2_VERSION_NUM");
        ok(strcmp(LIBSSH2_VERSION, "1.11.2") == 0, "LIBSSH2_VERSION");
    }
    trace("crypto engine %d", libssh2_crypto_engine());
}

/* "key:value" pairs: the keys and their order are what programs can rely on. Ours may add some. */
static void build_options(void)
{
    const char *options = libssh2_build_options();
    int keys = 0;
    ok(options && strchr(options, '\n') == NULL, "build options are one line");
    char *copy = strdup(options), *rest = copy;
    for(char *pair; (pair = strsep(&rest, " "));) {
        char *value = strchr(pair, ':');
        if(!ok(value != NULL, "\"%s\" is a pair", pair))
            continue;
        *value = '\0';
        if(++keys <= 23)
            trace("build option %s", pair);
    }
    free(copy);
    ok(strncmp(options, "crypto:OpenSSL", 14) == 0, "the engine comes first");
}

static void layouts(void)
{
    trace("attributes %zu: %zu %zu %zu %zu %zu %zu %zu", sizeof(LIBSSH2_SFTP_ATTRIBUTES),
          offsetof(LIBSSH2_SFTP_ATTRIBUTES, flags), offsetof(LIBSSH2_SFTP_ATTRIBUTES, filesize),
          offsetof(LIBSSH2_SFTP_ATTRIBUTES, uid), offsetof(LIBSSH2_SFTP_ATTRIBUTES, gid),
          offsetof(LIBSSH2_SFTP_ATTRIBUTES, permissions),
          offsetof(LIBSSH2_SFTP_ATTRIBUTES, atime), offsetof(LIBSSH2_SFTP_ATTRIBUTES, mtime));
    is_number(sizeof(LIBSSH2_SFTP_ATTRIBUTES), 56, "size of LIBSSH2_SFTP_ATTRIBUTES");
    is_number(offsetof(LIBSSH2_SFTP_ATTRIBUTES, mtime), 48, "offset of mtime");
    is_number(sizeof(libssh2_uint64_t), 8, "size of libssh2_uint64_t");
    is_number(sizeof(libssh2_socket_t), sizeof(int), "size of libssh2_socket_t");
}

void test(void)
{
    /* Without init: the first session sees to it. */
    LIBSSH2_SESSION *session = libssh2_session_init();
    ok(session != NULL, "a session without libssh2_init");
    trace("session_free = %s", error_name(libssh2_session_free(session)));

    trace("init = %d", libssh2_init(0));
    trace("init again = %d", libssh2_init(0));
    session = libssh2_session_init();
    ok(session != NULL, "a session after libssh2_init");
    trace("trace = %d", libssh2_trace(session, LIBSSH2_TRACE_SFTP));
    trace("trace_sethandler = %d", libssh2_trace_sethandler(session, NULL, NULL));
    libssh2_free(session, NULL);
    char *empty = NULL;
    libssh2_session_last_error(session, &empty, NULL, 1);
    libssh2_free(session, empty);
    trace("session_free = %s", error_name(libssh2_session_free(session)));
    versions();
    build_options();
    layouts();
    libssh2_exit();
    libssh2_exit();
    libssh2_exit(); /* one more than init is harmless */
    trace("init with NO_CRYPTO = %d", libssh2_init(LIBSSH2_INIT_NO_CRYPTO));
    libssh2_exit();
    trace("init after all = %d", libssh2_init(0));
    libssh2_exit();
}
