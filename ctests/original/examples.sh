# The original's examples. Part of run.sh.

# Those of the same version, and those of an older one that Debian has.
example_sets="example debian"
examples() { # SET
    case $1 in
    example) ls "$peer"/example/*.c ;;
    debian) ls "${LIBSSH2_EXAMPLES:-/usr/share/doc/libssh2-1-dev/examples}"/*.c 2>/dev/null ;;
    esac
}

# Runs an example with what comes first for nearly all: address, user, password.
login() { # PROGRAM ARGUMENTS...
    ours "$1" 127.0.0.1 libssh2 "$password" "${@:2}"
}

# The real client, which goes through the tunnels that the examples dig.
through() { # PORT COMMAND...
    timeout --foreground 20 ssh -F /dev/null -p "$1" -i "$work/server/id_ed25519_openssh" -o IdentityAgent=none \
        -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -q libssh2@127.0.0.1 "${@:2}"
}

has_terminal() {
    script -qec true /dev/null </dev/null
}

# --- files ---

downloads() {
    login "$1" "$work/data" >got && cmp got "$work/data"
}

uploads() {
    login "$1" "$work/data" "$PWD/sent" && cmp sent "$work/data"
}

appends() {
    head -c 12345 "$work/data" >sent
    login "$1" "$work/data" "$PWD/sent" && cat <(head -c 12345 "$work/data") "$work/data" | cmp sent -
}

# It downloads to a file with a fixed name (see redirect.c) and then uploads that, but the upload of this example works
# with neither library: it does not wait for the file to be opened, nor stop when all is written. So it gets none.
stores() {
    keep ours "$1" libssh2 "$password" "$work/data" "$PWD/nowhere/copy" && cmp sftp-storage "$work/data"
}

makes_directory() {
    login "$1" "$PWD/made" && [ "$(stat -c '%A' made)" = drwxr-xr-x ]
}

lists() {
    mkdir dir
    head -c 4711 "$work/data" >dir/one
    mkdir "dir/the other"
    login "$1" "$PWD/dir" >listing && cat listing && [ "$(wc -l <listing)" = 4 ] &&
        grep -q ' 4711 .*one$' listing && grep -q ' the other$' listing
}

# --- commands ---

# What is left of the job where nothing is to be read: a login, a terminal, a shell in it.
opens_shell() { # PROGRAM ARGUMENTS...
    has_terminal || skip "no terminals here"
    keep ours "$@" && grep -q 'Authentication .* succeeded' said && ! grep -q -e '^Failed' -e '^Unable' said
}

# The older one runs no command.
runs_command() {
    if [ "$2" = debian ]; then
        opens_shell "$1" 127.0.0.1 libssh2 "$password" -p
    else
        # shellcheck disable=SC2016
        login "$1" -p 'echo said $FOO' >said && [ "$(cat said)" = "said bar" ]
    fi
}

# Some end with the status of the command. It writes a copy of the known hosts that it has read.
executes() {
    sed 's/^\([^ ]* [^ ]*\).*/127.0.0.1 \1/' "$peer"/tests/openssh_server/ssh_host_{rsa,ecdsa,ed25519}_key.pub >known_hosts
    keep login "$1" 'echo some words; exit 7'
    [ $? -le 7 ] && grep -qx 'some words' said && grep -qx 'EXIT: 7 bytecount: 11' said && cmp known_hosts dumpfile
}

echoes() {
    keep login "$1" && grep -q 'totwritten 1500000$' said
}

asks_netconf() {
    keep login "$1" -p &&
        grep -q '<capability>urn:ietf:params:netconf:base:1.0</capability>' said &&
        grep -q '<rpc-reply.*<get-interface-information>' said
}

# --- the agent ---

uses_agent() {
    opens_shell "$1" 127.0.0.1 libssh2
}

forwards_agent() {
    # shellcheck disable=SC2016
    keep ours "$1" 127.0.0.1 libssh2 'test -S "$SSH_AUTH_SOCK" && echo "a socket"' &&
        grep -qx 'a socket' said && grep -q '^EXIT: 0 ' said
}

# --- tunnels ---

# 100,000 bytes there and back. The program ends by itself after them.
tunnels() { # PORT PID
    head -c 100000 "$work/data" >sent
    through "$1" cat <sent >got
    wait "$2"
    local status=$?
    cat said
    [ $status = 0 ] && cmp sent got
}

forwards_there() {
    local port_here
    for port_here in $(shuf -i 30000-39999 -n 5); do
        login "$1" 127.0.0.1 "$port_here" 127.0.0.1 "$sshd_port" 2>said &
        await eval "grep -q '^Waiting for TCP connection' said || ! kill -0 $!"
        grep -q 'failed to bind' said || break
    done
    tunnels "$port_here" $!
}

forwards_back() {
    login "$1" 127.0.0.1 0 127.0.0.1 "$sshd_port" 2>said &
    await grep -q '^Waiting for remote connection' said
    tunnels "$(sed -n 's/^Server is listening on 127.0.0.1://p' said)" $!
}

# --- X11 ---

# The shell that it opens runs an X client (see start_sshd), which asks the X server here who it is. Nothing is typed:
# the older one sends what is typed with dirt between the letters.
shows_windows() {
    has_terminal || skip "no terminals here"
    start_x_server
    mkfifo typed
    exec 8<>typed
    with_ours script -qfc "'$1' 127.0.0.1 libssh2 '$password'" /dev/null <typed >screen 2>&1
    cat screen
    grep -q 'X.Org' screen
}

job_of() { # EXAMPLE
    case $1 in
    scp | scp_nonblock | sftp | sftp_nonblock) echo downloads ;;
    scp_write | scp_write_nonblock | sftp_write | sftp_write_nonblock | sftp_write_sliding) echo uploads ;;
    sftp_append) echo appends ;;
    sftp_RW_nonblock) echo stores ;;
    sftp_mkdir | sftp_mkdir_nonblock) echo makes_directory ;;
    sftpdir | sftpdir_nonblock) echo lists ;;
    ssh2) echo runs_command ;;
    ssh2_exec) echo executes ;;
    ssh2_echo) echo echoes ;;
    subsystem_netconf) echo asks_netconf ;;
    ssh2_agent) echo uses_agent ;;
    ssh2_agent_forwarding) echo forwards_agent ;;
    direct_tcpip) echo forwards_there ;;
    tcpip-forward) echo forwards_back ;;
    x11) echo shows_windows ;;
    *) echo has_no_job ;;
    esac
}

has_no_job() {
    echo "nobody has written down what it is to do"
    false
}

try_examples() {
    local set source name port=$sshd_port
    for set in $example_sets; do
        [ -n "$(examples "$set")" ] || echo "skipped - $set: no examples here"
        for source in $(examples "$set"); do
            name=$(basename "$source" .c)
            try "$name" "$set/$name" "$(job_of "$name")" "$bin/$set/$name" "$set"
        done
    done
}
