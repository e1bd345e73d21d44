//! Requests under way, found by their id, and the operation that waits for the reply to one.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::task::Poll;
use std::time::Instant;

use slotmap::DefaultKey;

use super::status::Status;
use super::{Sftp, SftpId, check, message, send};
use crate::error::Result;
use crate::op::Op;
use crate::session::Session;

/// What a reply is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An operation waits for it.
    Ask,
    /// An operation waits for it, and `SSH_FX_OK` alone is not it: some servers say so before the handle.
    Open,
    /// Nobody waits for it any more.
    Nothing,
    /// It tells the server's limits.
    Limits,
    /// It acknowledges a write.
    Write {
        /// The file.
        file: DefaultKey,
        /// The number of the write within the file.
        index: u64,
    },
    /// It brings file data.
    Read {
        /// The file.
        file: DefaultKey,
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
    /// Keeps a copy of a reply.
    pub fn new(kind: u8, body: &[u8]) -> Result<Self> {
        Ok(Self { kind, body: crate::wire::copy(body)? })
    }
}

enum Entry {
    Awaited(Purpose),
    Arrived(Reply),
    Done,
}

/// The requests under way. Ids are given in order, so a request's place follows from its id.
#[derive(Default)]
pub struct Requests {
    /// The id of the request at the front.
    first: u32,
    entries: VecDeque<Entry>,
}

impl Requests {
    /// The id of the next request.
    pub fn next(&self) -> u32 {
        self.first.wrapping_add(u32::try_from(self.entries.len()).unwrap_or(u32::MAX))
    }

    /// The request with the next id has been sent.
    pub fn add(&mut self, purpose: Purpose) {
        self.entries.push_back(Entry::Awaited(purpose));
    }

    /// What the reply with that id is for; `None` if no such reply is expected.
    pub fn purpose(&self, id: u32) -> Option<Purpose> {
        match self.entries.get(self.index(id)?)? {
            Entry::Awaited(purpose) => Some(*purpose),
            Entry::Arrived(_) | Entry::Done => None,
        }
    }

    /// Keeps a reply for its operation.
    pub fn arrived(&mut self, id: u32, reply: Reply) {
        self.set(id, Entry::Arrived(reply));
    }

    /// Forgets a request whose reply has come.
    pub fn done(&mut self, id: u32) {
        self.set(id, Entry::Done);
    }

    /// The reply that was kept, if it has come.
    pub fn take(&mut self, id: u32) -> Option<Reply> {
        let index = self.index(id)?;
        let entry = self.entries.get_mut(index)?;
        if !matches!(entry, Entry::Arrived(_)) {
            return None;
        }
        let Entry::Arrived(reply) = std::mem::replace(entry, Entry::Done) else { return None };
        self.tidy();
        Some(reply)
    }

    /// Nobody waits for that reply any more; it may still come.
    pub fn abandon(&mut self, id: u32) {
        if self.take(id).is_none() {
            self.set(id, Entry::Awaited(Purpose::Nothing));
        }
    }

    /// Nobody waits any more for the data of that file.
    pub fn abandon_reads(&mut self, key: DefaultKey) {
        for entry in &mut self.entries {
            if matches!(entry, Entry::Awaited(Purpose::Read { file, .. }) if *file == key) {
                *entry = Entry::Awaited(Purpose::Nothing);
            }
        }
    }

    fn index(&self, id: u32) -> Option<usize> {
        usize::try_from(id.wrapping_sub(self.first)).ok()
    }

    fn set(&mut self, id: u32, entry: Entry) {
        if let Some(slot) = self.index(id).and_then(|index| self.entries.get_mut(index))
            && !matches!(slot, Entry::Done)
        {
            *slot = entry;
        }
        self.tidy();
    }

    fn tidy(&mut self) {
        while matches!(self.entries.front(), Some(Entry::Done)) {
            self.entries.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }
}

/// One request and its reply: ready with what `read` makes of it.
pub struct Ask<T> {
    sftp: SftpId,
    id: u32,
    since: Instant,
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
        Ok(Self { sftp, id, since: session.now(), read })
    }

    fn look(&self, session: &mut Session) -> Poll<Result<T>> {
        session.pump()?;
        let sftp = session.sftps.get(self.sftp)?;
        if let Some(reply) = sftp.requests.take(self.id) {
            return Poll::Ready((self.read)(sftp, reply));
        }
        check(session, self.sftp)?;
        session.await_reply(self.since)
    }
}

impl<T: 'static> Op for Ask<T> {
    type Out = T;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<T>> {
        let polled = self.look(session);
        if polled.is_ready()
            && let Ok(sftp) = session.sftps.get(self.sftp)
        {
            sftp.requests.abandon(self.id);
        }
        polled
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
