//! What advisories on libssh2 have told of, one test for each, and whether `docs/advisories.md` names them all. Each is
//! about what was sent; here it has to end in an error, or to do no harm.
#![forbid(unsafe_code)]

mod connection;
mod login;
mod table;
mod transport;

use std::task::Poll;
use std::time::Instant;

use crate::auth::Auth;
use crate::channel::{ChannelId, Consumer, Opening};
use crate::error::{Code, Result};
use crate::op::Op;
use crate::session::Session;
use crate::transport::{Tx, message};
use crate::wire::Put;

/// A program behind its handshake, and the server's end of the line. Nothing is encrypted.
struct Client {
    session: Session,
    server: Tx,
}

impl Client {
    fn new() -> Self {
        Self { session: Session::connected(Instant::now()).unwrap(), server: Tx::default() }
    }

    fn logged_in() -> Self {
        let mut client = Self::new();
        client.session.auth = Auth::logged_in();
        client
    }

    /// One with an open channel, and the channel.
    fn with_channel() -> (Self, ChannelId) {
        let mut client = Self::logged_in();
        let mut opening = Opening::session(&mut client.session, Consumer::Program, 100_000, 1000).unwrap();
        client.hear(&packet(message::CHANNEL_OPEN_CONFIRMATION, &[0, 0, 100_000, 1000])).unwrap();
        let id = client.finish(&mut opening).unwrap();
        (client, id)
    }

    /// The server says this: what becomes of the connection.
    fn hear(&mut self, payload: &[u8]) -> Result<()> {
        self.server.send(&[payload])?;
        let mut queue = self.session.transport.lend_incoming()?;
        queue.put(self.server.queue().filled())?;
        self.server.queue().consume(usize::MAX);
        self.session.transport.return_incoming(queue, 0);
        self.session.pump()
    }

    /// The server says this on its first channel.
    fn hear_data(&mut self, data: &[u8]) -> Result<()> {
        let mut payload = packet(message::CHANNEL_DATA, &[0]);
        payload.put_string(data)?;
        self.hear(&payload)
    }

    /// What the operation ends with, now.
    fn finish<O: Op>(&mut self, op: &mut O) -> Result<O::Out> {
        match op.poll(&mut self.session) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("it still waits"),
        }
    }

    fn waits<O: Op>(&mut self, op: &mut O) -> bool {
        op.poll(&mut self.session).is_pending()
    }
}

fn packet(number: u8, fields: &[u32]) -> Vec<u8> {
    let mut packet = vec![number];
    fields.iter().try_for_each(|field| packet.put_u32(*field)).unwrap();
    packet
}

/// Strings one behind the other, in front of them `head`.
fn strings(head: &[u8], strings: &[&[u8]]) -> Vec<u8> {
    let mut packet = head.to_vec();
    strings.iter().try_for_each(|string| packet.put_string(string)).unwrap();
    packet
}

fn code<T>(result: Result<T>) -> Option<Code> {
    result.err().map(|error| error.code)
}
