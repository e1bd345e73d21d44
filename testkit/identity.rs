//! Host keys.

use std::path::Path;

use base64::Engine;
use ssh2::crypto::{PrivateKey, random};

use crate::end::Result;

/// What stands before the 32 secret bytes of an Ed25519 key in PKCS#8, RFC 8410 section 7.
const ED25519_HEAD: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The server's host keys as texts, which all connections share.
pub struct KeyTexts {
    key: Vec<u8>,
    other: Vec<u8>,
}

/// The server's host keys, as one connection uses them.
pub struct Identity {
    /// The one that is announced.
    pub key: PrivateKey,
    /// An Ed25519 key that nobody has announced.
    pub other: PrivateKey,
}

impl KeyTexts {
    /// The key in `file`, or a new Ed25519 key.
    pub fn new(file: Option<&Path>) -> std::io::Result<Self> {
        let key = file.map_or_else(generate, std::fs::read)?;
        Ok(Self { key, other: generate()? })
    }

    pub fn read(&self) -> Result<Identity> {
        Ok(Identity { key: PrivateKey::parse(&self.key, None)?, other: PrivateKey::parse(&self.other, None)? })
    }
}

fn generate() -> std::io::Result<Vec<u8>> {
    let mut secret = [0; 32];
    random(&mut secret).map_err(std::io::Error::other)?;
    let text = base64::engine::general_purpose::STANDARD.encode([ED25519_HEAD, &secret].concat());
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n").into_bytes())
}
