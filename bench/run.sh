#!/usr/bin/env bash
# Compares our library with the original and with what else could be picked: same server, same jobs, runs in turn. See
# README.md.
#
#   bench/run.sh              the whole comparison, about twenty minutes; its table and plots go to bench/results
#   BENCH_QUICK=1             fewer and smaller runs, about a minute; nothing in the tree changes
#   BENCH_ONLY="cpu far"      these sections alone; nothing in the tree changes
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
quick=${BENCH_QUICK:-0}
proxy_pid=

. "$bench/debian.sh"
. "$bench/sshd.sh"
. "$bench/contestants.sh"

say() { echo "bench: $*" >&2; }

die() {
    say "$@"
    exit 2
}

cleanup() {
    trap '' HUP INT TERM
    if [ -n "$running" ]; then
        kill "$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    fi
    proxy_stop
    sshd_stop
    rm -rf "$work"
}

# --- a long wire ----------------------------------------------------------------------------

# far RTT: sets `port` to one over which a round trip takes so many milliseconds.
far() {
    local waited
    proxy_stop
    if [ "$1" = 0 ]; then
        port=$SSHD_PORT
        return
    fi
    rm -f "$work/proxy.port"
    "$out/delayproxy" "$SSHD_PORT" "$(awk "BEGIN { print $1 / 2 }")" >"$work/proxy.port" &
    proxy_pid=$!
    for waited in $(seq 100); do
        [ -s "$work/proxy.port" ] && break
        sleep 0.05
    done
    port=$(cat "$work/proxy.port")
    [ -n "$port" ] || die "the delay proxy does not start"
}

proxy_stop() {
    [ -n "$proxy_pid" ] || return 0
    kill "$proxy_pid" 2>/dev/null || true
    wait "$proxy_pid" 2>/dev/null || true
    proxy_pid=
}

# --- measuring ------------------------------------------------------------------------------

# rounds SECTION CASE COUNT "CONTESTANT=SIZE..." JOB ARGUMENT...: COUNT rounds of a run each, in an order that turns by one
# from round to round. Each run adds a line to the results: section, case, contestant, round, figures.
rounds() {
    local section=$1 case=$2 count=$3 job=$5 round contestant size path
    local list=$4
    shift 5
    for round in $(seq "$count"); do
        for contestant in $list; do
            size=${contestant#*=} contestant=${contestant%=*}
            wants "$contestant" || continue
            case $job in
            upload) path=/dev/null ;;
            download)
                path=$work/source.$size
                [ -e "$path" ] || truncate -s "$size" "$path"
                ;;
            files)
                path=$work/files
                rm -rf "$path"
                mkdir "$path"
                ;;
            *) path=$work/many ;;
            esac
            run_one "$contestant" "$port" -s "$size" "$@" "$job" "$path" >"$work/line"
            echo "$section $case $contestant $round $(cat "$work/line")" >>"$results"
        done
        list="${list#* } ${list%% *}"
    done
}

# What one library uploads, the others must read back.
check_content() {
    local reader
    for reader in $contestants; do
        case $reader in sftp) continue ;; esac
        run_one "$reader" "$SSHD_PORT" -c aes256-ctr -s 20000003 -b 1M upload "$work/content" >/dev/null
        run_one original "$SSHD_PORT" -s 20000003 -v download "$work/content" >/dev/null
        run_one ours "$SSHD_PORT" -s 20000003 -v download "$work/content" >/dev/null
        [ "$(stat -c %s "$work/content")" -eq 20000003 ] || die "the upload of $reader has the wrong size"
        rm "$work/content"
    done
}

# each SIZE CONTESTANT...: the list for rounds() of those contestants, all with that size.
each() {
    local size=$1
    shift
    printf "%s=$size " "$@" | sed 's/ $//'
}

measure_cpu() {
    local cipher job who
    far 0
    # The ciphers that have no MAC of their own get one that everybody knows.
    for cipher in $cpu_ciphers; do
        for job in upload download; do
            say "cpu: $job, ${cipher%@*}"
            # Debian's knows no AEAD.
            who="original sftp ours"
            [ $cipher != aes256-ctr ] || who="original debian sftp ours"
            rounds cpu "$job:${cipher%@*}" "$cpu_rounds" "$(each "$cpu_size" $who)" \
                $job -c $cipher -m hmac-sha2-256 -b 256K
        done
    done
}

measure_rate() {
    local row buffer size who
    far 0
    for row in $rate_rows; do
        buffer=${row%:*} size=${row#*:}
        say "rate: $buffer buffers"
        who="original ours behind"
        case $buffer in 256K | *M) who="original sftp ours behind" ;; esac
        rounds rate "upload:$buffer" "$rate_rounds" "$(each "$size" $who)" upload -b "$buffer"
        rounds rate "download:$buffer" "$rate_rounds" "$(each "$size" ${who% behind})" download -b "$buffer"
    done
}

# Sizes are such that a run takes some seconds at most; what counts is the rate.
measure_distance() {
    local row rtt long small
    for row in $distance_rows; do
        # What fills a window per round trip, and what moves some ten KiB per round trip.
        IFS=: read -r rtt long small <<<"$row"
        say "distance: $rtt ms"
        far "$rtt"
        rounds distance "upload:4M:$rtt" "$distance_rounds" \
            "original=$(larger "$small" 4M) sftp=$long ours=$long" upload -e -b 4M
        rounds distance "upload:32K:$rtt" "$distance_rounds" \
            "original=$small debian=$small ours=$small behind=$long" upload -e -c aes256-ctr -b 32K
        rounds distance "download:16K:$rtt" "$distance_rounds" \
            "original=$small debian=$small sftp=$long ours=$long" download -c aes256-ctr -b 16K
    done
}

larger() { printf '%s\n' "$@" | sort -h | tail -n 1; }

# Share of the window that the server grants, of a whole file to its last acknowledgement.
measure_window() {
    local row style buffer size original
    far 100
    for row in $window_rows; do
        IFS=: read -r style buffer size original <<<"$row"
        say "window: $style, $buffer buffers"
        case $style in
        slide) rounds window "slide:$buffer" "$window_rounds" "original=$original ours=$size" upload -w -b "$buffer" ;;
        drain) rounds window "drain:$buffer" "$window_rounds" "original=$original ours=$size" upload -b "$buffer" ;;
        behind) rounds window "behind:$buffer" "$window_rounds" "behind=$size" upload -b "$buffer" ;;
        esac
    done
}

measure_far() {
    say "far: download over 100 ms, 16 KiB buffers"
    far 100
    rounds far download:16K "$far_rounds" "original=2M sftp=$far_size ours=$far_size" download -b 16K
}

measure_jobs() {
    local rtt
    mkdir "$work/many"
    seq -f "$work/many/a_file_with_a_name_%.0f" 10000 | xargs touch
    for rtt in $jobs_distances; do
        say "jobs: $rtt ms"
        far "$rtt"
        rounds jobs "files:$rtt" "$jobs_rounds" "$(each 4K original debian sftp ours behind)" \
            files -c aes256-ctr -f 100 -b 4K
        rounds jobs "stats:$rtt" "$jobs_rounds" "$(each 0 original debian ours)" stats -c aes256-ctr -f 200
        rounds jobs "list:$rtt" "$jobs_rounds" "$(each 0 original debian sftp ours)" list -c aes256-ctr
    done
}

# The calls of a short run are taken off those of a long one: what is left moved the data.
measure_calls() {
    local contestant job size
    command -v strace >/dev/null || debian_install strace
    if ! strace -qq -o /dev/null true 2>/dev/null; then
        say "system calls are not counted: strace is missing, or may not trace here"
        return
    fi
    far 0
    for job in upload download; do
        say "calls: $job, 256 KiB buffers"
        for contestant in original sftp ours; do
            wants $contestant || continue
            for size in 1M 33M; do
                wrapper="strace -f -c -o $work/strace"
                rounds short "$job" 1 "$contestant=$size" "$job" -b 256K
                wrapper=
                awk '$NF == "total" { print $4 }' "$work/strace" >"$work/calls.$size"
            done
            awk -v what="calls $job:256K $contestant 1" 'NR == 1 { short = $1 } NR == 2 {
                printf "%s calls=%d bytes=%d\n", what, $1 - short, 32 * 1048576
            }' "$work/calls.1M" "$work/calls.33M" >>"$results"
        done
    done
}

# What the processor does in libssh2_sftp_write and libssh2_sftp_read alone, libcrypto's part included.
measure_instructions() {
    local contestant job call cipher
    command -v valgrind >/dev/null || debian_install valgrind
    command -v valgrind >/dev/null || {
        say "instructions are not counted: valgrind is missing"
        return
    }
    far 0
    for cipher in aes256-gcm@openssh.com chacha20-poly1305@openssh.com; do
        for job in upload download; do
            say "instructions: $job, ${cipher%@*}"
            call=libssh2_sftp_write
            [ $job = upload ] || call=libssh2_sftp_read
            for contestant in original ours; do
                wrapper="valgrind --tool=callgrind --toggle-collect=$call --callgrind-out-file=/dev/null
                    --log-file=$work/valgrind"
                rounds short "$job" 1 "$contestant=$instructions_size" $job -c $cipher -b 256K
                wrapper=
                awk -v what="instructions $job:${cipher%@*} $contestant 1" \
                    -v bytes="$(numfmt --from=iec "$instructions_size")" \
                    '/Collected *:/ { printf "%s instructions=%.0f bytes=%d\n", what, $NF, bytes }' \
                    "$work/valgrind" >>"$results"
            done
        done
    done
}

# --- the plan -------------------------------------------------------------------------------

sections="cpu rate distance window far jobs calls instructions"
if [ "$quick" = 1 ]; then
    # A short download over a long wire is all beginning, and valgrind takes its time.
    sections="cpu rate window jobs calls"
    cpu_rounds=1 cpu_size=64M cpu_ciphers="aes256-gcm@openssh.com chacha20-poly1305@openssh.com"
    rate_rounds=1 rate_rows="4K:8M 32K:16M 256K:64M 4M:64M"
    window_rounds=1 window_rows="slide:4M:24M:4M behind:4K:24M:4M"
    far_rounds=1 far_size=200M
    jobs_rounds=1 jobs_distances=10
    instructions_size=4M
    distance_rounds=1 distance_rows="10:32M:1M"
    noise=0.15
else
    cpu_rounds=5 cpu_size=256M
    cpu_ciphers="aes256-gcm@openssh.com chacha20-poly1305@openssh.com aes256-ctr"
    rate_rounds=5 rate_rows="4K:16M 16K:48M 64K:96M 256K:192M 1M:192M 4M:192M 16M:192M"
    distance_rounds=2
    distance_rows="0:128M:32M 1:128M:8M 10:96M:2M 50:64M:512K 100:48M:256K 200:40M:256K"
    window_rounds=1
    window_rows="slide:4M:200M:16M slide:16M:200M:16M drain:4M:200M:16M drain:16M:192M:16M drain:64M:192M:64M
        behind:4K:200M:0 behind:32K:200M:0 behind:256K:200M:0"
    far_rounds=3 far_size=200M
    jobs_rounds=2 jobs_distances="0 10 50"
    instructions_size=16M
    noise=0.03
fi
keep=
[ "$quick" = 1 ] || [ -n "$ours" ] || [ -n "${BENCH_ONLY:-}" ] || keep=yes
if [ "$ours" = peer ]; then
    sections="cpu rate window calls instructions"
fi
sections=${BENCH_ONLY:-$sections}

tmp=${TMPDIR:-/tmp}
[ ! -w /dev/shm ] || tmp=/dev/shm
work=$(mktemp -d "$tmp/libssh2-bench.XXXXXX")
trap cleanup EXIT
trap 'exit 130' HUP INT TERM

results=$out/results
build_contestants
awk '$1 > 1 { exit 1 }' /proc/loadavg || say "the machine is busy: expect noise in the ratios"
load=$(cut -d' ' -f1 /proc/loadavg)
sshd_start "$work" || exit 2
: >"$results"
check_content
started=$(date +%s)
for section in $sections; do
    "measure_$section"
done

sshd_version=$(ssh -V 2>&1)
cat >"$out/machine" <<E2
$(date -u +%Y-%m-%d), $(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo "no commit")$(
    [ -z "$(git -C "$root" status --porcelain -- src Cargo.lock 2>/dev/null)" ] || echo " with changes"
), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, load $load before, ${sshd_version%%,*}, $(
    openssl version | cut -d' ' -f1,2), $(($(date +%s) - started)) seconds
E2
awk -v noise="$noise" -v self="$([ "$ours" = peer ] && echo 1 || echo 0)" -v machine="$(cat "$out/machine")" \
    -v csv="$out/table.csv" -v markdown="$out/table.md" -f "$bench/report.awk" "$bench/limits" "$results" || status=$?
"$bench/plots.sh" "$out/table.csv" "$out"
if [ -n "$keep" ]; then
    mkdir -p "$bench/results"
    cp "$out/table.csv" "$out/table.md" "$out"/*.svg "$bench/results/"
fi
exit "${status:-0}"
