//! Global requests, RFC 4254 section 4.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::channel::{ListenerId, Listeners};
use crate::error::{Code, Result};
use crate::memory::Add;
use crate::transport::{Tx, message};
use crate::wire::{Put, Reader, Short};

/// Our requests that are to be answered. Replies carry no name of their own and come in the order of the requests.
#[derive(Default)]
pub struct Globals {
    asked: VecDeque<Purpose>,
    answers_keepalives: bool,
}

/// What a reply is for.
enum Purpose {
    /// It shows that the server is alive.
    Keepalive,
    /// It is about a listener.
    Listen(ListenerId),
}

impl Globals {
    /// Queues a request that shows the server that we are alive, and asks for the same if `wants_reply`.
    pub fn send_keepalive(&mut self, tx: &mut Tx, name: &[u8], wants_reply: bool) -> Result<()> {
        if wants_reply {
            self.asked.room(1)?;
        }
        send(tx, name, wants_reply, &[])?;
        if wants_reply { self.asked.add(Purpose::Keepalive) } else { Ok(()) }
    }

    /// Whether the server has ever answered a keepalive, and how many it still owes an answer.
    pub fn keepalives(&self) -> (bool, usize) {
        let owed = self.asked.iter().filter(|purpose| matches!(purpose, Purpose::Keepalive)).count();
        (self.answers_keepalives, owed)
    }

    /// Queues the request to listen, whose reply goes to `listener`.
    pub fn ask_to_listen(&mut self, tx: &mut Tx, listener: ListenerId, host: &[u8], port: u32) -> Result<()> {
        self.asked.room(1)?;
        send(tx, b"tcpip-forward", true, &address(host, port)?)?;
        self.asked.add(Purpose::Listen(listener))
    }

    /// Handles a packet numbered 80 to 82. No request of the server is known, so each that wants a reply is refused.
    /// Replies to requests that were never made are dropped.
    pub fn on_packet(&mut self, packet: &[u8], tx: &mut Tx, listeners: &mut Listeners) -> Result<()> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8().unwrap_or_default();
        if kind == message::GLOBAL_REQUEST {
            return refuse(reader, tx);
        }
        match self.asked.pop_front() {
            Some(Purpose::Listen(listener)) => {
                let payload = (kind == message::REQUEST_SUCCESS).then(|| reader.rest());
                listeners.on_reply(listener, payload, tx)
            }
            Some(Purpose::Keepalive) => {
                self.answers_keepalives = true;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Queues the request not to listen any more. Nobody waits for the answer, so none is asked for.
pub fn stop_listening(tx: &mut Tx, host: &[u8], port: u32) -> Result<()> {
    send(tx, b"cancel-tcpip-forward", false, &address(host, port)?)
}

fn address(host: &[u8], port: u32) -> Result<Vec<u8>> {
    let mut fields = Vec::new();
    fields.put_string(host)?;
    fields.put_u32(port)?;
    Ok(fields)
}

fn send(tx: &mut Tx, name: &[u8], wants_reply: bool, fields: &[u8]) -> Result<()> {
    let mut packet = Vec::new();
    packet.put_u8(message::GLOBAL_REQUEST)?;
    packet.put_string(name)?;
    packet.put_boolean(wants_reply)?;
    packet.put(fields)?;
    tx.send(&[&packet])
}

fn refuse(mut reader: Reader<'_>, tx: &mut Tx) -> Result<()> {
    let mut wants_reply = || -> Result<bool, Short> {
        reader.string()?;
        reader.boolean()
    };
    let wanted = wants_reply()
        .map_err(|short| short.in_packet(Code::Proto, "Global request of the server is shorter than its fields"))?;
    if wanted { tx.send(&[&[message::REQUEST_FAILURE]]) } else { Ok(()) }
}
