//! Key files as ssh-keygen and openssl write them, and signatures that both check and make.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::crypto::testing::Directory;
use crate::crypto::{HashAlgorithm, PublicKey, digest, parse_public_text};
use crate::wire::Reader;

const PASSPHRASE: &str = "correct horse";
const OPENSSH_CIPHERS: [&str; 10] = [
    "3des-cbc",
    "aes128-cbc",
    "aes192-cbc",
    "aes256-cbc",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
];

fn code(text: &[u8], passphrase: Option<&str>) -> Code {
    PrivateKey::parse(text, passphrase.map(str::as_bytes)).err().unwrap().code
}

/// What is signed when a file is, and the file that holds the signature: OpenSSH's PROTOCOL.sshsig.
fn sshsig(message: &[u8], hash: &str) -> Vec<u8> {
    let algorithm = if hash == "sha256" { HashAlgorithm::Sha256 } else { HashAlgorithm::Sha512 };
    let hashed = digest(algorithm, &[message]).unwrap();
    let mut signed = b"SSHSIG".to_vec();
    for field in [b"test", &b""[..], hash.as_bytes(), hashed.as_ref()] {
        signed.put_string(field).unwrap();
    }
    signed
}

fn check_by_ssh_keygen(directory: &Directory, key: &PrivateKey, algorithm: SignatureAlgorithm) {
    let message = b"a message";
    let signature = key.sign(algorithm, &sshsig(message, "sha512")).unwrap();
    let mut file = b"SSHSIG\0\0\0\x01".to_vec();
    for field in [&key.public_blob().unwrap()[..], b"test", b"", b"sha512", &signature] {
        file.put_string(field).unwrap();
    }
    let body = STANDARD.encode(file);
    let lines: Vec<&str> = body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let text = format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"));
    directory.write("message", message);
    directory.write("signature", text.as_bytes());
    let input = std::fs::File::open(directory.0.join("message")).unwrap();
    directory.run_on("ssh-keygen -Y check-novalidate -n test -s signature", input.into());
}

/// Checks a signature of ssh-keygen's, made with the file `key`.
fn check_of_ssh_keygen(directory: &Directory, public: &PublicKey) {
    directory.write("message", b"another message");
    let _ = std::fs::remove_file(directory.0.join("message.sig"));
    directory.run("ssh-keygen -q -Y sign -f key -n test message");
    let text = String::from_utf8(directory.read("message.sig")).unwrap();
    let file = STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let mut reader = Reader::new(file.strip_prefix(b"SSHSIG\0\0\0\x01").unwrap());
    let mut last = || reader.string().unwrap();
    let (_key, _namespace, _reserved, hash, signature) = (last(), last(), last(), last(), last());
    let algorithm = SignatureAlgorithm::from_name(Reader::new(signature).string().unwrap()).unwrap();
    let signed = sshsig(b"another message", std::str::from_utf8(hash).unwrap());
    public.verify(algorithm, &signed, signature).unwrap();
    assert!(public.verify(algorithm, &signed[1..], signature).is_err());
}

/// Everything that can be asked of a key that was read.
fn check_key(key: &PrivateKey, public_text: &[u8]) {
    let (name, blob) = parse_public_text(public_text).unwrap();
    assert_eq!(key.key_type().as_bytes(), name);
    assert_eq!(key.public_blob().unwrap(), blob);
    let public = PublicKey::from_blob(&blob).unwrap();
    assert_eq!(public.key_type(), key.key_type());
    for &algorithm in key.algorithms() {
        let signature = key.sign(algorithm, b"data").unwrap();
        public.verify(algorithm, b"data", &signature).unwrap();
        assert!(public.verify(algorithm, b"date", &signature).is_err());
    }
}

/// Whether keys of that `kind` are still known: neither libcrypto nor ssh-keygen needs to have DSA.
fn is_known(directory: &Directory, kind: &str) -> bool {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "dsa", "-N", "", "-f", "try"]).current_dir(&directory.0);
    !kind.ends_with("dsa") || KeyType::Dsa.is_available() && keygen.status().unwrap().success()
}

#[test]
fn keys_of_ssh_keygen_in_all_its_forms() {
    let directory = Directory::new();
    let kinds = ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 1024", "rsa -b 2048", "dsa"];
    for kind in kinds.into_iter().filter(|kind| is_known(&directory, kind)) {
        for form in ["RFC4716", "PEM", "PKCS8"] {
            let options = format!("-t {kind} -m {form} -a 1");
            let (text, public) = directory.keygen(&options, "");
            let key = PrivateKey::parse(&text, None).unwrap();
            check_key(&key, &public);
            // A passphrase that is not needed does no harm.
            check_key(&PrivateKey::parse(&text, Some(b"any")).unwrap(), &public);
            if form == "RFC4716" {
                check_of_ssh_keygen(&directory, &PublicKey::from_blob(&key.public_blob().unwrap()).unwrap());
                // What ssh-keygen takes in a file.
                let modern = |known: &&SignatureAlgorithm| **known != SignatureAlgorithm::RsaSha1;
                for &algorithm in key.algorithms().iter().filter(modern) {
                    check_by_ssh_keygen(&directory, &key, algorithm);
                }
            }

            let (text, public) = directory.keygen(&options, PASSPHRASE);
            check_key(&PrivateKey::parse(&text, Some(PASSPHRASE.as_bytes())).unwrap(), &public);
            for wrong in [None, Some(""), Some("correct hors")] {
                assert_eq!(code(&text, wrong), Code::KeyfileAuthFailed, "{options} with {wrong:?}");
            }
        }
    }
}

#[test]
fn every_cipher_of_ssh_keygen() {
    let directory = Directory::new();
    for cipher in OPENSSH_CIPHERS {
        let (text, public) = directory.keygen(&format!("-t ed25519 -a 1 -Z {cipher}"), PASSPHRASE);
        check_key(&PrivateKey::parse(&text, Some(PASSPHRASE.as_bytes())).unwrap(), &public);
        assert_eq!(code(&text, Some("wrong")), Code::KeyfileAuthFailed, "{cipher}");
        assert_eq!(code(&text, None), Code::KeyfileAuthFailed, "{cipher}");
    }
}

/// How openssl makes other forms of the file `plain`, and whether they are encrypted.
const PKCS8: [(&str, bool); 6] = [
    ("openssl pkey", false),
    ("openssl pkcs8 -topk8 -v2 aes-256-cbc", true),
    ("openssl pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA1", true),
    ("openssl pkcs8 -topk8 -v2 des3", true),
    ("openssl pkcs8 -topk8 -scrypt", true),
    ("openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES", true),
];
const SEC1: [(&str, bool); 5] = [
    ("openssl ec", false),
    ("openssl ec -des3", true),
    ("openssl ec -aes128", true),
    ("openssl ec -aes256", true),
    // SSH's own form is not compressed.
    ("openssl ec -conv_form compressed", false),
];
const PKCS1: [(&str, bool); 4] = [
    ("openssl rsa -traditional", false),
    ("openssl rsa -traditional -des3", true),
    ("openssl rsa -traditional -aes128", true),
    ("openssl rsa -traditional -aes256", true),
];

const DSA: [(&str, bool); 3] = [("openssl dsa", false), ("openssl dsa -aes256", true), ("openssl dsa -des3", true)];

#[test]
fn keys_of_openssl_in_all_its_forms() {
    let directory = Directory::new();
    let mut kinds: Vec<(&str, &[(&str, bool)])> = vec![
        ("-algorithm ed25519", &[]),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", &SEC1),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", &SEC1),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-521", &SEC1),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", &PKCS1),
    ];
    if KeyType::Dsa.is_available() {
        directory.dsa_parameters(160);
        kinds.push(("-paramfile dsa", &DSA));
    }
    for (kind, forms) in kinds {
        directory.run(&format!("openssl genpkey -quiet {kind} -out plain"));
        directory.run("openssl pkey -in plain -out public -pubout");
        for (command, encrypted) in PKCS8.iter().chain(forms) {
            let encryption = if *encrypted { " -passout pass:correct~horse" } else { "" };
            directory.run(&format!("{command} -in plain -out form{encryption}"));
            check_form(&directory, *encrypted, command);
        }
    }
}

/// Checks the file `form` against the file `public`.
fn check_form(directory: &Directory, encrypted: bool, how: &str) {
    let text = directory.read("form");
    let pem = String::from_utf8(directory.read("public")).unwrap();
    let public = match pem.lines().collect::<Vec<_>>()[..] {
        // ssh-keygen reads no Ed25519 key of openssl's, which is 12 bytes and the key.
        [_, line, _] if line.len() < 64 => {
            let mut blob = Vec::new();
            blob.put_string(b"ssh-ed25519").unwrap();
            blob.put_string(&STANDARD.decode(line).unwrap()[12..]).unwrap();
            format!("ssh-ed25519 {}", STANDARD.encode(blob)).into_bytes()
        }
        _ => directory.run("ssh-keygen -i -m PKCS8 -f public"),
    };
    if !encrypted {
        return check_key(&PrivateKey::parse(&text, None).unwrap(), &public);
    }
    check_key(&PrivateKey::parse(&text, Some(PASSPHRASE.as_bytes())).unwrap(), &public);
    for wrong in [None, Some("wrong")] {
        assert_eq!(code(&text, wrong), Code::KeyfileAuthFailed, "{how} with {wrong:?}");
    }
}

#[test]
fn rsa_with_sha1_is_what_openssl_takes() {
    let directory = Directory::new();
    let (text, _) = directory.keygen("-t rsa -b 2048 -m PKCS8", "");
    let key = PrivateKey::parse(&text, None).unwrap();
    let blob = key.sign(SignatureAlgorithm::RsaSha1, b"data").unwrap();
    let mut reader = Reader::new(&blob);
    assert_eq!(reader.string(), Ok(&b"ssh-rsa"[..]));
    directory.write("signature", reader.string().unwrap());
    directory.write("data", b"data");
    directory.run("openssl pkey -in key -pubout -out public");
    directory.run("openssl dgst -sha1 -verify public -signature signature data");
}

#[test]
fn an_rsa_signature_may_lack_its_leading_zeros() {
    let directory = Directory::new();
    let (text, _) = directory.keygen("-t rsa -b 1024", "");
    let key = PrivateKey::parse(&text, None).unwrap();
    let public = PublicKey::from_blob(&key.public_blob().unwrap()).unwrap();
    let algorithm = SignatureAlgorithm::RsaSha256;
    // One in 256 begins with a zero.
    let (data, blob) = (0_u32..20_000)
        .map(|n| (n.to_be_bytes(), key.sign(algorithm, &n.to_be_bytes()).unwrap()))
        .find(|(_, blob)| blob[blob.len() - 128] == 0)
        .unwrap();
    let with = |raw: &[u8]| {
        let mut blob = Vec::new();
        blob.put_string(b"rsa-sha2-256").unwrap();
        blob.put_string(raw).unwrap();
        public.verify(algorithm, &data, &blob)
    };
    let raw = &blob[blob.len() - 128..];
    with(raw).unwrap();
    with(&raw[1..]).unwrap();
    assert!(with(&raw[2..]).is_err() || raw[1] == 0);
    assert!(with(&[&[0], raw].concat()).is_err());
    assert!(with(&[]).is_err());
}

#[test]
fn keys_that_ssh_does_not_know_are_refused() {
    let directory = Directory::new();
    for options in [
        "-algorithm ed448",
        "-algorithm X25519",
        "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:512",
    ] {
        directory.run(&format!("openssl genpkey -quiet {options} -out plain"));
        assert_eq!(code(&directory.read("plain"), None), Code::File, "{options}");
    }
    if KeyType::Dsa.is_available() {
        directory.dsa_parameters(224);
        directory.run("openssl genpkey -quiet -paramfile dsa -out plain");
        assert_eq!(code(&directory.read("plain"), None), Code::File, "an order longer than half a signature");
    }
    directory.keygen("-t ed25519", "");
    assert_eq!(code(&directory.read("key.pub"), None), Code::File);
    assert_eq!(code(b"", None), Code::File);
    assert_eq!(code(&vec![b'\n'; LONGEST_TEXT + 1], None), Code::File);
}

#[test]
fn a_key_signs_by_its_own_algorithms_only() {
    let directory = Directory::new();
    let key = PrivateKey::parse(&directory.keygen("-t ed25519", "").0, None).unwrap();
    assert_eq!(key.sign(SignatureAlgorithm::RsaSha256, b"data").unwrap_err().code, Code::PublickeyUnverified);
}

#[test]
fn lines_may_end_in_any_way() {
    let directory = Directory::new();
    for form in ["RFC4716", "PEM", "PKCS8"] {
        let (text, public) = directory.keygen(&format!("-t ecdsa -m {form}"), "");
        let text = String::from_utf8(text).unwrap();
        for text in [
            text.replace('\n', "\r\n"),
            text.trim_end().to_owned(),
            format!("a note\n\n{text}\nmore\n"),
            text.replace('\n', " \n"),
        ] {
            check_key(&PrivateKey::parse(text.as_bytes(), None).unwrap(), &public);
        }
    }
}

#[test]
fn a_key_cut_short_is_no_key() {
    let directory = Directory::new();
    for (options, passphrase, step) in [
        ("-t ed25519", "", 1),
        ("-t ecdsa", "", 1),
        ("-t ecdsa -m PEM", "", 1),
        ("-t ecdsa -m PKCS8", "", 1),
        ("-t rsa -m PEM -b 1024", PASSPHRASE, 1),
        ("-t ed25519 -a 1", PASSPHRASE, 1),
        ("-t ecdsa -m PKCS8", PASSPHRASE, 1),
    ] {
        let (text, _) = directory.keygen(options, passphrase);
        for len in (0..text.trim_ascii_end().len()).step_by(step) {
            assert_eq!(code(&text[..len], Some(passphrase)), Code::File, "{options} at {len}");
        }
    }
}

/// Cuts and flips within the armor, where Base64 does not notice them.
#[test]
fn a_damaged_container_never_panics() {
    let directory = Directory::new();
    let kinds = ["-t ed25519", "-t ecdsa -b 521", "-t rsa -b 1024", "-t dsa"];
    for options in kinds.into_iter().filter(|kind| is_known(&directory, kind)) {
        let (text, _) = directory.keygen(options, "");
        let file = armor::decode(armor::find(&text).unwrap().body).unwrap();
        for len in 0..file.len() {
            assert_eq!(openssh::read(&file[..len], b"").err().unwrap().code, Code::File, "{options} at {len}");
        }
        for at in 0..file.len() {
            for bit in [1, 0x80] {
                let mut other = file.clone();
                other[at] ^= bit;
                // A comment may change, and parts of an RSA key that only signing can tell to be wrong.
                let Ok(key) = openssh::read(&other, b"") else { continue };
                assert!(at > file.len() / 3, "{options} at {at}");
                let _ = key.sign(identify(&key).unwrap().unwrap().algorithms()[0].digest(), b"data");
            }
        }
    }
}

#[test]
fn a_damaged_pem_never_panics() {
    let directory = Directory::new();
    for options in ["-t ecdsa -m PEM", "-t ecdsa -m PKCS8", "-t rsa -b 1024 -m PKCS8"] {
        let (text, _) = directory.keygen(options, "");
        let body = text.iter().position(|&byte| byte == b'\n').unwrap()..text.len() - 40;
        for at in body {
            let mut other = text.clone();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            if let Ok(key) = PrivateKey::parse(&other, None) {
                let _ = key.sign(key.algorithms()[0], b"data");
            }
        }
    }
}

#[test]
fn a_damaged_encrypted_container_never_panics() {
    let directory = Directory::new();
    for cipher in ["aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"] {
        let (text, _) = directory.keygen(&format!("-t ed25519 -a 1 -Z {cipher}"), PASSPHRASE);
        let file = armor::decode(armor::find(&text).unwrap().body).unwrap();
        for at in (0..file.len()).step_by(29).chain((file.len() - 40..file.len()).step_by(9)) {
            let mut other = file.clone();
            other[at] ^= 1;
            let error = openssh::read(&other, PASSPHRASE.as_bytes()).err().map(|error| error.code);
            // Counter mode tells nothing about the comment.
            assert!(error.is_some() || cipher == "aes256-ctr", "{cipher} at {at}");
        }
    }
}

#[test]
fn key_derivation_without_end_is_refused_at_once() {
    let directory = Directory::new();
    let (text, _) = directory.keygen("-t ed25519 -a 1", PASSPHRASE);
    let mut file = armor::decode(armor::find(&text).unwrap().body).unwrap();
    // Magic, "aes256-ctr", "bcrypt", options: 16 bytes of salt, rounds.
    let rounds = 15 + 14 + 10 + 4 + 4 + 16;
    assert_eq!(file[rounds..rounds + 4], [0, 0, 0, 1]);
    for wanted in [0_u32, 4097, u32::MAX] {
        file[rounds..rounds + 4].copy_from_slice(&wanted.to_be_bytes());
        assert_eq!(openssh::read(&file, PASSPHRASE.as_bytes()).err().unwrap().code, Code::File, "{wanted}");
    }
}
