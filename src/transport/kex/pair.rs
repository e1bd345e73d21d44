//! Our key pair for one exchange, and how its method writes the values that are exchanged: ECDH on the NIST curves (RFC
//! 5656 section 4) and on Curve25519 (RFC 8731), and Diffie-Hellman modulo a prime (RFC 4253 section 8).
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::failed;
use crate::crypto::{Curve, EphemeralKey, ModpGroup, ModpKey};
use crate::error::Result;
use crate::wire::Put;

/// A key pair.
pub(super) enum Pair {
    Ecdh(EphemeralKey),
    Modp(ModpKey),
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

    /// Writes our public value.
    pub(super) fn put_public(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Ecdh(key) => out.put_string(key.public_key()),
            Self::Modp(key) => out.put_mpint(key.public_key()),
        }
    }

    /// The secret shared with the holder of `theirs`, as it is hashed.
    pub(super) fn agree(self, theirs: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let shared = match self {
            Self::Ecdh(key) => key.agree(theirs),
            Self::Modp(_) if theirs.first().is_some_and(|&first| first >= 0x80) => Err(failed("Number is negative")),
            Self::Modp(key) => key.agree(theirs),
        };
        let shared =
            shared.map_err(|error| failed("Key exchange value of the server is not valid").with(error.to_string()))?;
        // One sign byte and four of length: reserved at once, so that no growing leaves a copy of the secret behind.
        let mut secret = Zeroizing::new(Vec::new());
        secret.try_reserve_exact(shared.len().saturating_add(5))?;
        secret.put_mpint(&shared)?;
        Ok(secret)
    }
}
