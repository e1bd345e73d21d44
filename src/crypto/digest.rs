//! Hashes.
#![forbid(unsafe_code)]

use std::ffi::CStr;

use zeroize::ZeroizeOnDrop;

use super::openssl::{Hash, LONGEST_DIGEST, OrRefuse};
use crate::error::{Code, Result};

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// MD5, for fingerprints and old servers only.
    Md5,
    /// RIPEMD-160, for old servers only.
    Ripemd160,
    /// SHA-1, for fingerprints and old servers only.
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl HashAlgorithm {
    /// Bytes of a hash.
    #[allow(clippy::len_without_is_empty, reason = "a hash is never empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Ripemd160 | Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// libcrypto's name for it.
    pub(super) const fn name(self) -> &'static CStr {
        match self {
            Self::Md5 => c"MD5",
            Self::Ripemd160 => c"RIPEMD160",
            Self::Sha1 => c"SHA1",
            Self::Sha256 => c"SHA256",
            Self::Sha384 => c"SHA384",
            Self::Sha512 => c"SHA512",
        }
    }
}

/// The output of a hash, which may be a key or a secret: it is wiped when dropped.
#[derive(ZeroizeOnDrop)]
pub struct Digest {
    bytes: [u8; LONGEST_DIGEST],
    #[zeroize(skip)]
    algorithm: HashAlgorithm,
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.len()).unwrap_or_default()
    }
}

/// A hash under way.
pub struct Hasher {
    hash: Hash,
    algorithm: HashAlgorithm,
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new(algorithm: HashAlgorithm) -> Result<Self> {
        let hash = Hash::new(algorithm.name()).or_refuse(Code::HashInit, "Hash is not to be had")?;
        Ok(Self { hash, algorithm })
    }

    /// Takes in `data`.
    pub fn update(&mut self, data: &[u8]) -> Result<()> {
        self.hash.update(data).or_refuse(Code::HashCalc, "Hashing failed")
    }

    /// The hash of everything taken in.
    pub fn finish(self) -> Result<Digest> {
        let mut digest = Digest { bytes: [0; LONGEST_DIGEST], algorithm: self.algorithm };
        self.hash.finish(&mut digest.bytes).or_refuse(Code::HashCalc, "Hashing failed")?;
        Ok(digest)
    }
}

/// The hash of `parts`, one after the other.
pub fn digest(algorithm: HashAlgorithm, parts: &[&[u8]]) -> Result<Digest> {
    let mut hasher = Hasher::new(algorithm)?;
    parts.iter().try_for_each(|part| hasher.update(part))?;
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn hashes_of_abc_in_rfc_1321_and_fips_180() {
        let vectors = [
            (HashAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (HashAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                HashAlgorithm::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed
                 8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                HashAlgorithm::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ];
        for (algorithm, expected) in vectors {
            let whole = digest(algorithm, &[b"abc"]).unwrap();
            assert_eq!(whole.as_ref(), hex(expected), "{algorithm:?}");
            assert_eq!(whole.as_ref().len(), algorithm.len());
            assert_eq!(digest(algorithm, &[b"a", b"", b"bc"]).unwrap().as_ref(), hex(expected));
        }
    }
}
