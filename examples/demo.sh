#!/usr/bin/env bash
# Shows the library at work, on a fresh machine too: builds it, starts a private sshd on loopback,
# and uploads 256 MiB with a program of this directory, with the same program built for Debian's
# libssh2, and with Debian's curl. Every upload is compared with its source.
#
#   DEMO_LIB=peer   shows the original in our place, to try this script itself
#   DEMO_SIZE=MIB   uploads that many MiB (default 256)
set -euo pipefail

examples=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$examples")
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
export CARGO_TARGET_DIR=$target
size=${DEMO_SIZE:-256}
child=

. "$root/bench/debian.sh"
. "$root/bench/sshd.sh"

step() { printf '\n== %s\n' "$*"; }

die() {
    echo "demo: $*" >&2
    exit 1
}

cleanup() {
    trap '' HUP INT TERM
    if [ -n "$child" ]; then
        kill "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    sshd_stop
    rm -rf "$work"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/libssh2-demo.XXXXXX")
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# Sets lib and include to directories that hold libssh2.so.1, libssh2.so and the headers.
build() {
    if [ "${DEMO_LIB:-}" = peer ]; then
        lib=$("$root/ctests/peer/build.sh")
        include=$lib/include
        return
    fi
    [ ! -x "$root/.ci/install" ] || "$root/.ci/install"
    make --no-print-directory -C "$root" all
    lib=$target/demo
    mkdir -p "$lib"
    include=$root/include
    cp "$target/release/libssh2.so" "$lib/libssh2.so.1"
    ln -sf libssh2.so.1 "$lib/libssh2.so"
}

# run COMMAND...: in the background, so that a signal to this script is not kept waiting.
run() {
    # A terminal shows the progress bar all the same: standard error stays what it is.
    timeout 300 "$@" &
    child=$!
    wait "$child" || die "failed: $*"
    child=
}

# with_ours COMMAND...: on our library, with a home directory that knows no hosts.
with_ours() { run env LD_LIBRARY_PATH="$lib" HOME="$work" "$@"; }

# loaded PROGRAM: the libssh2 that it gets from the loader.
loaded() { ldd "$1" | awk '/libssh2/ { print $3 }'; }

# The upload at $work/copy must be the source; the next one starts afresh.
check() {
    local got
    got=$(sha256sum <"$work/copy")
    echo "source   ${sum%% *}"
    echo "uploaded ${got%% *}"
    [ "$got" = "$sum" ] || die "the copy differs from its source"
    rm "$work/copy"
}

destination() { echo "$SSHD_USER@127.0.0.1:$work/copy"; }

upload_options() { echo "-p $SSHD_PORT -i $SSHD_KEY -f $SSHD_FINGERPRINT"; }

show_own_program() {
    step "examples/upload.c, built with our header and library"
    cc -std=c99 -O2 -o "$work/upload" -I"$include" "$examples/upload.c" -L"$lib" -lssh2
    with_ours "$work/upload" $(upload_options) "$work/source" "$(destination)"
    check
}

show_debian_program() {
    step "the same program, built for Debian's libssh2-1-dev, not rebuilt for ours"
    [ -e /usr/include/libssh2.h ] || debian_install libssh2-1-dev
    if ! cc -std=c99 -O2 -o "$work/upload-debian" "$examples/upload.c" -lssh2 2>/dev/null; then
        echo "left out: libssh2-1-dev is not installed"
        return
    fi
    echo "on $(loaded "$work/upload-debian")"
    run "$work/upload-debian" $(upload_options) "$work/source" "$(destination)"
    check
    echo "on $(LD_LIBRARY_PATH=$lib loaded "$work/upload-debian")"
    with_ours "$work/upload-debian" $(upload_options) "$work/source" "$(destination)"
    check
}

show_curl() {
    local curl libcurl missing
    step "Debian's curl, uploading to sftp://"
    command -v curl >/dev/null || debian_install curl
    curl=$(command -v curl) || {
        echo "left out: curl is not installed"
        return
    }
    libcurl=$(ldd "$curl" | awk '/libcurl/ { print $3 }')
    nm -D --undefined-only "$libcurl" | awk '$2 ~ /^libssh2_/ { print $2 }' | sort >"$work/wanted"
    if [ ! -s "$work/wanted" ]; then
        echo "left out: this curl does not use libssh2"
        return
    fi
    # libcurl binds all its symbols when it is loaded: with one missing, curl does not start.
    nm -D --defined-only "$lib/libssh2.so.1" | awk '{ print $3 }' | sort >"$work/offered"
    missing=$(comm -23 "$work/wanted" "$work/offered")
    if [ -n "$missing" ]; then
        echo "left out: of the $(wc -l <"$work/wanted") functions that libcurl takes from libssh2," \
            "$(wc -w <<<"$missing") are still missing:"
        sed 's/^/    /' <<<"$missing"
        return
    fi
    echo "on $(LD_LIBRARY_PATH=$lib loaded "$curl")"
    with_ours "$curl" -sS -q --hostpubsha256 "$SSHD_FINGERPRINT" --key "$SSHD_KEY" \
        --pubkey "$SSHD_KEY.pub" -u "$SSHD_USER:" -T "$work/source" \
        -w '%{size_upload} bytes in %{time_total} s, %{speed_upload} bytes/s\n' \
        "sftp://127.0.0.1:$SSHD_PORT$work/copy"
    check
}

build
step "A private sshd on 127.0.0.1, and $size MiB of random data"
sshd_start "$work"
head -c "${size}M" /dev/urandom >"$work/source"
sum=$(sha256sum <"$work/source")
echo "port $SSHD_PORT"

show_own_program
show_debian_program
show_curl

step "A program of your own"
echo "relink it:  cc program.c -I$include -L$lib -Wl,-rpath,$lib -lssh2"
echo "or not:     LD_LIBRARY_PATH=$lib program   (or LD_PRELOAD=$lib/libssh2.so.1 program)"
