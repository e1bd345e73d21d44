#!/bin/sh
# Makes more forms of the keys that keys.sh has made in the directory $1, in $1/matrix: every type and size, every format
# and every way of encryption that ssh-keygen and openssl know. `list` there has a line for each:
#   TYPE FORM plain|encrypted|legacy
# for the file TYPE.FORM; the public half is TYPE.pub, the passphrase is "secret". What is encrypted with ciphers that
# libcrypto keeps in its provider "legacy" is there if openssl can make it.
set -eu
umask 077
keys=$(cd "$1" && pwd)
mkdir -p "$keys/matrix"
cd "$keys/matrix"
: >list
: >authorized_keys

made() { # TYPE FORM WAY
    echo "$1 $2 $3" >>list
}

openssh() { # TYPE CIPHER
    cp "$1.openssh" "$1.openssh-$2"
    ssh-keygen -q -p -a 1 -Z "$2" -P '' -N secret -f "$1.openssh-$2" >/dev/null
    made "$1" "openssh-$2" encrypted
}

pkcs8() { # TYPE NAME OPTION...
    type=$1 name=$2
    shift 2
    openssl pkcs8 -topk8 -in "$type.pkcs8" -out "$type.pkcs8-$name" -passout pass:secret "$@"
    made "$type" "pkcs8-$name" encrypted
}

traditional() { # TYPE CIPHER
    case $1 in rsa*) form='rsa -traditional' ;; *) form=ec ;; esac
    # shellcheck disable=SC2086
    openssl $form -in "$1.pkcs8" -out "$1.pem-$2" "-$2" -passout pass:secret 2>/dev/null
    made "$1" "pem-$2" encrypted
}

legacy() { # TYPE NAME COMMAND...
    type=$1 name=$2
    shift 2
    if "$@" -provider legacy -provider default -in "$type.pkcs8" -out "$type.$name" -passout pass:secret 2>/dev/null; then
        made "$type" "$name" legacy
    fi
}

some_forms() { # TYPE
    made "$1" openssh plain
    made "$1" pkcs8 plain
    openssh "$1" aes256-ctr
    pkcs8 "$1" aes256 -v2 aes-256-cbc
    if [ "$1" != ed25519 ]; then
        made "$1" pem plain
        traditional "$1" aes128
    fi
}

all_forms() { # TYPE
    some_forms "$1"
    for cipher in 3des-cbc aes128-cbc aes192-cbc aes256-cbc aes128-ctr aes192-ctr aes128-gcm@openssh.com \
        aes256-gcm@openssh.com chacha20-poly1305@openssh.com; do
        openssh "$1" $cipher
    done
    pkcs8 "$1" aes128-sha1 -v2 aes-128-cbc -v2prf hmacWithSHA1
    pkcs8 "$1" aes192-sha224 -v2 aes-192-cbc -v2prf hmacWithSHA224
    pkcs8 "$1" aes256-sha384 -v2 aes-256-cbc -v2prf hmacWithSHA384
    pkcs8 "$1" aes256-sha512 -v2 aes-256-cbc -v2prf hmacWithSHA512
    pkcs8 "$1" des3 -v2 des3
    pkcs8 "$1" scrypt -scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 1
    pkcs8 "$1" pbes1-3des -v1 PBE-SHA1-3DES
    legacy "$1" pkcs8-pbes1-des openssl pkcs8 -topk8 -v1 PBE-MD5-DES
    legacy "$1" pkcs8-pbes1-rc2 openssl pkcs8 -topk8 -v1 PBE-SHA1-RC2-128
    [ "$1" != ed25519 ] || return 0
    for cipher in des3 aes192 aes256 camellia256; do
        traditional "$1" $cipher
    done
    case $1 in rsa*) legacy "$1" pem-des openssl rsa -traditional -des ;; esac
}

for type in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa; do
    for form in openssh pem pkcs8 pub; do
        [ -f "../user_$type.$form" ] && cp "../user_$type.$form" "$type.$form"
    done
done
for bits in 1024 3072 4096; do
    ssh-keygen -q -t rsa -b $bits -N '' -C "comment of rsa$bits" -f rsa$bits.openssh
    mv rsa$bits.openssh.pub rsa$bits.pub
    for form in pem pkcs8; do
        cp rsa$bits.openssh rsa$bits.$form
        ssh-keygen -q -p -m $form -P '' -N '' -f rsa$bits.$form >/dev/null
    done
done
for type in ed25519 ecdsa256 rsa; do
    all_forms $type
done
for type in ecdsa384 ecdsa521 rsa1024 rsa3072 rsa4096; do
    some_forms $type
done
cat ./*.pub >authorized_keys
