#!/bin/bash
# Makes the release tarball: the sources as git has them, the crates they need, and a configuration that has cargo build
# from those alone. The same sources make the same tarball.
#
#   packaging/dist.sh DIRECTORY    puts libssh2-rs-VERSION.tar.xz there, and prints its path
#
# Files that git knows are taken as they are now; new ones have to be added first.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$root"
name=libssh2-rs-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
date=$(git log -1 --format=%ct)
work=$(mktemp -d "$out/.dist.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# What is changed and not committed, as a commit that no branch has; nothing if there are no changes.
tree=$(git stash create)
git archive --prefix="$name/" "${tree:-HEAD}" | tar -xf - -C "$work"

cd "$work/$name"
cargo vendor --quiet --locked --versioned-dirs vendor >/dev/null
mkdir -p .cargo
cat >.cargo/config.toml <<'END'
# This is a release tarball: everything that is needed to build is in it.
[source.crates-io]
replace-with = "vendored"

[source.vendored]
directory = "vendor"

[net]
offline = true
END

cd "$work"
LC_ALL=C tar --sort=name --format=gnu --mtime="@$date" --owner=0 --group=0 --numeric-owner --mode='u+rwX,go=rX' \
    -cf - "$name" | xz -6 -T2 >"$name.tar.xz"
mv "$name.tar.xz" "$out"
echo "$out/$name.tar.xz"
