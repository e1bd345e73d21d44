//! Requests on a channel, RFC 4254 section 5.4.
#![forbid(unsafe_code)]

use std::task::Poll;

use super::ChannelId;
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::tickets::Ticket;
use crate::transport::message;
use crate::wire::Put;

/// A request that wants a reply: ready when the server has granted it.
pub struct Request {
    channel: ChannelId,
    ticket: Ticket,
    patience: Patience,
    refused: &'static str,
}

impl Request {
    /// Queues `subsystem`, RFC 4254 section 6.5.
    pub fn subsystem(session: &mut Session, channel: ChannelId, name: &[u8]) -> Result<Self> {
        let mut fields = Vec::new();
        fields.put_string(name)?;
        Self::begin(session, channel, b"subsystem", &fields, "Server refused to start the subsystem")
    }

    fn begin(session: &mut Session, id: ChannelId, name: &[u8], fields: &[u8], refused: &'static str) -> Result<Self> {
        let mut tail = Vec::new();
        tail.put_string(name)?;
        tail.put_boolean(true)?;
        tail.put(fields)?;
        let channel = session.channels.get(id)?;
        channel.send_message(&mut session.transport.tx, message::CHANNEL_REQUEST, &tail)?;
        Ok(Self { channel: id, ticket: channel.replies.ask(), patience: session.patience(), refused })
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
        match channel.replies.take(self.ticket) {
            Some(true) => return Poll::Ready(Ok(())),
            Some(false) => return Poll::Ready(Err(Error::new(Code::ChannelRequestDenied, self.refused))),
            None => {}
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
