//! Opening a channel, RFC 4254 section 5.1.
#![forbid(unsafe_code)]

use std::ffi::CString;
use std::task::Poll;
use std::time::Instant;

use super::listen::NotTaken;
use super::window::{DEFAULT_WINDOW, ReceiveWindow, SendWindow};
use super::{Channel, ChannelId, Channels, Consumer};
use crate::error::{Code, Error, Result};
use crate::memory::{Add, c_string};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::{Tx, message};
use crate::wire::{Put, Reader, Short, length};

/// The largest packet that we take on a program's channel unless it says otherwise: `LIBSSH2_CHANNEL_PACKET_DEFAULT`.
const DEFAULT_PACKET: u32 = 32768;

/// Whether the server has answered the request to open a channel.
#[derive(Debug)]
pub enum OpenState {
    /// It has not.
    Awaited,
    /// It has agreed.
    Open,
    /// It has refused, for this reason.
    Refused(Error),
}

/// Opens a channel: ready with its id.
pub struct Opening {
    channel: ChannelId,
    since: Instant,
    patience: Patience,
}

impl Opening {
    /// Queues the request for a channel of type `session` whose data `consumer` takes. The server may send `window`
    /// bytes, and at most `packet` of them in one packet.
    pub fn session(session: &mut Session, consumer: Consumer, window: u32, packet: u32) -> Result<Self> {
        Self::begin(session, b"session", ReceiveWindow::new(window), packet, consumer, &[])
    }

    /// Queues a program's request for a channel of type `kind`, with `fields` behind those that all types have. A
    /// window that is not the default is taken for the program's will.
    pub fn program(session: &mut Session, kind: &[u8], window: u32, packet: u32, fields: &[u8]) -> Result<Self> {
        let receive =
            if window == DEFAULT_WINDOW { ReceiveWindow::growing(window) } else { ReceiveWindow::new(window) };
        Self::begin(session, kind, receive, packet, Consumer::Program, fields)
    }

    /// [`Opening::program`] with the default sizes.
    pub fn default(session: &mut Session, kind: &[u8], fields: &[u8]) -> Result<Self> {
        Self::program(session, kind, DEFAULT_WINDOW, DEFAULT_PACKET, fields)
    }

    /// Queues a program's request for a connection from the server to a port, RFC 4254 section 7.2.
    pub fn direct_tcpip(session: &mut Session, to: (&[u8], u32), from: (&[u8], u32)) -> Result<Self> {
        let mut fields = Vec::new();
        for (host, port) in [to, from] {
            fields.put_string(host)?;
            fields.put_u32(port)?;
        }
        Self::default(session, b"direct-tcpip", &fields)
    }

    /// Queues a program's request for a connection from the server to a Unix socket, OpenSSH's PROTOCOL section 2.4.
    pub fn direct_streamlocal(session: &mut Session, path: &[u8], from: (&[u8], u32)) -> Result<Self> {
        let mut fields = Vec::new();
        fields.put_string(path)?;
        fields.put_string(from.0)?;
        fields.put_u32(from.1)?;
        Self::default(session, b"direct-streamlocal@openssh.com", &fields)
    }

    fn begin(
        session: &mut Session,
        kind: &[u8],
        receive: ReceiveWindow,
        packet: u32,
        consumer: Consumer,
        fields: &[u8],
    ) -> Result<Self> {
        if !session.transport.is_established() {
            return Err(Error::new(Code::SocketSend, "Channels need a session that is connected"));
        }
        let window = receive.left();
        let kind_length = length(kind)?.to_be_bytes();
        let channel = session.channels.add(receive, consumer)?.id();
        let sent = session.transport.tx.send(&[
            &[message::CHANNEL_OPEN],
            &kind_length,
            kind,
            &channel.number.to_be_bytes(),
            &window.to_be_bytes(),
            &packet.to_be_bytes(),
            fields,
        ]);
        if sent.is_err() {
            session.channels.remove(channel);
        }
        sent?;
        Ok(Self { channel, since: session.now(), patience: session.patience() })
    }
}

impl Op for Opening {
    type Out = ChannelId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<ChannelId>> {
        if let Err(error) = session.pump() {
            return Poll::Ready(Err(error));
        }
        let answer = match &session.channels.get(self.channel)?.state {
            OpenState::Awaited => None,
            OpenState::Open => Some(Ok(self.channel)),
            OpenState::Refused(error) => Some(Err(error.copy())),
        };
        match &answer {
            None => {
                let pending = session.await_reply(&mut self.patience);
                if pending.is_ready() {
                    self.abandon(session);
                }
                return pending;
            }
            Some(Ok(_)) => session.replied(self.since),
            Some(Err(_)) => session.channels.remove(self.channel),
        }
        answer.map_or(Poll::Pending, Poll::Ready)
    }

    fn abandon(&mut self, session: &mut Session) {
        let _dead = session.channels.abandon(self.channel, &mut session.transport.tx);
    }
}

impl Channel {
    pub(super) fn on_confirmation(&mut self, mut reader: Reader<'_>, tx: &mut Tx) -> Result<Result<()>, Short> {
        if !matches!(self.state, OpenState::Awaited) {
            return Ok(Err(Error::new(Code::Proto, "Server confirmed a channel twice")));
        }
        self.remote = reader.u32()?;
        let window = reader.u32()?;
        let packet = reader.u32()?;
        if packet == 0 {
            let error = Error::new(Code::ChannelFailure, "Server takes no packet on a channel that it confirmed");
            self.state = OpenState::Refused(error);
            return Ok(Ok(()));
        }
        self.send = SendWindow::new(window, packet);
        self.state = OpenState::Open;
        Ok(if self.abandoned { self.send_close(tx) } else { Ok(()) })
    }

    pub(super) fn on_open_failure(&mut self, mut reader: Reader<'_>) -> Result<Result<()>, Short> {
        if !matches!(self.state, OpenState::Awaited) {
            return Ok(Err(Error::new(Code::Proto, "Server refused a channel that was open")));
        }
        let text = match reader.u32()? {
            1 => "Server refused the channel: administratively prohibited",
            2 => "Server refused the channel: connect failed",
            3 => "Server refused the channel: unknown channel type",
            4 => "Server refused the channel: resource shortage",
            _ => "Server refused the channel",
        };
        let error = Error::new(Code::ChannelFailure, text).with(reader.string().unwrap_or_default());
        self.state = OpenState::Refused(error);
        Ok(Ok(()))
    }
}

/// Which channels the server may open, besides those to our listeners.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accepts {
    /// To a display of X11.
    pub x11: bool,
    /// To the authentication agent.
    pub agent: bool,
}

/// A channel that the server has opened, which the program is to hear of.
#[derive(Debug)]
pub struct Opened {
    /// The channel.
    pub channel: ChannelId,
    /// Where a connection to X11 comes from; `None` for one to the agent.
    pub origin: Option<(CString, u32)>,
}

/// Why a channel of the server is refused, RFC 4254 section 5.1.
#[derive(Clone, Copy)]
enum Reason {
    Prohibited = 1,
    ConnectFailed = 2,
    UnknownType = 3,
    Shortage = 4,
}

impl Channels {
    /// Whether there are channels that the program has not heard of.
    pub fn has_opened(&self) -> bool {
        !self.opened.is_empty()
    }

    /// The next channel that the program has not heard of.
    pub fn next_opened(&mut self) -> Option<Opened> {
        self.opened.pop_front()
    }

    pub(super) fn on_open(&mut self, mut reader: Reader<'_>, tx: &mut Tx) -> Result<Result<()>, Short> {
        let kind = reader.string()?;
        let (remote, window, packet) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let theirs = Theirs { remote, window, packet };
        if packet == 0 {
            return Ok(refuse(remote, Reason::ConnectFailed, "No packet is small enough", tx));
        }
        Ok(match kind {
            b"forwarded-tcpip" => {
                let (host, port) = (reader.string()?, reader.u32()?);
                match self.listeners.taker(host, port) {
                    Ok(listener) => self.accept(theirs, tx).and_then(|channel| self.listeners.queue(listener, channel)),
                    Err(NotTaken::Unknown) => refuse(remote, Reason::Prohibited, "Forward not requested", tx),
                    Err(NotTaken::Full) => refuse(remote, Reason::Shortage, "Queue full", tx),
                }
            }
            b"x11" if self.accepts.x11 => match origin(reader) {
                Ok(origin) => self.offer(theirs, Some(origin), tx),
                Err(_) => refuse(remote, Reason::ConnectFailed, "Origin of the connection is missing", tx),
            },
            b"auth-agent@openssh.com" | b"auth-agent" if self.accepts.agent => self.offer(theirs, None, tx),
            b"x11" => refuse(remote, Reason::Shortage, "X11 is not forwarded", tx),
            b"auth-agent@openssh.com" | b"auth-agent" => {
                refuse(remote, Reason::Shortage, "The agent is not forwarded", tx)
            }
            _ => refuse(remote, Reason::UnknownType, "Channel type is not supported", tx),
        })
    }

    /// Offers a channel to the program.
    fn offer(&mut self, theirs: Theirs, origin: Option<(CString, u32)>, tx: &mut Tx) -> Result<()> {
        let channel = self.accept(theirs, tx)?;
        self.opened.add(Opened { channel, origin })
    }

    fn accept(&mut self, theirs: Theirs, tx: &mut Tx) -> Result<ChannelId> {
        let channel = self.add(ReceiveWindow::growing(DEFAULT_WINDOW), Consumer::Program)?;
        channel.remote = theirs.remote;
        channel.send = SendWindow::new(theirs.window, theirs.packet);
        channel.state = OpenState::Open;
        let mut fields = Vec::new();
        fields.put_u32(channel.id.number)?;
        fields.put_u32(DEFAULT_WINDOW)?;
        fields.put_u32(DEFAULT_PACKET)?;
        channel.send_message(tx, message::CHANNEL_OPEN_CONFIRMATION, &fields)?;
        Ok(channel.id)
    }
}

/// What every request of the server for a channel says.
struct Theirs {
    remote: u32,
    window: u32,
    packet: u32,
}

fn origin(mut reader: Reader<'_>) -> Result<(CString, u32)> {
    Ok((c_string(reader.string()?)?, reader.u32()?))
}

fn refuse(remote: u32, reason: Reason, text: &str, tx: &mut Tx) -> Result<()> {
    let mut packet = Vec::new();
    packet.put_u8(message::CHANNEL_OPEN_FAILURE)?;
    packet.put_u32(remote)?;
    packet.put_u32(reason as u32)?;
    packet.put_string(text.as_bytes())?;
    packet.put_string(b"")?;
    tx.send(&[&packet])
}
