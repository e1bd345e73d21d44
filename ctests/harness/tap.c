/* Results: TAP for people and tools, the trace for the comparison. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int done, failed;
static bool untraced;

bool ok(bool passed, const char *format, ...)
{
    va_list arguments;
    done++;
    failed += !passed;
    printf("%sok %d - ", passed ? "" : "not ", done);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    return passed;
}

bool is_number(long long got, long long want, const char *what)
{
    bool passed = ok(got == want, "%s", what);
    if(!passed)
        diag("  got %lld, wanted %lld", got, want);
    return passed;
}

void diag(const char *format, ...)
{
    va_list arguments;
    fputs("# ", stdout);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void trace_off(bool off)
{
    untraced = off;
}

void trace(const char *format, ...)
{
    va_list arguments;
    fputs(untraced ? "# | " : "| ", stdout);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void skip(const char *why)
{
    printf("ok %d # SKIP %s\n", ++done, why);
}

void bail(const char *format, ...)
{
    va_list arguments;
    fputs("Bail out! ", stdout);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    server_log();
    exit(1);
}

int failures(void)
{
    return failed;
}

int finish(void)
{
    if(failed)
        server_log();
    printf("1..%d\n", done);
    return failed || !done ? 1 : 0;
}

/* --- names --- */

struct name {
    long long number;
    const char *name;
};

static const char *name_of(const struct name *names, size_t count, long long number)
{
    static char unnamed[4][32];
    static unsigned next;
    for(size_t i = 0; i < count; i++)
        if(names[i].number == number)
            return names[i].name;
    char *text = unnamed[next++ % COUNT(unnamed)];
    snprintf(text, sizeof(unnamed[0]), "%lld", number);
    return text;
}

#define ERROR(name) { LIBSSH2_ERROR_##name, #name }

const char *error_name(long long code)
{
    static const struct name names[] = {
        ERROR(SOCKET_NONE),
        ERROR(BANNER_RECV),
        ERROR(BANNER_SEND),
        ERROR(INVALID_MAC),
        ERROR(KEX_FAILURE),
        ERROR(ALLOC),
        ERROR(SOCKET_SEND),
        ERROR(KEY_EXCHANGE_FAILURE),
        ERROR(TIMEOUT),
        ERROR(HOSTKEY_INIT),
        ERROR(HOSTKEY_SIGN),
        ERROR(DECRYPT),
        ERROR(SOCKET_DISCONNECT),
        ERROR(PROTO),
        ERROR(PASSWORD_EXPIRED),
        ERROR(FILE),
        ERROR(METHOD_NONE),
        ERROR(AUTHENTICATION_FAILED),
        ERROR(PUBLICKEY_UNVERIFIED),
        ERROR(CHANNEL_OUTOFORDER),
        ERROR(CHANNEL_FAILURE),
        ERROR(CHANNEL_REQUEST_DENIED),
        ERROR(CHANNEL_UNKNOWN),
        ERROR(CHANNEL_WINDOW_EXCEEDED),
        ERROR(CHANNEL_PACKET_EXCEEDED),
        ERROR(CHANNEL_CLOSED),
        ERROR(CHANNEL_EOF_SENT),
        ERROR(SCP_PROTOCOL),
        ERROR(ZLIB),
        ERROR(SOCKET_TIMEOUT),
        ERROR(SFTP_PROTOCOL),
        ERROR(REQUEST_DENIED),
        ERROR(METHOD_NOT_SUPPORTED),
        ERROR(INVAL),
        ERROR(INVALID_POLL_TYPE),
        ERROR(PUBLICKEY_PROTOCOL),
        ERROR(EAGAIN),
        ERROR(BUFFER_TOO_SMALL),
        ERROR(BAD_USE),
        ERROR(COMPRESS),
        ERROR(OUT_OF_BOUNDARY),
        ERROR(AGENT_PROTOCOL),
        ERROR(SOCKET_RECV),
        ERROR(ENCRYPT),
        ERROR(BAD_SOCKET),
        ERROR(KNOWN_HOSTS),
        ERROR(CHANNEL_WINDOW_FULL),
        ERROR(KEYFILE_AUTH_FAILED),
        ERROR(RANDGEN),
        ERROR(MISSING_USERAUTH_BANNER),
        ERROR(ALGO_UNSUPPORTED),
    };
    return name_of(names, COUNT(names), code);
}

#define FX(name) { LIBSSH2_FX_##name, #name }

const char *fx_name(unsigned long status)
{
    static const struct name names[] = {
        FX(OK),
        FX(EOF),
        FX(NO_SUCH_FILE),
        FX(PERMISSION_DENIED),
        FX(FAILURE),
        FX(BAD_MESSAGE),
        FX(NO_CONNECTION),
        FX(CONNECTION_LOST),
        FX(OP_UNSUPPORTED),
        FX(FILE_ALREADY_EXISTS),
    };
    return name_of(names, COUNT(names), (long long)status);
}
