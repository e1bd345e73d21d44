# How the programs are run: some at a time, each for a limited time and with a verdict. Part of run.sh.

# Each job and each server is a process group, so that all of it can be ended.
set -m

servers=
clean_up() {
    trap '' HUP INT TERM
    end_groups $(jobs -p)
    end_groups $servers
    # What sshd began for a program ends after it, and may write to the last.
    await rm -rf "$work"
    [ -z "$x_sockets" ] || rmdir "$x_sockets"
} 2>/dev/null

end_groups() { # GROUP...
    local group
    for group in "$@"; do
        kill -TERM -- "-$group"
    done
    for group in "$@"; do
        await eval "! kill -0 -- -$group" || kill -KILL -- "-$group"
    done
}

# Waits until COMMAND succeeds, for ten seconds at most.
await() { # COMMAND...
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.05
    done 2>/dev/null
    return 1
}

# Returns when there is room for one more job.
take_turn() {
    while [ "$(jobs -pr | wc -l)" -ge "${CTESTS_JOBS:-2}" ]; do
        wait -n
    done
}

# Ends a job that can not be done here.
skip() { # REASON
    echo "$*"
    exit 77
}

# Does a job in a directory of its own. One line tells how it went, and what was said follows if it failed.
judge() { # NAME COMMAND...
    local name=$1 log=$work/run/$1.log
    shift
    mkdir -p "$work/run/$name"
    (cd "$work/run/$name" && "$@") >"$log" 2>&1
    case $? in
    0) echo "ok - $name" ;;
    77) echo "skipped - $name: $(tail -n 1 "$log")" ;;
    *) echo "not ok - $name"$'\n'"$(tail -c 4000 "$log" | LC_ALL=C tr -cd '[:print:]\t\n' | sed 's/^/    /')" ;;
    esac >"$work/run/$name.verdict"
    cat "$work/run/$name.verdict"
}

# Has PROGRAM's job done, if it is wanted.
try() { # PROGRAM NAME COMMAND...
    local program=$1
    shift
    case " ${CTESTS_ONLY:-$program} " in *" $program "*) ;; *) return ;; esac
    take_turn
    if [ "$SECONDS" -lt "${CTESTS_LIMIT:-300}" ]; then
        judge "$@" &
    else
        judge "$1" eval "echo 'no time was left for it'; false"
    fi
}

# Runs a program on our library. $port is where it finds the server.
ours() { # PROGRAM ARGUMENTS...
    if [ -x "$1" ]; then
        with_ours "$@"
    else
        echo "$1 does not compile:"
        cat "$1.log"
        return 1
    fi
}

with_ours() { # COMMAND...
    LD_LIBRARY_PATH=$work/lib LD_PRELOAD=$work/redirect.so:${preload:-} REDIRECT_PORT=$port USER=libssh2 \
        timeout --foreground -k 5 "${CTESTS_TIMEOUT:-30}" "$@"
}

# Keeps what a command says, and shows it.
keep() { # COMMAND...
    "$@" >said 2>&1
    local status=$?
    cat said
    return $status
}
