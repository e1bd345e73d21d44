# To be sourced: runs checks, tells of each whether it is good, and counts. The file that sources this sets `name`.
#
#   check "what it is" COMMAND...   good when the command succeeds; what it says is shown when not
#   summary                         prints "N passed, N failed" and fails when one did
#
# $work is a directory that is removed at the end; $root the project's.

passed=0
failed=0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/libssh2-$name.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

check() {
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok - $name: $what"
    else
        failed=$((failed + 1))
        echo "not ok - $name: $what"
        grep -v '^ok' "$work/log" | head -40 | sed 's/^/# /'
    fi
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
