//! Host keys, made when the server starts.

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use ssh2::crypto::{KeyType, PrivateKey};

use crate::end::Result;

/// The server's host keys as texts, which all connections share.
pub struct KeyTexts([Vec<u8>; 3]);

/// The server's host keys, as one connection uses them.
pub struct Identity {
    /// The one that is announced.
    pub key: PrivateKey,
    /// One of the same type.
    pub another: PrivateKey,
    /// One of another type.
    pub of_another_type: PrivateKey,
}

impl KeyTexts {
    pub fn generate(kind: KeyType) -> Result<Self, openssl::error::ErrorStack> {
        let other = if kind == KeyType::Ed25519 { KeyType::EcdsaP256 } else { KeyType::Ed25519 };
        let text = |kind| key(kind).and_then(|key| key.private_key_to_pem_pkcs8());
        Ok(Self([text(kind)?, text(kind)?, text(other)?]))
    }

    pub fn read(&self) -> Result<Identity> {
        let [key, another, of_another_type] = &self.0;
        let read = |text: &[u8]| PrivateKey::parse(text, None);
        Ok(Identity { key: read(key)?, another: read(another)?, of_another_type: read(of_another_type)? })
    }
}

fn key(kind: KeyType) -> Result<PKey<Private>, openssl::error::ErrorStack> {
    let on_curve =
        |nid| EcGroup::from_curve_name(nid).and_then(|group| EcKey::generate(&group)).and_then(PKey::from_ec_key);
    match kind {
        KeyType::Ed25519 => PKey::generate_ed25519(),
        KeyType::EcdsaP256 => on_curve(Nid::X9_62_PRIME256V1),
        KeyType::EcdsaP384 => on_curve(Nid::SECP384R1),
        KeyType::EcdsaP521 => on_curve(Nid::SECP521R1),
        KeyType::Rsa => Rsa::generate(2048).and_then(PKey::from_rsa),
    }
}
