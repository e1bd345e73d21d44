#!/usr/bin/env bash
# Compares our library with the original: same driver, same sshd, runs in turn. See README.md.
#
#   bench/run.sh              the whole comparison, some minutes
#   BENCH_QUICK=1             fewer and smaller runs, under a minute
#   BENCH_OURS=DIR            a directory with libssh2.a and include/ to judge in place of ours
#   BENCH_OURS=peer           the original against itself: shows what the bench itself is worth
#
# Exits 0 when every limit holds, 1 when one does not, 2 when the bench can not run.
set -euo pipefail

bench=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$bench")
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target/bench"
target=$(cd "$target" && pwd)
export CARGO_TARGET_DIR=$target
out=$target/bench
ours=${BENCH_OURS:-}
delay=50
driver_pid=
proxy_pid=

. "$bench/debian.sh"
. "$bench/sshd.sh"

say() { echo "bench: $*" >&2; }

die() {
    say "$@"
    exit 2
}

cleanup() {
    local pid
    trap '' HUP INT TERM
    for pid in $driver_pid $proxy_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    sshd_stop
    rm -rf "$work"
}

tmp=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || tmp=/dev/shm
work=$(mktemp -d "$tmp/libssh2-bench.XXXXXX")
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

# --- building -------------------------------------------------------------------------------

build() {
    local cc=${CC:-cc} flags="-std=gnu11 -O2 -Wall -Wextra" peer
    peer=$("$root/ctests/peer/build.sh") || die "the original is needed to compare with"
    $cc $flags -I"$peer/include" -o "$out/driver-peer" "$bench/driver.c" \
        "$peer/libssh2.a" -lcrypto -lz
    $cc $flags -o "$out/delayproxy" "$bench/delayproxy.c"
    case $ours in
    peer)
        cp "$out/driver-peer" "$out/driver-ours"
        return
        ;;
    '')
        make -s -C "$root" all >&2 || die "our library does not build"
        set -- "$root/include" "$target/release/libssh2.a"
        ;;
    *) set -- "$ours/include" "$ours/libssh2.a" ;;
    esac
    $cc $flags -I"$1" -o "$out/driver-ours" "$bench/driver.c" \
        "$2" -lcrypto -lz -lpthread -ldl -lm
}

start_proxy() {
    local waited
    "$out/delayproxy" "$SSHD_PORT" "$delay" >"$work/proxy.port" &
    proxy_pid=$!
    for waited in $(seq 100); do
        [ -s "$work/proxy.port" ] && break
        sleep 0.05
    done
    proxy_port=$(cat "$work/proxy.port")
    [ -n "$proxy_port" ] || die "the delay proxy does not start"
}

# --- measuring ------------------------------------------------------------------------------

# transfer LIB PORT ARGUMENT...: one run of a driver; its figures go to stdout.
transfer() {
    local lib=$1 port=$2
    shift 2
    # In the background, so that a signal to this script is not kept waiting.
    $wrapper "$out/driver-$lib" -t 60 -p "$port" -u "$SSHD_USER" -k "$SSHD_KEY" "$@" \
        >"$work/figures" &
    driver_pid=$!
    wait "$driver_pid" || die "$lib failed: driver $*"
    driver_pid=
    cat "$work/figures"
}
wrapper=

# pairs SECTION ROW COUNT PORT ARGUMENT...: COUNT runs of either library, in turn, the first one
# changing. Each run adds a line to the results: section, row, library, pair, figures.
pairs() {
    local section=$1 row=$2 count=$3 port=$4 pair lib order
    shift 4
    for pair in $(seq "$count"); do
        order="peer ours"
        [ $((pair % 2)) -eq 1 ] || order="ours peer"
        for lib in $order; do
            transfer "$lib" "$port" "$@" >"$work/line"
            echo "$section $row $lib $pair $(cat "$work/line")" >>"$out/results"
        done
    done
}

# What one library uploads, the other one must read back.
check_content() {
    transfer ours "$SSHD_PORT" -s 20000003 -b 1M upload "$work/content" >/dev/null
    transfer peer "$SSHD_PORT" -s 20000003 -v download "$work/content" >/dev/null
    [ "$(stat -c %s "$work/content")" -eq 20000003 ] || die "the upload has the wrong size"
    rm "$work/content"
}

measure_cpu() {
    local cipher
    say "user CPU per cipher, 256 KiB buffers"
    for cipher in aes256-gcm@openssh.com aes128-gcm@openssh.com chacha20-poly1305@openssh.com \
        aes256-ctr; do
        pairs cpu "$cipher" "$cpu_pairs" "$SSHD_PORT" -c "$cipher" \
            -m hmac-sha2-256-etm@openssh.com -b 256K -s "$cpu_size" upload /dev/null
    done
}

measure_rate() {
    local row
    say "throughput per buffer size"
    for row in $rate_rows; do
        pairs rate "${row%:*}" "$rate_pairs" "$SSHD_PORT" -b "${row%:*}" -s "${row#*:}" \
            upload /dev/null
    done
}

# The calls of a short upload are taken off those of a long one: what is left moved the data.
measure_syscalls() {
    local lib size
    command -v strace >/dev/null || debian_install strace
    if ! strace -qq -o /dev/null true 2>/dev/null; then
        say "system calls are not counted: strace is missing, or may not trace here"
        return
    fi
    say "system calls, 256 KiB buffers"
    for lib in peer ours; do
        for size in 1 17; do
            wrapper="strace -f -c -o $work/strace"
            transfer "$lib" "$SSHD_PORT" -b 256K -s "${size}M" upload /dev/null >"$work/line"
            wrapper=
            awk -v run="syscalls ${size}M $lib 1" \
                '$NF == "total" { print run, "syscalls=" $4 }' "$work/strace" >>"$out/results"
        done
    done
}

measure_window() {
    local row style
    say "round trips of $((2 * delay)) ms"
    start_proxy
    for row in $window_rows; do
        style=${row%%:*}
        row=${row#*:}
        pairs window "$style:${row%:*}" "$window_pairs" "$proxy_port" \
            $([ "$style" = drain ] || echo -w) -b "${row%:*}" -s "${row#*:}" upload /dev/null
    done
}

if [ "${BENCH_QUICK:-0}" = 1 ]; then
    noise=0.15
    cpu_pairs=3 cpu_size=128M
    rate_pairs=1 rate_rows="1K:2M 4K:8M 32K:16M 256K:64M 1M:64M 4M:64M 16M:64M"
    window_pairs=1 window_rows="slide:4M:48M slide:16M:48M"
else
    noise=0.03
    cpu_pairs=5 cpu_size=384M
    rate_pairs=7 rate_rows="1K:8M 4K:16M 32K:64M 256K:128M 1M:128M 4M:256M 16M:256M"
    window_pairs=2 window_rows="slide:256K:2M slide:4M:48M slide:16M:48M drain:4M:16M drain:16M:48M"
fi

build
awk '$1 > 1 { exit 1 }' /proc/loadavg || say "the machine is busy: expect noise in the ratios"
sshd_start "$work" || exit 2
: >"$out/results"
check_content
measure_cpu
measure_rate
measure_syscalls
measure_window

sshd_version=$(ssh -V 2>&1)
echo "libssh2-rs against libssh2, ${sshd_version%%,*}, $(nproc) CPUs, load $(cut -d' ' -f1 /proc/loadavg)"
awk -v self="$([ "$ours" = peer ] && echo 1 || echo 0)" -v round_trip="$((2 * delay))" \
    -v rate_noise="$noise" -f "$bench/report.awk" "$out/results"
