//! Signature algorithms, and signatures as SSH writes them: RFC 4253 section 6.6, RFC 5656 section 3.1.2, RFC 8332,
//! RFC 8709.
#![forbid(unsafe_code)]

use std::ffi::CStr;

use super::der;
use super::digest::HashAlgorithm;
use super::dsa;
use super::public::{KeyType, mpint};
use crate::error::Result;
use crate::wire::{Put, Reader, Short};

/// Bytes of an Ed25519 signature.
const ED25519_LEN: usize = 64;

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// `ssh-ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521,
    /// `rsa-sha2-512`
    RsaSha512,
    /// `rsa-sha2-256`
    RsaSha256,
    /// `ssh-rsa`: RSA with SHA-1, for old servers only.
    RsaSha1,
    /// `ssh-dss`: DSA with SHA-1, for old servers only.
    Dsa,
}

impl SignatureAlgorithm {
    pub(crate) const ALL: [Self; 8] = [
        Self::Ed25519,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::RsaSha512,
        Self::RsaSha256,
        Self::RsaSha1,
        Self::Dsa,
    ];

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::RsaSha512 => "rsa-sha2-512",
            Self::RsaSha256 => "rsa-sha2-256",
            Self::RsaSha1 => "ssh-rsa",
            Self::Dsa => "ssh-dss",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().as_bytes() == name)
    }

    /// The type of the keys that it works with.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Ed25519 => KeyType::Ed25519,
            Self::EcdsaP256 => KeyType::EcdsaP256,
            Self::EcdsaP384 => KeyType::EcdsaP384,
            Self::EcdsaP521 => KeyType::EcdsaP521,
            Self::RsaSha512 | Self::RsaSha256 | Self::RsaSha1 => KeyType::Rsa,
            Self::Dsa => KeyType::Dsa,
        }
    }

    /// libcrypto's name for the hash below it; Ed25519 hashes by itself.
    pub(super) fn digest(self) -> Option<&'static CStr> {
        let hash = match self {
            Self::Ed25519 => return None,
            Self::EcdsaP256 | Self::RsaSha256 => HashAlgorithm::Sha256,
            Self::EcdsaP384 => HashAlgorithm::Sha384,
            Self::EcdsaP521 | Self::RsaSha512 => HashAlgorithm::Sha512,
            Self::RsaSha1 | Self::Dsa => HashAlgorithm::Sha1,
        };
        Some(hash.name())
    }

    /// Puts libcrypto's signature `raw` into the form of the wire, the algorithm's name in front.
    pub(super) fn encode(self, raw: &[u8]) -> Result<Vec<u8>> {
        let mut blob = Vec::new();
        blob.put_string(self.name().as_bytes())?;
        match self.key_type() {
            KeyType::Ed25519 | KeyType::Rsa => blob.put_string(raw)?,
            KeyType::Dsa => blob.put_string(&dsa::encode(raw)?)?,
            KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521 => {
                let mut numbers = der::sequence(&mut Reader::new(raw))?;
                let mut pair = Vec::new();
                pair.put_mpint(der::integer(&mut numbers)?)?;
                pair.put_mpint(der::integer(&mut numbers)?)?;
                blob.put_string(&pair)?;
            }
        }
        Ok(blob)
    }

    /// Reads the signature that `blob` is into the form that libcrypto checks, for a key whose signatures have at most
    /// `size` bytes; `None` if it is not one of this algorithm.
    pub(super) fn decode(self, blob: &[u8], size: usize) -> Result<Option<Vec<u8>>> {
        let Ok(raw) = only(blob, |reader| {
            let name = reader.string()?;
            if name == self.name().as_bytes() { reader.string() } else { Err(Short) }
        }) else {
            return Ok(None);
        };
        match self.key_type() {
            KeyType::Ed25519 => (raw.len() == ED25519_LEN).then(|| crate::memory::copy(raw)).transpose(),
            KeyType::Rsa => {
                // A number to RFC 8332, and some leave out its leading zeros.
                let Some(zeros) = size.checked_sub(raw.len()) else { return Ok(None) };
                let mut padded = crate::memory::filled(zeros, 0)?;
                padded.put(raw)?;
                Ok(Some(padded))
            }
            KeyType::Dsa => dsa::decode(raw),
            KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521 => {
                let Ok((r, s)) = only(raw, |reader| Ok((mpint(reader)?, mpint(reader)?))) else { return Ok(None) };
                if r.len() > size || s.len() > size {
                    return Ok(None);
                }
                der::integers(&[r, s]).map(Some)
            }
        }
    }
}

/// What `read` finds in `bytes`, if nothing is left over.
pub(super) fn only<'a, T>(bytes: &'a [u8], read: impl FnOnce(&mut Reader<'a>) -> Result<T, Short>) -> Result<T, Short> {
    let mut reader = Reader::new(bytes);
    let found = read(&mut reader)?;
    if reader.is_empty() { Ok(found) } else { Err(Short) }
}
