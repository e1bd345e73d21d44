#!/bin/bash
# Installs into a temporary directory, builds and runs a program with what is there by way of pkg-config, linked with
# the shared and with the static library, and uninstalls. The last line is "N passed, N failed".
set -u

name=installed
. "$(dirname "$0")/checks.sh"

prefix=/opt/libssh2
tree=$work/tree
export PKG_CONFIG_PATH=$tree$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tree

makes() { # TARGET
    make -s -C "$root" "$1" DESTDIR="$tree" PREFIX="$prefix"
}

links_lead_to_the_library() {
    local lib=$tree$prefix/lib link
    for link in libssh2.so libssh2.so.1; do
        [ "$(realpath "$lib/$link")" = "$(realpath "$lib")/libssh2.so.1.0.1" ] || return 1
    done
}

tells_the_header_s_version() {
    [ "$(pkg-config --modversion libssh2)" = \
        "$(sed -n 's/^#define LIBSSH2_VERSION "\(.*\)"/\1/p' "$root/include/libssh2.h")" ]
}

# Compiles and links a program with what pkg-config says, edited by a sed script.
builds() { # SED-SCRIPT PKG-CONFIG-OPTION...
    local script=$1 options
    shift
    options=$(pkg-config "$@" --cflags --libs libssh2 | sed "$script") || return 1
    # shellcheck disable=SC2086
    ${CC:-cc} "$root/ctests/abi/${program:-version}.c" -o "$work/program" $options
}

runs_with_the_shared_library() {
    builds '' && LD_LIBRARY_PATH=$tree$prefix/lib "$work/program"
}

runs_with_the_static_library() {
    builds 's/-lssh2/-l:libssh2.a/' --static && ! readelf -d "$work/program" | grep libssh2 && "$work/program"
}

# Right after the check before, whose program this is.
has_no_executable_stack() {
    readelf -lW "$work/program" | grep -q 'GNU_STACK.* RW '
}

nothing_is_left() {
    ! find "$tree" ! -type d | grep .
}

check "make install" makes install
check "the links lead to the library" links_lead_to_the_library
check "pkg-config tells the version of the headers" tells_the_header_s_version
check "a program runs with the shared library" runs_with_the_shared_library
check "a program runs with the static library" runs_with_the_static_library
check "its stack is not executable" has_no_executable_stack
program=ext
check "a program runs with what libssh2 has not" runs_with_the_shared_library
check "make uninstall" makes uninstall
check "nothing is left" nothing_is_left
summary
