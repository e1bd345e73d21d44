//! Requests on a channel, RFC 4254 section 5.4 and 6.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};
use std::time::Instant;

use super::stream::closed;
use super::{Channel, ChannelId};
use crate::crypto;
use crate::error::{Code, Error, Result};
use crate::memory::copy;
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::tickets::Ticket;
use crate::transport::{Mark, Tx, message};
use crate::wire::{Put, Reader, Short};

/// Terminal type and modes take at most so many bytes.
const LONGEST_TERMINAL: usize = 256;
/// Random bytes in a cookie of X11.
const COOKIE: usize = 16;

/// A request that wants a reply: ready when the server has granted it.
pub struct Request {
    channel: ChannelId,
    ticket: Ticket,
    since: Instant,
    patience: Patience,
    refused: &'static str,
}

/// The terminal that a program asks for, RFC 4254 section 6.2.
pub struct Terminal<'a> {
    /// Its type, as in the environment variable TERM.
    pub kind: &'a [u8],
    /// Its modes as the wire has them.
    pub modes: &'a [u8],
    /// Columns, rows, and both in pixels.
    pub size: [u32; 4],
}

impl Request {
    /// Queues `subsystem`, RFC 4254 section 6.5.
    pub fn subsystem(session: &mut Session, channel: ChannelId, name: &[u8]) -> Result<Self> {
        Self::startup(session, channel, b"subsystem", Some(name))
    }

    /// COMPAT: C callers know a start that the server refuses by the number `code`.
    pub fn not_started(code: Code) -> impl FnOnce(Error) -> Error {
        move |mut error| {
            if matches!(error.code, Code::ChannelRequestDenied | Code::ChannelClosed) {
                error.code = code;
            }
            error
        }
    }

    /// Queues what starts a shell, a command or a subsystem, RFC 4254 section 6.5; a channel does that once.
    pub fn startup(session: &mut Session, id: ChannelId, kind: &[u8], what: Option<&[u8]>) -> Result<Self> {
        if std::mem::replace(&mut session.channels.get(id)?.started, true) {
            return Err(Error::new(Code::BadUse, "Something has been started on the channel already"));
        }
        let mut fields = Vec::new();
        if let Some(what) = what {
            fields.put_string(what)?;
        }
        Self::begin(session, id, kind, &fields, "Server refused to start what the channel is for")
    }

    /// Queues `env`, RFC 4254 section 6.4.
    pub fn setenv(session: &mut Session, channel: ChannelId, name: &[u8], value: &[u8]) -> Result<Self> {
        let mut fields = Vec::new();
        fields.put_string(name)?;
        fields.put_string(value)?;
        Self::begin(session, channel, b"env", &fields, "Server refused to set the environment variable")
    }

    /// Queues `pty-req`, RFC 4254 section 6.2.
    pub fn terminal(session: &mut Session, channel: ChannelId, terminal: &Terminal<'_>) -> Result<Self> {
        if terminal.kind.len().saturating_add(terminal.modes.len()) > LONGEST_TERMINAL {
            return Err(Error::new(Code::Inval, "Terminal type and modes are too long"));
        }
        let mut fields = Vec::new();
        fields.put_string(terminal.kind)?;
        terminal.size.into_iter().try_for_each(|number| fields.put_u32(number))?;
        fields.put_string(terminal.modes)?;
        Self::begin(session, channel, b"pty-req", &fields, "Server refused the terminal")
    }

    /// Queues `x11-req`, RFC 4254 section 6.3.1; without a cookie one is made up.
    pub fn x11(
        session: &mut Session,
        channel: ChannelId,
        single: bool,
        protocol: &[u8],
        cookie: Option<&[u8]>,
        screen: u32,
    ) -> Result<Self> {
        let mut fields = Vec::new();
        fields.put_boolean(single)?;
        fields.put_string(protocol)?;
        match cookie {
            Some(cookie) => fields.put_string(cookie)?,
            None => {
                let mut secret = [0; COOKIE];
                crypto::random(&mut secret)?;
                fields.put_u32(u32::try_from(COOKIE.saturating_mul(2)).unwrap_or_default())?;
                secret.iter().try_for_each(|byte| fields.put_text(format_args!("{byte:02X}")))?;
            }
        }
        fields.put_u32(screen)?;
        Self::begin(session, channel, b"x11-req", &fields, "Server refused to forward X11")
    }

    fn begin(session: &mut Session, id: ChannelId, name: &[u8], fields: &[u8], refused: &'static str) -> Result<Self> {
        let channel = session.channels.get(id)?;
        channel.replies.room()?;
        channel.request(&mut session.transport.tx, name, true, fields)?;
        let ticket = channel.replies.ask();
        Ok(Self { channel: id, ticket, since: session.now(), patience: session.patience(), refused })
    }
}

impl Op for Request {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        if let Err(error) = session.pump() {
            return Poll::Ready(Err(error));
        }
        let channel = match session.channels.get(self.channel) {
            Ok(channel) => channel,
            Err(error) => return Poll::Ready(Err(error)),
        };
        if let Some(granted) = channel.replies.take(self.ticket) {
            session.replied(self.since);
            let refused = Error::new(Code::ChannelRequestDenied, self.refused);
            return Poll::Ready(if granted { Ok(()) } else { Err(refused) });
        }
        if channel.close_received {
            let error = Error::new(Code::ChannelClosed, "Server closed the channel instead of answering");
            return Poll::Ready(Err(error));
        }
        let pending = session.await_reply(&mut self.patience);
        if pending.is_ready() {
            self.abandon(session);
        }
        pending
    }

    fn abandon(&mut self, session: &mut Session) {
        if let Ok(channel) = session.channels.get(self.channel) {
            channel.replies.abandon(self.ticket);
        }
    }
}

/// Asks for the forwarding of the authentication agent, by OpenSSH's name for it, then by that of an old draft.
pub struct RequestAgent {
    request: Request,
    is_last: bool,
}

impl RequestAgent {
    /// Queues the first request.
    pub fn begin(session: &mut Session, channel: ChannelId) -> Result<Self> {
        Self::ask(session, channel, b"auth-agent-req@openssh.com", false)
    }

    fn ask(session: &mut Session, channel: ChannelId, name: &[u8], is_last: bool) -> Result<Self> {
        let request = Request::begin(session, channel, name, &[], "Server refused to forward the agent")?;
        Ok(Self { request, is_last })
    }
}

impl Op for RequestAgent {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        loop {
            match ready!(self.request.poll(session)) {
                Err(error) if error.code == Code::ChannelRequestDenied && !self.is_last => {
                    *self = Self::ask(session, self.request.channel, b"auth-agent-req", true)?;
                }
                result => return Poll::Ready(result),
            }
        }
    }

    fn abandon(&mut self, session: &mut Session) {
        self.request.abandon(session);
    }
}

/// What wants no reply: ready when it has left.
pub struct Flushed(Mark);

impl Flushed {
    /// Queues `window-change`, RFC 4254 section 6.7.
    pub fn window_change(session: &mut Session, channel: ChannelId, size: [u32; 4]) -> Result<Self> {
        let mut fields = Vec::new();
        size.into_iter().try_for_each(|number| fields.put_u32(number))?;
        Self::begin(session, channel, b"window-change", &fields)
    }

    /// Queues `signal`, RFC 4254 section 6.9; the name is without "SIG".
    pub fn signal(session: &mut Session, channel: ChannelId, name: &[u8]) -> Result<Self> {
        let mut fields = Vec::new();
        fields.put_string(name)?;
        Self::begin(session, channel, b"signal", &fields)
    }

    /// Queues the end of what we send.
    pub fn eof(session: &mut Session, channel: ChannelId) -> Result<Self> {
        super::send_eof(session, channel)?;
        Ok(Self(session.transport.tx.mark()))
    }

    fn begin(session: &mut Session, channel: ChannelId, name: &[u8], fields: &[u8]) -> Result<Self> {
        let channel = session.channels.get(channel)?;
        // On a channel that is closed it has come too late, and nobody would have answered.
        if !channel.is_closed() {
            channel.request(&mut session.transport.tx, name, false, fields)?;
        }
        Ok(Self(session.transport.tx.mark()))
    }
}

impl Op for Flushed {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        session.poll_left(self.0)
    }
}

impl Channel {
    fn request(&self, tx: &mut Tx, name: &[u8], wants_reply: bool, fields: &[u8]) -> Result<()> {
        if self.close_sent || self.close_received {
            return Err(closed());
        }
        let mut tail = Vec::new();
        tail.put_string(name)?;
        tail.put_boolean(wants_reply)?;
        tail.put(fields)?;
        self.send_message(tx, message::CHANNEL_REQUEST, &tail)
    }

    /// A request of the server on this channel, RFC 4254 section 6.10 and others.
    pub(super) fn on_request(&mut self, mut reader: Reader<'_>, tx: &mut Tx) -> Result<Result<()>, Short> {
        let name = reader.string()?;
        let wants_reply = reader.boolean()?;
        match name {
            b"exit-status" => self.exit_status = Some(reader.u32()?),
            // What follows the name, the original does not look at either: some servers leave it out.
            b"exit-signal" => match copy(reader.string()?) {
                Ok(signal) => self.exit_signal = Some(signal).filter(|signal| !signal.is_empty()),
                Err(error) => return Ok(Err(error)),
            },
            _ => {}
        }
        if wants_reply && !self.close_sent {
            return Ok(self.send_message(tx, message::CHANNEL_FAILURE, &[]));
        }
        Ok(Ok(()))
    }
}
