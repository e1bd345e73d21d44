//! Message authentication codes: HMAC (RFC 2104) and Poly1305 (RFC 8439 section 2.5).
#![forbid(unsafe_code)]

use super::digest::{Digest, HashAlgorithm};
use super::openssl::{Mac, OrRefuse};
use crate::error::{Code, Error, Result};

const FAILED: &str = "Computing a MAC failed";

/// HMAC under one key, for any number of messages.
pub struct Hmac {
    mac: Mac,
    algorithm: HashAlgorithm,
}

impl Hmac {
    /// HMAC over `algorithm` under `key`.
    pub fn new(algorithm: HashAlgorithm, key: &[u8]) -> Result<Self> {
        let mac = Mac::hmac(algorithm.name(), key).or_refuse(Code::MacFailure, "HMAC is not to be had")?;
        if mac.size() != algorithm.len() {
            return Err(Error::new(Code::MacFailure, "HMAC has an unexpected length"));
        }
        Ok(Self { mac, algorithm })
    }

    /// The code over `parts`, one after the other.
    pub fn mac(&mut self, parts: &[&[u8]]) -> Result<Digest> {
        Digest::fill(self.algorithm, |out| self.mac.compute(None, parts, out)).or_refuse(Code::MacFailure, FAILED)
    }

    /// Bytes of a code.
    #[allow(clippy::len_without_is_empty, reason = "a code is never empty")]
    pub const fn len(&self) -> usize {
        self.algorithm.len()
    }
}

/// Poly1305, which takes a key for each message.
pub struct Poly1305(Mac);

impl Poly1305 {
    /// Bytes of a tag.
    const TAG: usize = 16;

    /// Ready for messages.
    pub fn new() -> Result<Self> {
        let mac = Mac::poly1305().or_refuse(Code::MacFailure, "Poly1305 is not to be had")?;
        if mac.size() != Self::TAG {
            return Err(Error::new(Code::MacFailure, "Poly1305 has an unexpected length"));
        }
        Ok(Self(mac))
    }

    /// Writes the tag over `parts`, one after the other. No two messages may have the same `key`.
    pub fn compute(&mut self, key: &[u8; 32], parts: &[&[u8]], tag: &mut [u8; Self::TAG]) -> Result<()> {
        self.0.compute(Some(key), parts, tag).or_refuse(Code::MacFailure, FAILED)
    }
}
