//! What comes before there are keys, and packets under each kind of protection.
#![forbid(unsafe_code)]

use super::piece;
use crate::crypto::{CbcCipher, HashAlgorithm};
use crate::error::Result;
use crate::transport::cipher::{CipherAlgorithm, Keys, MacAlgorithm, Opener, Sealer};
use crate::transport::compress::CompressionAlgorithm;
use crate::transport::{Rx, Transport, Tx};
use crate::wire::Put;

/// One of each kind; the last one is kept only where libcrypto has it.
const CIPHERS: [CipherAlgorithm; 6] = [
    CipherAlgorithm::AesGcm(16),
    CipherAlgorithm::ChaCha20Poly1305,
    CipherAlgorithm::AesCtr(16),
    CipherAlgorithm::Cbc(CbcCipher::Aes(16)),
    CipherAlgorithm::Cbc(CbcCipher::TripleDes),
    CipherAlgorithm::Arcfour { discard: false },
];
const MACS: [MacAlgorithm; 3] = [
    MacAlgorithm { hash: HashAlgorithm::Sha256, tag_len: 32, encrypt_then_mac: false },
    MacAlgorithm { hash: HashAlgorithm::Sha256, tag_len: 32, encrypt_then_mac: true },
    MacAlgorithm { hash: HashAlgorithm::Sha1, tag_len: 12, encrypt_then_mac: false },
];

/// Lengths that packets may say to have, by the number that stands for them; other numbers stand for the true one.
const LIES: [u32; 12] = [0, 1, 2, 3, 4, 5, 12, 28, 0x40000, 0x4_0001, 0x7fff_ffff, u32::MAX];

/// The first lines of a server. However they are cut in transit, which the first byte says, they are read the same.
pub fn ident(data: &[u8]) {
    let Some((&cut, lines)) = data.split_first() else { return };
    let read = |size: usize| {
        let mut transport = Transport::new().unwrap();
        transport.start(0).unwrap();
        for part in lines.chunks(size) {
            let mut queue = transport.lend_incoming().unwrap();
            queue.put(part).unwrap();
            transport.return_incoming(queue, 0);
            match transport.packet() {
                // The first packet may be in there as well, and be what goes wrong.
                _ if !transport.server_ident().is_empty() => break,
                Ok(packet) => assert!(packet.is_none(), "there is no packet before the identification"),
                Err(error) => return Err(error.code),
            }
        }
        Ok(transport.server_ident().to_vec())
    };
    let whole = read(usize::MAX);
    assert_eq!(whole, read(usize::from(cut).max(1)));
    if let Ok(ident) = whole {
        assert!(ident.is_empty() || ident.starts_with(b"SSH-"));
        assert!(!ident.iter().any(|byte| [0, b'\n'].contains(byte)));
    }
}

/// Packets under one kind of protection. The first byte says which and what the rest is, the second how the packets are
/// cut in transit.
pub fn packet(data: &[u8]) {
    let [how, cut, data @ ..] = data else { return };
    let Some(&cipher) = CIPHERS.get(usize::from(how % 8)) else { return plain(*how, *cut, data) };
    if !cipher.is_available() {
        return;
    }
    let mac = MACS[usize::from(how / 8 % 4).min(2)];
    let (key, iv) = ([7; 64], [9; 16]);
    let keys =
        Keys { cipher, mac, key: &key[..cipher.key_len()], iv: &iv[..cipher.iv_len()], mac_key: &key[..mac.key_len()] };
    let (mut sealer, opener) = (Sealer::new(&keys).unwrap(), Opener::new(&keys).unwrap());
    let mut rx = Rx::default();
    rx.rekey(opener, false);
    match how / 32 {
        0..=2 => changed(sealer, rx, *cut, data),
        3..=5 => {
            // A server has the keys, and need not write what our own side would.
            let (mut tx, mut rest, mut number) = (Tx::default(), data, 0);
            while let Some((&length, after)) = rest.split_first() {
                rest = after;
                let body = piece(&mut rest);
                let length = LIES.get(usize::from(length)).copied().unwrap_or(body.len() as u32);
                if sealer.seal_as_it_is(number, length, body, tx.queue()).is_err() {
                    return;
                }
                number += 1;
            }
            let (payloads, _) = receive(&mut rx, *cut, tx.queue().filled());
            assert!(payloads.concat().len() <= data.len());
        }
        _ => drop(receive(&mut rx, *cut, data)),
    }
}

/// Honest packets of which a byte is changed in transit: those before it come out as they went in, and no others.
fn changed(sealer: Sealer, mut rx: Rx, cut: u8, data: &[u8]) {
    let Some((&[place, farther, change], mut rest)) = data.split_first_chunk() else { return };
    let mut tx = Tx::default();
    tx.rekey(sealer, false);
    let (mut payloads, mut ends) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let payload = piece(&mut rest);
        // RFC 4253 lets no packet be empty, and none is sent.
        if !payload.is_empty() {
            tx.send(&[payload]).unwrap();
            payloads.push(payload.to_vec());
            ends.push(tx.queue().len());
        }
    }
    let place = usize::from(u16::from_be_bytes([farther, place]));
    let mut intact = payloads.len();
    if let Some(byte) = tx.queue().filled_mut().get_mut(place).filter(|_| change != 0) {
        *byte ^= change;
        intact = ends.iter().filter(|&&end| end <= place).count();
    }
    let (came, result) = receive(&mut rx, cut, tx.queue().filled());
    assert_eq!(came, payloads[..intact]);
    assert!(result.is_err() || intact == payloads.len() || rx.queue().len() < 300_000);
}

/// Unprotected packets, with or without compression.
fn plain(how: u8, cut: u8, data: &[u8]) {
    let compression = if how & 8 == 0 { CompressionAlgorithm::None } else { CompressionAlgorithm::Zlib };
    let (mut tx, mut rx, mut rest) = (Tx::default(), Rx::default(), data);
    rx.decompress(compression.inflater(true).unwrap());
    if how & 1 == 0 {
        // As the server's deflater may never have written it.
        while !rest.is_empty() {
            tx.send(&[piece(&mut rest)]).unwrap();
        }
        drop(receive(&mut rx, cut, tx.queue().filled()));
        drop(receive(&mut Rx::default(), cut, data));
        return;
    }
    tx.compress(compression.deflater(true).unwrap());
    let mut payloads = Vec::new();
    while !rest.is_empty() {
        let payload = piece(&mut rest);
        if !payload.is_empty() {
            tx.send(&[payload]).unwrap();
            payloads.push(payload.to_vec());
        }
    }
    let (came, result) = receive(&mut rx, cut, tx.queue().filled());
    assert_eq!((came, result), (payloads, Ok(())));
}

/// Takes `bytes` in, a few at a time: the payloads that come out, and how it ended.
fn receive(rx: &mut Rx, cut: u8, bytes: &[u8]) -> (Vec<Vec<u8>>, Result<()>) {
    let mut payloads = Vec::new();
    let size = if cut == 0 { usize::MAX } else { usize::from(cut) };
    for part in bytes.chunks(size) {
        rx.queue().put(part).unwrap();
        loop {
            match rx.packet() {
                Ok(Some(range)) => payloads.push(rx.payload(range).to_vec()),
                Ok(None) => break,
                Err(error) => return (payloads, Err(error)),
            }
        }
    }
    (payloads, Ok(()))
}
