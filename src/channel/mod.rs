//! Channels, RFC 4254 section 5: many streams on one connection, each with a window in both directions.
#![forbid(unsafe_code)]

mod close;
mod open;
mod request;
mod window;

use std::collections::VecDeque;

pub use self::close::Close;
pub use self::open::{OpenSession, OpenState};
pub use self::request::Request;
use self::window::{ReceiveWindow, SendWindow};
use crate::error::{Code, Error, Result};
use crate::op::Slots;
use crate::sftp::{SftpId, Sftps, Sink};
use crate::tickets::Tickets;
use crate::transport::{Tx, message};
use crate::wire::{Put, Reader, Short};

/// Numbers of freed channels rest for so many others before they are used again.
const REST: usize = 1024;
/// `SSH_OPEN_ADMINISTRATIVELY_PROHIBITED` and `SSH_OPEN_UNKNOWN_CHANNEL_TYPE`, RFC 4254 section 5.1.
const UNKNOWN_CHANNEL_TYPE: u32 = 3;

/// Names a channel of a session; stale once the channel is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelId {
    number: u32,
    generation: u64,
}

/// The channels of a connection, found by their number.
#[derive(Default)]
pub struct Channels {
    slab: Vec<Option<Channel>>,
    free: VecDeque<u32>,
    generation: u64,
}

/// Who takes what arrives on a channel.
pub enum Consumer {
    /// The program has not said; nothing is expected yet.
    Nobody,
    /// An SFTP subsystem.
    Sftp(SftpId),
}

/// One channel.
pub struct Channel {
    id: ChannelId,
    /// The server's number for it.
    remote: u32,
    /// Whether the server has confirmed it.
    pub state: OpenState,
    /// Who takes what arrives.
    pub consumer: Consumer,
    receive: ReceiveWindow,
    send: SendWindow,
    /// Bytes of the stream that have been accepted and wait for the server's window.
    backlog: Vec<u8>,
    replies: Tickets<bool>,
    eof_received: bool,
    close_received: bool,
    close_sent: bool,
    exit_status: Option<u32>,
    /// Unfinished operations of this channel.
    pub slots: Slots,
}

impl Channels {
    /// The channel, unless it has been freed.
    pub fn get(&mut self, id: ChannelId) -> Result<&mut Channel> {
        usize::try_from(id.number)
            .ok()
            .and_then(|index| self.slab.get_mut(index))
            .and_then(Option::as_mut)
            .filter(|channel| channel.id == id)
            .ok_or_else(|| Error::new(Code::ChannelUnknown, "Channel has been freed"))
    }

    /// Every channel there is.
    pub fn ids(&self) -> Vec<ChannelId> {
        self.slab.iter().flatten().map(|channel| channel.id).collect()
    }

    /// Adds a channel that the server has yet to confirm, whose receive window is `window`.
    fn add(&mut self, window: u32) -> Result<&mut Channel> {
        let number = if self.free.len() > REST { self.free.pop_front() } else { None };
        let number = match number {
            Some(number) => number,
            None => {
                self.slab.try_reserve(1)?;
                self.slab.push(None);
                u32::try_from(self.slab.len().saturating_sub(1)).map_err(|_| Error::alloc())?
            }
        };
        self.generation = self.generation.wrapping_add(1);
        let id = ChannelId { number, generation: self.generation };
        let slot = usize::try_from(number).ok().and_then(|index| self.slab.get_mut(index)).ok_or_else(Error::alloc)?;
        Ok(slot.insert(Channel::new(id, window)))
    }

    /// Drops a channel of which nothing will arrive any more.
    fn remove(&mut self, id: ChannelId) {
        if self.get(id).is_ok()
            && let Some(slot) = usize::try_from(id.number).ok().and_then(|index| self.slab.get_mut(index))
        {
            *slot = None;
            self.free.push_back(id.number);
        }
    }

    /// Handles a packet numbered 90 to 100.
    pub fn on_packet(&mut self, packet: &[u8], tx: &mut Tx, sftps: &mut Sftps, sink: &mut Sink<'_>) -> Result<()> {
        self.route(packet, tx, sftps, sink).unwrap_or_else(|short| {
            Err(short.in_packet(Code::Proto, "Channel message of the server is shorter than its fields"))
        })
    }

    /// The outer result is about the packet's form, the inner one about its meaning.
    fn route(
        &mut self,
        packet: &[u8],
        tx: &mut Tx,
        sftps: &mut Sftps,
        sink: &mut Sink<'_>,
    ) -> Result<Result<()>, Short> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8()?;
        if kind == message::CHANNEL_OPEN {
            return refuse_open(reader, tx);
        }
        let number = reader.u32()?;
        let slot = usize::try_from(number).ok().and_then(|index| self.slab.get_mut(index));
        let Some(channel) = slot.and_then(Option::as_mut) else {
            // A channel that was given up: nothing it says matters.
            return Ok(Ok(()));
        };
        Ok(match kind {
            message::CHANNEL_OPEN_CONFIRMATION => channel.on_confirmation(reader)?,
            message::CHANNEL_OPEN_FAILURE => channel.on_open_failure(reader)?,
            message::CHANNEL_WINDOW_ADJUST => {
                let bytes = reader.u32()?;
                channel.send.add(bytes).and_then(|()| channel.flush_backlog(tx))
            }
            message::CHANNEL_DATA => channel.on_data(reader.string()?, tx, sftps, sink),
            message::CHANNEL_EXTENDED_DATA => {
                reader.u32()?;
                let length = reader.string()?.len();
                channel.receive.arrived(length).and_then(|()| channel.give_back(length, tx))
            }
            message::CHANNEL_EOF => {
                channel.eof_received = true;
                Ok(())
            }
            message::CHANNEL_CLOSE => channel.on_close(tx),
            message::CHANNEL_REQUEST => channel.on_request(reader, tx)?,
            message::CHANNEL_SUCCESS => channel.on_reply(true),
            _ => channel.on_reply(false),
        })
    }
}

impl Channel {
    fn new(id: ChannelId, window: u32) -> Self {
        Self {
            id,
            remote: 0,
            state: OpenState::Awaited,
            consumer: Consumer::Nobody,
            receive: ReceiveWindow::new(window),
            send: SendWindow::default(),
            backlog: Vec::new(),
            replies: Tickets::default(),
            eof_received: false,
            close_received: false,
            close_sent: false,
            exit_status: None,
            slots: Slots::default(),
        }
    }

    /// What names this channel.
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// How many bytes of the stream the server takes now: 0 while earlier ones wait.
    pub fn room(&self) -> usize {
        if self.backlog.is_empty() { self.send.left() } else { 0 }
    }

    /// Why the server can send nothing more on this channel, if so.
    pub fn check_open(&self) -> Result<()> {
        if self.close_received {
            return Err(Error::new(Code::ChannelClosed, "Server has closed the channel"));
        }
        if self.eof_received {
            return Err(Error::new(Code::ChannelClosed, "Server has ended the stream of the channel"));
        }
        Ok(())
    }

    /// Sends `head` and `body`, one behind the other, on the stream. What the window does not allow now waits.
    pub fn send_stream(&mut self, tx: &mut Tx, head: &[u8], body: &[u8]) -> Result<()> {
        if self.close_sent || self.close_received {
            return Err(Error::new(Code::ChannelClosed, "Channel is closed"));
        }
        let (mut head, mut body) = (head, body);
        while self.backlog.is_empty() && !(head.is_empty() && body.is_empty()) {
            let size = self.send.take(head.len().saturating_add(body.len()));
            if size == 0 {
                break;
            }
            let (from_head, rest) = head.split_at_checked(size.min(head.len())).unwrap_or((head, &[]));
            head = rest;
            let from_body = size.saturating_sub(from_head.len());
            let (from_body, rest) = body.split_at_checked(from_body).unwrap_or((body, &[]));
            body = rest;
            self.send_data(tx, from_head, from_body)?;
        }
        self.backlog.put(head)?;
        self.backlog.put(body)
    }

    /// Sends what waits for the window, as far as that allows.
    fn flush_backlog(&mut self, tx: &mut Tx) -> Result<()> {
        let backlog = std::mem::take(&mut self.backlog);
        if self.close_sent || backlog.is_empty() {
            return Ok(());
        }
        self.send_stream(tx, &backlog, &[])
    }

    fn send_data(&self, tx: &mut Tx, first: &[u8], second: &[u8]) -> Result<()> {
        let length = u32::try_from(first.len().saturating_add(second.len())).map_err(|_| Error::alloc())?;
        let mut head = [message::CHANNEL_DATA; 9];
        if let Some((_, fields)) = head.split_first_mut() {
            let (remote, size) = (self.remote.to_be_bytes(), length.to_be_bytes());
            for (to, from) in fields.iter_mut().zip(remote.iter().chain(&size)) {
                *to = *from;
            }
        }
        tx.send(&[&head, first, second])
    }

    /// Sends a message that has nothing but the channel's number, and `tail` behind it.
    fn send_message(&self, tx: &mut Tx, kind: u8, tail: &[u8]) -> Result<()> {
        tx.send(&[&[kind], &self.remote.to_be_bytes(), tail])
    }

    fn on_data(&mut self, data: &[u8], tx: &mut Tx, sftps: &mut Sftps, sink: &mut Sink<'_>) -> Result<()> {
        self.receive.arrived(data.len())?;
        if let Consumer::Sftp(id) = self.consumer
            && !self.eof_received
        {
            sftps.receive(id, data, sink);
        }
        self.give_back(data.len(), tx)
    }

    /// `count` bytes that arrived have been consumed: the server may send as many again.
    fn give_back(&mut self, count: usize, tx: &mut Tx) -> Result<()> {
        match self.receive.consumed(count) {
            Some(adjust) if !self.close_sent && !self.close_received => {
                self.send_message(tx, message::CHANNEL_WINDOW_ADJUST, &adjust.to_be_bytes())
            }
            _ => Ok(()),
        }
    }

    /// A request of the server on this channel, RFC 4254 section 6.10 and others.
    fn on_request(&mut self, mut reader: Reader<'_>, tx: &mut Tx) -> Result<Result<()>, Short> {
        let name = reader.string()?;
        let wants_reply = reader.boolean()?;
        if name == b"exit-status" {
            self.exit_status = Some(reader.u32()?);
        }
        if name == b"exit-signal" {
            // Nobody asks for it yet, but one that is cut short is refused, as an exit status is.
            reader.string()?;
            reader.boolean()?;
            reader.string()?;
            reader.string()?;
        }
        if wants_reply && !self.close_sent {
            return Ok(self.send_message(tx, message::CHANNEL_FAILURE, &[]));
        }
        Ok(Ok(()))
    }

    fn on_reply(&mut self, success: bool) -> Result<()> {
        if self.replies.answer(success) {
            Ok(())
        } else {
            Err(Error::new(Code::Proto, "Server answered a channel request that was never made"))
        }
    }
}

/// No type of channel is accepted from the server.
fn refuse_open(mut reader: Reader<'_>, tx: &mut Tx) -> Result<Result<()>, Short> {
    reader.string()?;
    let theirs = reader.u32()?;
    let mut packet = Vec::new();
    let mut build = || {
        packet.put_u8(message::CHANNEL_OPEN_FAILURE)?;
        packet.put_u32(theirs)?;
        packet.put_u32(UNKNOWN_CHANNEL_TYPE)?;
        packet.put_string(b"Channel type is not supported")?;
        packet.put_string(b"")
    };
    Ok(build().and_then(|()| tx.send(&[&packet])))
}
