//! Key exchange, RFC 4253 sections 7 and 8: from both KEXINITs to the keys of both directions.
//!
//! Each state is a struct named for what it waits for and is consumed by the packet that it waited for.
#![forbid(unsafe_code)]

mod ecdh;
#[cfg(test)]
mod peer;

use zeroize::Zeroizing;

use super::cipher::{Keys, Opener, Sealer};
use super::message;
use super::negotiate::{Agreement, Suite};
use crate::crypto::{Curve, Digest, HashAlgorithm, Hasher, PublicKey};
use crate::error::{Code, Error, Result};
use crate::wire::Put;

/// A key exchange method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KexAlgorithm {
    /// Elliptic curve Diffie-Hellman: RFC 5656 section 4 and RFC 8731.
    Ecdh {
        /// The curve.
        curve: Curve,
        /// The hash of the exchange.
        hash: HashAlgorithm,
    },
}

impl KexAlgorithm {
    const fn hash(self) -> HashAlgorithm {
        match self {
            Self::Ecdh { hash, .. } => hash,
        }
    }
}

/// What both sides have said before the method's own packets; part of the exchange hash.
pub struct Transcript {
    /// Our identification line.
    pub client_ident: Vec<u8>,
    /// The server's identification line.
    pub server_ident: Vec<u8>,
    /// The payload of our KEXINIT.
    pub client_kexinit: Vec<u8>,
    /// The payload of the server's KEXINIT.
    pub server_kexinit: Vec<u8>,
}

/// The first packet of the method has been sent.
pub struct AwaitReply {
    agreement: Agreement,
    transcript: Transcript,
    method: ecdh::Ecdh,
}

/// What the server's last packet of the method brought.
pub struct Exchanged {
    /// The server's public key, verified to have signed this exchange.
    pub host_key: Vec<u8>,
    /// The hash of this exchange.
    pub hash: Digest,
    secret: Zeroizing<Vec<u8>>,
    agreement: Agreement,
}

impl AwaitReply {
    /// Begins the method agreed upon: the state, and the packet to send.
    pub fn begin(agreement: Agreement, transcript: Transcript) -> Result<(Self, Vec<u8>)> {
        let KexAlgorithm::Ecdh { curve, .. } = agreement.kex.algorithm;
        let (method, packet) = ecdh::Ecdh::begin(curve)?;
        Ok((Self { agreement, transcript, method }, packet))
    }

    /// Takes the server's reply: checks its signature and computes the secret.
    pub fn handle(self, payload: &[u8]) -> Result<Exchanged> {
        if payload.first() != Some(&message::KEX_ECDH_REPLY) {
            return Err(failed("Server sent a wrong message in the key exchange"));
        }
        let reply = self.method.agree(payload)?;
        let hash = self.transcript.hash(self.agreement.kex.algorithm.hash(), &reply)?;
        let key = PublicKey::from_blob(reply.host_key)
            .map_err(|error| failed("Host key of the server is not valid").with(error.to_string()))?;
        let algorithm = self.agreement.host_key.algorithm;
        if key.key_type() != algorithm.key_type() {
            return Err(failed("Host key of the server is of another type than negotiated"));
        }
        key.verify(algorithm, hash.as_ref(), reply.signature)
            .map_err(|error| failed("Host key signature of the server is wrong").with(error.to_string()))?;
        Ok(Exchanged {
            host_key: crate::wire::copy(reply.host_key)?,
            hash,
            secret: reply.secret,
            agreement: self.agreement,
        })
    }
}

/// What a method hands to the exchange hash.
struct Reply<'a> {
    host_key: &'a [u8],
    signature: &'a [u8],
    /// The fields between the host key and the secret, as hashed.
    fields: Vec<u8>,
    /// The secret as hashed, its length in front.
    secret: Zeroizing<Vec<u8>>,
}

impl Transcript {
    fn hash(&self, algorithm: HashAlgorithm, reply: &Reply<'_>) -> Result<Digest> {
        let mut head = Vec::new();
        for part in [&self.client_ident, &self.server_ident, &self.client_kexinit, &self.server_kexinit, reply.host_key]
        {
            head.put_string(part)?;
        }
        let mut hasher = Hasher::new(algorithm)?;
        hasher.update(&head)?;
        hasher.update(&reply.fields)?;
        hasher.update(&reply.secret)?;
        hasher.finish()
    }
}

impl Exchanged {
    /// The sealer and the opener under the new keys. The session id is the first exchange's hash.
    pub fn keys(&self, session_id: &[u8]) -> Result<(Sealer, Opener)> {
        let (cs, sc) = (&self.agreement.cs, &self.agreement.sc);
        let sealer = self.with_keys(cs, *b"ACE", session_id, Sealer::new)?;
        let opener = self.with_keys(sc, *b"BDF", session_id, Opener::new)?;
        Ok((sealer, opener))
    }

    /// RFC 4253 section 7.2; `letters` are those of IV, encryption key and integrity key.
    fn with_keys<T>(
        &self,
        suite: &Suite,
        letters: [u8; 3],
        session_id: &[u8],
        make: fn(&Keys<'_>) -> Result<T>,
    ) -> Result<T> {
        let [iv, key, mac_key] = letters;
        let (cipher, mac) = (suite.cipher.algorithm, suite.mac.algorithm);
        make(&Keys {
            cipher,
            mac,
            iv: &self.derive(iv, cipher.iv_len(), session_id)?,
            key: &self.derive(key, cipher.key_len(), session_id)?,
            mac_key: &self.derive(mac_key, mac.key_len(), session_id)?,
        })
    }

    fn derive(&self, letter: u8, length: usize, session_id: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let algorithm = self.agreement.kex.algorithm.hash();
        let round = |tail: &[&[u8]]| {
            let mut hasher = Hasher::new(algorithm)?;
            hasher.update(&self.secret)?;
            hasher.update(self.hash.as_ref())?;
            tail.iter().try_for_each(|part| hasher.update(part))?;
            hasher.finish()
        };
        // Room for one hash too many, so that no growing leaves a copy of the key behind.
        let mut key = Zeroizing::new(Vec::new());
        key.try_reserve_exact(length.saturating_add(algorithm.len()))?;
        key.put(round(&[&[letter], session_id])?.as_ref())?;
        while key.len() < length {
            let next = round(&[&key])?;
            key.put(next.as_ref())?;
        }
        key.truncate(length);
        Ok(key)
    }
}

const fn failed(text: &'static str) -> Error {
    Error::new(Code::KeyExchangeFailure, text)
}
