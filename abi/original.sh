#!/bin/bash
# Compares our headers and our library with the original's, by compiling and running the same things with both. The
# original is what ctests/peer/build.sh unpacks and builds.
#
#   abi/original.sh [LIBRARY]    the default is target/release/libssh2.so
#
# CARGO_TARGET_DIR is respected, as are CC and CXX. The last line is "N passed, N failed".
set -u

name=original
. "$(dirname "$0")/checks.sh"

library=${1:-${CARGO_TARGET_DIR:-$root/target}/release/libssh2.so}
CC=${CC:-cc}
CXX=${CXX:-c++}
peer=$("$root/ctests/peer/build.sh") || {
    echo "0 passed, 1 failed"
    exit 1
}
mkdir "$work/ours" "$work/peer"
ln -s "$root/include" "$work/ours/include"
ln -s "$peer/include" "$work/peer/include"

# What names the library and its version is different on purpose; docs/compat.md has it.
names_the_library='^macro LIBSSH2_(COPYRIGHT|VERSION|VERSION_NUM|TIMESTAMP|SSH_(DEFAULT_)?BANNER[A-Z_]*),'

# --- headers ---

headers() {
    printf '#include <%s>\n' libssh2.h libssh2_publickey.h libssh2_sftp.h
}

# What the headers of one side define and declare: facts.awk tells in which form.
facts() { # SIDE FLAGS...
    local include
    include=$(realpath "$work/$1/include")
    headers | $CC -E -dD -x c "${@:2}" -I"$include" - |
        awk -v within="\"$include/" '/^# [0-9]+ "/ { is_ours = index($3, within) == 1; next } is_ours' |
        awk -f "$root/abi/facts.awk" | LC_ALL=C sort
}

# What the facts of the original come to with the headers of one side. In C the tag of an enumeration is no part of a
# type; in C++ it is the name of the type, of which the underscore is dropped.
values() { # SIDE FLAGS...
    $CXX -x c++ -std=c++17 -Wno-deprecated-declarations "${@:2}" -I"$work/$1/include" -I"$work/peer" \
        "$root/abi/facts.h" -o "$work/$1/program" && "$work/$1/program" >"$work/$1/said" &&
        sed -E "s/[0-9]+_?(libssh2_crypto_engine_t)/\1/; /$names_the_library/d; s/\r$//; /^\"$/d" "$work/$1/said"
}

# Functions, macros and enumerators, and which of them are retired. Types may have one name more here, that of the tag.
same_names() { # FLAGS...
    local side
    for side in peer ours; do
        facts $side "$@" >"$work/$side/facts.inc"
        grep -v -e '^MEMBER' -e '^SIZE' -e '^TYPE' "$work/$side/facts.inc" >"$work/$side/names"
        [ "$(wc -l <"$work/$side/names")" -gt 400 ] || return 1
    done
    diff "$work/peer/names" "$work/ours/names"
}

# After same_names, whose facts these are. $told is how many lines there were to compare.
same_values() { # FLAGS...
    local side
    for side in peer ours; do
        values $side "$@" >"$work/$side/values" || return 1
    done
    told=$(wc -l <"$work/peer/values")
    [ "$told" -gt 600 ] && diff "$work/peer/values" "$work/ours/values"
}

every_short_form_is_called_in_macros_c() {
    sed -n 's/^SHORT(\(.*\), .*/\1/p' "$work/peer/facts.inc" | while read -r form; do
        grep -q "\b$form(" "$root/ctests/abi/macros.c" || echo "$form"
    done >"$work/forgotten"
    ! grep . "$work/forgotten"
}

# The tables that abi/check.sh holds us to are the original's.
holds_of_the_original() { # PROGRAM
    $CC -std=c11 -w -I"$peer/include" "$root/ctests/abi/$1.c" -o "$work/program" || return 1
    "$work/program" >"$work/table"
    ! grep '^not ok' "$work/table" | grep -Ev ' (length of )?LIBSSH2_(VERSION|VERSION_NUM|TIMESTAMP|SSH_(DEFAULT_)?BANNER[A-Z_]*) is '
}

# A library whose debug information is that of one side's declarations, for abidiff.
declarations() { # SIDE
    {
        headers
        sed -n 's/^FUNCTION(\(.*\))/extern __typeof__(\1) *as_\1; __typeof__(\1) *as_\1;/p' "$work/peer/facts.inc"
    } | $CC -x c -g -shared -fPIC -w -I"$work/$1/include" - -o "$work/$1/declarations.so"
}

abidiff_finds_the_declarations_alike() {
    declarations peer && declarations ours &&
        abidiff --no-added-syms "$work/peer/declarations.so" "$work/ours/declarations.so"
}

# --- libraries ---

exported() { # LIBRARY
    nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort
}

exports_what_the_original_exports() {
    exported "$peer/libssh2.so.1" >"$work/peer/symbols"
    exported "$library" | grep -v '^libssh2_ext_' >"$work/ours/symbols"
    [ "$(wc -l <"$work/peer/symbols")" -ge 140 ] && diff "$work/peer/symbols" "$work/ours/symbols"
}

soname() { # LIBRARY
    readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

has_its_soname() {
    [ "$(soname "$library")" = "$(soname "$peer/libssh2.so.1")" ]
}

abidiff_finds_no_function_gone() {
    abidiff --no-added-syms "$peer/libssh2.so.1" "$library"
}

the_table_of_algorithms_is_right() {
    CTESTS_OURS=$library "$root/docs/algorithms.sh" --check
}

# Compiled with the headers of one side and linked with its library, and then run on the other's.
runs_elsewhere() { # BUILT-FOR RUN-ON
    $CC -std=c99 -D_POSIX_C_SOURCE=200809L -O2 -I"$work/$1/include" "$root/examples/upload.c" -o "$work/program" \
        -L"$work/$1" -lssh2 -Wl,--allow-shlib-undefined -Wl,-z,now || return 1
    rm -f "$work/copy"
    LD_LIBRARY_PATH=$work/$2 HOME=$work timeout 60 "$work/program" -p "$SSHD_PORT" -i "$SSHD_KEY" \
        -f "$SSHD_FINGERPRINT" "$work/source" "$SSHD_USER@127.0.0.1:$work/copy" && cmp "$work/source" "$work/copy"
}

for flag in -DNOTHING -DLIBSSH2_NO_DEPRECATED; do
    check "names of functions and macros ($flag)" same_names $flag
    told=0
    check "prototypes, types, offsets and values ($flag)" same_values $flag
    echo "# $told facts compared"
    if [ $flag = -DNOTHING ]; then
        check "each short form is called in macros.c" every_short_form_is_called_in_macros_c
        if command -v abidiff >/dev/null; then
            check "abidiff finds the declarations alike" abidiff_finds_the_declarations_alike
        else
            echo "skipped - $name: abidiff is not there (Debian: abigail-tools)"
        fi
    fi
done
for program in constants layout macros callbacks; do
    check "what $program.c expects holds of the original" holds_of_the_original $program
done

if [ -f "$library" ]; then
    for side in ours peer; do
        case $side in ours) file=$library ;; peer) file=$peer/libssh2.so.1 ;; esac
        ln -s "$(realpath "$file")" "$work/$side/libssh2.so.1"
        ln -s libssh2.so.1 "$work/$side/libssh2.so"
    done
    check "the same functions are exported" exports_what_the_original_exports
    check "the soname is the same" has_its_soname
    if command -v abidiff >/dev/null; then
        check "abidiff finds no function gone" abidiff_finds_no_function_gone
    fi
    check "docs/features.md has the algorithms of both" the_table_of_algorithms_is_right
    . "$root/bench/sshd.sh"
    mkdir "$work/sshd"
    sshd_start "$work/sshd" || echo "not ok - $name: sshd does not start"
    trap 'sshd_stop; rm -rf "$work"' EXIT
    head -c 3000000 /dev/urandom >"$work/source"
    check "a program built for ours runs on ours" runs_elsewhere ours ours
    check "a program built for the original runs on ours" runs_elsewhere peer ours
    check "a program built for ours runs on the original" runs_elsewhere ours peer
else
    check "$library is there" test -f "$library"
fi
summary
