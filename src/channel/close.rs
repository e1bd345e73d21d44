//! Closing a channel, RFC 4254 section 5.3.
#![forbid(unsafe_code)]

use std::task::Poll;

use super::{Channel, ChannelId, Consumer, OpenState};
use crate::error::Result;
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::{Tx, message};

/// Closes a channel and drops it: ready when the server has closed it too.
pub struct Close {
    channel: ChannelId,
    patience: Patience,
}

impl Close {
    /// Queues EOF and CLOSE. On a dead connection the channel is dropped at once.
    pub fn begin(session: &mut Session, id: ChannelId) -> Result<Self> {
        let channel = session.channels.get(id)?;
        channel.consumer = Consumer::Nobody;
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
        let Ok(channel) = session.channels.get(self.channel) else { return Poll::Ready(Ok(())) };
        let over = channel.close_received || !matches!(channel.state, OpenState::Open);
        let result = match pumped {
            Ok(()) if !over => session.await_reply(&mut self.patience),
            result => Poll::Ready(result),
        };
        if result.is_ready() && (over || session.transport.failure().is_some()) {
            session.channels.remove(self.channel);
        }
        // A server that does not answer keeps the number: what it still says about it must not reach another channel.
        result
    }
}

impl Channel {
    fn send_close(&mut self, tx: &mut Tx) -> Result<()> {
        if self.close_sent || !matches!(self.state, OpenState::Open) {
            return Ok(());
        }
        self.send_message(tx, message::CHANNEL_EOF, &[])?;
        self.send_message(tx, message::CHANNEL_CLOSE, &[])?;
        self.close_sent = true;
        Ok(())
    }

    pub(super) fn on_close(&mut self, tx: &mut Tx) -> Result<()> {
        self.close_received = true;
        self.backlog.clear();
        self.send_close(tx)
    }
}
