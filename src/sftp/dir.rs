//! Directory listings, draft-ietf-secsh-filexfer-02 section 6.7.
//!
//! More `SSH_FXP_READDIR` are under way than are being read: one at first, so that the end costs no round trip of its own,
//! and twice as many after each reply, since a server puts only so many names into one. Where it does put many into one,
//! a single request is under way.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::task::Poll;

use super::attributes::Attributes;
use super::file::{Kind, await_reply};
use super::request::{Purpose, Reply, Requests, expect};
use super::status::malformed;
use super::{FileId, Sftp, message, send};
use crate::error::{Code, Error, Result};
use crate::memory::Add;
use crate::patience::Patience;
use crate::session::Session;
use crate::wire::{Put, Reader, Short};

/// Requests under way when a listing begins, and at most.
const IN_FLIGHT: usize = 2;
const MOST_IN_FLIGHT: usize = 8;

/// Bytes of the shortest entry: two empty strings and no attributes.
const LEAST_ENTRY: usize = 12;

/// The listing of an open directory, as far as it has come.
#[derive(Default)]
pub struct Names {
    /// The ids of the requests under way, oldest first.
    asked: VecDeque<u32>,
    /// How many there should be; 0 before the first.
    wanted: usize,
    /// The body of the reply that is being read, how far it has been read, and how many entries are left in it.
    batch: Vec<u8>,
    read: usize,
    left: u32,
    patience: Option<Patience>,
}

/// One entry of a directory.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The file's name.
    pub name: &'a [u8],
    /// The line that `ls -l` would print.
    pub longname: &'a [u8],
    /// What is known of the file.
    pub attributes: Attributes,
}

impl Names {
    /// The entry that comes next, and where the one after it begins.
    fn next(&self) -> Result<Option<(Entry<'_>, usize)>, Short> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut reader = Reader::new(self.batch.get(self.read..).unwrap_or_default());
        let name = reader.string()?;
        let longname = reader.string()?;
        let attributes = Attributes::read(&mut reader)?;
        let behind = self.batch.len().saturating_sub(reader.rest().len());
        Ok(Some((Entry { name, longname, attributes }, behind)))
    }

    /// Nobody will read on.
    pub(super) fn abandon(&self, requests: &mut Requests) {
        for id in &self.asked {
            // None of them brings a handle.
            let _nothing_to_close = requests.abandon(*id);
        }
    }

    fn advance(&mut self, to: usize) {
        self.read = to;
        self.left = self.left.saturating_sub(1);
    }
}

/// Shows the next entry to `take`: ready with what that makes of it, or with `None` at the end. When `take` fails, the
/// entry is kept for the next call.
pub fn poll_entry<T>(
    session: &mut Session,
    file: FileId,
    take: &mut dyn FnMut(&Entry<'_>) -> Result<T>,
) -> Poll<Result<Option<T>>> {
    session.sftps.get(file.sftp)?.last_status = message::FX_OK;
    loop {
        let names = &mut session.sftps.file(file)?.names;
        if let Some((entry, behind)) = names.next().map_err(malformed)? {
            let taken = take(&entry)?;
            names.advance(behind);
            return Poll::Ready(Ok(Some(taken)));
        }
        let asked = ask(session, file).and_then(|()| session.pump());
        let sftp = session.sftps.get(file.sftp)?;
        let Some(open) = sftp.files.get_mut(file.key) else { return Poll::Ready(Ok(None)) };
        let Some(reply) = open.names.asked.front().and_then(|id| sftp.requests.take(*id)) else {
            asked?;
            return await_reply(session, file, |file| &mut file.names.patience);
        };
        open.names.asked.pop_front();
        open.names.patience = None;
        let is_long = reply.is_long();
        let Some((body, left)) = batch(sftp, reply)? else { return Poll::Ready(Ok(None)) };
        let names = &mut session.sftps.file(file)?.names;
        (names.batch, names.read, names.left) = (body, 4, left);
        // Of long ones, few may wait for the program at a time.
        names.wanted = if is_long { 1 } else { names.wanted.saturating_mul(2).min(MOST_IN_FLIGHT) };
    }
}

/// Keeps the requests under way at their number.
fn ask(session: &mut Session, file: FileId) -> Result<()> {
    let open = session.sftps.file(file)?;
    open.must_be(Kind::Directory)?;
    if open.names.wanted == 0 {
        open.names.wanted = IN_FLIGHT;
    }
    let missing = open.names.wanted.saturating_sub(open.names.asked.len());
    let handle = if missing > 0 { crate::memory::copy(&open.handle)? } else { Vec::new() };
    for _ in 0..missing {
        session.sftps.file(file)?.names.asked.room(1)?;
        let id = send(session, file.sftp, message::READDIR, Purpose::Ask, |packet| packet.put_string(&handle))?;
        session.sftps.file(file)?.names.asked.add(id)?;
    }
    Ok(())
}

/// The body of a reply and the number of its entries; `None` at the end of the directory.
fn batch(sftp: &mut Sftp, reply: Reply) -> Result<Option<(Vec<u8>, u32)>> {
    let body = match expect(sftp, reply, message::NAME) {
        Ok(body) => body,
        Err(_) if sftp.last_status == message::FX_EOF => {
            // The end is no failure.
            sftp.last_status = message::FX_OK;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // No names is another way to say that it is the end.
    let left = Reader::new(&body).u32().map_err(malformed)?;
    let room = body.len().checked_div(LEAST_ENTRY).unwrap_or_default();
    if usize::try_from(left).is_ok_and(|left| left > room) {
        return Err(Error::new(Code::SftpProtocol, "SFTP server counts more names than it sends"));
    }
    Ok((left > 0).then_some((body, left)))
}
