# Compiles the original's programs. Part of run.sh.

CC=${CC:-cc}
CXX=${CXX:-c++}
bin=$work/bin

# The original's headers know by these what the system and the library have. A program whose idea of a type is not that
# of our headers must not compile.
flags="-O1 -Wno-deprecated-declarations -DLIBSSH2_OPENSSL -DHAVE_UNISTD_H -DHAVE_ARPA_INET_H -DHAVE_NETINET_IN_H
    -DHAVE_INTTYPES_H -DHAVE_SYS_SOCKET_H -DHAVE_SYS_TIME_H -DHAVE_STDLIB_H -DHAVE_SNPRINTF -DHAVE_O_NONBLOCK
    -DHAVE_SYS_SELECT_H -DHAVE_SYS_UN_H -DHAVE_SYS_IOCTL_H -DHAVE_GETTIMEOFDAY
    -I$work -I$root/include -I$peer/src -I$peer/tests"
# What the original has not unless it is asked for.
case $library in
"$peer"/*) ;;
*)
    flags="$flags -DLIBSSH2_3DES_ENABLE -DLIBSSH2_MD5_ENABLE -DLIBSSH2_MD5_PEM_ENABLE -DLIBSSH2_HMAC_SHA1_ENABLE
        -DLIBSSH2_RSA_SHA1_ENABLE -DLIBSSH2_DSA_ENABLE"
    ;;
esac
c_flags="-Werror=incompatible-pointer-types -Werror=int-conversion -Werror=implicit-function-declaration"

# A compiler's words are kept beside the program, for its job to print.
compile() { # NAME SOURCE...
    local program=$bin/$1 compiler=$CC
    shift
    case $1 in *.cc) compiler=$CXX ;; *) compiler="$CC $c_flags" ;; esac
    take_turn
    mkdir -p "${program%/*}"
    $compiler $flags -o "$program" "$@" -L"$work/lib" -lssh2 -Wl,--allow-shlib-undefined >"$program.log" 2>&1 &
}

preloaded() { # NAME FLAGS...
    $CC -shared -fPIC -Wall -Wextra -Werror "${@:2}" -o "$work/$1.so" "$here/$1.c" || die "$1.c does not compile"
}

compile_all() {
    local part source name set
    mkdir "$work/lib"
    ln -s "$(realpath "$library")" "$work/lib/libssh2.so.1"
    ln -s libssh2.so.1 "$work/lib/libssh2.so"
    : >"$work/libssh2_config.h"
    preloaded redirect
    preloaded ask_dsa -I"$root/include"
    preloaded sshd_user -DHOME_DIRECTORY="\"$work/home\""

    for part in runner session_fixture openssh_fixture; do
        $CC $flags $c_flags -c "$peer/tests/$part.c" -o "$work/$part.o" || die "$part.c does not compile"
    done
    for source in $(tests); do
        name=tests/$(basename "${source%.c*}")
        case $source in
        */test_ssh2.c | */cmake/*) compile "$name" "$source" ;;
        */test_hostkey.c) compile "$name" -include "$here/inside.h" "$source" "$work"/*.o ;;
        */ossfuzz/*) compile "$name" "$source" "$peer/tests/ossfuzz/standaloneengine.cc" ;;
        *) compile "$name" "$source" "$work"/*.o ;;
        esac
    done
    for set in $example_sets; do
        for source in $(examples "$set"); do
            compile "$set/$(basename "$source" .c)" "$source"
        done
    done
    wait
}
