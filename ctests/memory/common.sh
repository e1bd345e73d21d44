# What valgrind.sh and asan.sh have in common. To be sourced; it sets `here`, `root`, `reports` and `tests`.
#
#   SCRIPT [all | some]    all C tests (the default), or those that between them go through every part of the library
#   CTESTS_ONLY="name..."  these

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/ctests/memory
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
reports=$(mktemp -d "${TMPDIR:-/tmp}/ctests-memory.XXXXXX") || exit 1
trap 'rm -rf "$reports"' EXIT
trap 'exit 1' HUP INT TERM

case ${1:-all} in
all) tests=${CTESTS_ONLY:-} ;;
some)
    tool=$(basename "$0" .sh)
    tests=${CTESTS_ONLY:-$(awk -v tool="$tool" '!/^#/ && ($2 == "" || $2 == tool) { print $1 }' "$here/some.txt")}
    ;;
*) echo "usage: $0 [all | some]" >&2 && exit 2 ;;
esac

die() {
    echo "memory: $*" >&2
    echo "0 passed, 1 failed"
    exit 1
}

# Runs the tests on a library; sets passed and failed.
run_tests() { # LIBRARY
    export CTESTS_LIB=ours CTESTS_OURS=$1 CTESTS_ONLY=${tests//$'\n'/ }
    "$root/ctests/run.sh" | tee "$reports/output" | sed -u '/^[0-9]* passed, [0-9]* failed$/d'
    read -r passed failed < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$reports/output")
    [ -n "${failed:-}" ] || die "the tests were not run"
}

# All that was reported, in paragraphs.
reported() {
    local report
    for report in "$reports"/report.*; do
        [ ! -f "$report" ] || sed 's/^==[0-9]*== \{0,1\}//; $a\' "$report"
        echo
    done
}

# Prints those paragraphs of the reports that tell of memory that the library has lost. What the test programs themselves
# lose does not matter, not even in a function that the library calls: they are short. Their allocators are the library's.
lost_by_the_library() {
    local programs
    programs=$(cd "$here" && printf '%s\n' faulty.c ../harness/*.c ../tests/*.c | sed 's|.*/||' | paste -sd'|')
    reported | awk -v programs="$programs" '
        BEGIN { RS = ""; FS = "\n" }
        /definitely lost|indirectly lost|[Dd]irect leak of/ {
            for (i = 1; i <= NF; i++) {
                is_program = $i ~ "(^|[ (/])(" programs "):[0-9]"
                if (is_program && $i !~ /alloc/) break
                if (!is_program && $i ~ /\.rs:[0-9]+|libssh2\.so/) {
                    print $0 "\n"
                    break
                }
            }
        }'
}

# Whether it is told whose loss it is, by the faults of faulty.c that RUN FAULT runs.
tells_losses_apart() { # RUN
    local fault
    for fault in leak leak-allocated leak-in-callback; do
        rm -f "$reports"/report.*
        "$1" $fault
        case $fault in
        leak-in-callback) [ -z "$(lost_by_the_library)" ] && grep -q 'faulty\.c' "$reports"/report.* ;;
        *) [ -n "$(lost_by_the_library)" ] ;;
        esac || die "it does not tell whose loss it is in faulty.c ($fault)"
    done
    rm -f "$reports"/report.*
}

# Why programs have failed, the one test that is about all of them, and the sum.
judge_leaks() {
    local lost
    if [ "$failed" != 0 ]; then
        reported | awk 'BEGIN { RS = ""; ORS = "\n\n" } !/lost in loss record|[Dd]irect leak of|LeakSanitizer|^SUMMARY/' | head -n 200 | sed 's/^/# /'
    fi
    lost=$(lost_by_the_library)
    if [ -z "$lost" ]; then
        passed=$((passed + 1))
        echo "ok - the library has lost nothing"
    else
        failed=$((failed + 1))
        echo "not ok - the library has lost memory:"
        head -n 200 <<<"$lost" | sed 's/^/# /'
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
