//! Open files and directories, draft-ietf-secsh-filexfer-02 sections 6.3, 6.8 and 6.9.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::attributes::Attributes;
use super::dir::Names;
use super::path::{read_attributes, read_ok};
use super::read::Reads;
use super::request::{Ask, Purpose, Reply, expect};
use super::status::malformed;
use super::write::Writes;
use super::{FileId, Sftp, SftpId, check, message, tail};
use crate::error::{Code, Error, Result};
use crate::op::{Op, Slots};
use crate::patience::Patience;
use crate::session::Session;
use crate::table::Key;
use crate::wire::{Put, Reader};

/// `S_IFREG`
const REGULAR: u32 = 0o100_000;
/// Longest handle taken. The draft says 256 bytes; servers have been seen to go beyond.
const LONGEST_HANDLE: usize = 4092;

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// An open file or directory.
pub struct File {
    /// What it is.
    pub kind: Kind,
    /// The server's name for it.
    pub handle: Vec<u8>,
    /// Where the next byte is read, or written: behind what the program knows to be read or written.
    pub position: u64,
    pub(super) writes: Writes,
    pub(super) reads: Reads,
    pub(super) names: Names,
    /// Unfinished operations of this file.
    pub slots: Slots,
}

impl File {
    fn new(kind: Kind, handle: &[u8]) -> Result<Self> {
        Ok(Self {
            kind,
            handle: crate::memory::copy(handle)?,
            position: 0,
            writes: Writes::default(),
            reads: Reads::default(),
            names: Names::default(),
            slots: Slots::default(),
        })
    }

    /// Where the program stands: what has been acknowledged counts even before a call has reported it.
    pub fn tell(&self) -> u64 {
        self.position.saturating_sub(self.writes.ahead()).saturating_add(self.writes.acknowledged())
    }

    /// A write has failed: what comes next is written behind all that succeeded before it.
    pub(super) fn fall_back(&mut self) {
        self.position = self.position.saturating_sub(self.writes.ahead());
        self.writes.abandon();
    }

    /// Nobody will report what is on its way; the file stands behind what is acknowledged, or has been reported.
    pub(super) fn let_go(&mut self) {
        self.position = self.position.saturating_add(self.writes.acknowledged());
        self.writes.abandon();
    }

    /// The same handle used for something else than it stands for.
    pub fn must_be(&self, kind: Kind) -> Result<()> {
        if self.kind == kind {
            return Ok(());
        }
        Err(match kind {
            Kind::File => Error::new(Code::BadUse, "SFTP handle is that of a directory"),
            Kind::Directory => Error::new(Code::BadUse, "SFTP handle is not that of a directory"),
        })
    }
}

/// Opens a file or a directory: ready with it.
pub struct Open {
    sftp: SftpId,
    ask: Ask<Key>,
}

impl Open {
    /// Queues `SSH_FXP_OPEN`. `flags` are `SSH_FXF_*`; `mode` takes the place of the permissions in `attributes`, which
    /// are sent if these name them.
    pub fn file(
        session: &mut Session,
        sftp: SftpId,
        path: &[u8],
        flags: u32,
        mode: u32,
        attributes: Option<Attributes>,
    ) -> Result<Self> {
        let permissions = mode | REGULAR;
        let attributes = match attributes {
            Some(attributes) => Attributes { permissions, ..attributes },
            None => Attributes::default().with_permissions(permissions),
        };
        let fields = |packet: &mut Vec<u8>| {
            packet.put_string(path)?;
            packet.put_u32(flags)?;
            attributes.write(packet)
        };
        let read = |sftp: &mut Sftp, reply| opened(sftp, reply, Kind::File);
        Ok(Self { sftp, ask: Ask::begin_as(session, sftp, message::OPEN, Purpose::Open, fields, read)? })
    }

    /// Queues `SSH_FXP_OPENDIR`.
    pub fn directory(session: &mut Session, sftp: SftpId, path: &[u8]) -> Result<Self> {
        let fields = |packet: &mut Vec<u8>| packet.put_string(path);
        let read = |sftp: &mut Sftp, reply| opened(sftp, reply, Kind::Directory);
        Ok(Self { sftp, ask: Ask::begin_as(session, sftp, message::OPENDIR, Purpose::Open, fields, read)? })
    }
}

impl Op for Open {
    type Out = FileId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<FileId>> {
        let key = ready!(self.ask.poll(session))?;
        Poll::Ready(Ok(FileId { sftp: self.sftp, key }))
    }

    fn abandon(&mut self, session: &mut Session) {
        self.ask.abandon(session);
    }
}

fn opened(sftp: &mut Sftp, reply: Reply, kind: Kind) -> Result<Key> {
    let (open, most) = (sftp.files.len(), sftp.limits.handles);
    let body = expect(sftp, reply, message::HANDLE).map_err(|error| {
        let is_full = open >= most && error.code == Code::SftpProtocol;
        if !is_full {
            return error;
        }
        error.with_more(format_args!("{open} files are open, of {most} that the server allows"))
    })?;
    let handle = Reader::new(&body).string().map_err(malformed)?;
    let kept = keep(sftp, kind, handle);
    if kept.is_err() {
        let _stays_open = sftp.requests.unwanted(message::HANDLE, &body);
    }
    kept
}

fn keep(sftp: &mut Sftp, kind: Kind, handle: &[u8]) -> Result<Key> {
    if handle.len() > LONGEST_HANDLE {
        return Err(Error::new(Code::SftpProtocol, "SFTP handle of the server is too long"));
    }
    let mut file = File::new(kind, handle)?;
    file.writes.behind = sftp.write_behind;
    sftp.files.add(file)
}

/// `SSH_FXP_CLOSE`
pub(super) fn close(session: &mut Session, file: FileId) -> Result<Ask<()>> {
    with_handle(session, file, message::CLOSE, |_| Ok(()), read_ok)
}

/// `SSH_FXP_FSTAT`
pub fn fstat(session: &mut Session, file: FileId) -> Result<Ask<Attributes>> {
    with_handle(session, file, message::FSTAT, |_| Ok(()), read_attributes)
}

/// `SSH_FXP_FSETSTAT`
pub fn fsetstat(session: &mut Session, file: FileId, attributes: Attributes) -> Result<Ask<()>> {
    with_handle(session, file, message::FSETSTAT, |packet| attributes.write(packet), read_ok)
}

/// Moves to `offset`, and has what is there asked for anew, even where the file stands there already: it may have changed.
/// Writes under way are not taken back, but no call will report them any more.
pub fn seek(session: &mut Session, file: FileId, offset: u64) -> Result<()> {
    let _told_later = tail::part(session);
    let sftp = session.sftps.get(file.sftp)?;
    let Some(open) = sftp.files.get_mut(file.key) else { return session.sftps.file(file).map(|_| ()) };
    open.must_be(Kind::File)?;
    if open.position != offset || open.writes.is_unreported() || !open.reads.is_idle() {
        open.writes.abandon();
        open.position = offset;
        open.reads.abandon();
        sftp.requests.abandon_reads(file.key);
    }
    Ok(())
}

/// Where the file stands.
pub fn tell(session: &mut Session, file: FileId) -> Result<u64> {
    session.sftps.file(file).map(|file| file.tell())
}

/// What a file's engine returns that waits for a reply; the patience is kept where `of` says.
pub(super) fn await_reply<T>(
    session: &mut Session,
    id: FileId,
    of: fn(&mut File) -> &mut Option<Patience>,
) -> Poll<Result<T>> {
    check(session, id.sftp)?;
    let fresh = session.patience();
    let mut patience = *of(session.sftps.file(id)?).get_or_insert(fresh);
    let polled = session.await_reply(&mut patience);
    *of(session.sftps.file(id)?) = polled.is_pending().then_some(patience);
    polled
}

/// A request whose first field is the file's handle.
fn with_handle<T>(
    session: &mut Session,
    file: FileId,
    kind: u8,
    more: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    read: fn(&mut Sftp, Reply) -> Result<T>,
) -> Result<Ask<T>> {
    let handle = crate::memory::copy(&session.sftps.file(file)?.handle)?;
    let fields = |packet: &mut Vec<u8>| {
        packet.put_string(&handle)?;
        more(packet)
    };
    Ask::begin(session, file.sftp, kind, fields, read)
}
