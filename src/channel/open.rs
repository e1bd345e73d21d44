//! Opening a channel, RFC 4254 section 5.1.
#![forbid(unsafe_code)]

use std::task::Poll;
use std::time::Instant;

use super::window::{DEFAULT_WINDOW, ReceiveWindow, SendWindow};
use super::{Channel, ChannelId, Consumer};
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::session::Session;
use crate::transport::{Tx, message};
use crate::wire::{Put, Reader, Short};

/// The largest packet that we take on a program's channel unless it says otherwise: `LIBSSH2_CHANNEL_PACKET_DEFAULT`.
const DEFAULT_PACKET: u32 = 32768;
/// `SSH_OPEN_UNKNOWN_CHANNEL_TYPE`, RFC 4254 section 5.1.
const UNKNOWN_CHANNEL_TYPE: u32 = 3;

/// Whether the server has answered the request to open a channel.
#[derive(Clone, Debug)]
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
        let channel = session.channels.add(receive, consumer)?.id();
        let mut open = Vec::new();
        open.put_u8(message::CHANNEL_OPEN)?;
        open.put_string(kind)?;
        open.put_u32(channel.number)?;
        open.put_u32(window)?;
        open.put_u32(packet)?;
        open.put(fields)?;
        session.transport.tx.send(&[&open])?;
        Ok(Self { channel, since: session.now() })
    }
}

impl Op for Opening {
    type Out = ChannelId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<ChannelId>> {
        if let Err(error) = session.pump() {
            return Poll::Ready(Err(error));
        }
        match session.channels.get(self.channel).map(|channel| channel.state.clone()) {
            Ok(OpenState::Awaited) => {
                let pending = session.await_reply(self.since);
                if pending.is_ready() {
                    session.channels.abandon(self.channel, &mut session.transport.tx)?;
                }
                pending
            }
            Ok(OpenState::Open) => {
                session.replied(self.since);
                Poll::Ready(Ok(self.channel))
            }
            Ok(OpenState::Refused(error)) => {
                session.channels.remove(self.channel);
                Poll::Ready(Err(error))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
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
            return Ok(Err(Error::new(Code::Proto, "Server takes no packet on a channel that it confirmed")));
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

/// No type of channel is accepted from the server.
pub(super) fn refuse(mut reader: Reader<'_>, tx: &mut Tx) -> Result<Result<()>, Short> {
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
