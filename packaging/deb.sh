#!/bin/bash
# Makes Debian packages of what has been built: libssh2-1-rs takes the place of Debian's libssh2-1 (or libssh2-1t64),
# libssh2-1-rs-dev that of libssh2-1-dev.
#
#   packaging/deb.sh DIRECTORY     puts the packages there
#
# DEBFULLNAME and DEBEMAIL name the maintainer, as Debian's tools have it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$root"
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
maintainer="${DEBFULLNAME:-The libssh2-rs authors} <${DEBEMAIL:-libssh2-rs@packages.invalid}>"
tree=$out/libssh2-rs-$version
rm -rf "$tree" "$out"/*.deb
mkdir "$tree"
trap 'rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM

cp -R Cargo.toml Cargo.lock CHANGELOG.md LICENSE Makefile README.md abi build.rs docs examples include man packaging src "$tree"
cp -R packaging/debian "$tree"
cd "$tree"
sed "s/@MAINTAINER@/$maintainer/" packaging/debian/control >debian/control
cat >debian/changelog <<END
libssh2-rs ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$date")
END
{
    sed 's/@UPSTREAM@/libssh2-rs/' packaging/debian/copyright
    sed -e 1,4d -e 's/^$/./' -e 's/^/ /' LICENSE
    echo
    echo "Comment: the library contains these crates, each under its own licence:"
    (cd "$root" && cargo tree --locked --offline --edges normal --prefix none --format '{p}, {l}') |
        sed -n '/^libssh2-rs /d; s/ (\*)$//; s/ (proc-macro)//; s/^\([^ ]*\) v/\1 /p' | LC_ALL=C sort -u | sed 's/^/ /'
} >debian/copyright

# -d: cargo may come from rustup; -nc: what has been built is not built again.
CARGO_TARGET_DIR=$target SOURCE_DATE_EPOCH=$date dpkg-buildpackage -b -uc -us -d -nc >"$out/build.log" 2>&1 || {
    tail -n 30 "$out/build.log" >&2
    exit 1
}
ls "$out"/*.deb
