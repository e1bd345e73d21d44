# docs/interop.md, from what the programs said. Part of run.sh.

# A table of what a program said of those servers that it met.
table() { # PROGRAM AWK-ARGUMENTS...
    local program=$1 make columns= files=()
    shift
    for make in $wanted; do
        [ -f "$work/run/$make-$program-blocking.ours" ] || continue
        grep '^= ' "$work/run/$make-$program-blocking.ours" >"$work/run/$make-$program.cells"
        files+=("$work/run/$make-$program.cells")
        columns="$columns|${titles[$make]}"
    done
    awk -f "$here/tables.awk" -v titles="${columns#|}" "$@" "${files[@]}"
    echo
}

document() {
    local make kind others
    cat <<'END'
# Interoperability

Made by `make check-interop`: do not edit. It starts each server on loopback, connects to it with one C program after the
other, and writes this when all went well. It also runs with the original in our place (`CTESTS_LIB=peer`), and what the
file API traces must be the same on both.

"–": the server does not have it, or is not set up for it. Capitals are what the server answers. The order of ciphers is
that of a processor with instructions for AES.

## The servers

| Server | Version |
|---|---|
END
    for make in $makes; do
        [ -n "${versions[$make]:-}" ] && [ -z "${missing[$make]:-}" ] && echo "| ${titles[$make]} | ${versions[$make]} |"
    done
    for make in "${!missing[@]}"; do
        echo "| ${titles[$make]} | not met: ${missing[$make]} |"
    done | sort
    cat <<'END'

Those of libssh, Go, russh, paramiko and AsyncSSH are small programs on these libraries, in `ctests/interop/servers`. With
libssh and russh-sftp the library reads and writes SFTP, and with paramiko also most of what a request means; the rest is
those programs' own.

## Commands and files

Standard input, output and error and the exit status of a command; 10 MiB there and back by SFTP, compared. "new keys":
the server asked for them meanwhile. Where it cannot be told to, a command writes more than a GiB, and we ask.

END
    table transfer
    echo '## Logins'
    echo
    table logins
    cat <<'END'
The certificates are those of users. Security keys, agents and files of every format are tested elsewhere, with OpenSSH.
As with the original, an RSA key signs by `ssh-rsa` only for servers that do not tell what they take; all of these do.

## Algorithms

What the server offers is read from its own KEXINIT, with everything switched on that it has. Every name that we have too
is connected with once, as the only one of its kind, as far as a login and a channel. "offered": by us, if the program does
not name it (compression: once `LIBSSH2_FLAG_COMPRESS` is set). "unused": the server has no cipher that goes with a MAC.

With nothing named, both agree upon:

END
    table algorithms -v only="^chosen "
    for kind in "kex:Key exchange" "hostkey:Host keys" "cipher:Ciphers" "mac:MACs" "compression:Compression"; do
        echo "### ${kind#*:}"
        echo
        table algorithms -v kind="${kind%%:*}"
    done
    cat <<'END'
### What only servers have

| Server | |
|---|---|
END
    for make in $wanted; do
        [ -f "$work/run/$make-algorithms.cells" ] || continue
        others=$(sed -n 's/^= other \([a-z]*\)\t/\1: /p' "$work/run/$make-algorithms.cells" | grep -v ': none$' |
            sed 's/^kex:/key exchange:/; s/^hostkey:/host key:/' | paste -sd';' | sed 's/;/; /g')
        echo "| ${titles[$make]} | ${others:-nothing} |"
    done
    cat <<'END'

## The file API

END
    table files
    cat <<'END'
## What servers take

Found by asking for `limits@openssh.com` and by trying, in SFTP spoken by hand: one WRITE of more and more bytes, up to
4 MiB, until it fails or the server hangs up; one READ of 4 MiB (less where that is refused), and how much comes; as many
OPEN as it takes, with a limit of 1024 open files. Channel packet and window are those of the server's
CHANNEL_OPEN_CONFIRMATION; OpenSSH grants the window later. Without `limits@openssh.com` we ask for at most 32 KiB at a
time, which all of them take.

END
    table limits
    cat <<'END'
## Where servers go their own ways

- paramiko takes a key exchange packet that was sent on a wrong guess (RFC 4253 section 7.1) for the right one; AsyncSSH
  throws it away only if the key exchange is another. So we send none.
- Go's CBC ciphers do not know the encrypt-then-MAC forms, though its server agrees to both together. Programs that name
  `aes128-cbc` or `3des-cbc` for a Go server have to name a MAC without `-etm` too.
- AsyncSSH remembers how it signed for the last client that wanted its RSA certificate, and signs the same for one that
  wants `ssh-rsa-cert-v01@openssh.com`: whether that is right is chance, so it is not tried.
- AsyncSSH takes the two names of a symlink in OpenSSH's order only from OpenSSH's own client. libssh2 has always sent
  that order, and so do we.
- AsyncSSH opens any directory, and says at the first readdir that there is none.
- ProFTPD's lstat follows a link that its path ends in.
- russh's server stops for ever if it asks for new keys while more requests are on their way than its `channel_buffer_size`,
  which is 100 unless its program says otherwise; the original meets that as well. Here it is 1000.
- TinySSH takes one channel for each connection.
END
}

write_tables() {
    document >"$work/interop.md"
    if cmp -s "$work/interop.md" "$root/docs/interop.md"; then
        return
    elif [ "${#missing[@]}" = 1 ] && [ -n "${missing[mina]:-}" ]; then
        cp "$work/interop.md" "$root/docs/interop.md"
        echo "docs/interop.md is new"
    else
        echo "docs/interop.md stays as it is: not every server was met"
    fi
}
