//! Private keys: read from their files, shown in public, signed with.
#![forbid(unsafe_code)]

mod armor;
mod asn1;
mod openssh;
mod pem;
mod rsa;
mod security_key;
#[cfg(test)]
mod tests;

pub use self::security_key::{SecurityKey, SecurityKeyType};
use super::dsa;
use super::nist;
use super::openssl::{Key, OrRefuse, Refused};
use super::public::{ED25519, KeyType, RSA, check_rsa};
use super::signature::SignatureAlgorithm;
use crate::error::{Code, Error, Result};
use crate::wire::Put;

/// Longest text that is taken for a key.
const LONGEST_TEXT: usize = 1024 * 1024;

/// A private key.
pub struct PrivateKey {
    key: Key,
    kind: KeyType,
}

impl PrivateKey {
    /// Reads the first private key in `text`: OpenSSH's own format; or PEM, as PKCS#1, SEC1 or PKCS#8. `passphrase` is
    /// not looked at if the key is not encrypted; `None` is the empty one.
    ///
    /// # Errors
    ///
    /// [`Code::KeyfileAuthFailed`] if the key is encrypted with another passphrase, [`Code::File`] for everything that
    /// is no key, or none of a type that is known.
    pub fn parse(text: &[u8], passphrase: Option<&[u8]>) -> Result<Self> {
        let armor = find_armor(text)?;
        let passphrase = passphrase.unwrap_or_default();
        let key = match armor.label {
            b"OPENSSH " => openssh::read(&armor::decode(armor.body)?, passphrase)?,
            label => pem::read(&armor, label == b"ENCRYPTED ", passphrase)?,
        };
        const UNKNOWN: &str = "Private key is of a type that is not known";
        let kind = identify(&key).or_refuse(Code::File, UNKNOWN)?.ok_or(const { Error::new(Code::File, UNKNOWN) })?;
        Ok(Self { key, kind })
    }

    /// Its type.
    pub const fn key_type(&self) -> KeyType {
        self.kind
    }

    /// The algorithms that it can sign by, best first.
    pub const fn algorithms(&self) -> &'static [SignatureAlgorithm] {
        self.kind.algorithms()
    }

    /// Its public half in the form of the wire: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4.
    pub fn public_blob(&self) -> Result<Vec<u8>> {
        public_blob(&self.key, self.kind)
    }

    /// Signs `data` by `algorithm`: the signature in the form of the wire, the algorithm's name in front.
    pub fn sign(&self, algorithm: SignatureAlgorithm, data: &[u8]) -> Result<Vec<u8>> {
        if algorithm.key_type() != self.kind {
            return Err(Error::new(Code::PublickeyUnverified, "Signature algorithm does not fit the private key"));
        }
        let raw = self
            .key
            .sign(algorithm.digest(), data)
            .or_refuse(Code::PublickeyUnverified, "Signing with the private key failed")?;
        algorithm.encode(&raw)
    }
}

fn find_armor(text: &[u8]) -> Result<armor::Armor<'_>> {
    if text.len() > LONGEST_TEXT {
        return Err(Error::new(Code::File, "Private key file is too long"));
    }
    if text.is_empty() {
        return Err(Error::new(Code::File, "Private key file is empty"));
    }
    armor::find(text).ok_or_else(|| Error::new(Code::File, "No private key is in the file"))
}

fn public_blob(key: &Key, kind: KeyType) -> Result<Vec<u8>> {
    const FAILED: &str = "Public half of the private key is not to be had";
    let refused = |refused: Refused| refused.into_error(Code::File, FAILED);
    let mut blob = Vec::new();
    blob.put_string(kind.as_bytes())?;
    match kind.nist() {
        Some(curve) => {
            blob.put_string(curve.name.as_bytes())?;
            blob.put_string(&curve.point(key).map_err(refused)?)?;
        }
        None if kind == KeyType::Rsa => {
            blob.put_mpint(&key.number(c"e").map_err(refused)?)?;
            blob.put_mpint(&key.number(c"n").map_err(refused)?)?;
        }
        None if kind == KeyType::Dsa => {
            for name in dsa::PUBLIC {
                blob.put_mpint(&key.number(name).map_err(refused)?)?;
            }
        }
        None => blob.put_string(&key.octets(c"pub").map_err(refused)?)?,
    }
    Ok(blob)
}

/// The type of `key`, if SSH knows it and its sizes are allowed.
fn identify(key: &Key) -> Result<Option<KeyType>, Refused> {
    if key.is_a(ED25519) {
        return Ok(Some(KeyType::Ed25519));
    }
    if key.is_a(RSA) {
        let (e, n) = (key.number(c"e")?, key.number(c"n")?);
        return Ok(check_rsa(&e, &n).is_ok().then_some(KeyType::Rsa));
    }
    if key.is_a(dsa::KIND) {
        return Ok(dsa::is_fit(key)?.then_some(KeyType::Dsa));
    }
    if !key.is_a(nist::KIND) {
        return Ok(None);
    }
    let group = key.text(c"group")?;
    Ok([KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521]
        .into_iter()
        .find(|kind| kind.nist().is_some_and(|curve| curve.group.to_bytes() == group)))
}

/// The file is not what it should be.
const fn damaged() -> Error {
    Error::new(Code::File, "Private key file is damaged")
}

/// Nothing was given to open the file with.
const fn no_passphrase() -> Error {
    Error::new(Code::KeyfileAuthFailed, "Private key file is encrypted, and there is no passphrase")
}

/// What opens the file is not what it was closed with.
const fn wrong_passphrase() -> Error {
    Error::new(Code::KeyfileAuthFailed, "Passphrase of the private key file is wrong")
}
