#!/bin/bash
# Meets servers of every make, each started on loopback: handshakes, algorithms, logins, commands and the whole of SFTP.
# The last line is "N passed, N failed". docs/interop.md says what came out; a run that met all of them writes it anew.
#
#   ctests/interop/run.sh               the default is target/release/libssh2.so
#   CTESTS_OURS=file                    our library
#   CTESTS_LIB=ours|peer                one library alone: the original, to tell our faults from the servers'; otherwise
#                                       what it traces of files must be the same on it
#   CTESTS_MODE=blocking|nonblocking    one mode
#   CTESTS_JOBS=2                       how many programs at a time
#   INTEROP_SERVERS="go paramiko"       these servers alone
#   INTEROP_WITHOUT=russh               all but these
#   CTESTS_ONLY="files logins"          these programs alone
#   INTEROP_KEEP=dir                    keep all output there
set -u
umask 022

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
which=${CTESTS_LIB:-both}
python=$target/interop/venv/bin/python
CC=${CC:-cc}
makes="openssh sftp_server dropbear tinyssh asyncssh paramiko proftpd libssh go russh mina"
export PATH=$PATH:/usr/sbin:/usr/local/sbin LC_ALL=C.UTF-8
ulimit -Sn 1024 # of which some servers make what they take

die() {
    echo "interop: $*" >&2
    echo "0 passed, 1 failed"
    exit 1
}

# Not in /tmp: TinySSH wants a home that nobody else can write above.
mkdir -p "$target/interop"
work=$(mktemp -d "$(realpath "$target/interop")/run.XXXXXX") || exit 1
. "$here/../original/jobs.sh"
. "$here/servers.sh"
. "$here/tables.sh"
x_sockets=
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# --- the library, the programs ---

mkdir "$work/bin" "$work/obj" "$work/run" "$work/tmp"
case $which in both | peer | ours) ;; *) die "CTESTS_LIB is both, peer or ours" ;; esac
library() { # NAME FILE
    [ -f "$2" ] || die "$2 is not there: make"
    mkdir "$work/$1"
    ln -s "$(realpath "$2")" "$work/$1/libssh2.so.1"
    ln -s libssh2.so.1 "$work/$1/libssh2.so"
    link=$work/$1
}
if [ "$which" != ours ]; then
    peer=$("$here/../peer/build.sh") || die "the original is not to be had (see above)"
    library peer "$peer/libssh2.so.1"
fi
[ "$which" = peer ] || library ours "${CTESTS_OURS:-$target/release/libssh2.so}"

compile() { # SOURCE
    $CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -Wno-deprecated-declarations -DCTESTS_DIR="\"$here/..\"" \
        -I"$root/include" -I"$here/../harness" -I"$here/client" -c "$1" -o "$work/obj/$(basename "$1" .c).o" ||
        die "$(basename "$1") does not compile"
}
programs="algorithms logins transfer files limits"
for source in "$here"/../harness/*.c "$here"/client/*.c; do
    compile "$source"
done
shared=$(find "$work/obj" -name '*.o' | grep -v -E "/($(tr ' ' '|' <<<"$programs"))\.o$")
for program in $programs; do
    # shellcheck disable=SC2086
    $CC -o "$work/bin/$program" "$work/obj/$program.o" $shared -L"$link" -lssh2 -lcrypto \
        -Wl,--allow-shlib-undefined || die "$program does not link"
done
prepare

# --- the servers ---

declare -A ports all_logins all_can titles versions missing
wanted=
for make in $makes; do
    case " ${INTEROP_SERVERS:-$makes} " in *" $make "*) ;; *) continue ;; esac
    case " ${INTEROP_WITHOUT:-} " in *" $make "*) continue ;; esac
    port= logins= can= says= title= why=
    "start_$make"
    titles[$make]=$title
    versions[$make]=$says
    if [ -n "$why" ]; then
        missing[$make]=$why
        echo "skipped - $title: $why"
        continue
    fi
    ports[$make]=$port
    all_logins[$make]=$logins
    all_can[$make]=$can
    wanted="$wanted $make"
done
[ -n "$wanted" ] || die "no server is to be had"

# --- the meetings ---

# One program with one server, on one library. What it says is kept beside its log.
meet_on() { # LIBRARY MAKE PROGRAM MODE
    local said=$work/run/$2-$3-$4.$1 is_ours=1 result
    [ "$1" = peer ] && is_ours=0
    INTEROP_PORT=${ports[$2]} INTEROP_LOGINS=${all_logins[$2]} INTEROP_CAN=${all_can[$2]} \
        CTESTS_KEYS=$work/keys TMPDIR=$work/tmp OURS=$is_ours LD_LIBRARY_PATH=$work/$1 \
        timeout --foreground -k 5 150 "$work/bin/$3" "$4" >"$said" 2>&1
    result=$?
    cat "$said"
    [ $result = 0 ] && ! grep -q -e '^not ok' -e '^Bail out' "$said" &&
        [ "$(sed -n 's/^1\.\.//p' "$said")" = "$(grep -c '^ok' "$said")" ]
}

# Both must say the same of what a server decides.
meet() { # MAKE PROGRAM MODE
    local said=$work/run/$1-$2-$3
    [ "$which" = both ] || { meet_on "$which" "$@"; return; }
    meet_on ours "$@" || return
    [ "$2-$3" = files-blocking ] || return 0
    meet_on peer "$@" >/dev/null || { echo "the original:"; cat "$said.peer"; return 1; }
    diff -u --label original <(grep '^| ' "$said.peer") --label ours <(grep '^| ' "$said.ours")
}

for program in $programs; do
    case " ${CTESTS_ONLY:-$programs} " in *" $program "*) ;; *) continue ;; esac
    for make in $wanted; do
        case $program-$make in
        files-* | limits-*) case " ${all_can[$make]} " in *" sftp "*) ;; *) continue ;; esac ;;
        algorithms-sftp_server | logins-sftp_server) continue ;; # as with internal-sftp
        esac
        for mode in ${CTESTS_MODE:-blocking nonblocking}; do
            # What is a matter of the server's answers alone is asked once.
            case $program-$mode in algorithms-nonblocking | limits-nonblocking) continue ;; esac
            take_turn
            judge "$make-$program-$mode" meet "$make" "$program" "$mode" &
        done
    done
done
wait
[ -z "${INTEROP_KEEP:-}" ] || { mkdir -p "$INTEROP_KEEP" && cp -r "$work/run/." "$INTEROP_KEEP"; }

verdicts=$(find "$work/run" -name '*.verdict' -exec cat {} +)
passed=$(grep -c '^ok - ' <<<"$verdicts")
failed=$(grep -c '^not ok - ' <<<"$verdicts")
only=${INTEROP_SERVERS:-}${INTEROP_WITHOUT:-}${CTESTS_ONLY:-}${CTESTS_MODE:-}
if [ "$which" = both ] && [ "$failed" = 0 ] && [ -z "$only" ]; then
    write_tables
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
