//! A public key or certificate as the server is shown it, RFC 4252 section 7 and OpenSSH's PROTOCOL.certkeys.
#![forbid(unsafe_code)]

use super::{bounded, request};
use crate::crypto::{CERTIFICATE, SignatureAlgorithm, signature_name};
use crate::error::{Code, Error, Result};
use crate::memory::{self, copy};
use crate::session::Session;
use crate::transport::negotiate::MethodType;
use crate::wire::{Put, Reader, names};

const SSH_RSA: &[u8] = b"ssh-rsa";
/// The first OpenSSH that takes certificates under the names of RSA with SHA-2.
const RSA_CERTIFICATE_NAMES: (u32, u32) = (7, 8);

/// A key, and who wants to log in with it.
pub struct Offer {
    user: Vec<u8>,
    key_type: Vec<u8>,
    blob: Vec<u8>,
}

/// A signature algorithm under its two names, which differ for certificates.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// In the request.
    pub request: Vec<u8>,
    /// In front of the signature.
    pub signature: Vec<u8>,
}

impl Offer {
    /// The key or certificate `blob` of type `key_type`.
    pub fn new(user: &[u8], key_type: &[u8], blob: &[u8]) -> Result<Self> {
        bounded(user, "User name is too long")?;
        bounded(blob, "Public key is too long")?;
        Ok(Self { user: copy(user)?, key_type: copy(key_type)?, blob: copy(blob)? })
    }

    /// The key or certificate `blob`, whose type is the first thing in it.
    pub fn from_blob(user: &[u8], blob: &[u8]) -> Result<Self> {
        let name = match Reader::new(blob).string() {
            _ if blob.len() < 4 => return Err(Error::new(Code::PublickeyUnverified, "Public key has no type")),
            Ok(name) if !name.is_empty() => name,
            _ => return Err(Error::new(Code::OutOfBoundary, "Public key is shorter than the name of its type")),
        };
        if name.contains(&0) {
            return Err(Error::new(Code::Inval, "Name of the public key's type contains a NUL"));
        }
        Self::new(user, name, blob)
    }

    /// The key or certificate.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// Whether it depends on the server's extensions how this key signs.
    pub fn is_rsa(&self) -> bool {
        self.plain_type() == SSH_RSA
    }

    /// Whether a security key holds the private half, which signs in a form of its own.
    pub fn is_security_key(&self) -> bool {
        self.key_type.starts_with(b"sk-")
    }

    /// Whether the private key with the public half `blob` is the one that belongs to this key or certificate.
    pub fn belongs_to(&self, blob: &[u8]) -> bool {
        if self.blob == blob {
            return true;
        }
        // A certificate is the name of its type, a nonce, and from there on what the key has behind its own name.
        let (mut certificate, mut key) = (Reader::new(&self.blob), Reader::new(blob));
        let (Ok(_), Ok(_), Ok(name)) = (certificate.string(), certificate.string(), key.string()) else { return false };
        self.key_type.ends_with(CERTIFICATE) && name == self.plain_type() && certificate.rest().starts_with(key.rest())
    }

    /// How to sign. RSA keys sign by the best algorithm that the server takes (RFC 8332 section 3.3), others have but
    /// one.
    pub fn names(&self, session: &Session) -> Result<Names> {
        if !self.is_rsa() {
            return self.own_names();
        }
        let taken = || session.transport.server_sig_algs();
        if taken().is_none() {
            return self.own_names();
        }
        let is_taken = |ours: &SignatureAlgorithm| {
            taken().is_some_and(|mut taken| taken.any(|name| name == ours.name().as_bytes()))
        };
        let ours = [SignatureAlgorithm::RsaSha512, SignatureAlgorithm::RsaSha256];
        let preferred = session.transport.preferences.get(MethodType::SignAlgo);
        let mut wanted =
            names(preferred).filter_map(|name| ours.into_iter().find(|known| known.name().as_bytes() == name));
        let chosen = if preferred.is_empty() { ours.into_iter().find(is_taken) } else { wanted.find(is_taken) };
        let algorithm =
            chosen.ok_or_else(|| Error::new(Code::MethodNone, "Server takes none of our RSA signature algorithms"))?;
        let signature = algorithm.name().as_bytes();
        let request = match self.key_type.strip_prefix(SSH_RSA) {
            Some(_) if self.is_plain() => copy(signature)?,
            Some(ending) if !has_old_certificate_names(session.transport.server_ident()) => {
                memory::concat(&[signature, ending])?
            }
            _ => copy(&self.key_type)?,
        };
        Ok(Names { request, signature: copy(signature)? })
    }

    /// The algorithm that is named like the type of the key.
    pub fn own_names(&self) -> Result<Names> {
        Ok(Names { request: copy(&self.key_type)?, signature: self.signature_type()? })
    }

    /// The request to log in by this key, up to the signature where there is to be one.
    pub fn request(&self, names: &Names, signed: bool) -> Result<Vec<u8>> {
        let mut packet = request(&self.user, b"publickey")?;
        packet.put_boolean(signed)?;
        packet.put_string(&names.request)?;
        packet.put_string(&self.blob)?;
        Ok(packet)
    }

    fn is_plain(&self) -> bool {
        !self.key_type.ends_with(CERTIFICATE)
    }

    /// The type of the key in a certificate, or the type of the key; of security keys without the ending that all of
    /// them have.
    fn plain_type(&self) -> &[u8] {
        self.key_type.strip_suffix(CERTIFICATE).unwrap_or(&self.key_type)
    }

    /// What the signatures of the key are named, if they are not named by an algorithm of RSA.
    fn signature_type(&self) -> Result<Vec<u8>> {
        memory::concat(&signature_name(&self.key_type))
    }
}

/// What is signed: `packet`, bound to this connection (RFC 4252 section 7).
pub(super) fn bound_to_session(session: &Session, packet: &[u8]) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    data.put_string(session.transport.session_id())?;
    data.put(packet)?;
    Ok(data)
}

/// The signature `raw` with the name of its algorithm in front. What a security key adds to its signature stands
/// behind it, so it brings the form of both.
pub fn signature(name: &[u8], raw: &[u8], of_security_key: bool) -> Result<Vec<u8>> {
    let mut signature = Vec::new();
    signature.put_string(name)?;
    if of_security_key {
        signature.put(raw)?
    } else {
        signature.put_string(raw)?
    }
    Ok(signature)
}

fn has_old_certificate_names(ident: &[u8]) -> bool {
    let Some(version) = ident.strip_prefix(b"SSH-2.0-OpenSSH_") else { return false };
    let mut numbers = version.split(|byte| !byte.is_ascii_digit()).map(|digits| {
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u32>().ok()).unwrap_or_default()
    });
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) < RSA_CERTIFICATE_NAMES
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn offer(key_type: &str) -> Offer {
        let mut blob = Vec::new();
        for field in [key_type.as_bytes(), b"nonce", b"key"] {
            blob.put_string(field).unwrap();
        }
        Offer::from_blob(b"user", &blob).unwrap()
    }

    #[test]
    fn certificates_sign_under_the_name_of_their_key() {
        let session = Session::new(Instant::now()).unwrap();
        for (key_type, plain) in [
            ("ssh-ed25519", "ssh-ed25519"),
            ("some-type@example.org", "some-type@example.org"),
            ("ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519"),
            ("ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384"),
            ("sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com"),
            ("sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com"),
            ("sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"),
        ] {
            let names = offer(key_type).names(&session).unwrap();
            assert_eq!((&names.request[..], &names.signature[..]), (key_type.as_bytes(), plain.as_bytes()));
        }
    }

    #[test]
    fn a_certificate_belongs_to_the_key_that_is_in_it() {
        let certificate = offer("ssh-ed25519-cert-v01@openssh.com");
        let key = |name: &str, key: &[u8]| {
            let mut blob = Vec::new();
            blob.put_string(name.as_bytes()).unwrap();
            blob.put_string(key).unwrap();
            blob
        };
        assert!(certificate.belongs_to(&key("ssh-ed25519", b"key")));
        assert!(!certificate.belongs_to(&key("ssh-ed25519", b"kex")));
        assert!(!certificate.belongs_to(&key("ssh-rsa", b"key")));
        assert!(!offer("ssh-ed25519").belongs_to(&key("ssh-ed25519", b"key")));
    }

    #[test]
    fn the_type_of_a_key_is_a_name() {
        let code = |blob: &[u8]| Offer::from_blob(b"user", blob).err().unwrap().code;
        assert_eq!(code(b"abc"), Code::PublickeyUnverified);
        assert_eq!(code(&[0; 4]), Code::OutOfBoundary);
        assert_eq!(code(b"\0\0\0\x05name"), Code::OutOfBoundary);
        assert_eq!(code(b"\0\0\0\x05na\0me"), Code::Inval);
        assert_eq!(code(&[&b"\0\0\0\x04name"[..], &[0; 40_000]].concat()), Code::OutOfBoundary);
    }

    #[test]
    fn servers_that_know_rsa_certificates_by_one_name_only() {
        for (ident, old) in [
            ("SSH-2.0-OpenSSH_7.7p1 Debian", true),
            ("SSH-2.0-OpenSSH_6.10", true),
            ("SSH-2.0-OpenSSH_7.8", false),
            ("SSH-2.0-OpenSSH_10.0p2", false),
            ("SSH-2.0-dropbear_2016.74", false),
        ] {
            assert_eq!(has_old_certificate_names(ident.as_bytes()), old, "{ident}");
        }
    }
}
