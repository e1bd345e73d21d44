//! The bytes of a channel, RFC 4254 section 5.2.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::arrivals::MAIN;
use super::{Channel, ChannelId, Consumer, Events, Wanted};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add};
use crate::session::Session;
use crate::sftp::Sftps;
use crate::sink::Sink;
use crate::transport::{Buffer, Mark, Tx, message};
use crate::wire::Put;

/// What becomes of extended data, which is standard error: `libssh2_channel_handle_extended_data2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtendedData {
    /// It is kept for whoever reads that stream.
    #[default]
    Normal,
    /// It is dropped.
    Ignore,
    /// It is read together with the main stream.
    Merge,
}

/// `libssh2_channel_read_ex`: ready with the number of bytes put into `space`; 0 at the end of the stream. What has
/// arrived counts before whatever ended the connection.
pub fn poll_read(session: &mut Session, id: ChannelId, stream: u32, space: &mut [u8]) -> Poll<Result<usize>> {
    session.serves(None);
    let polled = read(session, id, stream, space);
    let events = session.channels.get(id)?.news_of(stream);
    session.channels.acted(id, events);
    polled
}

fn read(session: &mut Session, id: ChannelId, stream: u32, space: &mut [u8]) -> Poll<Result<usize>> {
    let channel = session.channels.get(id)?;
    let wanted = channel.wanted(stream);
    if space.is_empty() {
        return read_nothing(session, id);
    }
    let size = space.len();
    session.channels.grow(id, |window, most| window.follow(size, most))?;
    let channel = session.channels.get(id)?;
    let mut sink = Sink::of_channel(id, wanted, space);
    channel.arrivals.deliver(wanted, &mut sink);
    let pumped = session.pump_into(&mut sink);
    let filled = sink.filled();
    let (now, round_trip) = (session.now(), session.round_trip);
    if filled > 0 {
        session.channels.grow(id, |window, most| window.keeps_up(filled, now, round_trip, most))?;
    }
    let channel = session.channels.get(id)?;
    channel.give_back(filled, &mut session.transport.tx)?;
    if filled > 0 {
        return Poll::Ready(Ok(filled));
    }
    if channel.has_ended() {
        return Poll::Ready(Ok(0));
    }
    pumped?;
    if channel.arrivals.is_empty()
        && let Some(adjust) = channel.receive.starving(size)
    {
        channel.send_adjust(adjust, &mut session.transport.tx)?;
    }
    Poll::Pending
}

/// What a read into no space is for: it tells whether the stream has ended. Nothing can come of waiting.
fn read_nothing(session: &mut Session, id: ChannelId) -> Poll<Result<usize>> {
    let pumped = session.pump();
    if session.channels.get(id)?.has_ended() || session.is_blocking() {
        return Poll::Ready(Ok(0));
    }
    pumped?;
    Poll::Pending
}

/// One call of `libssh2_channel_write_ex`. Bytes that have been queued must leave before it is over, since the program may
/// next wait for something else.
pub struct Write {
    channel: ChannelId,
    stream: u32,
    /// What it has queued, or an earlier call has, and not returned. While the call goes on this is its own: a callback
    /// may write to the same stream meanwhile.
    written: Option<Written>,
}

impl Write {
    /// A call that has not looked at anything yet.
    pub const fn new(channel: ChannelId, stream: u32) -> Self {
        Self { channel, stream, written: None }
    }

    /// Ready with the number of bytes of `data` that have been sent.
    pub fn poll(&mut self, session: &mut Session, data: &[u8]) -> Poll<Result<usize>> {
        session.serves(None);
        let pumped = session.pump();
        let channel = session.channels.get(self.channel)?;
        if self.written.is_none() && !data.is_empty() {
            let of_stream = channel.written.iter().position(|written| written.stream == self.stream);
            self.written = of_stream.map(|place| channel.written.swap_remove(place));
        }
        if self.written.is_none() {
            channel.check_writable()?;
            pumped?;
            if data.is_empty() {
                return Poll::Ready(Ok(0));
            }
            channel.written.room(1)?;
            let count = queue(session, self.channel, self.stream, data)?;
            let mark = session.transport.tx.mark();
            self.written = (count > 0).then_some(Written { stream: self.stream, count, mark });
        }
        let Some(written) = &mut self.written else { return Poll::Pending };
        if let Err(error) = ready!(session.poll_left(written.mark)) {
            self.written = None;
            return Poll::Ready(Err(error));
        }
        // A call that ran out of its time may have been longer than the one that comes back.
        let returned = written.count.min(data.len());
        written.count = written.count.saturating_sub(returned);
        Poll::Ready(Ok(returned))
    }

    /// The call is over; `is_whole` if it has returned all that the program wanted to write. The next one to that stream
    /// returns what this one has not.
    pub fn end(self, session: &mut Session, is_whole: bool) -> Result<()> {
        let Ok(channel) = session.channels.get(self.channel) else { return Ok(()) };
        if let Some(rest) = self.written.filter(|written| written.count > 0) {
            channel.written.add(rest)?;
        }
        if is_whole {
            session.channels.has_written(self.channel);
        } else {
            session.channels.wants_to_write(self.channel, session.transport.tx.is_clear());
        }
        Ok(())
    }
}

/// What a call has queued that has not returned it yet: a call to the same stream does.
#[derive(Debug)]
pub struct Written {
    pub(super) stream: u32,
    pub(super) count: usize,
    /// All of it has left when this has.
    pub(super) mark: Mark,
}

/// Queues the front of `data`, as far as the window and the socket keep up: how much.
fn queue(session: &mut Session, id: ChannelId, stream: u32, data: &[u8]) -> Result<usize> {
    let mut rest = data;
    while !rest.is_empty() && session.has_room() {
        let channel = session.channels.get(id)?;
        // What a protocol of ours has said before goes first.
        let size = if channel.backlog.is_empty() { channel.send.take(rest.len()) } else { 0 };
        let Some((piece, behind)) = rest.split_at_checked(size).filter(|_| size > 0) else { break };
        channel.send_piece(&mut session.transport.tx, stream, piece, &[])?;
        rest = behind;
    }
    let count = data.len().saturating_sub(rest.len());
    let channel = session.channels.get(id)?;
    let sent = i128::try_from(count).unwrap_or_default();
    channel.file_left = channel.file_left.map(|left| left.saturating_sub(sent));
    Ok(count)
}

impl Channel {
    /// How many bytes of the stream the server takes now: 0 while earlier ones wait.
    pub fn room(&self) -> usize {
        if self.backlog.is_empty() { self.send.left() } else { 0 }
    }

    /// How many bytes the server would take when the channel was opened.
    pub const fn initial_room(&self) -> u32 {
        self.send.initial
    }

    /// How many bytes the server may send now.
    pub const fn receive_window(&self) -> u32 {
        self.receive.left()
    }

    /// How many bytes the server was allowed to send when the channel was opened.
    pub const fn initial_receive_window(&self) -> u32 {
        self.receive.initial()
    }

    /// How many bytes have arrived that the program has not read.
    pub fn unread(&self, wanted: Wanted) -> usize {
        self.arrivals.len(wanted)
    }

    /// Grants the server `bytes` more, at once if `force`: the window before that.
    pub fn grant(&mut self, bytes: u32, force: bool, tx: &mut Tx) -> Result<u32> {
        let before = self.receive.left();
        if let Some(adjust) = self.receive.grant(bytes, force)? {
            self.send_adjust(adjust, tx)?;
        }
        Ok(before)
    }

    /// Says what is to become of extended data.
    pub fn handle_extended_data(&mut self, mode: ExtendedData, tx: &mut Tx) -> Result<()> {
        self.extended_data = mode;
        if mode == ExtendedData::Ignore {
            self.forget_unread(Wanted::Extended, tx)?;
        }
        Ok(())
    }

    /// Forgets what has arrived: how many bytes that was.
    pub fn forget_unread(&mut self, wanted: Wanted, tx: &mut Tx) -> Result<usize> {
        let dropped = self.arrivals.discard(wanted);
        self.give_back(dropped, tx)?;
        Ok(dropped)
    }

    /// The program is about to send a file of `size` bytes by SCP.
    pub fn expect_file(&mut self, size: u64) {
        self.file_left = Some(size.into());
    }

    /// The number at the front of what has not been read of the main stream.
    pub fn peek_u32(&self) -> Option<u32> {
        let mut front = self.arrivals.main();
        Some(u32::from_be_bytes([front.next()?, front.next()?, front.next()?, front.next()?]))
    }

    /// The first byte of the main stream that has not been read.
    pub fn peek(&self) -> Option<u8> {
        self.arrivals.main().next()
    }

    /// How far ahead in the main stream that byte is, if it has arrived.
    pub fn find(&self, byte: u8) -> Option<usize> {
        self.arrivals.main().position(|other| other == byte)
    }

    /// Reads at most `count` bytes that have arrived, for a protocol of ours.
    pub fn read_text(&mut self, stream: u32, count: usize, tx: &mut Tx) -> Result<Vec<u8>> {
        let wanted = Wanted::Stream(stream);
        let size = count.min(self.arrivals.len(wanted));
        let mut text = memory::filled(size, 0)?;
        self.arrivals.deliver(wanted, &mut Sink::of_channel(self.id, wanted, &mut text));
        self.give_back(size, tx)?;
        Ok(text)
    }

    /// Nobody will read what has arrived and what is still to come.
    pub(super) fn stop_listening(&mut self) {
        self.is_deaf = true;
        self.arrivals.discard(Wanted::All);
    }

    /// What is told when that stream has something to read.
    fn news_of(&self, stream: u32) -> Events {
        if stream == MAIN || self.extended_data == ExtendedData::Merge { Events::READ } else { Events::EXTENDED }
    }

    /// What a read of that stream is to get.
    fn wanted(&self, stream: u32) -> Wanted {
        if stream == MAIN && self.extended_data == ExtendedData::Merge { Wanted::All } else { Wanted::Stream(stream) }
    }

    fn check_writable(&self) -> Result<()> {
        if self.close_sent || self.close_received {
            return Err(closed());
        }
        if self.eof_wanted {
            return Err(Error::new(Code::ChannelEofSent, "End of file has been sent on the channel"));
        }
        Ok(())
    }

    /// Lets `data` be sent although the window for it has yet to come.
    pub fn send_ahead(&mut self, data: &[u8]) {
        self.send.overdraw(u32::try_from(data.len()).unwrap_or(u32::MAX));
    }

    /// Sends `head` and `body`, one behind the other, on the stream. What the window does not allow now waits.
    pub fn send_stream(&mut self, tx: &mut Tx, head: &[u8], body: &[u8]) -> Result<()> {
        if self.close_sent || self.close_received {
            return Err(closed());
        }
        // A stream with a hole in it would make no sense to the server.
        let waits = head.len().saturating_add(body.len()).saturating_sub(self.room());
        self.backlog.space(waits)?;
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
            self.send_piece(tx, MAIN, from_head, from_body)?;
        }
        self.backlog.put(head)?;
        self.backlog.put(body)
    }

    /// Sends what waits for the window, as far as that allows.
    pub(super) fn flush_backlog(&mut self, tx: &mut Tx) -> Result<()> {
        if self.close_sent {
            self.backlog = Buffer::default();
        }
        if self.backlog.is_empty() {
            return Ok(());
        }
        loop {
            let size = self.send.take(self.backlog.len());
            let Some(piece) = self.backlog.filled().get(..size).filter(|_| size > 0) else { break };
            self.send_piece(tx, MAIN, piece, &[])?;
            self.backlog.consume(size);
        }
        if !self.backlog.is_empty() {
            return Ok(());
        }
        self.backlog = Buffer::default();
        if self.eof_wanted { self.send_eof(tx) } else { Ok(()) }
    }

    /// One packet of a stream: `first` and `second`, one behind the other.
    fn send_piece(&self, tx: &mut Tx, stream: u32, first: &[u8], second: &[u8]) -> Result<()> {
        let length = u32::try_from(first.len().saturating_add(second.len())).map_err(|_| Error::alloc())?.to_be_bytes();
        let remote = self.remote.to_be_bytes();
        if stream == MAIN {
            tx.send(&[&[message::CHANNEL_DATA], &remote, &length, first, second])
        } else {
            let stream = stream.to_be_bytes();
            tx.send(&[&[message::CHANNEL_EXTENDED_DATA], &remote, &stream, &length, first, second])
        }
    }

    pub(super) fn on_data(
        &mut self,
        stream: u32,
        data: &[u8],
        tx: &mut Tx,
        sftps: &mut Sftps,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        self.receive.arrived(data.len())?;
        let dropped = match self.consumer {
            _ if self.is_deaf || self.has_ended() => data.len(),
            Consumer::Program => self.keep(stream, data, sink)?,
            Consumer::Sftp(id) if stream == MAIN => {
                sftps.receive(id, data, self, sink, tx);
                data.len()
            }
            _ => data.len(),
        };
        self.give_back(dropped, tx)
    }

    /// Keeps data for the program, or gives it to the read that waits for it: how much was dropped instead.
    fn keep(&mut self, stream: u32, data: &[u8], sink: &mut Sink<'_>) -> Result<usize> {
        if stream != MAIN && self.extended_data == ExtendedData::Ignore {
            return Ok(data.len());
        }
        let mut data = data;
        if let Some((sink, wanted)) = sink.for_channel(self.id)
            && wanted.includes(stream)
            && self.arrivals.len(wanted) == 0
        {
            data = data.get(sink.put(data)..).unwrap_or_default();
        }
        Ok(if self.arrivals.put(stream, data)? { 0 } else { data.len() })
    }

    /// `count` bytes that arrived have been consumed: the server may send as many again.
    fn give_back(&mut self, count: usize, tx: &mut Tx) -> Result<()> {
        match self.receive.consumed(count) {
            Some(adjust) => self.send_adjust(adjust, tx),
            None => Ok(()),
        }
    }

    pub(super) fn send_adjust(&self, adjust: u32, tx: &mut Tx) -> Result<()> {
        if self.close_sent || self.has_ended() {
            return Ok(());
        }
        self.send_message(tx, message::CHANNEL_WINDOW_ADJUST, &adjust.to_be_bytes())
    }
}

/// The channel takes no more.
pub(super) const fn closed() -> Error {
    Error::new(Code::ChannelClosed, "Channel is closed")
}
