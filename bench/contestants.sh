# Who is measured, to be sourced by run.sh.
#
#   original   the original libssh2, as the crate libssh2-sys carries it, linked statically
#   debian     Debian's libssh2.so.1, if it can be had
#   sftp       OpenSSH's client
#   ours       this library, linked statically
#   behind     this library with LIBSSH2_SFTP_WRITE_BEHIND in its environment
#
# Uses: bench root target out work ours, die(), and after sshd_start what that sets.

# What a program that writes behind lets run ahead of the server's answers.
BEHIND=$((8 << 20))

# Puts the drivers of all contestants that can be had into $out, and their names into `contestants`.
build_contestants() {
    local cc=${CC:-cc} flags="-std=gnu11 -O2 -Wall -Wextra" peer debian
    peer=$("$root/ctests/peer/build.sh") || die "the original is needed to compare with"
    $cc $flags -I"$peer/include" -o "$out/driver-original" "$bench/driver.c" \
        "$peer/libssh2.a" -lcrypto -lz
    $cc $flags -o "$out/delayproxy" "$bench/delayproxy.c"
    contestants="original ours"
    case $ours in
    peer)
        cp "$out/driver-original" "$out/driver-ours"
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
    cp "$out/driver-ours" "$out/driver-behind"
    contestants="original sftp ours behind"
    # The package brings no headers, and the original's fit.
    if debian=$(debian_file libssh2-1 libssh2.so.1) &&
        $cc $flags -I"$peer/include" -o "$out/driver-debian" "$bench/driver.c" "$debian" -lcrypto; then
        contestants="original debian sftp ours behind"
    else
        say "Debian's libssh2-1 is not to be had"
    fi
}

# wants CONTESTANT: whether it is here to be measured.
wants() {
    case " $contestants " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# run_one CONTESTANT PORT ARGUMENT...: one run of a driver with these arguments, the last two of which are job and path.
# Its figures go to stdout.
run_one() {
    local contestant=$1 port=$2
    shift 2
    if [ "$contestant" = sftp ]; then
        sftp_run "$port" "$@"
        return
    fi
    if [ "$contestant" = behind ]; then
        export LIBSSH2_SFTP_WRITE_BEHIND=$BEHIND
        set -- -e "$@"
    else
        unset LIBSSH2_SFTP_WRITE_BEHIND
    fi
    # In the background, so that a signal to this script is not kept waiting.
    $wrapper "$out/driver-$contestant" -t 120 -p "$port" -u "$SSHD_USER" -k "$SSHD_KEY" "$@" \
        >"$work/figures" 2>"$work/driver.log" &
    running=$!
    wait "$running" || die "$contestant failed: driver $*: $(cat "$work/driver.log")"
    running=
    cat "$work/figures"
}
wrapper=
running=

# sftp_run PORT ARGUMENT...: the same of OpenSSH's client, which takes the arguments of the driver that have a meaning for
# it. What the login costs is known from doing nothing, and taken off.
sftp_run() {
    local port=$1 cipher=aes256-gcm@openssh.com size=64M count=100 option
    shift
    OPTIND=1
    while getopts p:u:k:c:m:s:b:t:f:wnve option; do
        case $option in
        c) cipher=$OPTARG ;;
        s) size=$OPTARG ;;
        f) count=$OPTARG ;;
        esac
    done
    shift $((OPTIND - 1))
    case $1 in
    upload)
        truncate -s "$size" "$work/from"
        echo "put $work/from $2"
        ;;
    download) echo "get $work/source.$size /dev/null" ;;
    files)
        rm -rf "$work/few"
        mkdir "$work/few"
        seq -f "$work/few/%.0f" 0 $((count - 1)) | xargs truncate -s "$size"
        echo "put $work/few/* $2"
        ;;
    list) echo "ls -1f $2" ;;
    esac >"$work/batch"
    : >"$work/nothing"
    sftp_batch "$port" "$cipher" "$work/nothing" >"$work/login.figures"
    sftp_batch "$port" "$cipher" "$work/batch" >"$work/figures"
    size=$(numfmt --from=iec "$size")
    awk -v bytes="$size" '
        { for (i = 1; i <= NF; i++) { split($i, part, "="); figure[part[1], FNR == NR] = part[2] } }
        END {
            wall = figure["wall", 0] - figure["wall", 1]
            if (wall <= 0) wall = 0.001
            printf "lib=sftp bytes=%d wall=%.3f user=%.3f sys=%.3f rate=%.3f\n", bytes, wall,
                figure["user", 0] - figure["user", 1], figure["sys", 0] - figure["sys", 1], bytes / 1e6 / wall
        }' "$work/login.figures" "$work/figures"
}

# sftp_batch PORT CIPHER FILE: runs the commands of the file, and prints what that cost together with ssh below.
sftp_batch() {
    local TIMEFORMAT='wall=%R user=%U sys=%S' failed=
    { time timeout 120 $wrapper sftp -q -F /dev/null -b "$3" -P "$1" -i "$SSHD_KEY" -o IdentitiesOnly=yes \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null \
        -o LogLevel=ERROR -o Ciphers="$2" -o MACs=hmac-sha2-256 "$SSHD_USER@127.0.0.1" \
        >"$work/sftp.log" 2>&1 || failed=yes; } 2>&1
    [ -z "$failed" ] || die "sftp failed: $(cat "$3"): $(tail -n 3 "$work/sftp.log")"
}
