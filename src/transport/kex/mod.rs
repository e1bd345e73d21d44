//! Key exchange, RFC 4253 sections 7 and 8: from both KEXINITs to the keys of both directions.
//!
//! Each state is a struct named for what it waits for and is consumed by the packet that it waited for.
#![forbid(unsafe_code)]

mod group;
mod pair;
#[cfg(test)]
mod peer;
#[cfg(any(test, fuzzing))]
pub mod server;
mod value;

use zeroize::Zeroizing;

use self::group::AwaitGroup;
use self::pair::Pair;
use self::value::AwaitValue;
use super::cipher::{Keys, Opener, Sealer};
use super::message;
use super::negotiate::{Agreement, Suite};
use crate::crypto::{Curve, Digest, HashAlgorithm, Hasher, Kem, ModpGroup};
use crate::error::{Code, Error, Result};
use crate::memory;
use crate::wire::Put;

/// A key exchange method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KexAlgorithm {
    /// How a secret is agreed on.
    pub method: KexMethod,
    /// The hash of the exchange.
    pub hash: HashAlgorithm,
}

/// How a secret is agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KexMethod {
    /// Elliptic curve Diffie-Hellman.
    Ecdh(Curve),
    /// Elliptic curve Diffie-Hellman and a mechanism that quantum computers do not break, side by side.
    Hybrid(Kem, Curve),
    /// Diffie-Hellman modulo the well-known prime of so many bits.
    Modp(usize),
    /// Diffie-Hellman in a group that the server chooses.
    GroupExchange,
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

/// A packet of the method has been sent, and both sides have agreed on the method.
pub struct AwaitReply {
    agreement: Agreement,
    transcript: Transcript,
    begun: Begun,
    time: u64,
}

/// A packet of the method has been sent: what is awaited.
pub enum Begun {
    /// The server's group.
    Group(AwaitGroup),
    /// The server's public value.
    Value(AwaitValue),
}

impl Begun {
    /// Begins `algorithm`: the state, and the packet to send.
    pub fn begin(algorithm: KexAlgorithm) -> Result<(Self, Vec<u8>)> {
        let value = |pair| {
            let (state, packet) = AwaitValue::begin(pair, message::KEX_ECDH_INIT, Vec::new())?;
            Ok((Self::Value(state), packet))
        };
        match algorithm.method {
            KexMethod::Ecdh(curve) => value(Pair::ecdh(curve)?),
            KexMethod::Hybrid(kem, curve) => value(Pair::hybrid(kem, curve, algorithm.hash)?),
            KexMethod::Modp(bits) => value(Pair::modp(ModpGroup::well_known(bits)?)?),
            KexMethod::GroupExchange => AwaitGroup::begin().map(|(state, packet)| (Self::Group(state), packet)),
        }
    }
}

/// What comes after a packet of the method.
pub enum Step {
    /// A packet is to be sent, and another awaited.
    Again(Box<AwaitReply>, Vec<u8>),
    /// The exchange is over.
    Done(Exchanged),
}

/// What the server's last packet of the method brought.
pub struct Exchanged {
    /// The server's public key or its certificate, verified to have signed this exchange.
    pub host_key: Vec<u8>,
    /// The hash of this exchange.
    pub hash: Digest,
    secret: Zeroizing<Vec<u8>>,
    agreement: Agreement,
}

impl AwaitReply {
    /// Goes on with the method agreed upon, which has `begun`. A certificate of the server must hold at `time`, in
    /// seconds since 1970.
    pub const fn new(agreement: Agreement, transcript: Transcript, begun: Begun, time: u64) -> Self {
        Self { agreement, transcript, begun, time }
    }

    /// Takes the server's packet. At the last one it checks the signature and computes the secret.
    pub fn handle(self, payload: &[u8]) -> Result<Step> {
        let Self { agreement, transcript, begun, time } = self;
        match begun {
            Begun::Group(state) => {
                let (state, packet) = state.handle(payload)?;
                let state = Self { agreement, transcript, begun: Begun::Value(state), time };
                Ok(Step::Again(memory::boxed(state)?, packet))
            }
            Begun::Value(state) => finish(agreement, &transcript, state.agree(payload)?, time).map(Step::Done),
        }
    }
}

/// Checks that the server has signed this very exchange.
fn finish(agreement: Agreement, transcript: &Transcript, reply: Reply<'_>, time: u64) -> Result<Exchanged> {
    let hash = transcript.hash(agreement.kex.algorithm.hash, &reply)?;
    agreement.host_key.algorithm.verify(reply.host_key, hash.as_ref(), reply.signature, time)?;
    Ok(Exchanged { host_key: memory::copy(reply.host_key)?, hash, secret: reply.secret, agreement })
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
        let algorithm = self.agreement.kex.algorithm.hash;
        let round = |tail: &[&[u8]]| {
            let mut hasher = Hasher::new(algorithm)?;
            hasher.update(&self.secret)?;
            hasher.update(self.hash.as_ref())?;
            tail.iter().try_for_each(|part| hasher.update(part))?;
            hasher.finish()
        };
        // Room for one hash too many, so that no growing leaves a copy of the key behind.
        let mut key = Zeroizing::new(memory::sized(length.saturating_add(algorithm.len()))?);
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
