#!/bin/bash
# Makes the release tarball and the Debian packages, and uses them: the tarball is built offline, elsewhere, into the same
# library; dpkg and apt take the packages in the place of libssh2-1. The last line is "N passed, N failed".
#
# Before it, the library has to be built by `make`.
set -u

name=packages
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/abi/checks.sh"
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
cd "$root" || exit 1

skip() {
    echo "skipped - $name: $*"
}

# --- the tarball ---

is_made() {
    packaging/dist.sh "$work/once"
    tarball=$(ls "$work"/once/*.tar.xz)
}

is_the_same_twice() {
    packaging/dist.sh "$work/twice" && cmp "$tarball" "$work"/twice/*.tar.xz
}

# With no network, no cargo directory, and nothing but what is in the tarball.
builds_offline() {
    mkdir "$work/elsewhere" "$work/cargo"
    tar -xJf "$tarball" -C "$work/elsewhere"
    tree=$(echo "$work"/elsewhere/*)
    (
        cd "$tree" && unset CARGO_TARGET_DIR RUSTFLAGS &&
            CARGO_HOME=$work/cargo PATH=$(dirname "$(command -v cargo)"):$PATH RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} \
                CARGO_NET_OFFLINE=true make
    )
}

is_the_same_library() {
    cmp "$tree/target/release/libssh2.so" "$target/release/libssh2.so" &&
        cmp "$tree/target/release/libssh2.a" "$target/release/libssh2.a"
}

names_no_directory_of_this_machine() {
    ! strings -a "$target/release/libssh2.so" | grep -F -e "$root/" -e "${CARGO_HOME:-$HOME/.cargo}/"
}

# --- Debian packages ---

debs() {
    packaging/deb.sh "$work/deb" && cp "$work"/deb/*.deb "$work"
    runtime=$(ls "$work"/libssh2-1-rs_*.deb)
    development=$(ls "$work"/libssh2-1-rs-dev_*.deb)
}

debs_are_the_same_twice() {
    packaging/deb.sh "$work/deb" && cmp "$runtime" "$work/deb/${runtime##*/}" && cmp "$development" "$work/deb/${development##*/}"
}

provides_libssh2() {
    dpkg-deb -f "$runtime" Provides | grep 'libssh2-1 (= 1\.11\.2)' && dpkg-deb -f "$development" Provides | grep 'libssh2-1-dev (= 1\.11\.2)'
}

# No word of lintian's but those that are overridden with a reason. What is missing for Debian's archive itself is not
# asked: a maintainer with an address, and a bug that asks for the package.
lintian_is_silent() {
    lintian --no-cfg --suppress-tags bogus-mail-host,initial-upload-closes-no-bugs --fail-on error,warning \
        "$runtime" "$development" >"$work/lintian" 2>&1 && ! grep '^[EW]:' "$work/lintian"
}

# What takes the place of what is installed here: libssh2-1-dev, if it is, needs its own libssh2-1 and goes with it.
successors() {
    echo "$runtime"
    ! dpkg-query -W -f '${db:Status-Abbrev}' libssh2-1-dev 2>/dev/null | grep -q '^ii' || echo "$development"
}

# In a copy of this machine's package database, in which libssh2-1 and programs that need it are installed.
dpkg_puts_it_in_the_place_of_libssh2() {
    local scratch=$work/root package
    mkdir -p "$scratch/var/lib/dpkg/info" "$scratch/var/lib/dpkg/updates" "$scratch/var/lib/dpkg/triggers"
    cp /var/lib/dpkg/status "$scratch/var/lib/dpkg/status"
    for package in /var/lib/dpkg/info/*.list; do
        : >"$scratch/var/lib/dpkg/info/${package##*/}"
    done
    cp /var/lib/dpkg/info/format "$scratch/var/lib/dpkg/info/" 2>/dev/null
    # shellcheck disable=SC2046
    dpkg --root="$scratch" --force-not-root --no-triggers --log="$work/dpkg.log" --auto-deconfigure \
        --install $(successors) || return 1
    ls "$scratch"/usr/lib/*/libssh2.so.1.0.1 && in_scratch libssh2-1-rs | grep '^ii' &&
        ! in_scratch libssh2-1 | grep '^ii' && in_scratch "$dependent" | grep '^ii' &&
        apt-get -o Debug::NoLocking=1 -o Dir::State::status="$scratch/var/lib/dpkg/status" check
}

in_scratch() { # PACKAGE: its line in the scratch database
    dpkg-query --admindir="$work/root/var/lib/dpkg" -W -f '${db:Status-Abbrev} ${Package}\n' "$1" 2>/dev/null
}

apt_accepts_it() {
    # shellcheck disable=SC2046
    apt-get -s -o Debug::NoLocking=1 install $(successors) >"$work/apt" 2>&1 && cat "$work/apt" &&
        grep '^Remv libssh2-1' "$work/apt" && grep '^Inst libssh2-1-rs' "$work/apt" &&
        ! grep '^Remv' "$work/apt" | grep -v -e '^Remv libssh2-1 ' -e '^Remv libssh2-1t64 ' -e '^Remv libssh2-1-dev '
}

curl_runs_on_the_packaged_library() {
    dpkg-deb -x "$runtime" "$work/unpacked" &&
        LD_LIBRARY_PATH=$(dirname "$work"/unpacked/usr/lib/*/libssh2.so.1) curl -q --version | grep 'libssh2/1\.11\.2'
}

if git rev-parse --verify -q HEAD >/dev/null; then
    check "the release tarball is made" is_made
    check "it is the same when it is made again" is_the_same_twice
    check "it builds offline" builds_offline
    check "it builds into the same library" is_the_same_library
else
    skip "no git here: no tarball"
fi
check "the library names no directory of this machine" names_no_directory_of_this_machine

if command -v dh >/dev/null && command -v dpkg-buildpackage >/dev/null; then
    check "Debian packages are made" debs
    check "they are the same when they are made again" debs_are_the_same_twice
    check "they provide libssh2-1 and libssh2-1-dev" provides_libssh2
    if command -v lintian >/dev/null; then
        check "lintian has nothing to say" lintian_is_silent
    else
        skip "lintian is not there"
    fi
    dependent=$(dpkg-query -W -f '${Package} ${Depends}\n' 2>/dev/null | awk '/ libssh2-1(t64)? / { print $1; exit }')
    if [ -n "$dependent" ]; then
        check "dpkg puts it in the place of libssh2-1, which $dependent needs" dpkg_puts_it_in_the_place_of_libssh2
        check "apt removes nothing but libssh2-1 for it" apt_accepts_it
        check "curl runs on the packaged library" curl_runs_on_the_packaged_library
    else
        skip "nothing here needs libssh2-1"
    fi
else
    skip "debhelper is not there"
fi
summary
