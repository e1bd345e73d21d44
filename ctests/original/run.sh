#!/bin/bash
# Runs the original libssh2's own test programs and examples, compiled as they are against our headers, on our library.
# README.md tells what is run and what is left out. The last line is "N passed, N failed".
#
#   ctests/original/run.sh             the default is target/release/libssh2.so
#   CTESTS_OURS=file                   our library; with the original's in its place the suite proves itself
#   CTESTS_ONLY="test_ssh2 scp ..."    only these programs
#   CTESTS_JOBS=2                      how many at a time
#   CTESTS_TIMEOUT=30                  how many seconds a program has
#   CTESTS_LIMIT=300                   after how many no further program is begun
set -u
umask 022

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
library=${CTESTS_OURS:-$target/release/libssh2.so}

die() {
    echo "original: $*" >&2
    echo "0 passed, 1 failed"
    exit 1
}

[ -f "$library" ] || die "$library is not there: make"
peer=$("$root/ctests/peer/build.sh") || die "the original's programs are not to be had (see above)"
work=$(mktemp -d "${TMPDIR:-/tmp}/ctests-original.XXXXXX") || exit 1

. "$here/jobs.sh"
. "$here/build.sh"
. "$here/servers.sh"
. "$here/tests.sh"
. "$here/examples.sh"
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

head -c 1000000 /dev/urandom >"$work/data" # for whatever wants some
compile_all
start_servers
try_tests
try_examples
wait

verdicts=$(find "$work/run" -name '*.verdict' -exec cat {} +)
passed=$(grep -c '^ok - ' <<<"$verdicts")
failed=$(grep -c '^not ok - ' <<<"$verdicts")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
