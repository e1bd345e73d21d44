#!/bin/sh
# Makes the keys of the tests in the directory $1:
#   host_TYPE            sshd's own
#   user_TYPE.FORMAT     the same key in each format (openssh, pem, pkcs8), and again with the
#                        passphrase "secret" as user_TYPE.FORMAT.enc
#   user_TYPE.pub        its public half, which authorized_keys holds
#   refused, refused.pub a key that no server lets in
#   ca, ca.pub           an authority
#   host_TYPE-cert.pub   its certificate that sshd's key is that of "localhost"
# TYPE is ed25519, ecdsa256, ecdsa384, ecdsa521, rsa or dsa; ed25519 has no PEM form, and dsa is
# left out where ssh-keygen does not know it any more, and has no certificate.
set -eu
umask 077
mkdir -p "$1"
cd "$1"

new() { # TYPE FILE
    case $1 in
    ecdsa*) set -- ecdsa "$2" "${1#ecdsa}" ;;
    rsa) set -- rsa "$2" 2048 ;;
    dsa) set -- dsa "$2" 1024 ;;
    *) set -- "$1" "$2" 256 ;;
    esac
    ssh-keygen -q -t "$1" -b "$3" -N '' -C "comment of $2" -f "$2"
}

convert() { # SOURCE FORMAT: SOURCE is an unencrypted OpenSSH file
    [ "$2" = openssh ] || cp "$1.openssh" "$1.$2"
    cp "$1.openssh" "$1.$2.enc"
    case $2 in
    openssh) ssh-keygen -q -p -a 2 -P '' -N secret -f "$1.openssh.enc" ;;
    *)
        ssh-keygen -q -p -m "$2" -P '' -N '' -f "$1.$2"
        ssh-keygen -q -p -m "$2" -P '' -N secret -f "$1.$2.enc"
        ;;
    esac >/dev/null
}

# ssh-keygen writes no PKCS#8 for Ed25519. In OpenSSH's format the seed follows the second copy
# of the public key and its length (64); PKCS#8 is that seed after a constant prefix.
ed25519_pkcs8() {
    sed '1d;$d' "$1.openssh" | base64 -d | tail -c +162 | head -c 32 >seed
    {
        printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'
        cat seed
    } | openssl pkey -inform DER -out "$1.pkcs8"
    openssl pkcs8 -topk8 -in "$1.pkcs8" -passout pass:secret -out "$1.pkcs8.enc"
    rm seed
}

types="ed25519 ecdsa256 ecdsa384 ecdsa521 rsa"
new ed25519 ca
if new dsa probe; then
    rm probe probe.pub
    types="$types dsa"
fi
for type in $types; do
    new $type host_$type
    new $type user_$type
    mv user_$type user_$type.openssh
    convert user_$type openssh
    if [ $type = ed25519 ]; then
        ed25519_pkcs8 user_$type
    else
        convert user_$type pem
        convert user_$type pkcs8
    fi
    [ $type = dsa ] || ssh-keygen -q -s ca -I "host $type" -h -n localhost host_$type.pub
done
new ed25519 refused
cat user_*.pub >authorized_keys
