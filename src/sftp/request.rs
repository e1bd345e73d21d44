//! Requests under way, found by their id, and the operation that waits for the reply to one.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::task::Poll;
use std::time::Instant;

use super::status::{Status, malformed};
use super::{Sftp, SftpId, check, message, send};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::table::Key;
use crate::wire::Reader;

/// What a reply is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An operation waits for it.
    Ask,
    /// An operation waits for it, and `SSH_FX_OK` alone is not it: some servers say so before the handle.
    Open,
    /// Nobody waits for it any more.
    Nothing,
    /// Nobody waits any more for the handle that it brings, which has to be closed.
    Unwanted,
    /// It tells the server's limits.
    Limits,
    /// It acknowledges a write.
    Write {
        /// The file.
        file: Key,
        /// The number of the write within the file.
        index: u64,
    },
    /// It brings file data.
    Read {
        /// The file.
        file: Key,
        /// The number of the read within the file.
        index: u64,
    },
}

/// A reply that was kept for its operation.
pub struct Reply {
    /// Its type.
    pub kind: u8,
    /// What follows the id.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether hardly any server sends such long ones.
    pub const fn is_long(&self) -> bool {
        self.body.len() > LONG
    }

    /// What counts of it as a long one.
    const fn long(&self) -> usize {
        if self.is_long() { self.body.len() } else { 0 }
    }
}

/// Replies longer than this are few and far between, and hardly any server makes them: how much of them is kept together.
const LONG: usize = 256 * 1024;
const MOST_OF_LONG: usize = 32 * 1024 * 1024;

enum Entry {
    Awaited(Purpose),
    Arrived(Reply),
}

/// The requests under way.
#[derive(Default)]
pub struct Requests {
    next: u32,
    entries: HashMap<u32, Entry>,
    /// Bytes of the long replies that are kept.
    long: usize,
    /// Handles that came when nobody wanted them any more.
    unwanted: Vec<Vec<u8>>,
}

impl Requests {
    /// The id of the next request.
    pub const fn next(&self) -> u32 {
        self.next
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Room for one more request, so that [`Requests::add`] cannot fail after it has been sent.
    pub fn room(&mut self) -> Result<()> {
        self.entries.room(1)
    }

    /// The request with the next id has been sent.
    pub fn add(&mut self, purpose: Purpose) {
        // There is room for it.
        let _ = self.entries.add((self.next, Entry::Awaited(purpose)));
        self.next = self.next.wrapping_add(1);
    }

    /// What the reply with that id is for; `None` if no such reply is expected.
    pub fn purpose(&self, id: u32) -> Option<Purpose> {
        match self.entries.get(&id)? {
            Entry::Awaited(purpose) => Some(*purpose),
            Entry::Arrived(_) => None,
        }
    }

    /// Keeps a copy of a reply for its operation.
    pub fn arrived(&mut self, id: u32, kind: u8, body: &[u8]) -> Result<()> {
        let reply = Reply { kind, body: memory::copy(body)? };
        self.long = self.long.saturating_add(reply.long());
        if self.long > MOST_OF_LONG {
            return Err(Error::new(Code::SftpProtocol, "SFTP server sends longer answers than can be kept"));
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            *entry = Entry::Arrived(reply);
        }
        Ok(())
    }

    /// A reply has come that nobody waits for, or that cannot be kept: what it opened has to be closed.
    pub fn unwanted(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        if kind != message::HANDLE {
            return Ok(());
        }
        let handle = Reader::new(body).string().map_err(malformed)?;
        self.unwanted.add(memory::copy(handle)?)
    }

    /// A handle that has to be closed.
    pub fn next_unwanted(&mut self) -> Option<Vec<u8>> {
        self.unwanted.pop()
    }

    /// Forgets a request whose reply has come.
    pub fn done(&mut self, id: u32) {
        self.entries.remove(&id);
    }

    /// The reply that was kept, if it has come.
    pub fn take(&mut self, id: u32) -> Option<Reply> {
        if !matches!(self.entries.get(&id)?, Entry::Arrived(_)) {
            return None;
        }
        match self.entries.remove(&id)? {
            Entry::Arrived(reply) => {
                self.long = self.long.saturating_sub(reply.long());
                Some(reply)
            }
            Entry::Awaited(_) => None,
        }
    }

    /// Nobody waits for that reply any more; it may still come.
    pub fn abandon(&mut self, id: u32) -> Result<()> {
        if let Some(reply) = self.take(id) {
            return self.unwanted(reply.kind, &reply.body);
        }
        if let Some(Entry::Awaited(purpose)) = self.entries.get_mut(&id) {
            let opens = matches!(purpose, Purpose::Open | Purpose::Unwanted);
            *purpose = if opens { Purpose::Unwanted } else { Purpose::Nothing };
        }
        Ok(())
    }

    /// Nobody waits any more for the data of that file.
    pub fn abandon_reads(&mut self, key: Key) {
        for entry in self.entries.values_mut() {
            if matches!(entry, Entry::Awaited(Purpose::Read { file, .. }) if *file == key) {
                *entry = Entry::Awaited(Purpose::Nothing);
            }
        }
    }
}

/// One request and its reply: ready with what `read` makes of it.
pub struct Ask<T> {
    sftp: SftpId,
    id: u32,
    since: Instant,
    patience: Patience,
    read: fn(&mut Sftp, Reply) -> Result<T>,
}

impl<T> Ask<T> {
    /// Queues the request.
    pub fn begin(
        session: &mut Session,
        sftp: SftpId,
        kind: u8,
        fields: impl FnOnce(&mut Vec<u8>) -> Result<()>,
        read: fn(&mut Sftp, Reply) -> Result<T>,
    ) -> Result<Self> {
        Self::begin_as(session, sftp, kind, Purpose::Ask, fields, read)
    }

    /// [`Ask::begin`] for a reply with a rule of its own.
    pub fn begin_as(
        session: &mut Session,
        sftp: SftpId,
        kind: u8,
        purpose: Purpose,
        fields: impl FnOnce(&mut Vec<u8>) -> Result<()>,
        read: fn(&mut Sftp, Reply) -> Result<T>,
    ) -> Result<Self> {
        session.sftps.get(sftp)?.last_status = message::FX_OK;
        let id = send(session, sftp, kind, purpose, fields)?;
        Ok(Self { sftp, id, since: session.now(), patience: session.patience(), read })
    }

    /// How long the reply may still take.
    pub const fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    fn look(&mut self, session: &mut Session) -> Poll<Result<T>> {
        session.pump()?;
        let sftp = session.sftps.get(self.sftp)?;
        if let Some(reply) = sftp.requests.take(self.id) {
            let answer = (self.read)(sftp, reply);
            session.replied(self.since);
            return Poll::Ready(answer);
        }
        check(session, self.sftp)?;
        session.await_reply(&mut self.patience)
    }
}

impl<T: 'static> Op for Ask<T> {
    type Out = T;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<T>> {
        let polled = self.look(session);
        if polled.is_ready() {
            self.abandon(session);
        }
        polled
    }

    fn abandon(&mut self, session: &mut Session) {
        let Ok(sftp) = session.sftps.get(self.sftp) else { return };
        // What cannot be closed stays open: the connection has ended, or there is no memory.
        let _stays_open = sftp.requests.abandon(self.id).and_then(|()| {
            let Ok(channel) = session.channels.get(sftp.channel) else { return Ok(()) };
            sftp.close_unwanted(channel, &mut session.transport.tx)
        });
    }
}

/// The body of a reply that must be of type `kind`; a status instead is an error.
pub fn expect(sftp: &mut Sftp, reply: Reply, kind: u8) -> Result<Vec<u8>> {
    if reply.kind == kind {
        return Ok(reply.body);
    }
    let status = Status::read(reply.kind, &reply.body)?;
    Err(sftp.refused(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_replies_are_kept_as_long_as_they_are_few() {
        let mut requests = Requests::default();
        let body = vec![0; LONG + 1];
        let most = MOST_OF_LONG / body.len();
        let ask = |requests: &mut Requests| {
            let id = requests.next();
            requests.room().unwrap();
            requests.add(Purpose::Ask);
            id
        };
        let ids: Vec<_> = (0..most).map(|_| ask(&mut requests)).collect();
        ids.iter().for_each(|id| requests.arrived(*id, message::NAME, &body).unwrap());
        let another = ask(&mut requests);
        requests.arrived(another, message::NAME, &body[1..]).unwrap();
        assert!(requests.take(ids[0]).is_some());
        requests.abandon(ids[1]).unwrap();
        for fits in [true, true, false] {
            let id = ask(&mut requests);
            assert_eq!(requests.arrived(id, message::NAME, &body).is_ok(), fits);
        }
    }
}
