//! OpenSSH's extensions of SFTP, its PROTOCOL section 4.
#![forbid(unsafe_code)]

use super::path::read_ok;
use super::request::{Ask, Reply, expect};
use super::status::malformed;
use super::{FileId, Sftp, SftpId, message};
use crate::error::{Code, Error, Result};
use crate::session::Session;
use crate::wire::{Put, Reader, Short};

/// What a server says of a file system: the fields of `statvfs(3)` in the order of the reply.
pub type FileSystem = [u64; 11];

/// `posix-rename@openssh.com`: replaces what has the new name. Only for servers that have announced it.
pub fn posix_rename(session: &mut Session, id: SftpId, from: &[u8], to: &[u8]) -> Result<Ask<()>> {
    let sftp = session.sftps.get(id)?;
    if !sftp.announced.posix_rename {
        sftp.last_status = message::FX_OP_UNSUPPORTED;
        return Err(Error::new(Code::SftpProtocol, "SFTP server does not know posix-rename@openssh.com"));
    }
    extended(session, id, b"posix-rename@openssh.com", &[from, to], read_ok)
}

/// `statvfs@openssh.com`
pub fn statvfs(session: &mut Session, sftp: SftpId, path: &[u8]) -> Result<Ask<FileSystem>> {
    extended(session, sftp, b"statvfs@openssh.com", &[path], read_file_system)
}

/// `fstatvfs@openssh.com`
pub fn fstatvfs(session: &mut Session, file: FileId) -> Result<Ask<FileSystem>> {
    let handle = crate::memory::copy(&session.sftps.file(file)?.handle)?;
    extended(session, file.sftp, b"fstatvfs@openssh.com", &[&handle], read_file_system)
}

/// `fsync@openssh.com`. It follows the writes before it on the wire.
pub fn fsync(session: &mut Session, file: FileId) -> Result<Ask<()>> {
    let handle = crate::memory::copy(&session.sftps.file(file)?.handle)?;
    extended(session, file.sftp, b"fsync@openssh.com", &[&handle], read_ok)
}

fn extended<T>(
    session: &mut Session,
    sftp: SftpId,
    name: &[u8],
    strings: &[&[u8]],
    read: fn(&mut Sftp, Reply) -> Result<T>,
) -> Result<Ask<T>> {
    let fields = |packet: &mut Vec<u8>| {
        packet.put_string(name)?;
        strings.iter().try_for_each(|string| packet.put_string(string))
    };
    Ask::begin(session, sftp, message::EXTENDED, fields, read)
}

fn read_file_system(sftp: &mut Sftp, reply: Reply) -> Result<FileSystem> {
    let body = expect(sftp, reply, message::EXTENDED_REPLY)?;
    let read = |mut reader: Reader<'_>| -> Result<FileSystem, Short> {
        let mut fields = FileSystem::default();
        for field in &mut fields {
            *field = reader.u64()?;
        }
        Ok(fields)
    };
    read(Reader::new(&body)).map_err(malformed)
}

/// What the server has announced of what has to be announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Announced {
    /// `posix-rename@openssh.com` in version 1.
    pub(super) posix_rename: bool,
    /// `limits@openssh.com` in version 1.
    pub(super) limits: bool,
}

impl Announced {
    /// Reads the extension pairs of a `VERSION`.
    pub(super) fn read(pairs: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(pairs);
        let mut announced = Self::default();
        while !reader.is_empty() {
            let pair = reader.string().and_then(|name| Ok((name, reader.string()?)));
            match pair.map_err(|short| {
                short.in_packet(Code::BufferTooSmall, "SFTP version of the server is shorter than its extensions")
            })? {
                (b"posix-rename@openssh.com", b"1") => announced.posix_rename = true,
                (b"limits@openssh.com", b"1") => announced.limits = true,
                _ => {}
            }
        }
        Ok(announced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_are_found_among_others_and_in_their_version_only() {
        let mut pairs = Vec::new();
        for pair in [b"statvfs@openssh.com", &b"2"[..], b"limits@openssh.com", b"1", b"posix-rename@openssh.com", b"1"]
        {
            pairs.put_string(pair).unwrap();
        }
        assert_eq!(Announced::read(&pairs), Ok(Announced { posix_rename: true, limits: true }));
        for cut in 0..pairs.len() {
            assert!(!Announced::read(&pairs[..cut]).is_ok_and(|announced| announced.posix_rename));
        }
        let last = pairs.len() - 1;
        pairs[last] = b'2';
        assert_eq!(Announced::read(&pairs), Ok(Announced { posix_rename: false, limits: true }));
    }
}
