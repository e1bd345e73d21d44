# A private sshd on loopback, to be sourced by the scripts that measure and show.
#
#   sshd_start DIR [CONFIG-LINE...]   starts it with everything that it needs in DIR, which must
#                                     be a fresh directory that only this user can write to
#   sshd_stop                         ends it; safe to call at any time
#
# After sshd_start: SSHD_PORT, SSHD_USER, SSHD_KEY (a private key that may log in) and
# SSHD_FINGERPRINT (SHA-256 of the host key in base64, as ssh-keygen prints it).

SSHD_PID=

sshd_start() {
    local dir=$1 pam=no sshd try waited
    shift
    sshd=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v sshd) || {
        echo "sshd: not installed (Debian: openssh-server)" >&2
        return 1
    }
    SSHD_USER=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        # The directory that sshd, run by root, confines its unprivileged part to.
        mkdir -p -m 755 /run/sshd
        # Only PAM lets a key in where the password is locked, as root's is on many machines.
        case $(getent shadow "$SSHD_USER" | cut -d: -f2) in '!'*) pam=yes ;; esac
    fi
    SSHD_KEY=$dir/id_ed25519
    ssh-keygen -q -t ed25519 -N '' -C host -f "$dir/host_ed25519"
    ssh-keygen -q -t ed25519 -N '' -C user -f "$SSHD_KEY"
    cp "$SSHD_KEY.pub" "$dir/authorized_keys"
    SSHD_FINGERPRINT=$(ssh-keygen -lf "$dir/host_ed25519.pub" | cut -d' ' -f2)
    SSHD_FINGERPRINT=${SSHD_FINGERPRINT#SHA256:}
    for try in 1 2 3 4 5 6 7 8; do
        SSHD_PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        printf '%s\n' \
            "ListenAddress 127.0.0.1:$SSHD_PORT" \
            "HostKey $dir/host_ed25519" \
            "AuthorizedKeysFile $dir/authorized_keys" \
            "PermitRootLogin prohibit-password" \
            "PasswordAuthentication no" \
            "KbdInteractiveAuthentication no" \
            "UsePAM $pam" \
            "StrictModes no" \
            "PidFile none" \
            "Subsystem sftp internal-sftp" \
            "$@" >"$dir/sshd_config"
        # Should this script be killed outright, the kernel takes sshd down after it.
        setpriv --pdeathsig TERM "$sshd" -D -e -f "$dir/sshd_config" 2>"$dir/sshd.log" &
        SSHD_PID=$!
        for waited in $(seq 100); do
            grep -qs '^Server listening' "$dir/sshd.log" && return 0
            kill -0 "$SSHD_PID" 2>/dev/null || break
            sleep 0.05
        done
        sshd_stop
    done
    echo "sshd: does not start:" >&2
    cat "$dir/sshd.log" >&2
    return 1
}

sshd_stop() {
    local waited children
    [ -n "$SSHD_PID" ] || return 0
    # Connections end with their clients; sshd should see that, so that nothing is left behind.
    for waited in $(seq 40); do
        children=$(cat "/proc/$SSHD_PID/task/$SSHD_PID/children" 2>/dev/null) || break
        [ -n "$children" ] || break
        sleep 0.05
    done
    kill "$SSHD_PID" 2>/dev/null || true
    wait "$SSHD_PID" 2>/dev/null || true
    SSHD_PID=
}
