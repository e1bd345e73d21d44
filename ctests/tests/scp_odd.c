/* What a strange scp at the other end may say: lines that make no sense, warnings and failures with
 * their words, too much, too little. A script in scp's place prints what the path says. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct conn *c;

/* The text between the quotes goes through printf; if it ends with END the script ends as well,
 * else it listens on. */
static const char script[] =
    "#!/bin/sh\n"
    "text=${SSH_ORIGINAL_COMMAND#*\\'}\n"
    "text=${text%\\'}\n"
    "printf \"${text%END}\"\n"
    "case $text in *END) echo 'nothing like that here' >&2; exit 3 ;; esac\n"
    "exec cat >/dev/null\n";

static void says(const char *words)
{
    char *text = NULL;
    libssh2_session_last_error(c->session, &text, NULL, 0);
    if(ours && words)
        ok(strstr(text, words) != NULL, "it says: %s", text);
}

static const struct odd {
    const char *text;
    const char *words; /* of the last error; NULL where it works */
    bool only_ours;
} received[] = {
    /* The original waits for times first, as they have been asked for. */
    { "C0644 3 name\\nabc\\000", NULL, true },
    { "T1000 0 2000 0\\nC0600 3 name with blanks\\nabc\\000", NULL, false },
    { "\\001scp: a warning\\n", "a warning", false },
    { "\\002scp: that was all\\n", "that was all", false },
    { "T1 0 2 0\\n\\001scp: behind the times\\n", "behind the times", false },
    { "C0644\\n", "no sense", false },
    { "C0644 \\n", "no sense", false },
    { "C0644 x name\\n", "no sense", false },
    { "Cx 3 name\\n", "no sense", false },
    { "Tx 0 2 0\\n", "no sense", false },
    /* The original takes what is no number, or no size of a file, for one. */
    { "C0644 -3 name\\n", "no sense", true },
    { "C0999 3 name\\n", "no sense", true },
    { "C0644 99999999999999999999 name\\n", "no sense", true },
    { "C777777777777 3 name\\n", "no sense", true },
    /* It waits on behind what is neither, for the end of any line, and for an scp that has gone. */
    { "T1 0\\n", "no sense", true },
    { "D0755 0 directory\\n", "no sense", true },
    { "good morning\\n", "no sense", true },
    { "\\n", "no sense", true },
    { "C0644 3 %70000s", "without end", true },
    { "%70000s", "without end", true },
    { "END", "nothing like that here", true },
    { "C0644 3 naEND", "C0644 3 na", true },
    { "\\001the last wordsEND", "the last words", true },
    { "T1 0 2 0\\n\\001no such file\\nEND", "no such file", true },
};

static void receive(const struct odd *odd)
{
    struct stat st;
    char bytes[4] = "";
    if(odd->only_ours && !ours)
        return;
    trace_off(odd->only_ours);
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_recv2(c->session, odd->text, &st));
    trace_pointer(c, channel, "recv of %.40s", odd->text);
    ok((channel != NULL) == !odd->words, "recv of %.40s", odd->text);
    if(channel) {
        ssize_t got = 0;
        while(got < 3) {
            ssize_t rc = CALL(c, libssh2_channel_read(channel, bytes + got, 3 - (size_t)got));
            if(rc <= 0)
                bail("read: %s", error_name(rc));
            got += rc;
        }
        trace("%s, mode %o, size %lld, times %lld %lld", bytes, (unsigned)st.st_mode,
              (long long)st.st_size, (long long)st.st_mtime, (long long)st.st_atime);
        trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    }
    else {
        is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_SCP_PROTOCOL, "last_errno");
        says(odd->words);
    }
    trace_off(false);
}

static const struct odd sent[] = {
    { "\\000\\000", NULL, false },
    { "\\001no space left\\n", "no space left", false },
    { "\\002\\n", "failed", false },
    { "\\000\\001not that file\\n", "not that file", false },
    /* The original waits for an scp that has gone. */
    { "END", "nothing like that here", true },
    { "\\000END", "nothing like that here", true },
    { "\\000\\001cut shortEND", "cut short", true },
    { "\\000\\001read only\\nEND", "read only", true },
};

static void send(const struct odd *odd)
{
    if(odd->only_ours && !ours)
        return;
    trace_off(odd->only_ours);
    LIBSSH2_CHANNEL *channel = CALLP(c, libssh2_scp_send64(c->session, odd->text, 0600, 3, 0, 0));
    trace_pointer(c, channel, "send to %.40s", odd->text);
    ok((channel != NULL) == !odd->words, "send to %.40s", odd->text);
    if(channel) {
        trace_rc(c, CALL(c, libssh2_channel_write(channel, "abc", 3)), "write");
        trace_rc(c, CALL(c, libssh2_channel_free(channel)), "free");
    }
    else {
        is_number(libssh2_session_last_errno(c->session), LIBSSH2_ERROR_SCP_PROTOCOL, "last_errno");
        says(odd->words);
    }
    trace_off(false);
}

void test(void)
{
    char config[300];
    write_whole(temp_path("scp"), script, sizeof(script) - 1);
    chmod(temp_path("scp"), 0755);
    snprintf(config, sizeof(config), "ForceCommand %s\nMaxSessions 100\n", temp_path("scp"));
    server_config(config);
    c = conn_new();
    conn_handshake(c);
    conn_login(c);
    c->limit_ms = 10000;
    libssh2_session_set_timeout(c->session, 10000);
    for(size_t i = 0; i < COUNT(received); i++)
        receive(&received[i]);
    for(size_t i = 0; i < COUNT(sent); i++)
        send(&sent[i]);
    conn_close(c);
}
