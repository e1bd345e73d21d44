//! Our key pair for one exchange, and how its method writes the values that are exchanged: ECDH on the NIST curves (RFC
//! 5656 section 4) and on Curve25519 (RFC 8731), Diffie-Hellman modulo a prime (RFC 4253 section 8), and ECDH beside a
//! mechanism that quantum computers do not break (draft-ietf-sshm-mlkem-hybrid-kex, draft-ietf-sshm-ntruprime-ssh).
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::failed;
use crate::crypto::{Curve, EphemeralKey, HashAlgorithm, Kem, KemKey, ModpGroup, ModpKey, digest};
use crate::error::Result;
use crate::wire::Put;

/// A key pair.
pub(super) enum Pair {
    Ecdh(EphemeralKey),
    Modp(ModpKey),
    Hybrid { kem: Kem, key: KemKey, curve: EphemeralKey, hash: HashAlgorithm },
}

impl Pair {
    /// A fresh pair on `curve`.
    pub(super) fn ecdh(curve: Curve) -> Result<Self> {
        EphemeralKey::generate(curve).map(Self::Ecdh)
    }

    /// A fresh pair in `group`.
    pub(super) fn modp(group: ModpGroup) -> Result<Self> {
        ModpKey::generate(group).map(Self::Modp)
    }

    /// A fresh pair of `kem` and one on `curve`; the secrets of both go into one by `hash`.
    pub(super) fn hybrid(kem: Kem, curve: Curve, hash: HashAlgorithm) -> Result<Self> {
        Ok(Self::Hybrid { kem, key: KemKey::generate(kem)?, curve: EphemeralKey::generate(curve)?, hash })
    }

    /// Writes our public value.
    pub(super) fn put_public(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Ecdh(key) => out.put_string(key.public_key()),
            Self::Modp(key) => out.put_mpint(key.public_key()),
            Self::Hybrid { key, curve, .. } => {
                let mut both = crate::wire::copy(key.public_key())?;
                both.put(curve.public_key())?;
                out.put_string(&both)
            }
        }
    }

    /// The secret shared with the holder of `theirs`, as it is hashed: a number, or what a hash has made of two secrets.
    pub(super) fn agree(self, theirs: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let shared = match self {
            Self::Ecdh(key) => key.agree(theirs).and_then(|shared| number(&shared)),
            Self::Modp(_) if theirs.first().is_some_and(|&first| first >= 0x80) => Err(failed("Number is negative")),
            Self::Modp(key) => key.agree(theirs).and_then(|shared| number(&shared)),
            Self::Hybrid { kem, key, curve, hash } => {
                let split = theirs.split_at_checked(kem.ciphertext_len()).ok_or_else(|| failed("Value is too short"));
                split
                    .and_then(|(ciphertext, point)| combine(hash, &*key.decapsulate(ciphertext)?, &curve.agree(point)?))
            }
        };
        shared.map_err(|error| failed("Key exchange value of the server is not valid").with(error.to_string()))
    }
}

/// One sign byte and four of length: reserved at once, so that no growing leaves a copy of the secret behind.
fn number(shared: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut secret = Zeroizing::new(Vec::new());
    secret.try_reserve_exact(shared.len().saturating_add(5))?;
    secret.put_mpint(shared)?;
    Ok(secret)
}

fn combine(hash: HashAlgorithm, first: &[u8], second: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let both = digest(hash, &[first, second])?;
    let mut secret = Zeroizing::new(Vec::new());
    secret.try_reserve_exact(both.as_ref().len().saturating_add(4))?;
    secret.put_string(both.as_ref())?;
    Ok(secret)
}
