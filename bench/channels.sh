#!/usr/bin/env bash
# Counts the instructions that a call takes with one channel open and with a hundred: they must be the same.
#
#   bench/channels.sh         about a minute; needs valgrind
#   CHANNELS_ROUNDS=100       calls to count (default 200)
#
# Exits 0 when the hundred cost at most a tenth more, 1 when they do not, 2 when it cannot run.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$bench")
target=${CARGO_TARGET_DIR:-$root/target}
rounds=${CHANNELS_ROUNDS:-200}

. "$bench/sshd.sh"

die() {
    echo "channels: $*" >&2
    exit 2
}

work=$(mktemp -d "${TMPDIR:-/tmp}/libssh2-channels.XXXXXX")
trap 'sshd_stop; rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM

command -v valgrind >/dev/null || die "valgrind is missing"
library=$target/release/libssh2.a
[ -f "$library" ] || die "$library is not there: make"
${CC:-cc} -std=gnu11 -O2 -g -Wall -Wextra -I"$root/include" -o "$work/channels" "$bench/channels.c" \
    "$library" -lcrypto -lz -lpthread -ldl -lm
sshd_start "$work" "MaxSessions 200" || exit 2

# The instructions of each call of one function.
instructions() { # FUNCTION CHANNELS
    valgrind --tool=callgrind --toggle-collect="$1" --callgrind-out-file=/dev/null \
        "$work/channels" "$SSHD_PORT" "$SSHD_USER" "$SSHD_KEY" "$2" "$rounds" 2>&1 |
        awk -v rounds="$rounds" '/Collected *:/ { printf "%d", $NF / rounds }'
}

missed=0
printf '%-24s %12s %12s %7s\n' "instructions per call" "1 channel" "100 channels" ratio
for function in counted_write counted_read counted_ready counted_ready_in_vain; do
    one=$(instructions $function 1)
    hundred=$(instructions $function 100)
    [ "${one:-0}" -gt 0 ] && [ "${hundred:-0}" -gt 0 ] || die "$function was not counted"
    verdict=PASS
    [ $((hundred * 10)) -le $((one * 11)) ] || verdict=FAIL missed=1
    printf '%-24s %12d %12d %7.3f  %s\n' "${function#counted_}" "$one" "$hundred" \
        "$(awk "BEGIN { print $hundred / $one }")" $verdict
done
exit $missed
