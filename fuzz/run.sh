#!/bin/bash
# Fuzzes what takes in what files, agents and servers say, as many targets at a time as there are processors. SECONDS is
# how long it takes for all targets (those that are named, or else all): one line for each says what was run, and the
# last line is "N passed, N failed".
#
#   fuzz/run.sh SECONDS [TARGET...]
#   fuzz/run.sh SECONDS/each [TARGET...]    so many for each target
#   FUZZ_TOOLCHAIN=default    build with the default toolchain (and not nightly with AddressSanitizer where that is)
#   FUZZ_JOBS=1               so many targets at a time
#   FUZZ_MERGE=1              afterwards make fuzz/corpus the smallest set of inputs that covers as much as all found
#
# What is found grows under target/fuzz/corpus from run to run; findings are left in target/fuzz/findings. cargo-fuzz is
# not needed, but can be used as well: `FUZZ_TARGET=TARGET cargo +nightly fuzz run fuzz fuzz/corpus/TARGET`. Where
# libFuzzer cannot be built (it comes from cargo's registry), the targets are run by the test that replays and mutates
# the corpus.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")/fuzz
given=${1:-}
seconds=${given%/each}
case $seconds in '' | *[!0-9]*) echo "usage: fuzz/run.sh SECONDS[/each] [TARGET...]" >&2 && exit 2 ;; esac
shift
# cargo-fuzz, when it is given no corpus, makes one by the name of the program.
targets=${*:-$(ls "$here/corpus" | grep -vx fuzz)}
count=$(echo "$targets" | wc -w)
jobs=${FUZZ_JOBS:-$(nproc)}
case $jobs in '' | *[!0-9]* | 0) echo "FUZZ_JOBS is a number of targets" >&2 && exit 2 ;; esac
# How long each target has, and how often targets take each other's place.
turns=$(((count + jobs - 1) / jobs))
each=$seconds
[ "$seconds" != "$given" ] || each=$((seconds / turns))
each=$((each > 0 ? each : 1))

without_libfuzzer() {
    echo "libFuzzer cannot be built here: the corpus is replayed and mutated instead"
    cd "$root" || exit 1
    # One after the other, in the same time.
    if FUZZ_SECONDS=$((each * turns / count + 1)) FUZZ_TARGETS=$targets \
        cargo test --locked --lib fuzzing:: -- --nocapture >"$target/replay.log" 2>&1; then
        grep ' executions ' "$target/replay.log"
        echo "$count passed, 0 failed"
        exit 0
    fi
    cat "$target/replay.log"
    echo "0 passed, 1 failed"
    exit 1
}

mkdir -p "$target/findings" || exit 1
good=$(mktemp "$target/good.XXXXXX") || exit 1
trap 'rm -f "$good"' EXIT
# The targets are a process group (-m), to be ended as one.
set -m
group=
trap '[ -z "$group" ] || kill -TERM -- "-$group" 2>/dev/null; exit 1' HUP INT TERM
flags="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
for kind in inline-8bit-counters pc-table trace-compares; do
    flags="$flags -Cllvm-args=-sanitizer-coverage-$kind"
done
host=$(rustc -vV | sed -n 's/^host: //p')
cd "$here" || exit 1

build() { # TOOLCHAIN: one of rustup's, or `default` for whatever cargo there is
    local cargo=(cargo "+$1") sanitizer=
    case $1 in
    default) cargo=(cargo) ;;
    nightly*) sanitizer=-Zsanitizer=address ;;
    esac
    RUSTUP_AUTO_INSTALL=0 RUSTFLAGS="$flags $sanitizer" "${cargo[@]}" build --release --locked --quiet \
        --target "$host" --target-dir "$target/$1"
}
for toolchain in ${FUZZ_TOOLCHAIN:-nightly default}; do
    build "$toolchain" >"$target/build-$toolchain.log" 2>&1 && break
    if grep -q 'lock file' "$target/build-$toolchain.log"; then
        echo "fuzz/Cargo.lock is out of date: run cargo update --workspace in fuzz"
        echo "0 passed, 1 failed"
        exit 1
    fi
    [ "$toolchain" = nightly ] || {
        tail -n 5 "$target/build-$toolchain.log"
        without_libfuzzer
    }
done
echo "libFuzzer, built with $toolchain, $each s for each target"

program=$target/$toolchain/$host/release/fuzz
fuzz() { # TARGET
    local name=$1 found=$target/corpus/$1 log=$target/$1.log
    local status cpu executions covered merged TIMEFORMAT='%0U + %0S'
    export FUZZ_TARGET=$name
    mkdir -p "$found"
    # A program that hangs is ended by libFuzzer itself after -timeout; this is for one that can not even do that. What has
    # been found before is run first, whatever time that takes.
    local most=$((each + 120 + $(ls "$found" | wc -l) / 10))
    { time timeout --foreground -k 10 "$most" "$program" -max_total_time="$each" -max_len=8192 -timeout=20 \
        -rss_limit_mb=2048 -entropic_scale_per_exec_time=1 -print_final_stats=1 \
        -artifact_prefix="$target/findings/$name-" "$found" "$here/corpus/$name" >"$log" 2>&1; } 2>"$log.cpu"
    status=$?
    # The shell may have something to say ahead of it.
    cpu=$(awk 'END { print $1 + $3 }' "$log.cpu")
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    local did="$name: ${executions:-0} executions in $cpu s of CPU time, ${covered:-0} edges"
    if [ "$status" -ne 0 ]; then
        echo "$did, FAILED ($status): see $log"$'\n'"$(grep -v -e '^#' -e '^INFO' "$log" | head -n 40)"
        return 1
    fi
    echo "$did, no findings"
    [ -n "${FUZZ_MERGE:-}" ] || return 0
    merged=$(mktemp -d "$target/merged.XXXXXX") || return 1
    if ! "$program" -set_cover_merge=1 -max_len=8192 "$merged" "$here/corpus/$name" "$found" >"$log" 2>&1; then
        rm -rf "$merged"
        echo "$name: its corpus cannot be made smaller: see $log"
        return 1
    fi
    rm -rf "$here/corpus/$name"
    mv "$merged" "$here/corpus/$name"
    chmod 755 "$here/corpus/$name"
}
export -f fuzz
export here target program each good
# shellcheck disable=SC2086,SC2016
printf '%s\n' $targets | xargs -P "$jobs" -n 1 bash -c 'fuzz "$1" && echo "$1" >>"$good"' fuzz &
group=$!
wait "$group"
passed=$(wc -l <"$good")
echo "$passed passed, $((count - passed)) failed"
[ "$passed" -eq "$count" ]
