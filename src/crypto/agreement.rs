//! Elliptic curve Diffie-Hellman: RFC 5656 section 4, RFC 7748.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::nist::{self, Nist};
use super::openssl::{Key, OrRefuse, Param, Refused};
use crate::error::{Code, Error, Result};

/// libcrypto's name for keys on Curve25519 that agree.
const X25519: &std::ffi::CStr = c"X25519";

/// A curve to agree on a secret over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Curve25519
    X25519,
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// NIST P-521
    P521,
}

impl Curve {
    const fn nist(self) -> Option<&'static Nist> {
        match self {
            Self::X25519 => None,
            Self::P256 => Some(&nist::P256),
            Self::P384 => Some(&nist::P384),
            Self::P521 => Some(&nist::P521),
        }
    }

    fn public_key(self, bytes: &[u8]) -> Result<Key, Refused> {
        match self.nist() {
            Some(curve) => curve.public_key(bytes),
            None => Key::public(X25519, &[Param::Octets(c"pub", bytes)]),
        }
    }
}

/// A key pair for one agreement.
pub struct EphemeralKey {
    key: Key,
    public: Vec<u8>,
    curve: Curve,
}

impl EphemeralKey {
    /// A fresh pair.
    pub fn generate(curve: Curve) -> Result<Self> {
        let generated = match curve.nist() {
            Some(nist) => Key::generate(nist::KIND, Some(nist.group)).and_then(|key| Ok((nist.point(&key)?, key))),
            None => Key::generate(X25519, None).and_then(|key| Ok((key.octets(c"pub")?, key))),
        };
        let (public, key) = generated.or_refuse(Code::KeyExchangeFailure, "Making a key for the exchange failed")?;
        Ok(Self { key, public, curve })
    }

    /// The public half: 32 bytes of Curve25519, or a point written out in full.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The secret shared with the holder of the pair whose public half is `peer`: 32 bytes of Curve25519, or the
    /// x-coordinate in full width. A `peer` that is not on the curve, or that would make the secret a known one, is
    /// refused.
    pub fn agree(self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let secret = self
            .curve
            .public_key(peer)
            .and_then(|peer| self.key.agree(&peer))
            .or_refuse(Code::KeyExchangeFailure, "Public key of the peer is not valid")?;
        // RFC 8731 section 3: the all-zero secret is what a point of small order gives.
        if secret.iter().fold(0, |seen, byte| seen | byte) == 0 {
            return Err(Error::new(Code::KeyExchangeFailure, "Public key of the peer makes the secret zero"));
        }
        Ok(secret)
    }
}
