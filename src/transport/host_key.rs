//! Host keys: by which algorithms a server proves that it holds its key, RFC 4253 section 6.6, and what it may show for
//! the bare key, OpenSSH's PROTOCOL.certkeys.
#![forbid(unsafe_code)]

use crate::crypto::{Certificate, PublicKey, SignatureAlgorithm};
use crate::error::{Code, Error, Result};

/// A host key algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostKeyAlgorithm {
    /// How the server signs.
    pub signature: SignatureAlgorithm,
    /// The key comes in a certificate.
    pub is_certified: bool,
}

impl HostKeyAlgorithm {
    /// Whether libcrypto has it.
    pub fn is_available(self) -> bool {
        self.signature.key_type().is_available()
    }

    /// Checks that whoever shows `blob` holds its key, and so has signed `hash`. A certificate must hold at `time`, in
    /// seconds since 1970.
    pub fn verify(self, blob: &[u8], hash: &[u8], signature: &[u8], time: u64) -> Result<()> {
        let not_valid = |error: Error| error.within(failed("Host key of the server is not valid"));
        let certificate = self.is_certified.then(|| Certificate::read(blob)).transpose().map_err(not_valid)?;
        let key = match &certificate {
            Some(certificate) => PublicKey::from_blob(&certificate.key()?),
            None => PublicKey::from_blob(blob),
        }
        .map_err(not_valid)?;
        if key.key_type() != self.signature.key_type() {
            return Err(failed("Host key of the server is of another type than negotiated"));
        }
        key.verify(self.signature, hash, signature).map_err(|error| match error.code {
            Code::Alloc => error,
            _ => failed("Host key signature of the server is wrong"),
        })?;
        certificate.map_or(Ok(()), |certificate| certificate.check_host(time)).map_err(not_valid)
    }
}

const fn failed(text: &'static str) -> Error {
    Error::new(Code::KeyExchangeFailure, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::PrivateKey;
    use crate::crypto::testing::{Directory, Issue};

    const NOW: u64 = 1500;

    #[test]
    fn a_server_shows_what_was_agreed_upon() {
        let directory = Directory::new();
        let [key, authority, other] = ["-t ed25519", "-t ed25519", "-t ecdsa"]
            .map(|options| PrivateKey::parse(&directory.keygen(options, "").0, None).unwrap());
        let (hash, signature) = (b"hash", SignatureAlgorithm::Ed25519);
        let signed = key.sign(signature, hash).unwrap();
        let (plain, whole) = (key.public_blob().unwrap(), Issue::new(&key, &authority, "host").write());
        let verify = |is_certified, blob: &[u8], signed: &[u8], time| {
            HostKeyAlgorithm { signature, is_certified }.verify(blob, hash, signed, time)
        };
        verify(false, &plain, &signed, NOW).unwrap();
        verify(true, &whole, &signed, NOW).unwrap();
        let another = Issue::new(&other, &authority, "host").write();
        for refused in [
            verify(false, &whole, &signed, NOW),
            verify(true, &plain, &signed, NOW),
            verify(false, &other.public_blob().unwrap(), &signed, NOW),
            verify(true, &another, &signed, NOW),
            verify(true, &whole, &authority.sign(signature, hash).unwrap(), NOW),
            verify(true, &whole, &key.sign(signature, b"another hash").unwrap(), NOW),
            verify(true, &whole, &signed, 0),
            verify(true, &whole, &signed, 2000),
            verify(true, &Issue { role: 1, ..Issue::new(&key, &authority, "host") }.write(), &signed, NOW),
        ] {
            assert_eq!(refused.unwrap_err().code, Code::KeyExchangeFailure);
        }
    }
}
