# The servers that the programs talk to, on loopback and at free ports. Part of run.sh.

sshd=${SSHD:-/usr/sbin/sshd}
testd=${SSH2_TESTD:-$target/debug/examples/ssh2-testd}
password="my test password"

# Starts a server, which ends with this script, or at the latest after a while.
serve() { # COMMAND...
    timeout -k 5 1200 "$@" &
    servers="$servers $!"
    disown
}

listening() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1")
}

# Sets what sshd knows.
knows() { # SETTING
    "$sshd" -t -f "$work/sshd_config" -o "$1" 2>/dev/null && echo "$1" >>"$work/sshd_config"
}

# OpenSSH's sshd, to which sshd_user.c shows the user that the programs want. Sets sshd_port.
start_sshd() {
    local given=$peer/tests/openssh_server type
    mkdir -m 700 "$work/server" "$work/home"
    # sshd and ssh-add insist that nobody else may read a private key.
    install -m 600 "$given"/ssh_host_*_key "$peer/tests/keys/id_ed25519_openssh" "$work/server"
    echo "[ -z \"\$DISPLAY\" ] || exec $BASH '$here/x_client.sh'" >"$work/home/.profile"
    {
        for type in rsa ecdsa ed25519; do
            echo "HostKey $work/server/ssh_host_${type}_key"
            echo "HostCertificate $given/ssh_host_${type}_key-cert.pub"
        done
        cat <<END
ListenAddress 127.0.0.1
AddressFamily inet
TrustedUserCAKeys $given/ca_user_keys.pub
AuthorizedKeysFile $given/authorized_keys
HostKeyAlgorithms +ssh-rsa,ssh-rsa-cert-v01@openssh.com
CASignatureAlgorithms +ssh-rsa
Ciphers +3des-cbc,aes128-cbc,aes192-cbc,aes256-cbc
MACs +hmac-sha1,hmac-sha1-96,hmac-md5,hmac-md5-96,hmac-sha1-etm@openssh.com
Subsystem sftp internal-sftp
Subsystem netconf $BASH $here/netconf.sh
X11Forwarding yes
AcceptEnv FOO
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
MaxStartups 100
PrintMotd no
PrintLastLog no
UseDNS no
END
    } >"$work/sshd_config"
    [ "$(id -u)" = 0 ] && mkdir -p /run/sshd
    # Older ones know DSA; newer ones make an address wait after failed logins.
    knows "PubkeyAcceptedAlgorithms +ssh-dss,ssh-rsa,ssh-rsa-cert-v01@openssh.com" ||
        knows "PubkeyAcceptedAlgorithms +ssh-rsa,ssh-rsa-cert-v01@openssh.com"
    knows "PerSourcePenalties no"
    for sshd_port in $(shuf -i 20000-29999 -n 5); do
        LD_PRELOAD=$work/sshd_user.so serve "$sshd" -D -f "$work/sshd_config" -p "$sshd_port" -E "$work/sshd.log"
        await eval "listening $sshd_port || ! kill -0 -- -$!" && kill -0 -- "-$!" 2>/dev/null && return
    done
    cat "$work/sshd.log"
    die "sshd does not start"
}

# The server of testkit/, for logins by keyboard-interactive: sshd knows these with PAM alone. Sets testd_port.
start_testd() {
    serve "$testd" --user libssh2 --password "$password" --ask "Password: =$password" --ignore-stdin \
        --seconds 1200 >"$work/testd.port" 2>"$work/testd.log"
    await test -s "$work/testd.port" || die "ssh2-testd does not start"
    testd_port=$(cat "$work/testd.port")
}

# Sets SSH_AUTH_SOCK.
start_agent() {
    export SSH_AUTH_SOCK=$work/agent
    serve ssh-agent -D -a "$SSH_AUTH_SOCK" >/dev/null
    await test -S "$SSH_AUTH_SOCK" && ssh-add -q "$work/server/id_ed25519_openssh" || die "ssh-agent does not start"
}

# Where X servers have their sockets. What was not there before goes again.
x_sockets=/tmp/.X11-unix
[ -d "$x_sockets" ] && x_sockets=

start_servers() {
    [ -x "$sshd" ] || die "no sshd at $sshd: install openssh-server or name it in SSHD"
    [ -x "$testd" ] || die "$testd is not there: cargo build --example ssh2-testd"
    start_sshd
    start_testd
    start_agent
}

# Starts an X server for as long as a job lasts, or skips the job. Sets DISPLAY.
start_x_server() {
    command -v Xvfb >/dev/null || skip "no Xvfb here"
    [ -x /usr/bin/xauth ] || skip "no xauth here, which sshd wants"
    timeout --foreground -k 5 60 Xvfb -displayfd 1 -ac -nolisten tcp >display 2>Xvfb.log &
    trap "kill $!; wait $!" EXIT
    await test -s display || skip "Xvfb does not start"
    export DISPLAY=:$(cat display)
}
