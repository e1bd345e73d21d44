//! Sealing and opening one packet: RFC 4253 section 6 (CBC), RFC 4344 (CTR), RFC 4345 (arcfour), RFC 5647 with OpenSSH's changes (GCM),
//! OpenSSH's PROTOCOL (encrypt-then-MAC) and PROTOCOL.chacha20poly1305.
//!
//! A payload comes in pieces and is sealed straight from them into the outgoing buffer; a packet that came in is
//! checked and opened where it lies.
#![forbid(unsafe_code)]

use std::ops::Range;

use zeroize::Zeroizing;

use super::buffer::Buffer;
use crate::crypto::{self, AesGcm, CbcCipher, HashAlgorithm, Hmac, Poly1305, SymmetricCipher, Tag};
use crate::error::{Code, Error, Result};

/// Longest `packet_length` taken from a peer, as in OpenSSH.
const LONGEST_PACKET: usize = 256 * 1024;
/// RFC 4253 section 6: "at least four bytes of padding".
const LEAST_PADDING: usize = 4;
/// Bytes of the `packet_length` field.
const LENGTH: usize = 4;
const GCM_TAG: usize = 16;
const POLY1305_TAG: usize = 16;

/// An encryption algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CipherAlgorithm {
    /// AES in counter mode with a key of so many bytes.
    AesCtr(usize),
    /// AES-GCM with a key of so many bytes.
    AesGcm(usize),
    /// `chacha20-poly1305@openssh.com`
    ChaCha20Poly1305,
    /// A block cipher in CBC mode.
    Cbc(CbcCipher),
    /// RC4 with a key of 16 bytes.
    Arcfour {
        /// What the keystream begins with is thrown away.
        discard: bool,
    },
}

impl CipherAlgorithm {
    /// Bytes of key to derive.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AesCtr(len) | Self::AesGcm(len) => len,
            Self::ChaCha20Poly1305 => 64,
            Self::Cbc(cipher) => cipher.key_len(),
            Self::Arcfour { .. } => 16,
        }
    }

    /// Bytes of initial IV to derive.
    pub const fn iv_len(self) -> usize {
        match self {
            Self::AesCtr(_) => 16,
            Self::AesGcm(_) => 12,
            Self::ChaCha20Poly1305 | Self::Arcfour { .. } => 0,
            Self::Cbc(cipher) => cipher.block(),
        }
    }

    /// Whether the cipher authenticates by itself and the negotiated MAC is not used.
    pub const fn is_aead(self) -> bool {
        matches!(self, Self::AesGcm(_) | Self::ChaCha20Poly1305)
    }

    /// Whether libcrypto has it. What is obsolete is not everywhere.
    pub fn is_available(self) -> bool {
        let (key, iv) = ([0; 64], [0; 16]);
        let keys = (key.get(..self.key_len()), iv.get(..self.iv_len()));
        let (Some(key), Some(iv)) = keys else { return false };
        match self {
            Self::Cbc(cipher) => SymmetricCipher::cbc(cipher, true, key, iv).is_ok(),
            Self::Arcfour { discard } => SymmetricCipher::rc4(key, discard).is_ok(),
            Self::AesCtr(_) | Self::AesGcm(_) | Self::ChaCha20Poly1305 => true,
        }
    }
}

/// A MAC algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAlgorithm {
    /// The hash below the HMAC.
    pub hash: HashAlgorithm,
    /// Bytes of the HMAC that are sent.
    pub tag_len: usize,
    /// The `-etm@openssh.com` form: the MAC covers the ciphertext, and the length stays in the clear.
    pub encrypt_then_mac: bool,
}

impl MacAlgorithm {
    /// Bytes of key to derive.
    pub const fn key_len(self) -> usize {
        self.hash.len()
    }

    /// Whether libcrypto has it.
    pub fn is_available(self) -> bool {
        Hmac::new(self.hash, &[0; 64]).is_ok()
    }
}

/// The keys of one direction, as derived by RFC 4253 section 7.2.
pub struct Keys<'a> {
    /// The cipher.
    pub cipher: CipherAlgorithm,
    /// The MAC, unless the cipher is an AEAD.
    pub mac: MacAlgorithm,
    /// `cipher.iv_len()` bytes.
    pub iv: &'a [u8],
    /// `cipher.key_len()` bytes.
    pub key: &'a [u8],
    /// `mac.key_len()` bytes.
    pub mac_key: &'a [u8],
}

/// What protects one direction; the same for sealing and for opening.
enum Protection {
    None,
    Hmac { cipher: SymmetricCipher, mode: Mode, hmac: Hmac, tag_len: usize, encrypt_then_mac: bool },
    Gcm { cipher: AesGcm, nonce: GcmNonce },
    ChaCha20Poly1305 { length: SymmetricCipher, payload: SymmetricCipher, poly1305: Poly1305 },
}

/// How a cipher beside an HMAC works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A keystream, which takes any number of bytes; padded to so many.
    Stream(usize),
    /// Chained blocks of so many bytes, which takes nothing but whole ones.
    Chained(usize),
}

impl Mode {
    const fn block(self) -> usize {
        match self {
            Self::Stream(block) | Self::Chained(block) => block,
        }
    }
}

impl Protection {
    fn new(keys: &Keys<'_>, seal: bool) -> Result<Self> {
        let with_hmac = |cipher, mode| -> Result<Self> {
            let MacAlgorithm { hash, tag_len, encrypt_then_mac } = keys.mac;
            Ok(Self::Hmac { cipher, mode, hmac: Hmac::new(hash, keys.mac_key)?, tag_len, encrypt_then_mac })
        };
        Ok(match keys.cipher {
            CipherAlgorithm::AesCtr(_) => with_hmac(SymmetricCipher::aes_ctr(keys.key, keys.iv)?, Mode::Stream(16))?,
            CipherAlgorithm::Arcfour { discard } => {
                with_hmac(SymmetricCipher::rc4(keys.key, discard)?, Mode::Stream(8))?
            }
            CipherAlgorithm::Cbc(cipher) => {
                with_hmac(SymmetricCipher::cbc(cipher, seal, keys.key, keys.iv)?, Mode::Chained(cipher.block()))?
            }
            CipherAlgorithm::AesGcm(_) => Self::Gcm {
                cipher: if seal { AesGcm::sealing(keys.key)? } else { AesGcm::opening(keys.key)? },
                nonce: GcmNonce(keys.iv.try_into().map_err(|_| wrong_size())?),
            },
            CipherAlgorithm::ChaCha20Poly1305 => {
                // PROTOCOL.chacha20poly1305: "The first 256 bits constitute K_2 and the second 256 bits become K_1",
                // K_1 being the key of the length field.
                let (payload, length) = keys.key.split_at_checked(32).ok_or_else(wrong_size)?;
                Self::ChaCha20Poly1305 {
                    length: SymmetricCipher::chacha20(length)?,
                    payload: SymmetricCipher::chacha20(payload)?,
                    poly1305: Poly1305::new()?,
                }
            }
        })
    }

    /// The size that padding rounds up to.
    const fn block(&self) -> usize {
        match self {
            Self::None | Self::ChaCha20Poly1305 { .. } => 8,
            Self::Hmac { mode, .. } => mode.block(),
            Self::Gcm { .. } => 16,
        }
    }

    /// Whether the length field stands outside what is rounded up to blocks.
    const fn length_apart(&self) -> bool {
        match self {
            Self::None | Self::Hmac { encrypt_then_mac: false, .. } => false,
            Self::Hmac { encrypt_then_mac: true, .. } | Self::Gcm { .. } | Self::ChaCha20Poly1305 { .. } => true,
        }
    }

    fn tag_len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Hmac { tag_len, .. } => *tag_len,
            Self::Gcm { .. } => GCM_TAG,
            Self::ChaCha20Poly1305 { .. } => POLY1305_TAG,
        }
    }

    /// Appends packet number `sequence`: its length field, and sealed behind it `body`, which has `size` bytes.
    fn seal<'a>(
        &mut self,
        sequence: u32,
        length: [u8; LENGTH],
        body: impl Iterator<Item = &'a [u8]>,
        size: usize,
        out: &mut Buffer,
    ) -> Result<()> {
        let sealed = size.saturating_add(LENGTH);
        let total = sealed.saturating_add(self.tag_len());
        let packet = out.space(total)?.get_mut(..total).ok_or_else(wrong_size)?;
        let (packet, tag) = packet.split_at_mut_checked(sealed).ok_or_else(wrong_size)?;
        let (length_place, body_place) = packet.split_first_chunk_mut::<LENGTH>().ok_or_else(wrong_size)?;
        match self {
            Self::None => {
                *length_place = length;
                lay_out(body, body_place, copy)?;
            }
            Self::Hmac { cipher, hmac, encrypt_then_mac: false, .. } => {
                *length_place = length;
                lay_out(body, body_place, copy)?;
                let mac = hmac.mac(&[&sequence.to_be_bytes(), packet])?;
                cipher.update_in_place(packet)?;
                copy_front(&mac, tag)?;
            }
            Self::Hmac { cipher, mode, hmac, encrypt_then_mac: true, .. } => {
                *length_place = length;
                match mode {
                    Mode::Stream(_) => lay_out(body, body_place, |from, to| cipher.update(from, to))?,
                    Mode::Chained(_) => {
                        lay_out(body, body_place, copy)?;
                        cipher.update_in_place(body_place)?;
                    }
                }
                copy_front(&hmac.mac(&[&sequence.to_be_bytes(), packet])?, tag)?;
            }
            Self::Gcm { cipher, nonce } => {
                *length_place = length;
                cipher.begin(&nonce.next(), &length)?;
                lay_out(body, body_place, |from, to| cipher.update(from, to))?;
                cipher.seal_tag(tag.try_into().map_err(|_| wrong_size())?)?;
            }
            Self::ChaCha20Poly1305 { length: length_cipher, payload, poly1305 } => {
                length_cipher.set_iv(&chacha_iv(sequence))?;
                length_cipher.update(&length, length_place)?;
                let key = chacha_packet_key(payload, sequence)?;
                lay_out(body, body_place, |from, to| payload.update(from, to))?;
                poly1305.compute(&key, &[packet], tag.try_into().map_err(|_| wrong_size())?)?;
            }
        }
        out.commit(total);
        Ok(())
    }
}

/// Seals the packets of the outgoing direction.
pub struct Sealer {
    protection: Protection,
    padding: PaddingPool,
}

impl Sealer {
    /// What sends before the first key exchange.
    pub const fn plain() -> Self {
        Self { protection: Protection::None, padding: PaddingPool::new() }
    }

    /// Seals under `keys`.
    pub fn new(keys: &Keys<'_>) -> Result<Self> {
        Ok(Self { protection: Protection::new(keys, true)?, padding: PaddingPool::new() })
    }

    /// Appends to `out` the packet number `sequence`, whose payload is `parts` one after the other.
    pub fn seal(&mut self, sequence: u32, parts: &[&[u8]], out: &mut Buffer) -> Result<()> {
        let payload = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let outside = if self.protection.length_apart() { 0 } else { LENGTH };
        let unpadded = payload.saturating_add(1).saturating_add(outside);
        let padding_len = padding_len(unpadded, self.protection.block());
        let padding = self.padding.take(padding_len)?;
        let packet_length = payload.saturating_add(1).saturating_add(padding_len);
        let length = u32::try_from(packet_length).map_err(|_| too_long())?.to_be_bytes();
        let padding_field = [u8::try_from(padding_len).map_err(|_| too_long())?];
        let body = std::iter::once(&padding_field[..]).chain(parts.iter().copied()).chain([padding]);
        self.protection.seal(sequence, length, body, packet_length, out)
    }

    /// Appends a packet with that length field, whatever it says, and that `body` behind it: a peer's sealer need not be
    /// honest.
    #[cfg(any(test, fuzzing))]
    pub fn seal_as_it_is(&mut self, sequence: u32, length: u32, body: &[u8], out: &mut Buffer) -> Result<()> {
        self.protection.seal(sequence, length.to_be_bytes(), std::iter::once(body), body.len(), out)
    }
}

/// Opens the packets of the incoming direction.
pub struct Opener {
    protection: Protection,
}

impl Opener {
    /// What receives before the first key exchange.
    pub const fn plain() -> Self {
        Self { protection: Protection::None }
    }

    /// Opens under `keys`.
    pub fn new(keys: &Keys<'_>) -> Result<Self> {
        Ok(Self { protection: Protection::new(keys, false)? })
    }

    /// Reads the length field of packet number `sequence` at the front of `input`: the bytes that the whole packet
    /// takes there, or `None` while too few have arrived. Must be called until it gives a size, and then no more for
    /// that packet: counter mode decrypts its first block here.
    pub fn measure(&mut self, sequence: u32, input: &mut [u8]) -> Result<Option<usize>> {
        let head_len = match &self.protection {
            Protection::Hmac { encrypt_then_mac: false, mode, .. } => mode.block(),
            _ => LENGTH,
        };
        let Some(head) = input.get_mut(..head_len) else { return Ok(None) };
        match &mut self.protection {
            Protection::Hmac { cipher, encrypt_then_mac: false, .. } => cipher.update_in_place(head)?,
            Protection::ChaCha20Poly1305 { length, .. } => {
                length.set_iv(&chacha_iv(sequence))?;
                let mut clear = [0; LENGTH];
                length.update(head, &mut clear)?;
                return self.check_length(clear).map(Some);
            }
            _ => {}
        }
        let field = head.first_chunk::<LENGTH>().copied().ok_or_else(wrong_size)?;
        self.check_length(field).map(Some)
    }

    /// Authenticates and decrypts packet number `sequence`, which is the whole of `packet`: where its payload lies.
    pub fn open(&mut self, sequence: u32, packet: &mut [u8]) -> Result<Range<usize>> {
        let sealed = packet.len().checked_sub(self.protection.tag_len()).ok_or_else(wrong_size)?;
        let (packet, tag) = packet.split_at_mut_checked(sealed).ok_or_else(wrong_size)?;
        match &mut self.protection {
            Protection::None => {}
            Protection::Hmac { cipher, mode, hmac, encrypt_then_mac: false, .. } => {
                // The first block was decrypted by `measure`.
                cipher.update_in_place(packet.get_mut(mode.block()..).ok_or_else(wrong_size)?)?;
                check(&hmac.mac(&[&sequence.to_be_bytes(), packet])?, tag)?;
            }
            Protection::Hmac { cipher, hmac, encrypt_then_mac: true, .. } => {
                check(&hmac.mac(&[&sequence.to_be_bytes(), packet])?, tag)?;
                cipher.update_in_place(packet.get_mut(LENGTH..).ok_or_else(wrong_size)?)?;
            }
            Protection::Gcm { cipher, nonce } => {
                let (length, body) = packet.split_first_chunk_mut::<LENGTH>().ok_or_else(wrong_size)?;
                cipher.begin(&nonce.next(), length)?;
                cipher.update_in_place(body)?;
                cipher.open_tag((&*tag).try_into().map_err(|_| wrong_size())?).map_err(|_| forged(Code::Decrypt))?;
            }
            Protection::ChaCha20Poly1305 { payload, poly1305, .. } => {
                let key = chacha_packet_key(payload, sequence)?;
                let mut expected = [0; POLY1305_TAG];
                poly1305.compute(&key, &[packet], &mut expected)?;
                if !crypto::constant_time_eq(&expected, tag) {
                    return Err(forged(Code::Decrypt));
                }
                payload.update_in_place(packet.get_mut(LENGTH..).ok_or_else(wrong_size)?)?;
            }
        }
        let padding = usize::from(*packet.get(LENGTH).ok_or_else(wrong_size)?);
        let start = LENGTH.saturating_add(1);
        match sealed.checked_sub(padding) {
            Some(end) if end > start && padding >= LEAST_PADDING => Ok(start..end),
            _ => Err(Error::new(Code::Decrypt, "Padding of a packet from the server does not fit it")),
        }
    }

    /// What stands where `packet`, which was refused, has its payload. An AEAD decrypts nothing that is not authentic.
    pub fn seeming_payload<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        match &self.protection {
            Protection::Hmac { tag_len, .. } => {
                packet.get(LENGTH.saturating_add(1)..packet.len().checked_sub(*tag_len)?)
            }
            _ => None,
        }
    }

    /// How many bytes to take in before it may show that a packet was refused. Chained blocks whose length is encrypted
    /// can be made to tell what is in them by when the connection ends (CVE-2008-5161): so it always ends after as many
    /// bytes as the longest packet has.
    pub fn hides_refusal_for(&self) -> Option<usize> {
        match &self.protection {
            Protection::Hmac { mode: Mode::Chained(_), encrypt_then_mac: false, tag_len, .. } => {
                Some(LENGTH.saturating_add(LONGEST_PACKET).saturating_add(*tag_len))
            }
            _ => None,
        }
    }

    fn check_length(&self, field: [u8; LENGTH]) -> Result<usize> {
        let length = usize::try_from(u32::from_be_bytes(field)).map_err(|_| too_long())?;
        if length > LONGEST_PACKET {
            return Err(too_long());
        }
        let outside = if self.protection.length_apart() { 0 } else { LENGTH };
        let aligned = length.saturating_add(outside);
        if length <= LEAST_PADDING || aligned.checked_rem(self.protection.block()) != Some(0) {
            return Err(Error::new(Code::Decrypt, "Length of a packet from the server does not fit its cipher"));
        }
        Ok(length.saturating_add(LENGTH).saturating_add(self.protection.tag_len()))
    }
}

/// The least padding that rounds `unpadded` up to whole blocks.
const fn padding_len(unpadded: usize, block: usize) -> usize {
    let least = unpadded.saturating_add(LEAST_PADDING);
    least.next_multiple_of(block).saturating_sub(unpadded)
}

/// RFC 5647 section 7.1: four fixed bytes, then a counter of packets.
struct GcmNonce([u8; 12]);

impl GcmNonce {
    fn next(&mut self) -> [u8; 12] {
        let current = self.0;
        if let Some(counter) = self.0.last_chunk_mut::<8>() {
            *counter = u64::from_be_bytes(*counter).wrapping_add(1).to_be_bytes();
        }
        current
    }
}

/// Block counter 0, then the sequence number as the nonce.
fn chacha_iv(sequence: u32) -> [u8; 16] {
    u128::from(sequence).to_be_bytes()
}

/// Sets `payload` to the packet's keystream: its first block gives the Poly1305 key, the next ones are for the payload.
fn chacha_packet_key(payload: &mut SymmetricCipher, sequence: u32) -> Result<Zeroizing<[u8; 32]>> {
    payload.set_iv(&chacha_iv(sequence))?;
    let mut block = Zeroizing::new([0; 64]);
    payload.update_in_place(&mut *block)?;
    block.first_chunk().copied().map(Zeroizing::new).ok_or_else(wrong_size)
}

/// Random bytes for padding, fetched many at a time.
struct PaddingPool {
    bytes: [u8; 1024],
    used: usize,
}

impl PaddingPool {
    const fn new() -> Self {
        Self { bytes: [0; 1024], used: 1024 }
    }

    fn take(&mut self, count: usize) -> Result<&[u8]> {
        let mut end = self.used.saturating_add(count);
        if end > self.bytes.len() {
            crypto::random(&mut self.bytes)?;
            end = count;
        }
        let start = end.saturating_sub(count);
        self.used = end;
        self.bytes.get(start..end).ok_or_else(wrong_size)
    }
}

/// Runs `step` from each piece into its place in `out`, one behind the other.
fn lay_out<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    mut out: &mut [u8],
    mut step: impl FnMut(&[u8], &mut [u8]) -> Result<()>,
) -> Result<()> {
    for piece in pieces {
        let (place, rest) = out.split_at_mut_checked(piece.len()).ok_or_else(wrong_size)?;
        step(piece, place)?;
        out = rest;
    }
    Ok(())
}

fn copy(from: &[u8], to: &mut [u8]) -> Result<()> {
    if from.len() != to.len() {
        return Err(wrong_size());
    }
    to.copy_from_slice(from);
    Ok(())
}

/// Copies as much of `mac` as is sent.
fn copy_front(mac: &Tag, to: &mut [u8]) -> Result<()> {
    copy(mac.as_ref().get(..to.len()).ok_or_else(wrong_size)?, to)
}

fn check(expected: &Tag, tag: &[u8]) -> Result<()> {
    let expected = expected.as_ref().get(..tag.len()).ok_or_else(wrong_size)?;
    if crypto::constant_time_eq(expected, tag) { Ok(()) } else { Err(forged(Code::InvalidMac)) }
}

/// C callers know a wrong MAC and a wrong tag of an AEAD apart.
const fn forged(code: Code) -> Error {
    Error::new(code, "MAC of a packet from the server is wrong")
}

const fn too_long() -> Error {
    Error::new(Code::OutOfBoundary, "Packet is longer than any packet may be")
}

const fn wrong_size() -> Error {
    Error::new(Code::Encrypt, "Key or packet has a size that does not fit its cipher")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Put;

    fn all() -> Vec<(CipherAlgorithm, MacAlgorithm)> {
        let mac = |hash: HashAlgorithm, encrypt_then_mac| MacAlgorithm { hash, tag_len: hash.len(), encrypt_then_mac };
        let short = |hash| MacAlgorithm { hash, tag_len: 12, encrypt_then_mac: false };
        vec![
            (CipherAlgorithm::AesCtr(16), mac(HashAlgorithm::Sha256, false)),
            (CipherAlgorithm::AesCtr(32), mac(HashAlgorithm::Sha512, false)),
            (CipherAlgorithm::AesCtr(24), mac(HashAlgorithm::Sha256, true)),
            (CipherAlgorithm::AesCtr(32), mac(HashAlgorithm::Sha512, true)),
            (CipherAlgorithm::AesGcm(16), mac(HashAlgorithm::Sha256, false)),
            (CipherAlgorithm::AesGcm(32), mac(HashAlgorithm::Sha256, false)),
            (CipherAlgorithm::ChaCha20Poly1305, mac(HashAlgorithm::Sha256, false)),
            (CipherAlgorithm::Cbc(CbcCipher::Aes(16)), mac(HashAlgorithm::Sha256, false)),
            (CipherAlgorithm::Cbc(CbcCipher::Aes(32)), mac(HashAlgorithm::Sha256, true)),
            (CipherAlgorithm::Cbc(CbcCipher::TripleDes), short(HashAlgorithm::Sha1)),
            (CipherAlgorithm::Cbc(CbcCipher::Blowfish), mac(HashAlgorithm::Sha1, true)),
            (CipherAlgorithm::Cbc(CbcCipher::Cast128), mac(HashAlgorithm::Ripemd160, false)),
            (CipherAlgorithm::Arcfour { discard: true }, short(HashAlgorithm::Md5)),
            (CipherAlgorithm::Arcfour { discard: false }, mac(HashAlgorithm::Md5, false)),
        ]
    }

    fn pair((cipher, mac): (CipherAlgorithm, MacAlgorithm)) -> (Sealer, Opener) {
        let bytes: Vec<u8> = (0..64).collect();
        let keys = Keys {
            cipher,
            mac,
            iv: &bytes[..cipher.iv_len()],
            key: &bytes[..cipher.key_len()],
            mac_key: &bytes[..mac.key_len()],
        };
        (Sealer::new(&keys).unwrap(), Opener::new(&keys).unwrap())
    }

    fn open(opener: &mut Opener, sequence: u32, packet: &mut [u8]) -> Result<Vec<u8>> {
        let total = opener.measure(sequence, packet)?.ok_or_else(wrong_size)?;
        let packet = packet.get_mut(..total).ok_or_else(wrong_size)?;
        let payload = opener.open(sequence, packet)?;
        Ok(packet[payload].to_vec())
    }

    #[test]
    fn each_cipher_opens_what_it_sealed() {
        let pairs = all().into_iter().map(pair).chain([(Sealer::plain(), Opener::plain())]);
        for (mut sealer, mut opener) in pairs {
            for sequence in 0..100_u32 {
                let payload: Vec<u8> = (0..1 + sequence * 13).map(|n| n as u8).collect();
                let (first, second) = payload.split_at(payload.len() / 3);
                let mut out = Buffer::default();
                sealer.seal(sequence, &[first, second], &mut out).unwrap();
                assert_eq!(open(&mut opener, sequence, out.filled_mut()).unwrap(), payload);
            }
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        for algorithms in all() {
            let mut sealed = Buffer::default();
            pair(algorithms).0.seal(3, &[&[5; 20]], &mut sealed).unwrap();
            for at in 0..sealed.len() {
                let (_, mut opener) = pair(algorithms);
                let mut packet = sealed.filled().to_vec();
                packet[at] ^= 1;
                assert!(open(&mut opener, 3, &mut packet).is_err(), "{algorithms:?} at {at}");
            }
        }
    }

    #[test]
    fn a_packet_replayed_under_another_number_is_noticed() {
        for algorithms in all() {
            let mut out = Buffer::default();
            let (mut sealer, mut opener) = pair(algorithms);
            sealer.seal(0, &[&[5; 20]], &mut out).unwrap();
            let mut again = out.filled().to_vec();
            open(&mut opener, 0, out.filled_mut()).unwrap();
            assert!(open(&mut opener, 1, &mut again).is_err(), "{algorithms:?}");
        }
    }

    #[test]
    fn absurd_lengths_are_refused() {
        for length in [0_u32, 1, 3, 4, 5, 40_000_001, u32::MAX, u32::MAX - 3] {
            let mut packet = Vec::new();
            packet.put_u32(length).unwrap();
            packet.extend_from_slice(&[0; 64]);
            assert!(Opener::plain().measure(0, &mut packet).is_err(), "{length}");
        }
        // Padding that is longer than the packet, or shorter than four bytes.
        for padding in [0_u8, 3, 8, 255] {
            let mut packet = [0, 0, 0, 12, padding, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
            let total = Opener::plain().measure(0, &mut packet).unwrap().unwrap();
            assert_eq!(Opener::plain().open(0, &mut packet[..total]).is_ok(), padding == 8, "{padding}");
        }
    }
}
