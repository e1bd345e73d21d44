#!/bin/bash
# Runs the C test suite on the original libssh2 and on ours, in both modes, and compares traces.
#
#   ctests/run.sh                     everything
#   CTESTS_ONLY="session rekey"       only these programs
#   CTESTS_LIB=peer | ours            one library alone: proves the suite, or needs no network
#   CTESTS_MODE=blocking|nonblocking  one mode
#   CTESTS_JOBS=4                     how many at a time (default: two more than processors, since many wait)
#   CTESTS_WRAP="valgrind -q ..."     run each program under this (with CTESTS_SLOW=10)
#   CTESTS_OURS=file                  our library (default: target/release/libssh2.so)
#   CTESTS_ALL=1                      what takes minutes as well
#   CTESTS_KEEP=1                     print all output, not only that of failures
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
target=${CARGO_TARGET_DIR:-$root/target}
which=${CTESTS_LIB:-both}
limit=${CTESTS_TIMEOUT:-240}
jobs=${CTESTS_JOBS:-$(($(nproc) + 2))}
[ -z "${CTESTS_ALL:-}" ] || limit=900

die() {
    echo "ctests: $*" >&2
    echo "0 passed, 1 failed"
    exit 1
}

work=$(mktemp -d "${TMPDIR:-/tmp}/ctests-run.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
# Each job is a process group (-m). When told to stop, the programs clean up and are waited for.
set -m
trap 'for job in $(jobs -p); do kill -TERM -- "-$job"; done 2>/dev/null; wait; exit 1' HUP INT TERM

case $which in both | peer | ours) ;; *) die "CTESTS_LIB is both, peer or ours" ;; esac
libraries=
if [ "$which" != ours ]; then
    peer=$("$here/peer/build.sh") || die "no original libssh2 to compare with (see above)"
    libraries="peer"
fi
if [ "$which" != peer ]; then
    library=${CTESTS_OURS:-$target/release/libssh2.so}
    [ -f "$library" ] || die "$library is not there: make"
    mkdir "$work/ours"
    ln -s "$(realpath "$library")" "$work/ours/libssh2.so.1"
    ln -s libssh2.so.1 "$work/ours/libssh2.so"
    libraries="$libraries ours"
fi

# Our headers if they exist (they must do for both libraries), else the original's.
if [ -f "$root/include/libssh2.h" ] && [ -f "$root/include/libssh2_sftp.h" ]; then
    include=$root/include
else
    include=${peer:?"no include/ and no original: nothing to compile against"}/include
fi
link=$work/ours
[ -n "${peer:-}" ] && link=$peer

# --- build ---

CC=${CC:-cc}
flags="-std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Wno-deprecated-declarations
    ${CTESTS_CFLAGS:-}"
mkdir "$work/bin" "$work/obj" "$work/log" "$work/tmp"
compile() { # SOURCE OBJECT
    $CC $flags -DCTESTS_DIR="\"$here\"" -I"$include" -I"$here/harness" -c "$1" -o "$2"
}
for source in "$here"/harness/*.c; do
    compile "$source" "$work/obj/$(basename "$source" .c).o" || die "the harness does not compile"
done
names=
for source in "$here"/tests/*.c; do
    name=$(basename "$source" .c)
    if [ -n "${CTESTS_ONLY:-}" ]; then
        case " $CTESTS_ONLY " in *" $name "*) ;; *) continue ;; esac
    fi
    compile "$source" "$work/$name.o" &&
        $CC ${CTESTS_CFLAGS:-} -o "$work/bin/$name" "$work/$name.o" "$work"/obj/*.o \
            -L"$link" -lssh2 -lcrypto -Wl,--allow-shlib-undefined || die "$name does not compile"
    names="$names $name"
done
[ -n "$names" ] || die "no such test: ${CTESTS_ONLY:-}"
mkdir "$work/servers"
for source in "$here"/servers/*.c; do
    $CC $flags -o "$work/servers/$(basename "$source" .c)" "$source" ||
        die "$(basename "$source") does not compile"
done
$CC $flags -U_GNU_SOURCE -o "$work/servers/delayproxy" "$root/bench/delayproxy.c" ||
    die "delayproxy.c does not compile"
if [ "$which" != peer ]; then
    $CC $flags -U_GNU_SOURCE -I"$include" -o "$work/servers/tunnel" "$root/examples/tunnel.c" \
        -L"$work/ours" -lssh2 -Wl,--allow-shlib-undefined ||
        die "examples/tunnel.c does not compile"
fi
export CTESTS_SERVERS=$work/servers
export SSH2_TESTD=${SSH2_TESTD:-$target/debug/examples/ssh2-testd}
[ -x "$SSH2_TESTD" ] || die "$SSH2_TESTD is not there: cargo build --example ssh2-testd"

"$here/keys.sh" "$work/keys" >"$work/keys.log" 2>&1 || {
    cat "$work/keys.log"
    die "keys.sh failed (ssh-keygen and openssl are needed)"
}
case " $names " in *" key_matrix "*)
    "$here/key_matrix.sh" "$work/keys" >"$work/keys.log" 2>&1 || {
        cat "$work/keys.log"
        die "key_matrix.sh failed"
    }
    ;;
esac
export CTESTS_KEYS=$work/keys TMPDIR=$work/tmp

# --- run ---

run_on() { # LIBRARY NAME MODE: stores LOG.LIBRARY and its trace
    local log=$work/log/$2.$3 path=$work/ours is_ours=1
    [ "$1" = peer ] && path=$peer is_ours=0
    LD_LIBRARY_PATH=$path OURS=$is_ours timeout --foreground -k 10 "$limit" \
        ${CTESTS_WRAP:-} "$work/bin/$2" "$3" >"$log.$1" 2>&1
    echo $? >"$log.$1.status"
    grep '^| ' "$log.$1" >"$log.$1.trace"
}

is_good() { # LOG: exit status 0, a plan that fits, and nothing that failed
    [ "$(cat "$1.status")" = 0 ] && ! grep -q -e '^not ok' -e '^Bail out' "$1" &&
        [ "$(sed -n 's/^1\.\.//p' "$1")" = "$(grep -c '^ok' "$1")" ]
}

judge() { # NAME MODE: one line for the pair, and what is wrong with it
    local log=$work/log/$1.$2 verdict=ok begin=$SECONDS library
    for library in $libraries; do
        run_on "$library" "$1" "$2"
        is_good "$log.$library" || verdict="not ok"
    done
    if [ "$which" = both ] && ! diff -u --label original --label ours \
        "$log.peer.trace" "$log.ours.trace" >"$log.diff"; then
        verdict="not ok"
    fi
    {
        echo "$verdict - $1 $2 ($((SECONDS - begin)) s)"
        for library in $libraries; do
            if [ -n "${CTESTS_KEEP:-}" ] || ! is_good "$log.$library"; then
                sed "s/^/    $library: /" "$log.$library"
                echo "    $library: exit status $(cat "$log.$library.status")"
            fi
        done
        [ -s "$log.diff" ] && sed 's/^/    /' "$log.diff"
    } >"$log.report"
    cat "$log.report"
}

for name in $names; do
    for mode in ${CTESTS_MODE:-blocking nonblocking}; do
        while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
            wait -n
        done
        judge "$name" "$mode" &
    done
done
wait

passed=$(cat "$work"/log/*.report | grep -c '^ok - ')
failed=$(cat "$work"/log/*.report | grep -c '^not ok - ')
[ "$which" = both ] || echo "(only $which was run: nothing was compared)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
