# The servers, each on loopback and as whoever runs this. Part of run.sh.
#
# start_NAME begins one and sets what is to be known of it: port, logins and can (see client/interop.h), says (its
# version), and title, its name in the tables. If it is not to be had it sets why instead.

user=libssh2 # whom sshd_user.c shows to the servers that want a user of the system
sshd=${SSHD:-/usr/sbin/sshd}
sftp_server=/usr/lib/openssh/sftp-server
keys="ed25519 ecdsa256 ecdsa384 ecdsa521 rsa rsa-512 rsa-256"
certificates="cert-ed25519 cert-ecdsa256 cert-ecdsa384 cert-ecdsa521 cert-rsa"

# Runs a server, which ends with this script, or at the latest after a while.
serve() { # COMMAND...
    timeout -k 5 1200 "$@" </dev/null &
    servers="$servers $!"
    disown
}

# Runs a server that prints its port.
serve_port() { # NAME COMMAND...
    local name=$1
    shift
    serve "$@" >"$work/$name.port" 2>"$work/$name.log"
    await test -s "$work/$name.port" || why="it does not start: $(tail -n 1 "$work/$name.log")"
    port=$(cat "$work/$name.port")
}

listening() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1")
}

# Runs a server at a port that is free: COMMAND has PORT where its number goes.
serve_at() { # NAME COMMAND...
    local name=$1
    shift
    for port in $(shuf -i 20000-29999 -n 5); do
        serve "${@//PORT/$port}" >"$work/$name.log" 2>&1
        await eval "listening $port || ! kill -0 -- -$!" && kill -0 -- "-$!" 2>/dev/null && return
    done
    why="it does not start: $(tail -n 1 "$work/$name.log")"
}

has() { # COMMAND
    command -v "$1" >/dev/null
}

# The version of a Debian package without Debian's part of it.
upstream() { # PACKAGE
    dpkg-query -W -f '${Version}' "$1" 2>/dev/null | sed 's/^[0-9]*://; s/[-~+].*//'
}

# The fixtures that all share: keys and certificates, and a home for the user.
prepare() {
    "$here/../keys.sh" "$work/keys" >"$work/keys.log" 2>&1 || die "keys.sh failed: $(tail -n 1 "$work/keys.log")"
    local type
    for type in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa; do
        ssh-keygen -q -s "$work/keys/ca" -I "user $type" -n $user "$work/keys/user_$type.pub"
    done
    mkdir -m 700 "$work/home" "$work/home/.ssh"
    cp "$work/keys/authorized_keys" "$work/home/.ssh"
    # This host, as a login by its key has it.
    echo "localhost $user" >"$work/home/.shosts"
    echo "localhost $(cat "$work/keys/host_ed25519.pub")" >"$work/home/.ssh/known_hosts"
    $CC -O1 -shared -fPIC -D "HOME_DIRECTORY=\"$work/home\"" -o "$work/sshd_user.so" "$here/../original/sshd_user.c" -ldl ||
        die "sshd_user.c does not compile"
}

# All that OpenSSH knows of a kind.
all() { # KIND
    ssh -Q "$1" | grep -v '^sk-\|^webauthn-' | paste -sd,
}

start_sshd() { # NAME SFTP
    local type
    has ssh-keygen && [ -x "$sshd" ] || { why="no sshd at $sshd"; return; }
    {
        for type in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa dsa; do
            [ -f "$work/keys/host_$type" ] && echo "HostKey $work/keys/host_$type"
            [ -f "$work/keys/host_$type-cert.pub" ] && echo "HostCertificate $work/keys/host_$type-cert.pub"
        done
        cat <<END
ListenAddress 127.0.0.1
AddressFamily inet
KexAlgorithms $(all kex)
Ciphers $(all cipher)
MACs $(all mac)
HostKeyAlgorithms $(all HostKeyAlgorithms)
PubkeyAcceptedAlgorithms $(all PubkeyAcceptedAlgorithms)
Compression yes
RekeyLimit 4M
TrustedUserCAKeys $work/keys/ca.pub
AuthorizedKeysFile $work/keys/authorized_keys
Subsystem sftp $2
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
HostbasedAuthentication yes
HostbasedUsesNameFromPacketOnly yes
IgnoreRhosts no
MaxAuthTries 20
MaxStartups 100
PrintMotd no
PrintLastLog no
UseDNS no
SetEnv SHLVL=9
Match User $user-partial
    AuthenticationMethods publickey,password
END
    } >"$work/$1.conf"
    # Newer ones make an address wait after failed logins.
    "$sshd" -t -f "$work/$1.conf" -o "PerSourcePenalties no" 2>/dev/null && sed -i "1i PerSourcePenalties no" "$work/$1.conf"
    [ "$(id -u)" = 0 ] && mkdir -p /run/sshd
    serve_at "$1" env LD_PRELOAD="$work/sshd_user.so" "$sshd" -D -e -f "$work/$1.conf" -p PORT
    says="OpenSSH $(ssh -V 2>&1 | sed 's/OpenSSH_//; s/[ ,].*//')"
    logins="password $keys $certificates hostbased partial"
    [ -f "$work/keys/host_dsa" ] && logins="$logins dsa"
    can="exec sftp rekey"
}

start_openssh() {
    title="OpenSSH, internal-sftp"
    start_sshd openssh internal-sftp
}

start_sftp_server() {
    title="OpenSSH, sftp-server"
    [ -x $sftp_server ] || { why="no $sftp_server"; return; }
    start_sshd sftp_server $sftp_server
}

start_dropbear() {
    title=Dropbear
    has dropbear && has dropbearkey || { why="no dropbear: Debian's dropbear-bin has it"; return; }
    local type keyfiles=
    for type in rsa ecdsa ed25519; do
        dropbearkey -t $type -f "$work/dropbear_$type" >/dev/null 2>&1 && keyfiles="$keyfiles -r $work/dropbear_$type"
    done
    # shellcheck disable=SC2086
    serve_at dropbear env LD_PRELOAD="$work/sshd_user.so" dropbear -F -E -m -T 20 -P "$work/dropbear.pid" $keyfiles \
        -p 127.0.0.1:PORT
    says="Dropbear $(dropbear -V 2>&1 | sed 's/.*v//')"
    logins="password ed25519 ecdsa256 ecdsa384 ecdsa521 rsa rsa-256"
    can="exec volume"
    [ -x /usr/lib/sftp-server ] && can="$can sftp"
}

start_tinyssh() {
    title=TinySSH
    has tinysshd && has tinysshd-makekey && has python3 || { why="no tinysshd: Debian's tinysshd has it"; return; }
    local above=$work/home
    while [ "$above" != / ]; do
        above=$(dirname "$above")
        [ -z "$(find "$above" -maxdepth 0 -perm /022)" ] || { why="it wants no directory like $above above a home"; return; }
    done
    tinysshd-makekey -q "$work/tinyssh"
    serve_port tinyssh env LD_PRELOAD="$work/sshd_user.so" python3 "$here/servers/inetd.py" \
        tinysshd -x "sftp=$sftp_server" "$work/tinyssh"
    says="TinySSH $(upstream tinysshd)"
    logins="ed25519"
    can="exec volume"
    [ -x $sftp_server ] && can="$can sftp"
}

start_proftpd() {
    title="ProFTPD mod_sftp"
    local modules type
    has proftpd && modules=$(proftpd -V | sed -n '/Shared Module Directory/{n;s/ *//p}') && [ -f "$modules/mod_sftp.so" ] ||
        { why="no proftpd with mod_sftp: Debian's proftpd-core and proftpd-mod-crypto have it"; return; }
    mkdir "$work/proftpd"
    for type in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa; do
        ssh-keygen -e -f "$work/keys/user_$type.pub" 2>/dev/null
    done >"$work/proftpd/authorized_keys"
    echo "$user:$(sed -n 's/.*pw_passwd = "\(.*\)".*/\1/p' "$here/../original/sshd_user.c"):$(id -u):$(id -g)::/:/bin/sh" \
        >"$work/proftpd/passwd"
    chmod 600 "$work/proftpd/passwd"
    {
        cat <<END
ModulePath $modules
LoadModule mod_sftp.c
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
UseReverseDNS off
User $(id -un)
Group $(id -gn)
Umask 022
RootLogin on
RequireValidShell off
AuthOrder mod_auth_file.c
AuthUserFile $work/proftpd/passwd
AuthPAM off
ScoreboardFile $work/proftpd/scoreboard
PidFile $work/proftpd/pid
DelayEngine off
WtmpLog off
TransferLog none
SystemLog $work/proftpd/log
AllowOverwrite on
AllowStoreRestart on
MaxLoginAttempts 20
SFTPEngine on
SFTPLog $work/proftpd/sftp.log
SFTPAuthMethods publickey password
SFTPAuthorizedUserKeys file:$work/proftpd/authorized_keys
SFTPCompression on
SFTPRekey required 3600 4
END
        for type in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa; do
            echo "SFTPHostKey $work/keys/host_$type"
        done
    } >"$work/proftpd.conf"
    for port in $(shuf -i 20000-29999 -n 5); do
        echo "Port $port" | cat - "$work/proftpd.conf" >"$work/proftpd/conf"
        serve proftpd -n -q -c "$work/proftpd/conf" >"$work/proftpd.log" 2>&1
        await eval "listening $port || ! kill -0 -- -$!" && kill -0 -- "-$!" 2>/dev/null && break
        port=
    done
    [ -n "$port" ] || why="it does not start: $(tail -n 1 "$work/proftpd.log")"
    says="ProFTPD $(upstream proftpd-core)"
    logins="password $keys"
    can="sftp rekey"
}

start_asyncssh() {
    title=AsyncSSH
    "$python" -c 'import asyncssh' 2>/dev/null || { why="no AsyncSSH in $python: .ci/install interop"; return; }
    serve_port asyncssh "$python" "$here/servers/asyncssh_server.py" "$work"
    says="AsyncSSH $("$python" -c 'import asyncssh; print(asyncssh.__version__)')"
    logins="none password change keyboard rounds $keys $certificates hostbased"
    [ -f "$work/keys/host_dsa" ] && logins="$logins dsa"
    can="exec sftp rekey-down"
}

start_paramiko() {
    title=paramiko
    "$python" -c 'import paramiko' 2>/dev/null || { why="no paramiko in $python: .ci/install interop"; return; }
    serve_port paramiko "$python" "$here/servers/paramiko_server.py" "$work"
    says="paramiko $("$python" -c 'import paramiko; print(paramiko.__version__)')"
    logins="none password keyboard rounds $keys partial"
    can="exec sftp rekey"
}

start_libssh() {
    title=libssh
    pkg-config --exists libssh 2>/dev/null || { why="no libssh: Debian's libssh-dev has it"; return; }
    # shellcheck disable=SC2046
    $CC -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Wno-deprecated-declarations -o "$work/libssh_server" \
        "$here"/servers/libssh_*.c $(pkg-config --cflags --libs libssh) || { why="its server does not compile"; return; }
    serve_port libssh "$work/libssh_server" "$work"
    says="libssh $(pkg-config --modversion libssh)"
    logins="none password keyboard rounds $keys partial"
    can="exec sftp volume"
}

start_go() {
    title="Go, pkg/sftp"
    local sources=/usr/share/gocode
    has go || { why="no Go: Debian's golang-go has it"; return; }
    [ -d $sources/src/github.com/pkg/sftp ] && [ -d $sources/src/golang.org/x/crypto/ssh ] ||
        { why="no sources of Debian's golang-github-pkg-sftp-dev and golang-golang-x-crypto-dev"; return; }
    GO111MODULE=off GOPATH=$sources GOFLAGS= GOCACHE=$target/interop/go-cache \
        go build -o "$work/go_server" "$here/servers/go_server.go" || { why="its server does not compile"; return; }
    serve_port go "$work/go_server" "$work"
    says="Go $(go version | sed 's/.*go\([0-9.]*\) .*/\1/'), x/crypto $(upstream golang-golang-x-crypto-dev)"
    says="$says, pkg/sftp $(upstream golang-github-pkg-sftp-dev)"
    logins="password keyboard rounds $keys $certificates"
    can="exec sftp rekey"
}

start_russh() {
    title="russh, russh-sftp"
    local sources=$here/servers/russh build=$target/interop/russh
    cargo build --manifest-path "$sources/Cargo.toml" --release --locked --quiet --target-dir "$build" 2>"$work/russh.log" ||
        { why="its server cannot be built: $(tail -n 1 "$work/russh.log")"; return; }
    serve_port russh "$build/release/russh-server" "$work"
    says=$(sed -n '/^name = "russh\(-sftp\)\{0,1\}"$/{s/name = "\(.*\)"/\1/;h;n;s/version = "\(.*\)"/\1/;H;x;s/\n/ /p}' \
        "$sources/Cargo.lock" | paste -sd, | sed 's/,/, /')
    logins="none password keyboard rounds $keys $certificates partial"
    can="exec sftp rekey"
}

start_mina() {
    title="Apache MINA SSHD"
    why="neither Debian nor PyPI has it, nor does crates.io"
}
