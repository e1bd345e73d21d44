//! Global requests, RFC 4254 section 4.
#![forbid(unsafe_code)]

use crate::error::{Code, Result};
use crate::transport::{Tx, message};
use crate::wire::{Reader, Short};

/// Handles a global request of the server: none is known, so each that wants a reply is refused. Replies to requests
/// that were never made are dropped.
pub fn on_packet(packet: &[u8], tx: &mut Tx) -> Result<()> {
    let wants_reply = |mut reader: Reader<'_>| -> Result<bool, Short> {
        reader.u8()?;
        reader.string()?;
        reader.boolean()
    };
    if packet.first() != Some(&message::GLOBAL_REQUEST) {
        return Ok(());
    }
    let wanted = wants_reply(Reader::new(packet))
        .map_err(|short| short.in_packet(Code::Proto, "Global request of the server is shorter than its fields"))?;
    if wanted { tx.send(&[&[message::REQUEST_FAILURE]]) } else { Ok(()) }
}
