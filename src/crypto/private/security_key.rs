//! Keys in security keys: what their files hold, which is all but the key. OpenSSH's PROTOCOL.u2f.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::{armor, damaged, find_armor, openssh};
use crate::error::{Code, Error, Result};
use crate::wire::{Put, Reader, Short, copy};

/// The algorithm of a security key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityKeyType {
    /// `sk-ssh-ed25519@openssh.com`
    Ed25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`
    EcdsaP256,
}

impl SecurityKeyType {
    const ALL: [Self; 2] = [Self::Ed25519, Self::EcdsaP256];

    /// Its name at the front of a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "sk-ssh-ed25519@openssh.com",
            Self::EcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }
}

pub(super) fn is_security_key(name: &[u8]) -> bool {
    SecurityKeyType::from_name(name).is_some()
}

/// A key that a security key holds.
pub struct SecurityKey {
    /// Its type.
    pub kind: SecurityKeyType,
    /// Its public half in the form of the wire.
    pub blob: Vec<u8>,
    /// What it was made for, `ssh:` unless its user chose something else.
    pub application: Vec<u8>,
    /// What the security key is to check before it signs.
    pub flags: u8,
    /// By which the security key finds it.
    pub handle: Zeroizing<Vec<u8>>,
}

impl SecurityKey {
    /// Reads the first private key in `text`, which must be in OpenSSH's own format.
    ///
    /// # Errors
    ///
    /// As [`super::PrivateKey::parse`].
    pub fn parse(text: &[u8], passphrase: Option<&[u8]>) -> Result<Self> {
        let armor = find_armor(text)?;
        if armor.label != b"OPENSSH " {
            return Err(not_one());
        }
        let file = armor::decode(armor.body)?;
        let opened = openssh::Opened::open(&file, passphrase.unwrap_or_default())?;
        opened.read(|name, reader| {
            let kind = SecurityKeyType::from_name(name).ok_or_else(not_one)?;
            let key = Self::read(kind, reader).map_err(|_| damaged())??;
            if key.blob == opened.public() { Ok(key) } else { Err(damaged()) }
        })
    }

    fn read(kind: SecurityKeyType, reader: &mut Reader<'_>) -> Result<Result<Self>, Short> {
        let mut public = vec![kind.name().as_bytes()];
        if kind == SecurityKeyType::EcdsaP256 {
            public.push(reader.string()?);
        }
        public.push(reader.string()?);
        let application = reader.string()?;
        let flags = reader.u8()?;
        let handle = reader.string()?;
        let _reserved = reader.string()?;
        public.push(application);
        Ok(Self::new(kind, &public, application, flags, handle))
    }

    fn new(kind: SecurityKeyType, public: &[&[u8]], application: &[u8], flags: u8, handle: &[u8]) -> Result<Self> {
        let mut blob = Vec::new();
        public.iter().try_for_each(|field| blob.put_string(field))?;
        Ok(Self { kind, blob, application: copy(application)?, flags, handle: Zeroizing::new(copy(handle)?) })
    }
}

const fn not_one() -> Error {
    Error::new(Code::File, "Private key is not in a security key")
}
