#!/bin/sh
# Builds the original libssh2 (the C sources that the crate libssh2-sys carries), the judge of
# this suite and the rival of the bench. Nothing of it is kept in the tree.
#
#   ctests/peer/build.sh        builds unless done already, and prints the directory:
#                               libssh2.so.1 (and libssh2.so), libssh2.a, include/,
#                               and the original's own tests/ and example/ with the src/ headers they include
#
# CARGO_TARGET_DIR  where to put peer/ (default: target)
# PEER_CRATE        a copy of the crate to use instead of fetching one
set -eu

version=0.3.4
sha256=fce5a0b125f6aeac93b304b35f7f1e9f054aad29ddac57091928e41df3ccd233
crate=libssh2-sys-$version.crate
url=https://static.crates.io/crates/libssh2-sys/$crate

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
peer=$(cd "$target" && pwd)/peer
stamp="$sha256 $(cksum <"$0")"

fail() {
    echo "peer: $*" >&2
    echo "peer: the original libssh2 can not be built, so nothing can be compared with it" >&2
    exit 1
}

is_genuine() {
    [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = $sha256 ]
}

# Puts the genuine crate at $1: a given copy, cargo's own copy, or one from the network.
fetch() {
    for have in "${PEER_CRATE:-}" "$target/$crate" \
        "${CARGO_HOME:-${HOME:-/root}/.cargo}"/registry/cache/*/"$crate"; do
        if is_genuine "$have"; then
            cp "$have" "$1"
            return
        fi
    done
    if command -v curl >/dev/null; then
        curl -sSfL --retry 3 --connect-timeout 20 --max-time 300 -o "$1" "$url" ||
            fail "no network? could not fetch $url"
    elif command -v wget >/dev/null; then
        wget -q --tries=3 --timeout=60 -O "$1" "$url" || fail "no network? could not fetch $url"
    else
        fail "curl or wget is needed to fetch $url"
    fi
    is_genuine "$1" || fail "$crate from $url does not have the expected SHA-256"
}

exec 9>"$target/.peer.lock"
flock 9
if [ "$(cat "$peer/.stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "$peer"
    exit 0
fi

work=$(mktemp -d "$target/.peer.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
fetch "$work/$crate"
tar -xzf "$work/$crate" -C "$work" || fail "could not unpack $crate"
source=$work/libssh2-sys-$version/libssh2
out=$work/peer
mkdir -p "$out/include" "$work/obj" "$work/config"
cp "$source"/include/*.h "$out/include"
cp -R "$source/tests" "$source/example" "$out"
mkdir "$out/src"
cp "$source"/src/*.h "$out/src"
: >"$work/config/libssh2_config.h"

# What the crate's own build defines for a release build on Linux.
flags="-O3 -fPIC -ffunction-sections -fdata-sections -fvisibility=hidden -w
    -I$work/config -I$source/include -I$source/src
    -DLIBSSH2_OPENSSL -DLIBSSH2_HAVE_ZLIB -DLIBSSH2_DH_GEX_NEW -DHAVE_LONGLONG -DHAVE_SNPRINTF
    -DHAVE_UNISTD_H -DHAVE_INTTYPES_H -DHAVE_STDLIB_H -DHAVE_SYS_SELECT_H -DHAVE_SYS_SOCKET_H
    -DHAVE_SYS_IOCTL_H -DHAVE_SYS_TIME_H -DHAVE_SYS_UN_H -DHAVE_O_NONBLOCK -DHAVE_LIBCRYPT32
    -DHAVE_EVP_AES_128_CTR -DHAVE_POLL -DHAVE_GETTIMEOFDAY"
# The headers mark nothing for export, so the shared library must show everything public.
public='-DLIBSSH2_API=__attribute__((visibility("default")))'

cc=${CC:-cc}
for file in "$source"/src/*.c; do
    echo "$file"
done | xargs -P 2 -I{} sh -c '
    object=$1/obj/$(basename "$2" .c).o
    shift 2
    exec "$@" -c {} -o "$object"' sh "$work" {} "$cc" $flags "$public" ||
    fail "the C sources do not compile (gcc, libssl-dev and zlib1g-dev are needed)"
rm -f "$out/libssh2.a"
ar rcs "$out/libssh2.a" "$work"/obj/*.o
"$cc" -shared -Wl,-soname,libssh2.so.1 -Wl,-z,defs -o "$out/libssh2.so.1" "$work"/obj/*.o \
    -lssl -lcrypto -lz || fail "libssh2.so.1 does not link"
ln -s libssh2.so.1 "$out/libssh2.so"
echo "$stamp" >"$out/.stamp"
rm -rf "$peer"
mv "$out" "$peer"
echo "$peer"
