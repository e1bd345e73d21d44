//! Requests about paths, draft-ietf-secsh-filexfer-02 sections 6.5 to 6.10.
#![forbid(unsafe_code)]

use super::attributes::Attributes;
use super::request::{Ask, Reply, expect};
use super::status::{Status, malformed};
use super::{Sftp, SftpId, message};
use crate::error::{Code, Error, Result};
use crate::session::Session;
use crate::wire::{Put, Reader};

/// `S_IFDIR`
const DIRECTORY: u32 = 0o040_000;

/// Which path is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Where a symbolic link points to: `SSH_FXP_READLINK`.
    Target,
    /// The absolute path: `SSH_FXP_REALPATH`.
    Real,
}

/// `SSH_FXP_REMOVE`
pub fn remove(session: &mut Session, sftp: SftpId, path: &[u8]) -> Result<Ask<()>> {
    Ask::begin(session, sftp, message::REMOVE, |packet| packet.put_string(path), read_ok)
}

/// `SSH_FXP_RMDIR`
pub fn rmdir(session: &mut Session, sftp: SftpId, path: &[u8]) -> Result<Ask<()>> {
    Ask::begin(session, sftp, message::RMDIR, |packet| packet.put_string(path), read_ok)
}

/// `SSH_FXP_MKDIR`, with the server's own idea of permissions if `mode` is `None`.
pub fn mkdir(session: &mut Session, sftp: SftpId, path: &[u8], mode: Option<u32>) -> Result<Ask<()>> {
    let attributes =
        mode.map_or_else(Attributes::default, |mode| Attributes::default().with_permissions(mode | DIRECTORY));
    let fields = |packet: &mut Vec<u8>| {
        packet.put_string(path)?;
        attributes.write(packet)
    };
    Ask::begin(session, sftp, message::MKDIR, fields, read_ok)
}

/// `SSH_FXP_RENAME`
pub fn rename(session: &mut Session, sftp: SftpId, from: &[u8], to: &[u8]) -> Result<Ask<()>> {
    spoken(session, sftp, 2)?;
    let fields = |packet: &mut Vec<u8>| {
        packet.put_string(from)?;
        packet.put_string(to)
    };
    Ask::begin(session, sftp, message::RENAME, fields, read_ok)
}

/// `SSH_FXP_STAT`, or `SSH_FXP_LSTAT` if `follow` is false.
pub fn stat(session: &mut Session, sftp: SftpId, path: &[u8], follow: bool) -> Result<Ask<Attributes>> {
    let kind = if follow { message::STAT } else { message::LSTAT };
    Ask::begin(session, sftp, kind, |packet| packet.put_string(path), read_attributes)
}

/// `SSH_FXP_SETSTAT`
pub fn set_stat(session: &mut Session, sftp: SftpId, path: &[u8], attributes: Attributes) -> Result<Ask<()>> {
    let fields = |packet: &mut Vec<u8>| {
        packet.put_string(path)?;
        attributes.write(packet)
    };
    Ask::begin(session, sftp, message::SETSTAT, fields, read_ok)
}

/// `SSH_FXP_SYMLINK`. OpenSSH reads the two paths in the order opposite to the draft's, and every server follows it:
/// the existing path comes first.
pub fn symlink(session: &mut Session, sftp: SftpId, existing: &[u8], link: &[u8]) -> Result<Ask<()>> {
    spoken(session, sftp, 3)?;
    let fields = |packet: &mut Vec<u8>| {
        packet.put_string(existing)?;
        packet.put_string(link)
    };
    Ask::begin(session, sftp, message::SYMLINK, fields, read_ok)
}

/// Resolves a path: ready with the first name of the reply, or with nothing if the server says OK and no more.
pub fn read_link(session: &mut Session, sftp: SftpId, path: &[u8], link: Link) -> Result<Ask<Vec<u8>>> {
    let kind = match link {
        Link::Target => {
            spoken(session, sftp, 3)?;
            message::READLINK
        }
        Link::Real => message::REALPATH,
    };
    Ask::begin(session, sftp, kind, |packet| packet.put_string(path), read_name)
}

/// Reads a reply that must be `SSH_FX_OK`.
pub(super) fn read_ok(sftp: &mut Sftp, reply: Reply) -> Result<()> {
    let status = Status::read(reply.kind, &reply.body)?;
    if status.is_ok() { Ok(()) } else { Err(sftp.refused(&status)) }
}

/// Reads a reply that must be `SSH_FXP_ATTRS`.
pub(super) fn read_attributes(sftp: &mut Sftp, reply: Reply) -> Result<Attributes> {
    let body = expect(sftp, reply, message::ATTRS)?;
    Attributes::read(&mut Reader::new(&body)).map_err(malformed)
}

fn read_name(sftp: &mut Sftp, reply: Reply) -> Result<Vec<u8>> {
    if reply.kind == message::STATUS && Status::read(reply.kind, &reply.body)?.is_ok() {
        return Ok(Vec::new());
    }
    let body = expect(sftp, reply, message::NAME)?;
    let mut reader = Reader::new(&body);
    if reader.u32().map_err(malformed)? == 0 {
        return Err(Error::new(Code::SftpProtocol, "SFTP server answered with no name"));
    }
    crate::memory::copy(reader.string().map_err(malformed)?)
}

/// Some requests came only with later versions of the protocol.
fn spoken(session: &mut Session, sftp: SftpId, least: u32) -> Result<()> {
    let sftp = session.sftps.get(sftp)?;
    sftp.last_status = message::FX_OK;
    let version = sftp.version.unwrap_or_default();
    if version < least {
        return Err(Error::new(Code::SftpProtocol, "SFTP version of the server is too old for the request")
            .with_text(format_args!("version {version}")));
    }
    Ok(())
}
