#!/bin/bash
# Runs the C tests under valgrind: no error, and nothing that the library has lost. common.sh has the settings, and
# CTESTS_OURS names the library (default: target/release/libssh2.so). The last line is "N passed, N failed".
set -u

. "$(dirname "$0")/common.sh"
library=${CTESTS_OURS:-$target/release/libssh2.so}
if ! command -v valgrind >/dev/null; then
    [ "${1:-all}" = some ] || die "valgrind is not there"
    echo "skipped - memory: valgrind is not there"
    echo "0 passed, 0 failed"
    exit 0
fi
[ -f "$library" ] || die "$library is not there: make"

# What is "possibly lost" is not: hash tables are held by a pointer into their middle.
check="valgrind -q --error-exitcode=77 --leak-check=full --show-leak-kinds=definite,indirect --num-callers=50
    --errors-for-leak-kinds=none --log-file=$reports/report.%p"
# alloc_inside has a malloc of its own in front of the one that is watched.
check="$check --soname-synonyms=somalloc=nouserintercepts"

# A program that reads what it has not written, and loses what the library gave it: both must be seen.
cc -g -Wno-deprecated-declarations -I"$root/include" -o "$reports/faulty" "$here/faulty.c" -L"$(dirname "$library")" -lssh2 \
    -Wl,--allow-shlib-undefined || die "faulty.c does not compile"
ln -s "$(realpath "$library")" "$reports/libssh2.so.1"
fault() {
    LD_LIBRARY_PATH=$reports $check "$reports/faulty" "$1" >/dev/null
}
fault overrun
[ $? = 77 ] || die "valgrind does not see the overrun of faulty.c"
tells_losses_apart fault

[ "${1:-all}" = all ] || export CTESTS_MODE=${CTESTS_MODE:-nonblocking}
CTESTS_WRAP=$check CTESTS_SLOW=10 CTESTS_TIMEOUT=${CTESTS_TIMEOUT:-600} run_tests "$library"
judge_leaks
