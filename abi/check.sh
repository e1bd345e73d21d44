#!/bin/bash
# Holds the built library and the headers to libssh2's binary interface.
#
#   abi/check.sh [LIBRARY]    the default is target/release/libssh2.so
#
# CARGO_TARGET_DIR is respected, as are CC and CXX. The last line is "N passed, N failed".
set -u

name=abi
. "$(dirname "$0")/checks.sh"

library=${1:-${CARGO_TARGET_DIR:-$root/target}/release/libssh2.so}
symbols=$work/symbols
cat "$root/abi/symbols.txt" "$root/abi/ext.txt" >"$symbols"
CC=${CC:-cc}
CXX=${CXX:-c++}
warnings="-Wall -Wextra -Werror -pedantic -DLIBSSH2_DISABLE_DEPRECATION -I$root/include"

# --- what the library file says ---

# Prints what the second file has and the first does not; good when that is nothing.
nothing_more_than() { # ALLOWED FOUND
    ! comm -13 "$1" "$2" | grep .
}

soname_is() {
    [ "$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')" = "$1" ]
}

needs_only_libcrypto_libz_and_libc() {
    ! readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -Ev '^(libcrypto|libz|libc|libm|libgcc_s|libpthread|libdl|librt|ld-linux[a-z0-9_-]*)\.so(\.|$)'
}

# The names in lines of symbols.txt and ext.txt with this mark, sorted.
names() { # MARK
    grep "^[$1]" "$symbols" | grep -o 'libssh2_[a-z0-9_]*(' | tr -d '(' | LC_ALL=C sort
}

exports_code_only() {
    ! nm -D --defined-only "$library" | grep -v ' T '
}

# --- what the headers say ---

# A C program that gives every function that we have to a pointer of the type it must be.
prototypes() {
    echo '#include <libssh2.h>'
    echo '#include <libssh2_ext.h>'
    echo '#include <libssh2_publickey.h>'
    echo '#include <libssh2_sftp.h>'
    grep '^+' "$symbols" |
        sed 's/^+ \(.*[ *]\)\(libssh2_[a-z0-9_]*\)(\(.*\))$/\1(*is_\2)(\3) = \2;/'
    echo 'int main(void)'
    echo '{'
    echo '    return 0;'
    echo '}'
}

compile() { # LANGUAGE-STANDARD SOURCE OUTPUT [MORE...]
    local standard=$1 source=$2 output=$3
    shift 3
    case $standard in
    c++*) $CXX -x c++ -std="$standard" $warnings "$source" -x none -o "$output" "$@" ;;
    # Neither C89 nor C++98 has a 64-bit type; the interface needs one.
    c89) $CC -std=c89 $warnings -Wno-long-long "$source" -o "$output" "$@" ;;
    *) $CC -std="$standard" $warnings "$source" -o "$output" "$@" ;;
    esac
}

compiles() { # LANGUAGE-STANDARD SOURCE
    compile "$1" "$2" "$work/object" -c
}

runs_alone() { # LANGUAGE-STANDARD SOURCE [MORE...]
    local standard=$1 source=$2
    shift 2
    compile "$standard" "$source" "$work/program" "$@" && "$work/program"
}

runs_with_the_library() { # LANGUAGE-STANDARD SOURCE
    runs_alone "$1" "$2" -L"$work" -lssh2 -Wl,-rpath,"$work"
}

if [ -f "$library" ]; then
    ln -s "$(realpath "$library")" "$work/libssh2.so.1"
    ln -s libssh2.so.1 "$work/libssh2.so"
    nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort >"$work/exported"
    names + >"$work/ours"
    names - >"$work/missing"
    cat "$work/ours" "$work/missing" | LC_ALL=C sort >"$work/all"

    check "the shared library is called libssh2.so.1" soname_is libssh2.so.1
    check "it needs libcrypto, libz and the C library at most" needs_only_libcrypto_libz_and_libc
    check "it exports functions and no data" exports_code_only
    check "it exports public functions of libssh2 and of libssh2_ext.h only" nothing_more_than "$work/all" "$work/exported"
    check "all that are marked + are exported" nothing_more_than "$work/exported" "$work/ours"
    check "all that are exported are marked +" nothing_more_than "$work/ours" "$work/exported"
    check "a C program runs on it" runs_with_the_library c11 "$root/ctests/abi/version.c"
    check "a C++ program runs on it" runs_with_the_library c++11 "$root/ctests/abi/version.c"
    check "so does one that uses what libssh2 has not (C)" runs_with_the_library c11 "$root/ctests/abi/ext.c"
    check "so does one that uses what libssh2 has not (C++)" runs_with_the_library c++11 "$root/ctests/abi/ext.c"
else
    check "$library is there" test -f "$library"
fi

headers_of_libssh2_are_pure() {
    ! grep -il libssh2_ext "$root"/include/libssh2.h "$root"/include/libssh2_sftp.h \
        "$root"/include/libssh2_publickey.h
}

check "libssh2's headers have nothing that libssh2 has not" headers_of_libssh2_are_pure
prototypes >"$work/prototypes.c"
for standard in c89 c99 c11 c2x c++11 c++20; do
    check "functions have their prototypes ($standard)" compiles $standard "$work/prototypes.c"
    for program in constants layout macros callbacks; do
        check "$program ($standard)" runs_alone $standard "$root/ctests/abi/$program.c"
    done
done
for program in constants layout macros callbacks; do
    check "$program (LIBSSH2_NO_DEPRECATED)" \
        runs_alone c11 "$root/ctests/abi/$program.c" -DLIBSSH2_NO_DEPRECATED
done

summary
