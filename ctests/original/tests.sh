# The original's tests. Part of run.sh.

# The programs to run. README.md has the reasons for those that are not.
tests() {
    local source
    for source in "$peer"/tests/{test_*.c,cmake/*.c,ossfuzz/*_fuzzer.cc}; do
        case $source in
        */test_simple.c | */test_auth_keyboard_info_request.c) ;; # look into the library
        *) echo "$source" ;;
        esac
    done
}

# test_read is run with each of these, as the original's test_read_algos.test does it.
algorithms() {
    cat "$peer/tests/test_read_algos.txt"
}

# Where the tests find keys, and that they need not start a server.
export srcdir=$peer/tests PRIVKEY=$peer/tests/keys/id_rsa_pem PUBKEY=$peer/tests/keys/id_rsa_pem.pub
export FIXTURE_CONTAINER_CMD=

run_test() { # NAME PORT
    local port=$2 status
    keep ours "$bin/tests/$1"
    status=$?
    # So ends a test that the flags of build.sh tell that the library has no such algorithm.
    grep -qx 'Test skipped.' said && skip "the library is said not to have this"
    return $status
}

run_with_terminal() { # NAME PORT
    has_terminal || skip "no terminals here"
    run_test "$@"
}

run_with_dsa() { # NAME PORT
    grep -q ssh-dss "$work/sshd_config" || skip "this sshd has no ssh-dss"
    preload=$work/ask_dsa.so run_test "$@"
}

read_with() { # ALGORITHM
    case $1 in
    *mac-*) export FIXTURE_TEST_MAC=$1 ;;
    *-cert-*) export FIXTURE_TEST_HOSTKEY=$1 ;;
    *) export FIXTURE_TEST_CRYPT=$1 ;;
    esac
    FIXTURE_XFER_COUNT=10000 run_test test_read "$sshd_port"
}

tells_version() {
    run_test test "$sshd_port" &&
        grep "^$(sed -n 's/^.define LIBSSH2_VERSION "\(.*\)"/\1/p' "$root/include/libssh2.h")" said
}

# The fuzzer's engine handles files: here nothing, what is no answer, and the beginning of a server's real one.
is_fuzzed() {
    local size port=
    for size in 0 100 1000 100000; do
        head -c "$size" "$work/data" >"answer.$size"
    done
    exec 3<>"/dev/tcp/127.0.0.1/$sshd_port"
    echo "SSH-2.0-test" >&3
    head -c 1000 <&3 >answer.real
    exec 3>&-
    keep ours "$bin/tests/ssh2_client_fuzzer" answer.* && [ "$(grep -c 'complete\.$' said)" = 5 ]
}

try_tests() {
    local name algorithm
    for name in $(tests | sed 's|.*/||; s|\..*||'); do
        case $name in
        test) try test tests/cmake/test tells_version ;;
        *_fuzzer) try "$name" "tests/ossfuzz/$name" is_fuzzed ;;
        test_ssh2) try "$name" "tests/$name" run_with_terminal "$name" "$sshd_port" ;;
        *_dsa) try "$name" "tests/$name" run_with_dsa "$name" "$sshd_port" ;;
        test_auth_keyboard_*) try "$name" "tests/$name" run_test "$name" "$testd_port" ;;
        *) try "$name" "tests/$name" run_test "$name" "$sshd_port" ;;
        esac
    done
    for algorithm in $(algorithms); do
        try test_read "tests/test_read $algorithm" read_with "$algorithm"
    done
}
