//! One known host.
#![forbid(unsafe_code)]

use super::pattern;
use crate::crypto::{HashAlgorithm, Hmac};
use crate::error::Result;
use crate::memory::copy;

/// A host and its key.
pub struct Entry {
    /// What makes the line special.
    pub marker: Option<Marker>,
    /// Which host.
    pub host: Host,
    /// The type of the key.
    pub kind: KeyKind,
    /// The name of the key's type where it has no number of its own, or was read.
    pub kind_name: Option<Vec<u8>>,
    /// The key in Base64; for RSA of version 1 three numbers.
    pub key: Vec<u8>,
    /// How the program gave the key, by the number that the C interface has for it; nothing depends on that.
    pub encoding: u8,
    /// What follows the key, if anything does.
    pub comment: Option<Vec<u8>>,
}

impl Entry {
    /// How many bytes its parts have.
    pub(super) fn bytes(&self) -> usize {
        let parts = [self.kind_name.as_deref(), Some(&self.key[..]), self.comment.as_deref()];
        parts.into_iter().flatten().fold(self.host.bytes(), |sum, part| sum.saturating_add(part.len()))
    }
}

/// The first word of a special line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The key signs the host's certificates.
    CertAuthority,
    /// The key is not to be trusted.
    Revoked,
}

impl Marker {
    const ALL: [Self; 2] = [Self::CertAuthority, Self::Revoked];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CertAuthority => "@cert-authority",
            Self::Revoked => "@revoked",
        }
    }

    /// The marker of that word.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|marker| marker.word().as_bytes() == word)
    }
}

/// How an entry names its host.
pub enum Host {
    /// By a name, or by patterns with commas between them.
    Plain(Vec<u8>),
    /// By a hash, which does not show the name: HMAC-SHA1 of the name under the salt.
    Hashed {
        /// The key of the HMAC.
        salt: Vec<u8>,
        /// The HMAC.
        hash: Vec<u8>,
    },
    /// In a form of the program's own.
    Custom(Vec<u8>),
}

impl Host {
    fn bytes(&self) -> usize {
        match self {
            Self::Plain(name) | Self::Custom(name) => name.len(),
            Self::Hashed { salt, hash } => salt.len().saturating_add(hash.len()),
        }
    }

    /// Whether this is the host called `name`.
    pub fn is(&self, name: &[u8]) -> Result<bool> {
        Ok(match self {
            Self::Plain(list) => list == name || pattern::matches(list, name),
            Self::Hashed { salt, hash } => Hmac::new(HashAlgorithm::Sha1, salt)?.mac(&[name])?.as_ref() == &hash[..],
            Self::Custom(_) => false,
        })
    }

    /// Whether this is the host called `name`, in whatever case either is written. Of a hash that shows only if it is of
    /// the name as it is or in lower case, as OpenSSH makes it.
    pub fn is_in_any_case(&self, name: &[u8]) -> Result<bool> {
        match self {
            _ if self.is(name)? => Ok(true),
            Self::Plain(list) => Ok(pattern::matches_in_any_case(list, name)),
            Self::Hashed { .. } => {
                let mut lower = copy(name)?;
                lower.make_ascii_lowercase();
                self.is(&lower)
            }
            Self::Custom(_) => Ok(false),
        }
    }

    /// Whether the host called `name` is said not to be among these.
    pub fn excludes(&self, name: &[u8]) -> bool {
        matches!(self, Self::Plain(list) if pattern::excludes(list, name))
    }
}

/// The type of a key, by the number that the C interface has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyKind(pub u8);

impl KeyKind {
    /// RSA of SSH's version 1.
    pub const RSA1: Self = Self(1);
    /// A type without a number.
    pub const UNKNOWN: Self = Self(15);
    const NAMES: [(Self, &'static str); 6] = [
        (Self(2), "ssh-rsa"),
        (Self(3), "ssh-dss"),
        (Self(4), "ecdsa-sha2-nistp256"),
        (Self(5), "ecdsa-sha2-nistp384"),
        (Self(6), "ecdsa-sha2-nistp521"),
        (Self(7), "ssh-ed25519"),
    ];

    /// The type of that name.
    pub fn from_name(name: &[u8]) -> Self {
        Self::NAMES.into_iter().find(|(_, known)| known.as_bytes() == name).map_or(Self::UNKNOWN, |(kind, _)| kind)
    }

    /// The name of this type.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.into_iter().find(|(kind, _)| *kind == self).map(|(_, name)| name)
    }
}
