#!/bin/bash
# Runs the original libssh2's own login tests (from the crate libssh2-sys) on our library.
#
#   ctests/original/run.sh             the default is target/release/libssh2.so
#   CTESTS_OURS=file                   our library
#   CTESTS_ONLY="test_auth_password_ok ..."
#
# They want a server that knows a user "libssh2". Tests with keys get OpenSSH's sshd, to which
# sshd_user.c shows that user; tests with passwords get the server of testkit/. Left out are those that
# look into the library (test_auth_keyboard_info_request) and those for DSA.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
library=${CTESTS_OURS:-$target/release/libssh2.so}
testd=${SSH2_TESTD:-$target/debug/examples/ssh2-testd}
sshd=${SSHD:-/usr/sbin/sshd}
CC=${CC:-cc}

die() {
    echo "original: $*" >&2
    echo "0 passed, 1 failed"
    exit 1
}

[ -f "$library" ] || die "$library is not there: cargo build --release"
[ -x "$testd" ] || die "$testd is not there: cargo build --example ssh2-testd"
[ -x "$sshd" ] || die "no sshd at $sshd: install openssh-server or name it in SSHD"
peer=$("$root/ctests/peer/build.sh") || die "the original's tests are not to be had (see above)"

work=$(mktemp -d "${TMPDIR:-/tmp}/ctests-original.XXXXXX") || exit 1
servers=
trap 'kill $servers 2>/dev/null; wait; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/lib"
ln -s "$(realpath "$library")" "$work/lib/libssh2.so.1"
ln -s libssh2.so.1 "$work/lib/libssh2.so"

# --- build ---

# The tests know by these which keys the library has.
flags="-w -O1 -DLIBSSH2_OPENSSL -DLIBSSH2_MD5_PEM_ENABLE -DLIBSSH2_RSA_SHA1_ENABLE
    -DHAVE_UNISTD_H -DHAVE_ARPA_INET_H -DHAVE_NETINET_IN_H -DHAVE_INTTYPES_H -DHAVE_SYS_SOCKET_H
    -DHAVE_SYS_TIME_H -DHAVE_SNPRINTF -DHAVE_O_NONBLOCK -DHAVE_SYS_SELECT_H -DHAVE_SYS_UN_H -DHAVE_SYS_IOCTL_H
    -I$work -I$root/include -I$peer/src -I$peer/tests"
: >"$work/libssh2_config.h"
for part in runner session_fixture openssh_fixture; do
    $CC $flags -c "$peer/tests/$part.c" -o "$work/$part.o" || die "$part.c does not compile"
done
$CC -shared -fPIC -Wall -Wextra -Werror -o "$work/sshd_user.so" "$here/sshd_user.c" ||
    die "sshd_user.c does not compile"

# --- servers ---

# Waits until somebody listens at port $1.
listening() {
    for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        sleep 0.1
    done
    return 1
}

start_sshd() { # sets sshd_port
    # The tests' files are readable for all, as they come.
    cp -R "$peer/tests/openssh_server" "$work/server"
    chmod 600 "$work"/server/ssh_host_*_key
    cat >"$work/sshd_config" <<END
ListenAddress 127.0.0.1
HostKey $work/server/ssh_host_rsa_key
HostKey $work/server/ssh_host_ecdsa_key
HostKey $work/server/ssh_host_ed25519_key
TrustedUserCAKeys $work/server/ca_user_keys.pub
AuthorizedKeysFile $work/server/authorized_keys
PidFile none
CASignatureAlgorithms +ssh-rsa
PubkeyAcceptedAlgorithms +ssh-rsa,ssh-rsa-cert-v01@openssh.com
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
MaxStartups 100
UseDNS no
END
    [ "$(id -u)" = 0 ] && mkdir -p /run/sshd
    for sshd_port in $(shuf -i 20000-29999 -n 5); do
        LD_PRELOAD=$work/sshd_user.so "$sshd" -D -f "$work/sshd_config" -p "$sshd_port" -E "$work/sshd.log" &
        servers="$servers $!"
        listening "$sshd_port" && kill -0 $! && return
    done 2>/dev/null
    cat "$work/sshd.log"
    die "sshd does not start"
}

start_testd() { # sets testd_port
    mkfifo "$work/stdin"
    "$testd" --user libssh2 --password "my test password" --ask "Password: =my test password" \
        --seconds 600 <"$work/stdin" >"$work/port" 2>"$work/testd.log" &
    servers="$servers $!"
    exec 9>"$work/stdin"
    for _ in $(seq 100); do
        [ -s "$work/port" ] && break
        sleep 0.1
    done
    testd_port=$(cat "$work/port")
    [ -n "$testd_port" ] || die "ssh2-testd does not start"
}

start_sshd
start_testd

# --- run ---

passed=0
failed=0
for source in "$peer"/tests/test_auth_*.c; do
    name=$(basename "$source" .c)
    case $name in
    test_auth_keyboard_info_request | *_dsa) continue ;;
    test_auth_pubkey_*) port=$sshd_port ;;
    *) port=$testd_port ;;
    esac
    case " ${CTESTS_ONLY:-$name} " in *" $name "*) ;; *) continue ;; esac
    $CC $flags -o "$work/$name" "$source" "$work"/*.o -L"$work/lib" -lssh2 -Wl,--allow-shlib-undefined ||
        die "$name does not compile"
    if (cd "$peer/tests" && USER=libssh2 FIXTURE_CONTAINER_CMD= OPENSSH_SERVER_PORT=$port LD_LIBRARY_PATH=$work/lib \
        timeout 60 "$work/$name") >"$work/$name.log" 2>&1; then
        echo "ok - $name"
        passed=$((passed + 1))
    else
        echo "not ok - $name"
        sed 's/^/    /' "$work/$name.log"
        failed=$((failed + 1))
    fi
done
exec 9>&-
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
