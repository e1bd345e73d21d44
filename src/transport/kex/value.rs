//! The last round trip of every method: our public value leaves, the server's comes back with its host key and signature.
#![forbid(unsafe_code)]

use super::pair::Pair;
use super::{Reply, failed};
use crate::error::{Code, Result};
use crate::wire::{Put, Reader, Short};

/// Our value has been sent.
pub struct AwaitValue {
    pair: Pair,
    /// What is hashed between the host key and the server's value.
    fields: Vec<u8>,
    /// The number of the message that brings the server's.
    number: u8,
}

impl AwaitValue {
    /// Sends our value as message `number`, to be answered by the one after it: the state, and the packet. `fields` are
    /// hashed in front of it.
    pub(super) fn begin(pair: Pair, number: u8, mut fields: Vec<u8>) -> Result<(Self, Vec<u8>)> {
        let mut packet = Vec::new();
        packet.put_u8(number)?;
        pair.put_public(&mut packet)?;
        pair.put_public(&mut fields)?;
        Ok((Self { pair, fields, number: number.saturating_add(1) }, packet))
    }

    /// Takes the server's value.
    pub(super) fn agree(mut self, payload: &[u8]) -> Result<Reply<'_>> {
        if payload.first() != Some(&self.number) {
            return Err(failed("Server sent a wrong message in the key exchange"));
        }
        let [host_key, theirs, signature] = read(payload).map_err(|short| {
            short.in_packet(Code::KeyExchangeFailure, "Key exchange reply is shorter than its fields")
        })?;
        // A number is hashed as it came too: that it came in another form than the shortest would break the signature.
        self.fields.put_string(theirs)?;
        Ok(Reply { host_key, signature, fields: self.fields, secret: self.pair.agree(theirs)? })
    }
}

/// The server's host key, its public value and its signature.
fn read(payload: &[u8]) -> Result<[&[u8]; 3], Short> {
    let mut reader = Reader::new(payload);
    reader.u8()?;
    Ok([reader.string()?, reader.string()?, reader.string()?])
}
