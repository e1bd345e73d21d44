//! Keys in security keys: what their files hold, which is all but the key. OpenSSH's PROTOCOL.u2f.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::{armor, damaged, find_armor, openssh};
use crate::error::{Code, Error, Result};
use crate::memory::copy;
use crate::wire::{Put, Reader, Short};

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
        let curve = if kind == SecurityKeyType::EcdsaP256 { Some(reader.string()?) } else { None };
        let key = reader.string()?;
        let application = reader.string()?;
        let flags = reader.u8()?;
        let handle = reader.string()?;
        let _reserved = reader.string()?;
        let public = [Some(kind.name().as_bytes()), curve, Some(key), Some(application)];
        Ok(Self::new(kind, &public, application, flags, handle))
    }

    fn new(
        kind: SecurityKeyType,
        public: &[Option<&[u8]>],
        application: &[u8],
        flags: u8,
        handle: &[u8],
    ) -> Result<Self> {
        let mut blob = Vec::new();
        public.iter().flatten().try_for_each(|field| blob.put_string(field))?;
        Ok(Self { kind, blob, application: copy(application)?, flags, handle: Zeroizing::new(copy(handle)?) })
    }
}

const fn not_one() -> Error {
    Error::new(Code::File, "Private key is not in a security key")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn strings(fields: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        fields.iter().try_for_each(|field| bytes.put_string(field)).unwrap();
        bytes
    }

    fn public(kind: SecurityKeyType) -> Vec<u8> {
        match kind {
            SecurityKeyType::Ed25519 => strings(&[kind.name().as_bytes(), &[7; 32], b"ssh:"]),
            SecurityKeyType::EcdsaP256 => strings(&[kind.name().as_bytes(), b"nistp256", &[4; 65], b"ssh:"]),
        }
    }

    /// An unencrypted file whose secret part is the check, `fields` and the padding.
    fn file(public: &[u8], fields: &[u8]) -> String {
        let mut secret = [&[1, 2, 3, 4, 1, 2, 3, 4], fields].concat();
        let missing = u8::try_from(secret.len().next_multiple_of(8) - secret.len()).unwrap();
        secret.extend(1..=missing);
        let head = [&b"openssh-key-v1\0"[..], &strings(&[b"none", b"none", b""]), &[0, 0, 0, 1]].concat();
        let body = STANDARD.encode([head, strings(&[public, &secret])].concat());
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    fn fields(kind: SecurityKeyType) -> Vec<u8> {
        [public(kind), vec![5], strings(&[b"handle", b"", b"comment"])].concat()
    }

    #[test]
    fn reads_all_but_the_key() {
        for kind in SecurityKeyType::ALL {
            let key = SecurityKey::parse(file(&public(kind), &fields(kind)).as_bytes(), None).unwrap();
            assert_eq!((key.kind, &key.blob), (kind, &public(kind)));
            assert_eq!((&key.application[..], key.flags, &key.handle[..]), (&b"ssh:"[..], 5, &b"handle"[..]));
        }
    }

    #[test]
    fn what_is_cut_or_contradicts_itself_is_refused() {
        let refused = |text: &str| SecurityKey::parse(text.as_bytes(), None).err().unwrap().code == Code::File;
        for kind in SecurityKeyType::ALL {
            let (public, fields) = (public(kind), fields(kind));
            for length in 0..fields.len() {
                assert!(refused(&file(&public, &fields[..length])), "{kind:?} {length}");
            }
            let mut other = public.clone();
            *other.last_mut().unwrap() ^= 1;
            assert!(refused(&file(&other, &fields)), "another public half in front");
        }
        assert!(refused(&file(
            &strings(&[b"ssh-ed25519", &[7; 32]]),
            &strings(&[b"ssh-ed25519", &[7; 32], &[7; 64], b""])
        )));
        assert!(refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    }

    #[test]
    fn an_ordinary_login_is_told_what_it_is() {
        let kind = SecurityKeyType::Ed25519;
        let text = file(&public(kind), &fields(kind));
        let error = super::super::PrivateKey::parse(text.as_bytes(), None).err().unwrap();
        assert_eq!(error.code, Code::File);
        assert!(error.to_string().contains("security key"), "{error}");
    }
}
