//! Public keys as SSH writes them: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4.
#![forbid(unsafe_code)]

use super::der;
use super::nist::{self, Nist};
use super::openssl::{Key, OrRefuse, Param, Refused};
use super::signature::{SignatureAlgorithm, only};
use crate::error::{Code, Error, Result};
use crate::wire::{Reader, Short};

/// libcrypto's name for keys on Curve25519 that sign.
pub(super) const ED25519: &std::ffi::CStr = c"ED25519";
/// Bytes of a public key on Curve25519, and of a secret one.
pub(super) const ED25519_LEN: usize = 32;
/// libcrypto's name for RSA keys.
pub(super) const RSA: &std::ffi::CStr = c"RSA";
/// Bits of an RSA modulus: below, it gives no security; above, checking a signature takes seconds. As in OpenSSH.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=16384;
/// Bits of an RSA exponent; FIPS 186-5 allows no more.
const MOST_EXPONENT_BITS: usize = 256;

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519
    Ed25519,
    /// ECDSA on NIST P-256
    EcdsaP256,
    /// ECDSA on NIST P-384
    EcdsaP384,
    /// ECDSA on NIST P-521
    EcdsaP521,
    /// RSA
    Rsa,
}

impl KeyType {
    const ALL: [Self; 5] = [Self::Ed25519, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Rsa];

    /// Its name at the front of a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
        }
    }

    /// Its name, as the wire has it.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.name().as_bytes()
    }

    /// The type of that name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_bytes() == name)
    }

    /// The algorithms that keys of this type sign with, best first.
    pub const fn algorithms(self) -> &'static [SignatureAlgorithm] {
        match self {
            Self::Ed25519 => &[SignatureAlgorithm::Ed25519],
            Self::EcdsaP256 => &[SignatureAlgorithm::EcdsaP256],
            Self::EcdsaP384 => &[SignatureAlgorithm::EcdsaP384],
            Self::EcdsaP521 => &[SignatureAlgorithm::EcdsaP521],
            Self::Rsa => &[SignatureAlgorithm::RsaSha512, SignatureAlgorithm::RsaSha256, SignatureAlgorithm::RsaSha1],
        }
    }

    pub(super) const fn nist(self) -> Option<&'static Nist> {
        match self {
            Self::Ed25519 | Self::Rsa => None,
            Self::EcdsaP256 => Some(&nist::P256),
            Self::EcdsaP384 => Some(&nist::P384),
            Self::EcdsaP521 => Some(&nist::P521),
        }
    }
}

/// A public key.
pub struct PublicKey {
    key: Key,
    kind: KeyType,
}

impl PublicKey {
    /// Reads a key in the form of the wire, its type's name in front. Nothing may follow it.
    pub fn from_blob(blob: &[u8]) -> Result<Self> {
        let name = Reader::new(blob).string().map_err(|short| short.in_packet(Code::HostkeyInit, NOT_VALID))?;
        let kind = KeyType::from_name(name)
            .ok_or_else(|| Error::new(Code::HostkeyInit, "Public key is of a type that is not known").with(name))?;
        let key = match kind.nist() {
            Some(curve) => read_point(blob, curve).map(|point| curve.public_key(point)),
            None if kind == KeyType::Rsa => read_rsa(blob).map(|(e, n)| rsa(e, n)),
            None => read_ed25519(blob).map(|bytes| Key::public(ED25519, &[Param::Octets(c"pub", bytes)])),
        };
        key.unwrap_or(Err(Refused::UNFIT)).or_refuse(Code::HostkeyInit, NOT_VALID).map(|key| Self { key, kind })
    }

    /// Its type.
    pub const fn key_type(&self) -> KeyType {
        self.kind
    }

    /// Checks that `signature`, in the form of the wire with the algorithm's name in front, is this key's over `data`
    /// by
    /// `algorithm` and no other.
    pub fn verify(&self, algorithm: SignatureAlgorithm, data: &[u8], signature: &[u8]) -> Result<()> {
        const WRONG: &str = "Signature is wrong";
        if algorithm.key_type() != self.kind {
            return Err(Error::new(Code::HostkeySign, "Signature algorithm does not fit the key"));
        }
        let size = self.key.size().or_refuse(Code::HostkeySign, WRONG)?;
        let raw = algorithm
            .decode(signature, size)?
            .ok_or_else(|| Error::new(Code::HostkeySign, "Signature is not of the algorithm's form"))?;
        self.key.verify(algorithm.digest(), data, &raw).or_refuse(Code::HostkeySign, WRONG)
    }
}

const NOT_VALID: &str = "Public key is not valid";

fn read_ed25519(blob: &[u8]) -> Result<&[u8], Short> {
    only(blob, |reader| {
        reader.string()?;
        reader.string().and_then(|bytes| if bytes.len() == ED25519_LEN { Ok(bytes) } else { Err(Short) })
    })
}

fn read_point<'a>(blob: &'a [u8], curve: &Nist) -> Result<&'a [u8], Short> {
    only(blob, |reader| {
        reader.string()?;
        if reader.string()? == curve.name.as_bytes() { reader.string() } else { Err(Short) }
    })
}

/// Exponent and modulus.
fn read_rsa(blob: &[u8]) -> Result<(&[u8], &[u8]), Short> {
    only(blob, |reader| {
        reader.string()?;
        Ok((mpint(reader)?, mpint(reader)?))
    })
}

fn rsa(e: &[u8], n: &[u8]) -> Result<Key, Refused> {
    check_rsa(e, n)?;
    Key::public(RSA, &[Param::Number(c"n", n), Param::Number(c"e", e)])
}

/// Refuses what costs too much or protects nothing.
pub(super) fn check_rsa(e: &[u8], n: &[u8]) -> Result<(), Refused> {
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if odd(e) && e != [1] && bits(e) <= MOST_EXPONENT_BITS && odd(n) && RSA_BITS.contains(&bits(n)) {
        Ok(())
    } else {
        Err(Refused::UNFIT)
    }
}

fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or_default())
}

/// A positive `mpint`, without the leading zeros that it should not have and some write.
pub(super) fn mpint<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let digits = reader.string()?;
    if digits.first().is_none_or(|&first| first >= 0x80) {
        return Err(Short);
    }
    let trimmed = der::trim(digits);
    if trimmed.is_empty() { Err(Short) } else { Ok(trimmed) }
}
