#!/bin/bash
# Runs the C tests under AddressSanitizer, library and programs, and then the unit tests: no error, and nothing that the
# library has lost. common.sh has the settings. The library is built for it, in target/asan. The last line is
# "N passed, N failed".
set -u

named=${CTESTS_ONLY:-}
. "$(dirname "$0")/common.sh"
host=$(rustc -vV | sed -n 's/^host: //p')

# The flag is not stable, but the stable compiler brings along what it needs.
cargo() { # COMMAND ARGUMENT...
    local command=$1
    shift
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address command cargo "$command" --manifest-path "$root/Cargo.toml" --locked \
        --quiet --lib --target "$host" --target-dir "$target/asan" "$@"
}
cargo rustc --crate-type cdylib || die "the library cannot be built with it"
library=$target/asan/$host/debug/libssh2.so
nm -D --undefined-only "$library" | grep -q ' __asan_report_load' || die "the library is not instrumented"

export CTESTS_CFLAGS="-fsanitize=address -fno-omit-frame-pointer ${CTESTS_CFLAGS:-}"
# Errors abort. What the programs lose must not fail them (exitcode): lost_by_the_library tells it apart.
options="log_path=$reports/report:abort_on_error=1:exitcode=0:detect_leaks=1:strict_string_checks=1"
options="$options:detect_stack_use_after_return=1"
# sshd is not instrumented, and gives its own children a clean environment.
check="env ASAN_OPTIONS=$options"

# A program that has the library read behind a buffer, and one that loses what it has allocated: both must be seen.
# shellcheck disable=SC2086
cc $CTESTS_CFLAGS -g -Wno-deprecated-declarations -I"$root/include" -o "$reports/faulty" "$here/faulty.c" -L"$(dirname "$library")" -lssh2 \
    -Wl,--allow-shlib-undefined || die "faulty.c does not compile"
ln -s "$library" "$reports/libssh2.so.1"
fault() {
    rm -f "$reports"/report.*
    ASAN_OPTIONS=$options LD_LIBRARY_PATH=$reports "$reports/faulty" "$1" >/dev/null
} 2>/dev/null
fault none || die "it finds an error where there is none: $(cat "$reports"/report.* | head -n 20)"
fault overrun && die "it does not see the overrun of faulty.c"
grep -q 'heap-buffer-overflow' "$reports"/report.* && grep -q 'base64.*\.rs:[0-9]' "$reports"/report.* ||
    die "it does not tell where in the library faulty.c overruns: $(cat "$reports"/report.* | head -n 20)"
tells_losses_apart fault

[ "${1:-all}" = all ] || export CTESTS_MODE=${CTESTS_MODE:-blocking}
CTESTS_WRAP=$check CTESTS_SLOW=4 CTESTS_TIMEOUT=${CTESTS_TIMEOUT:-300} run_tests "$library"
if [ -z "$named" ]; then
    if ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 cargo test >"$reports/units" 2>&1; then
        passed=$((passed + 1))
        echo "ok - unit tests: $(sed -n 's/^test result: ok. \([0-9]* passed\).*/\1/p' "$reports/units")"
    else
        failed=$((failed + 1))
        echo "not ok - unit tests"
        tail -n 100 "$reports/units" | sed 's/^/# /'
    fi
fi
judge_leaks
