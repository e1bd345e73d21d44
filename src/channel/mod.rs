//! Channels, RFC 4254 section 5: many streams on one connection, each with a window in both directions.
#![forbid(unsafe_code)]

mod arrivals;
mod close;
mod listen;
mod news;
mod open;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;

use self::arrivals::Arrivals;
pub use self::arrivals::{MAIN, Wanted};
use self::close::send_eof;
pub use self::close::{Close, Discard, poll_closed, poll_eof};
pub use self::listen::{Cancel, Listen, ListenerId, Listeners, poll_accept};
pub use self::news::{Events, News};
use self::news::{Lines, Unfinished};
pub use self::open::{Accepts, OpenState, Opened, Opening};
pub use self::request::{Flushed, Request, RequestAgent, Terminal};
use self::stream::Written;
pub use self::stream::{ExtendedData, Write, poll_read};
pub use self::window::DEFAULT_WINDOW;
use self::window::{LARGEST_GROWTH, ReceiveWindow, SendWindow};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add};
use crate::op::Slots;
use crate::sftp::{SftpId, Sftps};
use crate::sink::Sink;
use crate::tickets::Tickets;
use crate::transport::{Buffer, Tx, message};
use crate::wire::{Reader, Short};

/// Numbers of freed channels rest for so many others before they are used again.
const REST: usize = 1024;

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
    /// By how much the windows of all channels have grown.
    grown: u32,
    /// What the program has not been told.
    pub lines: Lines,
    /// Where connections are accepted from.
    pub listeners: Listeners,
    /// What else the server may open.
    pub accepts: Accepts,
    /// What it has opened and the program has not heard of.
    opened: VecDeque<Opened>,
}

/// Who takes what arrives on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumer {
    /// Nobody: it is dropped.
    Nobody,
    /// The program, when it reads: until then it is kept.
    Program,
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
    /// What the program has not read yet.
    arrivals: Arrivals,
    extended_data: ExtendedData,
    /// Bytes of the stream that have been accepted and wait for the server's window.
    backlog: Buffer,
    /// The unfinished writes: one for a stream, unless callbacks write as well.
    written: Vec<Written>,
    replies: Tickets<bool>,
    /// A shell, command or subsystem has been asked for.
    started: bool,
    eof_received: bool,
    close_received: bool,
    eof_sent: bool,
    /// The end of what we send has been asked for; it leaves behind the backlog.
    eof_wanted: bool,
    close_sent: bool,
    /// Closing it is over, although the server has not closed it.
    is_presumed_closed: bool,
    /// Bytes of a file that is sent by SCP which have not been written; less than 0 if there were too many.
    file_left: Option<i128>,
    /// Nobody will read what has arrived and what is still to come.
    is_deaf: bool,
    /// The program has no use for it any more: it goes as soon as the server has closed it too.
    abandoned: bool,
    /// The number of the program's handle for it, if it has one.
    pub handle: Option<usize>,
    /// What the program has been told and has not acted on.
    told: Events,
    /// Calls of the program that returned `EAGAIN`, but for those that the stream is read and written with.
    unfinished: Unfinished,
    /// What the command on the other side ended with.
    pub exit_status: Option<u32>,
    /// The signal that ended the command on the other side, without "SIG".
    pub exit_signal: Option<Vec<u8>>,
    /// Unfinished operations of this channel.
    pub slots: Slots,
}

impl Channels {
    /// The channel, unless it has been freed.
    pub fn get(&mut self, id: ChannelId) -> Result<&mut Channel> {
        self.at(id.number)
            .filter(|channel| channel.id == id)
            .ok_or_else(|| Error::new(Code::ChannelUnknown, "Channel has been freed"))
    }

    fn at(&mut self, number: u32) -> Option<&mut Channel> {
        usize::try_from(number).ok().and_then(|index| self.slab.get_mut(index)).and_then(Option::as_mut)
    }

    /// Every channel there is.
    pub fn ids(&self) -> Result<Vec<ChannelId>> {
        memory::collect(self.slab.iter().flatten().map(|channel| channel.id))
    }

    /// Adds a channel that the server has yet to confirm.
    fn add(&mut self, receive: ReceiveWindow, consumer: Consumer) -> Result<&mut Channel> {
        let number = if self.free.len() > REST { self.free.pop_front() } else { None };
        let number = match number {
            Some(number) => number,
            None => {
                let count = self.slab.len().saturating_add(1);
                self.lines.reserve(count)?;
                // Each of them can be freed.
                self.free.room(count.saturating_sub(self.free.len()))?;
                self.slab.add(None)?;
                u32::try_from(self.slab.len().saturating_sub(1)).map_err(|_| Error::alloc())?
            }
        };
        self.generation = self.generation.wrapping_add(1);
        let id = ChannelId { number, generation: self.generation };
        let slot = usize::try_from(number).ok().and_then(|index| self.slab.get_mut(index)).ok_or_else(Error::alloc)?;
        Ok(slot.insert(Channel::new(id, receive, consumer)))
    }

    /// Has the window of a channel grow, by as much as all windows of the session may still grow.
    fn grow(&mut self, id: ChannelId, grow: impl FnOnce(&mut ReceiveWindow, u32) -> u32) -> Result<()> {
        let spare = LARGEST_GROWTH.saturating_sub(self.grown);
        let grown = grow(&mut self.get(id)?.receive, spare);
        self.grown = self.grown.saturating_add(grown);
        Ok(())
    }

    /// Drops a channel of which nothing will arrive any more.
    fn remove(&mut self, id: ChannelId) {
        if self.get(id).is_ok()
            && let Some(slot) = usize::try_from(id.number).ok().and_then(|index| self.slab.get_mut(index))
            && let Some(channel) = slot.take()
        {
            self.grown = self.grown.saturating_sub(channel.receive.growth());
            // There is room for every number.
            let _ = self.free.add(id.number);
        }
    }

    /// Nobody has a use for the channel any more: it is dropped, now or when the server has closed it too.
    pub fn abandon(&mut self, id: ChannelId, tx: &mut Tx) -> Result<()> {
        let channel = self.get(id)?;
        channel.stop_listening();
        channel.abandoned = true;
        let sent = channel.send_close(tx);
        if channel.is_over() {
            self.remove(id);
        }
        sent
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
            return self.on_open(reader, tx);
        }
        let number = reader.u32()?;
        let Some(channel) = self.at(number) else {
            // A channel that was given up: nothing it says matters.
            return Ok(Ok(()));
        };
        let handled = channel.handle(kind, reader, tx, sftps, sink)?;
        if channel.abandoned && channel.is_over() {
            let id = channel.id;
            self.remove(id);
        }
        self.hear(number, kind);
        Ok(handled)
    }
}

impl Channel {
    fn new(id: ChannelId, receive: ReceiveWindow, consumer: Consumer) -> Self {
        Self {
            id,
            remote: 0,
            state: OpenState::Awaited,
            consumer,
            receive,
            send: SendWindow::default(),
            arrivals: Arrivals::default(),
            extended_data: ExtendedData::default(),
            backlog: Buffer::default(),
            written: Vec::new(),
            replies: Tickets::default(),
            started: false,
            eof_received: false,
            close_received: false,
            eof_sent: false,
            eof_wanted: false,
            file_left: None,
            close_sent: false,
            is_presumed_closed: false,
            is_deaf: false,
            abandoned: false,
            handle: None,
            told: Events::default(),
            unfinished: Unfinished::default(),
            exit_status: None,
            exit_signal: None,
            slots: Slots::default(),
        }
    }

    /// What names this channel.
    pub const fn id(&self) -> ChannelId {
        self.id
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

    /// Whether the server has said that nothing more will come.
    pub const fn has_ended(&self) -> bool {
        self.eof_received || self.close_received
    }

    /// Whether it has ended and all has been read.
    pub const fn is_at_end(&self) -> bool {
        self.has_ended() && self.arrivals.is_empty()
    }

    /// Whether both sides have closed it, or it has never been open.
    fn is_over(&self) -> bool {
        match self.state {
            OpenState::Awaited => false,
            OpenState::Open => self.close_sent && self.close_received,
            OpenState::Refused(_) => true,
        }
    }

    fn handle(
        &mut self,
        kind: u8,
        mut reader: Reader<'_>,
        tx: &mut Tx,
        sftps: &mut Sftps,
        sink: &mut Sink<'_>,
    ) -> Result<Result<()>, Short> {
        Ok(match kind {
            message::CHANNEL_OPEN_CONFIRMATION => self.on_confirmation(reader, tx)?,
            message::CHANNEL_OPEN_FAILURE => self.on_open_failure(reader)?,
            message::CHANNEL_WINDOW_ADJUST => {
                let bytes = reader.u32()?;
                self.send.add(bytes).and_then(|()| self.flush_backlog(tx))
            }
            message::CHANNEL_DATA => self.on_data(MAIN, reader.string()?, tx, sftps, sink),
            message::CHANNEL_EXTENDED_DATA => {
                // Type 0 does not exist.
                let stream = reader.u32()?.max(1);
                self.on_data(stream, reader.string()?, tx, sftps, sink)
            }
            message::CHANNEL_EOF => {
                self.eof_received = true;
                Ok(())
            }
            message::CHANNEL_CLOSE => self.on_close(tx),
            message::CHANNEL_REQUEST => self.on_request(reader, tx)?,
            _ => {
                // An answer to a request that wanted none does no harm: some servers give one to each.
                let _unasked = self.replies.answer(kind == message::CHANNEL_SUCCESS);
                Ok(())
            }
        })
    }

    /// Sends a message that has nothing but the channel's number, and `tail` behind it.
    fn send_message(&self, tx: &mut Tx, kind: u8, tail: &[u8]) -> Result<()> {
        tx.send(&[&[kind], &self.remote.to_be_bytes(), tail])
    }
}
