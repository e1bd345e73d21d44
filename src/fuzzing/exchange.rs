//! The key exchange: the server's lists, its replies, and the host key that it shows.
#![forbid(unsafe_code)]

use crate::transport::kex::{AwaitReply, Begun, Step, Transcript};
use crate::transport::message;
use crate::transport::negotiate::{Agreement, MethodType, Preferences};
use crate::wire::{Reader, names};

/// How many lists of a KEXINIT are not of languages.
const LISTS: usize = 8;
/// Key exchanges by the number that stands for them: one of each form. The larger groups are left out, which only take
/// longer.
const KEX: [&str; 10] = [
    "curve25519-sha256",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group1-sha1",
    "diffie-hellman-group-exchange-sha256",
    "mlkem768x25519-sha256",
    "mlkem768nistp256-sha256",
    "mlkem1024nistp384-sha384",
    "sntrup761x25519-sha512",
];
/// Host keys by theirs.
const HOST_KEYS: [&str; 14] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "ssh-dss",
];

/// A KEXINIT, behind a byte that says what the program prefers. What is agreed upon is on both sides' lists.
pub fn kexinit(data: &[u8]) {
    let Some((&how, kexinit)) = data.split_first() else { return };
    let mut preferences = Preferences::new().unwrap();
    preferences.set_compress(how & 1 != 0).unwrap();
    if how & 2 != 0 {
        for kind in MethodType::ALL.into_iter().take(LISTS) {
            let all: Vec<_> =
                preferences.supported(kind).unwrap().unwrap().iter().map(|name| name.to_bytes()).collect();
            preferences.set(kind, &all.join(&b',')).unwrap();
        }
    }
    if how & 4 != 0 {
        preferences.set(MethodType::CryptSc, b"aes128-ctr,3des-cbc").unwrap();
        preferences.set(MethodType::MacSc, b"hmac-sha1-96").unwrap();
    }
    let Ok(agreement) = preferences.agree(kexinit) else { return };
    let mut reader = Reader::new(&kexinit[17..]);
    for kind in MethodType::ALL.into_iter().take(LISTS) {
        let (ours, theirs) = (preferences.get(kind), reader.string().unwrap());
        let is_unused = match kind {
            MethodType::MacCs => agreement.cs.cipher.algorithm.is_aead(),
            MethodType::MacSc => agreement.sc.cipher.algorithm.is_aead(),
            _ => false,
        };
        let name = agreement.name(kind).unwrap().to_bytes();
        assert!(is_unused || [ours, theirs].iter().all(|list| names(list).any(|other| other == name)), "{kind:?}");
    }
}

/// The packets with which a server answers in a key exchange, each behind its length. The first byte says in which one,
/// the second by which host key.
pub fn kex_reply(data: &[u8]) {
    let [kex, host_key, packets @ ..] = data else { return };
    let Some(agreement) = agreement(*kex, *host_key) else { return };
    let transcript = Transcript {
        client_ident: b"SSH-2.0-client".to_vec(),
        server_ident: b"SSH-2.0-server".to_vec(),
        client_kexinit: vec![message::KEXINIT],
        server_kexinit: vec![message::KEXINIT],
    };
    let (begun, _) = Begun::begin(agreement.kex.algorithm).unwrap();
    let mut state = AwaitReply::new(agreement, transcript, begun, 1_700_000_000);
    let mut packets = Reader::new(packets);
    while let Ok(packet) = packets.string() {
        match state.handle(packet) {
            Ok(Step::Again(next, sent)) => {
                assert!(matches!(sent.first(), Some(&(message::KEX_FIRST..=message::KEX_LAST))));
                state = *next;
            }
            Ok(Step::Done(_)) => panic!("nobody can have signed what is different each time"),
            Err(_) => return,
        }
    }
}

/// What the server shows as its key, and its signature of "hash", behind a byte for the algorithm agreed upon.
pub fn host_key(data: &[u8]) {
    let Some((&number, rest)) = data.split_first() else { return };
    let Some(agreement) = agreement(0, number) else { return };
    let mut reader = Reader::new(rest);
    let Ok(blob) = reader.string() else { return };
    // A signature by a longer key takes a second to look at.
    if blob.len() > 3000 {
        return;
    }
    let algorithm = agreement.host_key.algorithm;
    let verify = |hash: &[u8]| algorithm.verify(blob, hash, reader.rest(), 1_700_000_000);
    assert!(verify(b"hash").is_err() || verify(b"another hash").is_err(), "a signature is of one thing");
}

/// What both sides come to that know only these.
fn agreement(kex: u8, host_key: u8) -> Option<Agreement> {
    let (kex, host_key) = (KEX.get(usize::from(kex))?, HOST_KEYS.get(usize::from(host_key))?);
    let mut preferences = Preferences::new().unwrap();
    preferences.set(MethodType::Kex, kex.as_bytes()).ok()?;
    preferences.set(MethodType::HostKey, host_key.as_bytes()).ok()?;
    preferences.agree(&preferences.kexinit(&[0; 16], false).ok()?).ok()
}
