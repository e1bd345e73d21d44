#!/bin/sh
# Makes the manual: a page for each function and each short form of the headers, and one that lists them all.
#
#   man/make.sh DIRECTORY
#
# The date is that of SOURCE_DATE_EPOCH, or of the last change to CHANGELOG.md.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
out=$1
mkdir -p "$out"
rm -f "$out"/libssh2*.3

date=$(
    if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
        LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" '+%B %-d, %Y'
    else
        LC_ALL=C date -u -r "$root/CHANGELOG.md" '+%B %-d, %Y'
    fi
)

list=$(mktemp)
trap 'rm -f "$list"' EXIT
for header in libssh2 libssh2_sftp libssh2_publickey libssh2_ext; do
    awk -v out="$out" -v date="$date" -f "$here/pages.awk" "$root/include/$header.h"
done | LC_ALL=C sort >"$list"

{
    sed "s/@DATE@/$date/" "$here/libssh2.3.in"
    awk -F'\t' '
        { print ".It Xr " $1 " 3"; gsub(/\\/, "\\e", $2); print $2 }
        END { print ".El" }' "$list"
    cat "$here/libssh2.3.end"
} >"$out/libssh2.3"
