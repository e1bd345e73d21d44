//! ECDH on the NIST curves (RFC 5656 section 4) and on Curve25519 (RFC 8731).
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::{Reply, failed};
use crate::crypto::{Curve, EphemeralKey};
use crate::error::{Code, Result};
use crate::transport::message;
use crate::wire::{Put, Reader, Short};

/// Our half of the exchange.
pub(super) struct Ecdh {
    key: EphemeralKey,
}

impl Ecdh {
    /// Makes our key: the state, and the packet that carries its public half.
    pub(super) fn begin(curve: Curve) -> Result<(Self, Vec<u8>)> {
        let key = EphemeralKey::generate(curve)?;
        let mut packet = Vec::new();
        packet.put_u8(message::KEX_ECDH_INIT)?;
        packet.put_string(key.public_key())?;
        Ok((Self { key }, packet))
    }

    /// Takes `SSH_MSG_KEX_ECDH_REPLY`.
    pub(super) fn agree(self, payload: &[u8]) -> Result<Reply<'_>> {
        let [host_key, theirs, signature] = read(payload).map_err(|short| {
            short.in_packet(Code::KeyExchangeFailure, "Key exchange reply is shorter than its fields")
        })?;
        let mut fields = Vec::new();
        fields.put_string(self.key.public_key())?;
        fields.put_string(theirs)?;
        let shared = self
            .key
            .agree(theirs)
            .map_err(|error| failed("Key exchange value of the server is not valid").with(error.to_string()))?;
        // One sign byte and four of length: reserved at once, so that no growing leaves a copy of the secret behind.
        let mut secret = Zeroizing::new(Vec::new());
        secret.try_reserve_exact(shared.len().saturating_add(5))?;
        secret.put_mpint(&shared)?;
        Ok(Reply { host_key, signature, fields, secret })
    }
}

/// The server's host key, its public value and its signature.
fn read(payload: &[u8]) -> Result<[&[u8]; 3], Short> {
    let mut reader = Reader::new(payload);
    reader.u8()?;
    Ok([reader.string()?, reader.string()?, reader.string()?])
}
