#!/bin/bash
# Installs into a temporary directory and builds a program with what is there: by pkg-config, CMake and autoconf, with the
# shared and with the static library. Each uploads a file to a private server. Debian's curl does so as well, with the
# installed library in the place of its own. Then it uninstalls. The last line is "N passed, N failed".
set -u

name=installed
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/abi/checks.sh"
. "$root/bench/sshd.sh"

prefix=/opt/libssh2
tree=$work/tree
lib=$tree$prefix/lib
consumers=$root/packaging/consumers
program=$root/examples/upload.c
CC=${CC:-cc}
export PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tree

makes() { # TARGET
    make -s -C "$root" "$1" DESTDIR="$tree" PREFIX="$prefix"
}

links_lead_to_the_library() {
    local link
    for link in libssh2.so libssh2.so.1; do
        [ "$(realpath "$lib/$link")" = "$(realpath "$lib")/libssh2.so.1.0.1" ] || return 1
    done
}

tells_the_header_s_version() {
    [ "$(pkg-config --modversion libssh2)" = \
        "$(sed -n 's/^#define LIBSSH2_VERSION "\(.*\)"/\1/p' "$root/include/libssh2.h")" ]
}

# --- what a program must do ---

needs_the_shared_library() { # PROGRAM
    readelf -d "$1" | grep -q 'NEEDED.*\[libssh2\.so\.1\]'
}

uploads() { # PROGRAM
    rm -f "$work/copy"
    LD_LIBRARY_PATH=$lib HOME=$work timeout 60 "$1" -p "$SSHD_PORT" -i "$SSHD_KEY" -f "$SSHD_FINGERPRINT" \
        "$work/source" "$SSHD_USER@127.0.0.1:$work/copy" && cmp "$work/source" "$work/copy"
}

is_shared() { # PROGRAM
    needs_the_shared_library "$1" && uploads "$1"
}

is_static() { # PROGRAM
    ! needs_the_shared_library "$1" && uploads "$1"
}

has_no_executable_stack() { # PROGRAM
    readelf -lW "$1" | grep -q 'GNU_STACK.* RW '
}

# --- pkg-config ---

# Compiles and links a program with what pkg-config says, edited by a sed script.
links() { # SED-SCRIPT PKG-CONFIG-OPTION...
    local script=$1 options
    shift
    options=$(pkg-config "$@" --cflags --libs libssh2 | sed "$script") || return 1
    # shellcheck disable=SC2086
    $CC -O1 "$program" -o "$work/program" $options
}

pkg_config_shared() {
    links '' && is_shared "$work/program"
}

pkg_config_static() {
    links 's/-lssh2/-l:libssh2.a/' --static && is_static "$work/program"
}

# Nothing in it is shared, the C library neither: every library that is needed has to be named.
pkg_config_all_static() {
    links 's/^/-static -Wl,--no-warnings /' --static 2>"$work/words" || {
        cat "$work/words"
        return 1
    }
    ! readelf -d "$work/program" | grep -q NEEDED && is_static "$work/program"
}

runs_what_libssh2_has_not() {
    program=$root/ctests/abi/ext.c links '' && LD_LIBRARY_PATH=$lib "$work/program"
}

# --- CMake ---

cmake_builds() {
    PKG_CONFIG_PATH='' cmake -S "$consumers/cmake" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$tree$prefix" \
        -DSOURCE="$program" -DCMAKE_BUILD_TYPE=Release && cmake --build "$work/cmake"
}

# --- autoconf ---

autoconf_builds() { # VARIABLE=VALUE...
    rm -rf "$work/autoconf"
    cp -R "$consumers/autoconf" "$work"
    cp "$program" "$work/autoconf/consumer.c"
    (
        cd "$work/autoconf" && autoconf &&
            { ./configure -q CC="$CC" CPPFLAGS="-I$tree$prefix/include" "$@" || { cat config.log; exit 1; } } && make -s
    )
}

autoconf_shared() {
    autoconf_builds LDFLAGS="-L$lib" && is_shared "$work/autoconf/consumer"
}

autoconf_static() {
    mkdir -p "$work/static"
    cp "$lib/libssh2.a" "$work/static"
    autoconf_builds LDFLAGS="-L$work/static" LIBS="-lcrypto -lpthread -ldl -lm" && is_static "$work/autoconf/consumer"
}

# --- Debian's curl ---

curl_does() { # OPTION...
    LD_LIBRARY_PATH=$lib HOME=$work timeout 60 curl -sS -q --hostpubsha256 "$SSHD_FINGERPRINT" --key "$SSHD_KEY" \
        --pubkey "$SSHD_KEY.pub" -u "$SSHD_USER:" "$@"
}

curl_runs_on_it() {
    LD_LIBRARY_PATH=$lib ldd "$(command -v curl)" | grep "libssh2.so.1 => $lib/libssh2.so.1" &&
        LD_LIBRARY_PATH=$lib curl -q --version | grep 'libssh2/1\.11\.2'
}

curl_goes_there_and_back() {
    local url=sftp://127.0.0.1:$SSHD_PORT$work/curled
    curl_does --ftp-create-dirs -T "$work/source" "$url/copy" && cmp "$work/source" "$work/curled/copy" &&
        curl_does -o "$work/back" "$url/copy" && cmp "$work/source" "$work/back" &&
        curl_does -r 1000-1999 "$url/copy" | cmp - <(tail -c +1001 "$work/source" | head -c 1000) &&
        curl_does "$url/" | grep -q ' 3000000 .* copy$' &&
        curl_does -Q "-rm $work/curled/copy" "$url/" -o "$work/listing" && [ ! -e "$work/curled/copy" ]
}

nothing_is_left() {
    ! find "$tree" ! -type d | grep .
}

mkdir "$work/sshd"
sshd_start "$work/sshd" || exit 1
trap 'sshd_stop; rm -rf "$work"' EXIT
head -c 3000000 /dev/urandom >"$work/source"

check "make install" makes install
check "the links lead to the library" links_lead_to_the_library
check "pkg-config tells the version of the headers" tells_the_header_s_version
check "pkg-config, shared" pkg_config_shared
check "pkg-config, static" pkg_config_static
check "its stack is not executable" has_no_executable_stack "$work/program"
check "pkg-config, all static" pkg_config_all_static
check "a program runs with what libssh2 has not" runs_what_libssh2_has_not
if command -v cmake >/dev/null; then
    check "CMake finds the targets and builds" cmake_builds
    for namespace in libssh2 Libssh2; do
        check "CMake, $namespace::libssh2_shared" is_shared "$work/cmake/${namespace}_libssh2_shared"
        check "CMake, $namespace::libssh2" is_shared "$work/cmake/${namespace}_libssh2"
        check "CMake, $namespace::libssh2_static" is_static "$work/cmake/${namespace}_libssh2_static"
    done
else
    echo "skipped - $name: cmake is not there"
fi
if command -v autoconf >/dev/null; then
    check "autoconf, shared" autoconf_shared
    check "autoconf, static" autoconf_static
else
    echo "skipped - $name: autoconf is not there"
fi
if ldd "$(command -v curl)" 2>/dev/null | grep -q libssh2; then
    check "Debian's curl runs on it" curl_runs_on_it
    check "curl uploads, downloads, lists and removes" curl_goes_there_and_back
else
    echo "skipped - $name: no curl here that uses libssh2"
fi
check "make uninstall" makes uninstall
check "nothing is left" nothing_is_left
summary
