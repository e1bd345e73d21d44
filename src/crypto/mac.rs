//! Message authentication codes: HMAC (RFC 2104) and Poly1305 (RFC 8439 section 2.5).
#![forbid(unsafe_code)]

use super::digest::HashAlgorithm;
use super::openssl::{LONGEST_DIGEST, Mac, OrRefuse};
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
    pub fn mac(&mut self, parts: &[&[u8]]) -> Result<Tag> {
        let mut tag = Tag { bytes: [0; LONGEST_DIGEST], algorithm: self.algorithm };
        self.mac.compute(None, parts, &mut tag.bytes).or_refuse(Code::MacFailure, FAILED)?;
        Ok(tag)
    }

    /// Bytes of a code.
    #[allow(clippy::len_without_is_empty, reason = "a code is never empty")]
    pub const fn len(&self) -> usize {
        self.algorithm.len()
    }
}

/// The output of an HMAC. It is sent or compared, and no secret.
pub struct Tag {
    bytes: [u8; LONGEST_DIGEST],
    algorithm: HashAlgorithm,
}

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.len()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn hmac_of_rfc_4231() {
        let cases: [(&[u8], &[u8], HashAlgorithm, &str); 4] = [
            (
                &[0x0b; 20],
                b"Hi There",
                HashAlgorithm::Sha256,
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                &[0x0b; 20],
                b"Hi There",
                HashAlgorithm::Sha512,
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde
                 daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                HashAlgorithm::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                HashAlgorithm::Sha256,
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, algorithm, expected) in cases {
            let mut hmac = Hmac::new(algorithm, key).unwrap();
            let (first, second) = message.split_at(message.len() / 2);
            // The key stays from message to message.
            for parts in [&[message][..], &[first, second], &[&[], message]] {
                assert_eq!(hmac.mac(parts).unwrap().as_ref(), hex(expected));
            }
            assert_ne!(hmac.mac(&[first]).unwrap().as_ref(), hex(expected));
        }
    }

    #[test]
    fn poly1305_of_rfc_8439_section_2_5_2() {
        let key = hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
        let message = b"Cryptographic Forum Research Group";
        let mut poly1305 = Poly1305::new().unwrap();
        let mut tag = [0; 16];
        for parts in [&[&message[..]][..], &[&message[..5], &message[5..]]] {
            poly1305.compute(&key.clone().try_into().unwrap(), parts, &mut tag).unwrap();
            assert_eq!(tag[..], hex("a8061dc1305136c6c22b8baf0c0127a9"));
        }
        poly1305.compute(&[7; 32], &[message], &mut tag).unwrap();
        assert_ne!(tag[..], hex("a8061dc1305136c6c22b8baf0c0127a9"));
    }
}
