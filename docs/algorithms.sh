#!/bin/bash
# Asks this library, the original, libssh and OpenSSH which algorithms they have, and writes the table of docs/features.md
# anew. libssh (Debian: libssh-dev) and the original (ctests/peer/build.sh) must be there.
#
#   docs/algorithms.sh [--check]     --check: tells whether the columns of ours and the original's are as in the file
#
# CTESTS_OURS names our library (default: target/release/libssh2.so).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
page=$root/docs/features.md
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
library=$(realpath "${CTESTS_OURS:-$target/release/libssh2.so}")
work=$(mktemp -d "${TMPDIR:-/tmp}/libssh2-algorithms.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >libssh2.c <<'END'
#include <stdio.h>
#include <libssh2.h>

int main(void)
{
    static const struct { int method; const char *name; } kinds[] = {
        { LIBSSH2_METHOD_KEX, "kex" }, { LIBSSH2_METHOD_HOSTKEY, "key" }, { LIBSSH2_METHOD_CRYPT_CS, "cipher" },
        { LIBSSH2_METHOD_MAC_CS, "mac" }, { LIBSSH2_METHOD_COMP_CS, "compression" },
    };
    LIBSSH2_SESSION *session = libssh2_session_init();
    libssh2_session_flag(session, LIBSSH2_FLAG_COMPRESS, 1);
    for(int i = 0; i < 5; i++) {
        const char **names;
        int count = libssh2_session_supported_algs(session, kinds[i].method, &names);
        for(int j = 0; j < count; j++)
            printf("%s %s\n", kinds[i].name, names[j]);
        if(count > 0)
            libssh2_free(session, names);
    }
    libssh2_session_free(session);
    return 0;
}
END
# libssh tells no list, but refuses what it does not know.
cat >libssh.c <<'END'
#include <stdio.h>
#include <string.h>
#include <libssh/libssh.h>

int main(void)
{
    static const struct { enum ssh_options_e option; const char *name; } kinds[] = {
        { SSH_OPTIONS_KEY_EXCHANGE, "kex" }, { SSH_OPTIONS_HOSTKEYS, "key" }, { SSH_OPTIONS_CIPHERS_C_S, "cipher" },
        { SSH_OPTIONS_HMAC_C_S, "mac" }, { SSH_OPTIONS_COMPRESSION_C_S, "compression" },
    };
    char kind[32], name[128];
    ssh_session session = ssh_new();
    while(scanf("%31s %127s", kind, name) == 2)
        for(int i = 0; i < 5; i++)
            if(!strcmp(kind, kinds[i].name) && ssh_options_set(session, kinds[i].option, name) == 0)
                printf("%s %s\n", kind, name);
    ssh_free(session);
    return 0;
}
END

peer=$("$root/ctests/peer/build.sh")
mkdir ours
ln -s "$library" ours/libssh2.so.1
cc -o ask libssh2.c -I"$root/include" -L"$peer" -lssh2 -Wl,--allow-shlib-undefined
LD_LIBRARY_PATH=ours ./ask | sort >ours.list
LD_LIBRARY_PATH=$peer ./ask | sort >original.list

# What is agreed on under these names is no key exchange.
without_markers() {
    grep -v -e ' ext-info-c$' -e ' kex-strict-'
}

# The rows, in the order of kinds, the better known first. $1 lists the files of the columns.
table() { # FILE...
    local kind name file row
    for kind in kex:'Key exchange' key:'Host keys' cipher:Ciphers mac:MACs compression:Compression; do
        sort -u "$@" | without_markers | sed -n "s/^${kind%%:*} //p" | while read -r name; do
            row="| ${kind#*:} | \`$name\` |"
            for file in "$@"; do
                if grep -qxF "${kind%%:*} $name" "$file"; then row="$row yes |"; else row="$row |"; fi
            done
            echo "$row"
        done
    done
}

if [ "${1:-}" = --check ]; then
    # Later ones have more, and so have those who use them.
    case $(pkg-config --modversion libcrypto) in
    3.0.*) ;;
    *) echo "skipped - the page is about OpenSSL 3.0" && exit ;;
    esac
    # Of each row the first four cells; rows that neither of the two has are the others' alone.
    table ours.list original.list >wanted
    sed -n '/^<!-- begin/,/^<!-- end/p' "$page" | grep '^| [A-Z][A-Za-z ]* | `' |
        awk -F'|' '$4 ~ /yes/ || $5 ~ /yes/ { print "|" $2 "|" $3 "|" $4 "|" $5 "|" }' >written
    diff wanted written
    exit
fi

cc -o ask_libssh libssh.c -lssh
for kind in kex key cipher mac compression; do
    # Names of RSA signatures, which OpenSSH counts as such and not as keys.
    { ssh -Q "$kind"; [ $kind != key ] || ssh -Q HostKeyAlgorithms; } | sed "s/^/$kind /"
done | sort -u >openssh.list
sort -u ours.list original.list openssh.list | ./ask_libssh | sort >libssh.list

libssh=$(pkg-config --modversion libssh)
openssh=$(ssh -V 2>&1 | sed 's/^OpenSSH_\([0-9.]*\).*/\1/')
{
    sed '/^<!-- begin/q' "$page"
    echo "| | | libssh2-rs | libssh2 1.11.2 | libssh $libssh | OpenSSH $openssh |"
    echo "|---|---|---|---|---|---|"
    table ours.list original.list libssh.list openssh.list
    sed -n '/^<!-- end/,$p' "$page"
} >page
cp page "$page"
