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
    if !sftp.posix_rename {
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
    let handle = crate::wire::copy(&session.sftps.file(file)?.handle)?;
    extended(session, file.sftp, b"fstatvfs@openssh.com", &[&handle], read_file_system)
}

/// `fsync@openssh.com`. It follows the writes before it on the wire.
pub fn fsync(session: &mut Session, file: FileId) -> Result<Ask<()>> {
    let handle = crate::wire::copy(&session.sftps.file(file)?.handle)?;
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

/// Whether the extension pairs of a `VERSION` announce `posix-rename@openssh.com` in version 1.
pub(super) fn announces_posix_rename(pairs: &[u8]) -> Result<bool> {
    let mut reader = Reader::new(pairs);
    let mut announced = false;
    while !reader.is_empty() {
        let pair = reader.string().and_then(|name| Ok((name, reader.string()?)));
        let pair = pair.map_err(|short| {
            short.in_packet(Code::BufferTooSmall, "SFTP version of the server is shorter than its extensions")
        })?;
        announced |= pair == (b"posix-rename@openssh.com", b"1");
    }
    Ok(announced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_is_found_among_others_and_in_that_version_only() {
        let mut pairs = Vec::new();
        for pair in [b"statvfs@openssh.com", &b"2"[..], b"posix-rename@openssh.com", b"1"] {
            pairs.put_string(pair).unwrap();
        }
        assert_eq!(announces_posix_rename(&pairs), Ok(true));
        for cut in 0..pairs.len() {
            assert_ne!(announces_posix_rename(&pairs[..cut]), Ok(true));
        }
        let last = pairs.len() - 1;
        pairs[last] = b'2';
        assert_eq!(announces_posix_rename(&pairs), Ok(false));
    }
}
