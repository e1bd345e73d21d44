//! Opening a channel, RFC 4254 section 5.1.
#![forbid(unsafe_code)]

use std::task::Poll;

use super::window::SendWindow;
use super::{Channel, ChannelId};
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::message;
use crate::wire::{Put, Reader, Short};

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

/// Opens a channel of type `session`: ready with its id.
pub struct OpenSession {
    channel: ChannelId,
    patience: Patience,
}

impl OpenSession {
    /// Queues the request. The server may send `window` bytes, and at most `packet` of them in one packet.
    pub fn begin(session: &mut Session, window: u32, packet: u32) -> Result<Self> {
        let channel = session.channels.add(window)?.id();
        let mut open = Vec::new();
        open.put_u8(message::CHANNEL_OPEN)?;
        open.put_string(b"session")?;
        open.put_u32(channel.number)?;
        open.put_u32(window)?;
        open.put_u32(packet)?;
        session.transport.tx.send(&[&open])?;
        Ok(Self { channel, patience: session.patience() })
    }
}

impl Op for OpenSession {
    type Out = ChannelId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<ChannelId>> {
        if let Err(error) = session.pump() {
            return Poll::Ready(Err(error));
        }
        match session.channels.get(self.channel).map(|channel| channel.state.clone()) {
            Ok(OpenState::Awaited) => session.await_reply(&mut self.patience),
            Ok(OpenState::Open) => Poll::Ready(Ok(self.channel)),
            Ok(OpenState::Refused(error)) => {
                session.channels.remove(self.channel);
                Poll::Ready(Err(error))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Channel {
    pub(super) fn on_confirmation(&mut self, mut reader: Reader<'_>) -> Result<Result<()>, Short> {
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
        Ok(Ok(()))
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
