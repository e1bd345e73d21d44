//! Keys: what a program reads from files and memory, and what a server shows.
#![forbid(unsafe_code)]

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::Offer;
use crate::crypto::{Certificate, KeyType, PrivateKey, PublicKey, SecurityKey, SignatureAlgorithm, parse_public_text};
use crate::session::Session;
use crate::wire::{Put, Reader};

/// What stands in front of "PRIVATE KEY" around the bytes of the fuzzer, which knows nothing of Base64.
const LABELS: [&str; 6] = ["OPENSSH ", "", "ENCRYPTED ", "RSA ", "EC ", "DSA "];
/// Longest key that is signed with, or a signature of it looked at: longer ones take a second.
const LONGEST_KEY: usize = 1100;

/// A private key. The first byte says whether the others are its text or are put into an armor, and whether there is a
/// passphrase, which is "secret".
pub fn private_key(data: &[u8]) {
    let Some((&how, content)) = data.split_first() else { return };
    let passphrase = (how & 8 != 0).then_some(&b"secret"[..]);
    let text = LABELS.get(usize::from(how & 7)).map_or_else(|| content.to_vec(), |label| armored(label, content));
    if let Ok(key) = SecurityKey::parse(&text, passphrase) {
        assert!(key.blob.starts_with(&[&[0, 0, 0, key.kind.name().len() as u8], key.kind.name().as_bytes()].concat()));
    }
    let Ok(key) = PrivateKey::parse(&text, passphrase) else { return };
    let blob = key.public_blob().expect("a key that was read has a public half");
    if blob.len() > LONGEST_KEY {
        return;
    }
    let public = PublicKey::from_blob(&blob).expect("which can be read");
    assert_eq!(public.key_type(), key.key_type());
    for &algorithm in key.algorithms() {
        let Ok(signature) = key.sign(algorithm, b"data") else { continue };
        let verified = public.verify(algorithm, b"data", &signature);
        // Signing for a public half that is not its own would give the secret away.
        assert!(verified.is_ok() || key.key_type() != KeyType::Ed25519);
    }
}

fn armored(label: &str, content: &[u8]) -> Vec<u8> {
    let mut text = format!("-----BEGIN {label}PRIVATE KEY-----\n").into_bytes();
    for line in STANDARD.encode(content).as_bytes().chunks(64) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {label}PRIVATE KEY-----\n").as_bytes());
    text
}

/// A public key as text, as a blob, and as a `string` with a signature behind it.
pub fn public_key(data: &[u8]) {
    if let Ok((name, blob)) = parse_public_text(data) {
        let mut front = Vec::new();
        front.put_string(&name).unwrap();
        assert!(blob.starts_with(&front));
        let line = [&name[..], b" ", STANDARD.encode(&blob).as_bytes()].concat();
        assert_eq!(parse_public_text(&line).unwrap(), (name, blob.clone()));
        let _ = PublicKey::from_blob(&blob);
    }
    let _ = PublicKey::from_blob(data);
    let mut reader = Reader::new(data);
    let Ok(blob) = reader.string() else { return };
    let Some(key) = PublicKey::from_blob(blob).ok().filter(|_| blob.len() <= LONGEST_KEY) else { return };
    for algorithm in SignatureAlgorithm::ALL {
        let verified = key.verify(algorithm, b"data", reader.rest());
        assert!(verified.is_err() || algorithm.key_type() == key.key_type());
    }
}

/// A certificate, or another key, that the server is shown, and a key that may belong to it.
pub fn certificate(data: &[u8]) {
    let Some((&split, data)) = data.split_first() else { return };
    let (blob, other) = data.split_at(data.len().saturating_sub(usize::from(split)));
    let text = parse_public_text(blob);
    for blob in [blob, text.as_ref().map_or(&[][..], |(_, blob)| blob)] {
        let Ok(certificate) = Certificate::read(blob) else { continue };
        let key = certificate.key().unwrap();
        let name = certificate.key_type().name().len() as u8;
        assert!(key.starts_with(&[&[0, 0, 0, name], certificate.key_type().as_bytes()].concat()));
        assert!(Offer::from_blob(b"user", blob).is_ok_and(|offer| offer.belongs_to(&key)));
        assert!(certificate.principals().map(<[u8]>::len).sum::<usize>() < blob.len());
        let _ = certificate.check_host(1_700_000_000);
    }
    let offers = [Offer::from_blob(b"user", blob), text.and_then(|(name, blob)| Offer::new(b"user", &name, &blob))];
    let session = Session::new(Instant::now()).unwrap();
    for offer in offers.into_iter().flatten() {
        assert!(offer.belongs_to(offer.blob()));
        let _ = offer.belongs_to(other);
        let own = offer.own_names().unwrap();
        if let Ok(names) = offer.names(&session) {
            assert!(names == own, "the server has told nothing of algorithms");
        }
        let packet = offer.request(&own, true).unwrap();
        assert!(packet.ends_with(offer.blob()));
    }
}
