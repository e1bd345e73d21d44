//! SFTP, draft-ietf-secsh-filexfer-02 with OpenSSH's extensions.
#![forbid(unsafe_code)]

mod attributes;
mod dir;
mod extension;
mod file;
mod inbox;
mod init;
mod message;
mod path;
mod reach;
mod read;
mod request;
mod settle;
mod status;
mod tail;
mod write;

pub use self::attributes::Attributes;
pub use self::dir::{Entry, poll_entry};
use self::extension::Announced;
pub use self::extension::{FileSystem, fstatvfs, fsync, posix_rename, statvfs};
pub use self::file::{File, Kind, Open, fsetstat, fstat, seek, tell};
use self::inbox::{Inbox, Replies};
pub use self::init::Init;
pub use self::path::{Link, mkdir, read_link, remove, rename, rmdir, set_stat, stat, symlink};
pub use self::read::poll_read;
pub use self::request::Ask;
use self::request::{Purpose, Requests};
pub use self::settle::{Settle, Shutdown};
use self::status::Status;
pub use self::tail::send_if_it_fits as send_tail;
pub use self::write::{poll_write, write_behind, write_file_behind};
use crate::channel::{Channel, ChannelId};
use crate::error::{Code, Error, Result};
use crate::op::Slots;
use crate::session::Session;
use crate::sink::Sink;
use crate::table::{Key, Table};
use crate::trace::{Topic, Trace};
use crate::transport::Tx;
use crate::wire::Put;

/// Names an SFTP subsystem of a session; stale once it is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SftpId(Key);

/// Names an open file or directory; stale once it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Where it is open.
    pub sftp: SftpId,
    key: Key,
}

/// The SFTP subsystems of a connection.
#[derive(Default)]
pub struct Sftps {
    table: Table<Sftp>,
    /// The file that has accepted bytes which have not been sent, see `tail.rs`.
    tail: Option<FileId>,
}

/// One SFTP subsystem.
pub struct Sftp {
    /// The channel it runs over.
    pub channel: ChannelId,
    /// The number of the program's handle for it, if it has one.
    pub handle: Option<usize>,
    /// The status of the last reply that was one, or 0: `libssh2_sftp_last_error`.
    pub last_status: u32,
    version: Option<u32>,
    announced: Announced,
    limits: Limits,
    inbox: Inbox,
    requests: Requests,
    files: Table<File>,
    /// Why the server's stream makes no sense any more.
    broken: Option<Error>,
    /// A request is put together here; kept so that none is allocated for each.
    packet: Vec<u8>,
    /// How many bytes of a new file may be reported as written that are not acknowledged.
    write_behind: usize,
    /// Unfinished operations of this subsystem.
    pub slots: Slots,
}

/// Longest request without data; servers end the connection at 256 KiB.
const LONGEST_REQUEST: usize = 256 * 1024;

/// The last offset that a byte of a file can have: servers count in signed 64 bits.
const LAST_OFFSET: u64 = i64::MAX.unsigned_abs();

/// What the server takes, `limits@openssh.com` (OpenSSH's PROTOCOL section 4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    /// Bytes of any request.
    request: usize,
    /// Bytes of data in one READ.
    read: usize,
    /// Bytes of data in one WRITE.
    write: usize,
    /// Files and directories that are open at a time.
    handles: usize,
}

impl Limits {
    /// "All servers SHOULD support packets of at least 34000 bytes", so 32 KiB of data always fit.
    const SURE: Self = Self { request: LONGEST_REQUEST, read: 32 * 1024, write: 32 * 1024, handles: usize::MAX };
}

impl Sftps {
    /// The subsystem, unless it has been shut down.
    pub fn get(&mut self, id: SftpId) -> Result<&mut Sftp> {
        self.table.get_mut(id.0).ok_or_else(|| Error::new(Code::BadUse, "SFTP session has been shut down"))
    }

    /// The open file, unless it has been closed, or its SFTP session shut down.
    pub fn file(&mut self, id: FileId) -> Result<&mut File> {
        let file = self.get(id.sftp)?.files.get_mut(id.key);
        file.ok_or_else(|| Error::new(Code::BadUse, "SFTP handle has been closed"))
    }

    /// Takes in bytes of the subsystem's channel.
    pub fn receive(&mut self, id: SftpId, bytes: &[u8], channel: &mut Channel, sink: &mut Sink<'_>, tx: &mut Tx) {
        let Ok(sftp) = self.get(id) else { return };
        if sftp.broken.is_some() {
            return;
        }
        let Sftp { inbox, version, announced, limits, requests, files, .. } = sftp;
        let mut routing = Routing { id, version, announced, limits, requests, files, sink, trace: &mut tx.trace };
        sftp.broken = inbox.receive(bytes, &mut routing).err();
        if sftp.broken.is_none() {
            // What cannot be closed stays open: there is no memory.
            let _stays_open = sftp.close_unwanted(channel, tx);
        }
    }

    fn add(&mut self, channel: ChannelId) -> Result<SftpId> {
        let sftp = Sftp {
            channel,
            handle: None,
            last_status: message::FX_OK,
            version: None,
            announced: Announced::default(),
            limits: Limits::SURE,
            inbox: Inbox::default(),
            requests: Requests::default(),
            files: Table::default(),
            broken: None,
            packet: Vec::new(),
            write_behind: 0,
            slots: Slots::default(),
        };
        self.table.add(sftp).map(SftpId)
    }

    /// Forgets the subsystem with all its files.
    pub fn remove(&mut self, id: SftpId) {
        self.table.remove(id.0);
    }
}

/// Forgets a file, whatever is still to come for it.
pub fn forget(session: &mut Session, id: FileId) {
    let Ok(sftp) = session.sftps.get(id.sftp) else { return };
    let Some(file) = sftp.files.remove(id.key) else { return };
    sftp.requests.abandon_reads(id.key);
    file.names.abandon(&mut sftp.requests);
    file.slots.abandon(session);
}

impl Sftp {
    /// Whether the program takes writes for done that the server has not answered.
    pub fn owes_answers(&self) -> bool {
        self.files.values().any(|file| file.writes.may_have_lied())
    }

    /// How many requests are remembered.
    #[cfg(test)]
    pub fn requests_under_way(&self) -> usize {
        self.requests.len()
    }

    /// How many files and directories are open.
    #[cfg(test)]
    pub fn open_files(&self) -> usize {
        self.files.len()
    }

    /// What files cannot have is refused as OpenSSH's server does it.
    fn beyond_all_files(&mut self) -> Error {
        self.last_status = message::FX_BAD_MESSAGE;
        Error::new(Code::SftpProtocol, "Offset is larger than that of any byte in a file, 2^63 - 1")
    }

    /// Queues a request, see [`send`].
    fn send(
        &mut self,
        channel: &mut Channel,
        tx: &mut Tx,
        kind: u8,
        purpose: Purpose,
        fields: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<u32> {
        self.requests.room()?;
        let mut packet = std::mem::take(&mut self.packet);
        packet.clear();
        let number = self.requests.next();
        packet.put_u32(0)?;
        packet.put_u8(kind)?;
        packet.put_u32(number)?;
        fields(&mut packet)?;
        set_length(&mut packet, 0)?;
        if packet.len() > self.limits.request {
            let error = Error::new(Code::OutOfBoundary, "SFTP request is longer than the server takes");
            return Err(error.with_text(format_args!("{} of {} bytes", packet.len(), self.limits.request)));
        }
        put(channel, tx, &packet, &[])?;
        self.packet = packet;
        self.requests.add(purpose);
        Ok(number)
    }

    /// Has closed what was opened for a call that had given up.
    fn close_unwanted(&mut self, channel: &mut Channel, tx: &mut Tx) -> Result<()> {
        while let Some(handle) = self.requests.next_unwanted() {
            self.send(channel, tx, message::CLOSE, Purpose::Nothing, |packet| packet.put_string(&handle))?;
        }
        Ok(())
    }

    /// Makes the error of a status, and keeps the status for `libssh2_sftp_last_error`.
    fn refused(&mut self, status: &Status) -> Error {
        self.last_status = status.code;
        status.to_error()
    }
}

/// Why nothing more will come from the server, if so.
fn check(session: &mut Session, id: SftpId) -> Result<()> {
    let sftp = session.sftps.get(id)?;
    if let Some(error) = &sftp.broken {
        return Err(error.copy());
    }
    let channel = sftp.channel;
    session.channels.get(channel)?.check_open().map_err(|mut error| {
        // For the files of a subsystem its channel is the connection.
        error.code = Code::SocketRecv;
        error
    })
}

/// Queues a request of type `kind` with these fields behind the id: its id.
fn send(
    session: &mut Session,
    id: SftpId,
    kind: u8,
    purpose: Purpose,
    fields: impl FnOnce(&mut Vec<u8>) -> Result<()>,
) -> Result<u32> {
    check(session, id)?;
    if session.sftps.tail.is_some_and(|file| file.sftp == id) {
        tail::send(session)?;
    }
    let sftp = session.sftps.get(id)?;
    let channel = session.channels.get(sftp.channel)?;
    sftp.send(channel, &mut session.transport.tx, kind, purpose, fields)
}

/// Queues a packet, and its `data` behind it.
fn put(channel: &mut Channel, tx: &mut Tx, packet: &[u8], data: &[u8]) -> Result<()> {
    let size = packet.len().saturating_add(data.len());
    if let Some([_, _, _, _, kind, id @ ..]) = packet.first_chunk::<9>() {
        show(&mut tx.trace, "sent", *kind, u32::from_be_bytes(*id), size);
    }
    channel.send_stream(tx, packet, data)
}

/// Traces a packet that went as `how` says. The id of the first one of either side is its version.
fn show(trace: &mut Trace, how: &str, kind: u8, id: u32, size: usize) {
    let name = message::name(kind).unwrap_or("message of unknown type");
    trace.say(Topic::Sftp, format_args!("{how} {name} {id}, {size} bytes"));
}

/// Fills in the length field at the front of a packet behind which `more` bytes follow.
fn set_length(packet: &mut [u8], more: usize) -> Result<()> {
    let length = packet.len().saturating_sub(4).saturating_add(more);
    let length = u32::try_from(length).map_err(|_| Error::new(Code::OutOfBoundary, "SFTP request is too long"))?;
    if let Some(field) = packet.first_chunk_mut::<4>() {
        *field = length.to_be_bytes();
    }
    Ok(())
}

/// Brings each reply to whoever asked.
struct Routing<'a, 'b> {
    id: SftpId,
    version: &'a mut Option<u32>,
    announced: &'a mut Announced,
    limits: &'a mut Limits,
    requests: &'a mut Requests,
    files: &'a mut Table<File>,
    sink: &'a mut Sink<'b>,
    trace: &'a mut Trace,
}

impl Routing<'_, '_> {
    fn unasked() -> Error {
        Error::new(Code::SftpProtocol, "SFTP server answered a request that was never made")
    }
}

impl Replies for Routing<'_, '_> {
    fn reply(&mut self, kind: u8, id: u32, body: &[u8]) -> Result<()> {
        show(self.trace, "received", kind, id, body.len().saturating_add(9));
        if kind == message::VERSION {
            if self.version.is_some() {
                return Err(Error::new(Code::SftpProtocol, "SFTP server sent its version twice"));
            }
            *self.announced = Announced::read(body)?;
            *self.version = Some(id);
            return Ok(());
        }
        match self.requests.purpose(id).ok_or_else(Self::unasked)? {
            Purpose::Open | Purpose::Unwanted if kind == message::STATUS && Status::read(kind, body)?.is_ok() => {}
            Purpose::Ask | Purpose::Open => self.requests.arrived(id, kind, body)?,
            Purpose::Nothing => self.requests.done(id),
            Purpose::Unwanted => {
                self.requests.done(id);
                self.requests.unwanted(kind, body)?;
            }
            Purpose::Limits => {
                self.requests.done(id);
                if kind == message::EXTENDED_REPLY {
                    self.limits.learn(body);
                }
            }
            Purpose::Write { file, index } => {
                self.requests.done(id);
                let status = Status::read(kind, body)?;
                if let Some(file) = self.files.get_mut(file) {
                    file.writes.on_status(index, status);
                }
            }
            Purpose::Read { file, index } => {
                self.requests.done(id);
                let status = Status::read(kind, body)?;
                if let Some(file) = self.files.get_mut(file) {
                    file.reads.on_status(index, status);
                }
            }
        }
        Ok(())
    }

    fn data_begin(&mut self, id: u32, length: usize) -> Result<()> {
        show(self.trace, "received", message::DATA, id, length.saturating_add(13));
        match self.requests.purpose(id).ok_or_else(Self::unasked)? {
            Purpose::Read { file, index } => match self.files.get_mut(file) {
                Some(file) => file.reads.on_data_begin(index, length),
                None => Ok(()),
            },
            Purpose::Nothing => Ok(()),
            _ => Err(Error::new(Code::SftpProtocol, "SFTP server sent data where none was asked for")),
        }
    }

    fn data(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        if let Some(Purpose::Read { file: key, index }) = self.requests.purpose(id)
            && let Some(file) = self.files.get_mut(key)
        {
            let sink = self.sink.for_file(FileId { sftp: self.id, key });
            return file.reads.on_data(index, bytes, sink);
        }
        Ok(())
    }

    fn data_end(&mut self, id: u32) -> Result<()> {
        if let Some(Purpose::Read { file: key, index }) = self.requests.purpose(id)
            && let Some(file) = self.files.get_mut(key)
        {
            file.reads.on_data_end(index, self.sink.for_file(FileId { sftp: self.id, key }));
        }
        self.requests.done(id);
        Ok(())
    }
}
