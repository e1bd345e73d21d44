/* The publickey subsystem, against a server of ours. */
#include "harness.h"

#include <libssh2_publickey.h>
#include <stdio.h>
#include <stdlib.h>

static struct conn *c;
static LIBSSH2_PUBLICKEY *keys;

/* What is not wrapped for blocking mode in the original returns EAGAIN there as well. */
#define REPEAT(expression)                                                                         \
    ({                                                                                             \
        int repeat_rc;                                                                             \
        conn_start_call(c);                                                                        \
        do                                                                                         \
            repeat_rc = (expression);                                                              \
        while(repeat_rc == LIBSSH2_ERROR_EAGAIN && conn_wait_always(c));                           \
        repeat_rc;                                                                                 \
    })

/* Refusals are -1 in the original, whose last error says more. */
static void trace_ask(int rc, const char *what)
{
    trace("%s: %s", what, rc == 0 ? "0" : error_name(libssh2_session_last_errno(c->session)));
    if(rc != 0 && ours)
        is_number(rc, libssh2_session_last_errno(c->session), "what is returned");
}

static void start(const char *arguments)
{
    char config[600];
    const char *servers = getenv("CTESTS_SERVERS");
    snprintf(config, sizeof(config), "Subsystem publickey exec %s/fake_publickey %s", servers,
             arguments);
    server_config(config);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    keys = CALLP(c, libssh2_publickey_init(c->session));
    trace_pointer(c, keys, "publickey_init of \"%s\"", arguments);
    if(!keys)
        bail("no publickey subsystem");
}

static void stop(void)
{
    trace("shutdown = %s", error_name(REPEAT(libssh2_publickey_shutdown(keys))));
    conn_close(c);
}

static int add(const char *name, const char *blob, char overwrite, unsigned long count,
               const libssh2_publickey_attribute *attributes)
{
    return REPEAT(libssh2_publickey_add_ex(keys, (const unsigned char *)name, strlen(name),
                                           (const unsigned char *)blob, strlen(blob), overwrite,
                                           count, attributes));
}

static int drop(const char *name, const char *blob)
{
    return REPEAT(libssh2_publickey_remove_ex(keys, (const unsigned char *)name, strlen(name),
                                              (const unsigned char *)blob, strlen(blob)));
}

static void show(void)
{
    unsigned long count = 77;
    libssh2_publickey_list *list = NULL;
    int rc = REPEAT(libssh2_publickey_list_fetch(keys, &count, &list));
    trace_ask(rc, "list_fetch");
    if(rc != 0)
        return;
    trace("%lu keys, list %d", count, list != NULL);
    for(unsigned long i = 0; i < count; i++) {
        trace("  %.*s %.*s, %lu attributes", (int)list[i].name_len, list[i].name,
              (int)list[i].blob_len, list[i].blob, list[i].num_attrs);
        for(unsigned long j = 0; j < list[i].num_attrs; j++)
            trace("    %.*s=%.*s (%d)", (int)list[i].attrs[j].name_len, list[i].attrs[j].name,
                  (int)list[i].attrs[j].value_len, list[i].attrs[j].value,
                  list[i].attrs[j].mandatory);
    }
    if(list && count % 8 != 0) /* the original forgets the end at multiples of 8 */
        ok(!list[count].packet && !list[count].attrs, "the list has an end");
    libssh2_publickey_list_free(keys, list);
}

static void a_whole_life(void)
{
    static const libssh2_publickey_attribute attributes[] = {
        libssh2_publickey_attribute("comment", "a comment", 0)
        libssh2_publickey_attribute("from", "*.example.org", 1)
    };
    static const libssh2_publickey_attribute unknown[] = {
        libssh2_publickey_attribute_fast("unknown", "x", 1)
    };
    start("2");
    show();
    trace_ask(add("ssh-ed25519", "blob one", 0, 2, attributes), "add");
    trace_ask(add("ssh-ed25519", "blob one", 0, 0, NULL), "add again");
    trace_ask(add("ssh-ed25519", "blob one", 1, 1, attributes), "overwrite");
    trace_ask(add("ssh-rsa", "blob two", 0, 1, unknown), "add with an unknown attribute");
    trace_ask(add("ssh-rsa", "blob two", 0, 0, NULL), "add another");
    show();
    trace_ask(drop("ssh-rsa", "blob three"), "remove what is not there");
    trace_ask(drop("ssh-ed25519", "blob one"), "remove");
    show();
    if(ours)
        for(int i = 0; i < 15; i++) {
            char blob[20];
            snprintf(blob, sizeof(blob), "blob %d", i);
            is_number(add("ssh-rsa", blob, 0, 2, attributes), 0, "add one of many");
        }
    trace_off(true);
    show();
    trace_off(false);
    stop();
}

static void version_one(void)
{
    static const libssh2_publickey_attribute attributes[] = {
        libssh2_publickey_attribute("from", "nowhere", 0)
        libssh2_publickey_attribute("comment", "of version one", 0)
    };
    start("1");
    trace_ask(add("ssh-rsa", "blob", 0, 2, attributes), "add");
    trace_ask(add("ssh-rsa", "plain", 0, 0, NULL), "add without a comment");
    show();
    stop();
}

/* The original loses its way with a response that it does not know. */
static void unknown_responses(void)
{
    if(!ours)
        return;
    trace_off(true);
    start("2 news");
    is_number(add("ssh-rsa", "blob", 0, 0, NULL), 0, "add");
    unsigned long count = 0;
    libssh2_publickey_list *list = NULL;
    is_number(REPEAT(libssh2_publickey_list_fetch(keys, &count, &list)), 0, "list_fetch");
    is_number((long long)count, 1, "keys");
    libssh2_publickey_list_free(keys, list);
    stop();
    trace_off(false);
}

static void refusals(void)
{
    static unsigned char much[40001];
    start("2 deny");
    trace_ask(add("ssh-rsa", "blob", 0, 0, NULL), "add");
    show();
    trace("NULL = %s", error_name(libssh2_publickey_add_ex(NULL, much, 1, much, 1, 0, 0, NULL)));
    trace("NULL = %s", error_name(libssh2_publickey_add_ex(keys, NULL, 1, much, 1, 0, 0, NULL)));
    trace("NULL = %s", error_name(libssh2_publickey_add_ex(keys, much, 1, much, 1, 0, 1, NULL)));
    trace("NULL = %s", error_name(libssh2_publickey_remove_ex(keys, much, 1, NULL, 1)));
    trace("NULL = %s", error_name(libssh2_publickey_shutdown(NULL)));
    trace("much = %s",
          error_name(libssh2_publickey_remove_ex(keys, much, 1, much, sizeof(much))));
    libssh2_publickey_list_free(keys, NULL);
    stop();

    server_config(NULL);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    keys = CALLP(c, libssh2_publickey_init(c->session));
    trace("publickey_init where there is none = %d", keys != NULL);
    if(ours) /* the original may have forgotten why */
        is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_CHANNEL_FAILURE, "why");
    conn_close(c);
}

void test(void)
{
    if(!getenv("CTESTS_SERVERS"))
        bail("CTESTS_SERVERS is not set");
    a_whole_life();
    version_one();
    unknown_responses();
    refusals();
}
