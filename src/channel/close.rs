//! The end of a stream and of a channel, RFC 4254 section 5.3.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::{Channel, ChannelId, OpenState, Wanted};
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::{Buffer, Tx, message};

/// Queues the end of what we send, once; what the server sends goes on.
pub fn send_eof(session: &mut Session, id: ChannelId) -> Result<()> {
    session.channels.get(id)?.send_eof(&mut session.transport.tx)
}

/// Ready when the server has ended its stream. The data before that stays where it is: when it has filled the window
/// the end cannot come, which is an error where calls wait.
pub fn poll_eof(session: &mut Session, id: ChannelId) -> Poll<Result<()>> {
    session.serves(None);
    let pumped = session.pump();
    let is_blocking = session.is_blocking();
    let channel = session.channels.get(id)?;
    if channel.has_ended() {
        return Poll::Ready(Ok(()));
    }
    pumped?;
    if let Some(adjust) = channel.receive.ending() {
        channel.send_adjust(adjust, &mut session.transport.tx)?;
    }
    if is_blocking && channel.receive.is_exhausted() && channel.unread(Wanted::All) > 0 {
        let text = "Unread data has filled the window of the channel, so that its end cannot arrive";
        return Poll::Ready(Err(Error::new(Code::ChannelWindowFull, text)));
    }
    Poll::Pending
}

/// Ready when the server has closed a channel whose stream it has ended before.
pub fn poll_closed(session: &mut Session, id: ChannelId) -> Poll<Result<()>> {
    session.serves(None);
    let pumped = session.pump();
    let channel = session.channels.get(id)?;
    if !channel.has_ended() {
        return Poll::Ready(Err(Error::new(Code::Inval, "Server has not ended the stream of the channel")));
    }
    if channel.close_received {
        return Poll::Ready(Ok(()));
    }
    pumped?;
    Poll::Pending
}

/// Closes a channel: ready when the server has closed it too. What has arrived can still be read.
pub struct Close {
    channel: ChannelId,
    patience: Patience,
}

impl Close {
    /// Queues EOF and CLOSE, unless the connection is over.
    pub fn begin(session: &mut Session, id: ChannelId) -> Result<Self> {
        let channel = session.channels.get(id)?;
        if session.transport.failure().is_none() {
            channel.send_close(&mut session.transport.tx)?;
        }
        Ok(Self { channel: id, patience: session.patience() })
    }
}

impl Op for Close {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        let pumped = session.pump();
        match session.channels.get(self.channel) {
            Ok(channel) if channel.may_be_closed_by_server() => {}
            _ => return Poll::Ready(Ok(())),
        }
        pumped?;
        session.await_reply(&mut self.patience)
    }
}

/// Closes a channel and drops it, whatever happens: ready when the server has closed it too, or cannot.
pub struct Discard(Close);

impl Discard {
    /// Queues the end of the channel. Nobody will read any more what arrives.
    pub fn begin(session: &mut Session, id: ChannelId) -> Result<Self> {
        let closing = Close::begin(session, id)?;
        session.channels.get(id)?.stop_listening();
        Ok(Self(closing))
    }
}

impl Op for Discard {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        let result = ready!(self.0.poll(session));
        if session.transport.failure().is_some() {
            session.channels.remove(self.0.channel);
        } else if session.channels.get(self.0.channel).is_ok() {
            // Where the server has not answered the number stays taken: what it still says must not reach another
            // channel.
            session.channels.abandon(self.0.channel, &mut session.transport.tx)?;
        }
        Poll::Ready(result)
    }
}

impl Channel {
    /// Whether we have closed it.
    pub const fn is_closed(&self) -> bool {
        self.close_sent
    }

    /// Whether the server has closed it.
    pub const fn is_closed_by_server(&self) -> bool {
        self.close_received
    }

    /// It counts as closed, whatever the server has been told and has said: nobody waits for that any more.
    pub const fn presume_closed(&mut self) {
        self.close_sent = true;
        self.is_presumed_closed = true;
    }

    /// Whether the server's end of it is worth waiting for.
    const fn may_be_closed_by_server(&self) -> bool {
        matches!(self.state, OpenState::Open) && !(self.close_received || self.is_presumed_closed || self.abandoned)
    }

    pub(super) fn send_close(&mut self, tx: &mut Tx) -> Result<()> {
        if self.close_sent || !matches!(self.state, OpenState::Open) {
            return Ok(());
        }
        if !self.close_received {
            self.send_eof(tx)?;
            self.eof_sent = true;
        }
        self.send_message(tx, message::CHANNEL_CLOSE, &[])?;
        self.close_sent = true;
        Ok(())
    }

    pub(super) fn send_eof(&mut self, tx: &mut Tx) -> Result<()> {
        if self.eof_sent || self.close_sent || self.close_received || !matches!(self.state, OpenState::Open) {
            return Ok(());
        }
        if self.file_left.take() == Some(0) {
            // The other side's scp waits for this byte before it sets the file's times; hardly a program sends it.
            self.send_stream(tx, &[0], &[])?;
        }
        self.eof_wanted = true;
        if !self.backlog.is_empty() {
            return Ok(());
        }
        self.send_message(tx, message::CHANNEL_EOF, &[])?;
        self.eof_sent = true;
        Ok(())
    }

    pub(super) fn on_close(&mut self, tx: &mut Tx) -> Result<()> {
        self.close_received = true;
        self.backlog = Buffer::default();
        self.send_close(tx)
    }
}
