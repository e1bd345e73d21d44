//! SFTP conversations: begun and ended, and what is asked about paths.

use std::ffi::{c_char, c_int, c_long, c_uint, c_ulong};

use crate::error::{Code, Error, Result};
use crate::ffi::ext_sftp::write_behind_of_environment;
use crate::ffi::guard::{bytes_mut, enter, enter_sftp, field, low_bits, null, size};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::types::{
    LIBSSH2_CHANNEL, LIBSSH2_SESSION, LIBSSH2_SFTP, LIBSSH2_SFTP_ATTRIBUTES, LIBSSH2_SFTP_DEFAULT_MODE,
    LIBSSH2_SFTP_LSTAT, LIBSSH2_SFTP_REALPATH, LIBSSH2_SFTP_SETSTAT, LIBSSH2_SFTP_ST_NOSUID, LIBSSH2_SFTP_ST_RDONLY,
    LIBSSH2_SFTP_STATVFS, LIBSSH2_SFTP_SYMLINK,
};
use crate::op::{Call, Op, Owner, resume, with};
use crate::session::Session;
use crate::sftp::{self, Attributes, FileSystem, Init, Link, SftpId, Shutdown};

/// Starts SFTP on a session that is logged in (draft-ietf-secsh-filexfer-02): opens a channel and starts the server's
/// "sftp" subsystem on it.
///
/// Returns the conversation, to be ended by libssh2_sftp_shutdown(), or NULL: libssh2_session_last_errno() is then
/// LIBSSH2_ERROR_EAGAIN (it would have to wait in non-blocking mode, to be called again), LIBSSH2_ERROR_INVAL (not
/// logged in), LIBSSH2_ERROR_CHANNEL_FAILURE (the server refuses the channel or the subsystem),
/// LIBSSH2_ERROR_SFTP_PROTOCOL (its answer makes no sense), LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_ALLOC. It may be tried again after each.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_init(session: *mut LIBSSH2_SESSION) -> *mut LIBSSH2_SFTP {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            session.expect_handle()?;
            let sftp = resume(&session.core, session, Owner::Session, Call::SftpInit, Init::begin)?;
            with(&session.core, |core| sftp::write_behind(core, sftp, write_behind_of_environment()))?;
            Ok(session.adopt(Target::Sftp(sftp))?.cast())
        })
    }
}

/// Ends an SFTP conversation and frees it with its channel. Files and directories that are still open are forgotten;
/// their handles can only be given to libssh2_sftp_close_handle().
///
/// Returns 0, also when the connection is dead; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode:
/// the conversation is still there, and the function is to be called again; LIBSSH2_ERROR_BAD_USE within the program's own
/// send or receive function, where nothing is done. Whatever else is returned, it is gone:
/// LIBSSH2_ERROR_TIMEOUT when the server has not answered in time.
///
/// Requires: sftp is NULL or a conversation that has not been shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_shutdown(sftp: *mut LIBSSH2_SFTP) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, child| {
            session.may_move()?;
            let (channel, owes) = with(&session.core, |core| {
                let sftp = core.sftps.get(id)?;
                Ok((sftp.channel, sftp.owes_answers()))
            })?;
            let shown = session.handle_of_channel(channel);
            let owner = Owner::Channel(channel);
            let ended = resume(&session.core, session, owner, Call::SftpShutdown, |core| Shutdown::begin(core, id));
            if !matches!(&ended, Err(error) if error.code == Code::Eagain) {
                session.release(child);
                if let Some(channel) = shown {
                    session.release(channel);
                }
                with(&session.core, |core| {
                    core.sftps.remove(id);
                    Ok(())
                })?;
            }
            match ended {
                // A dead connection is an end as well, unless it leaves open what was written.
                Err(error) if owes || matches!(error.code, Code::Eagain | Code::Timeout | Code::SftpProtocol) => {
                    Err(error)
                }
                _ => Ok(0),
            }
        })
    }
}

/// Tells the status that the server gave with the last answer, one of LIBSSH2_FX_. It says why a function of this
/// conversation or of its files has just returned LIBSSH2_ERROR_SFTP_PROTOCOL; LIBSSH2_FX_OK then means that the answer
/// itself made no sense. The server's words are in libssh2_session_last_error().
///
/// Returns the server's number, 0 if sftp is NULL.
///
/// Requires: sftp is NULL or a conversation that has not been shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_last_error(sftp: *mut LIBSSH2_SFTP) -> c_ulong {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            with(&session.core, |core| Ok(c_ulong::from(core.sftps.get(id)?.last_status)))
        })
    }
}

/// Shows the channel that an SFTP conversation runs over, for functions that look at channels. It belongs to the
/// conversation.
///
/// Returns the channel, or NULL if sftp is NULL.
///
/// Requires: sftp is NULL or a conversation that has not been shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_get_channel(sftp: *mut LIBSSH2_SFTP) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let channel = with(&session.core, |core| Ok(core.sftps.get(id)?.channel))?;
            match session.handle_of_channel(channel) {
                Some(handle) => Ok(handle.pointer().cast()),
                None => Ok(session.adopt(Target::Channel(channel))?.cast()),
            }
        })
    }
}

/// Renames a file or directory on the server (draft section 6.5). Version 3 of the protocol has no place for flags, the
/// LIBSSH2_SFTP_RENAME_ bits: the server decides what becomes of a file that has the new name already; OpenSSH's fails.
///
/// The names are so many bytes each.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_SFTP_PROTOCOL when the server refuses, see libssh2_sftp_last_error(); LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_CHANNEL_CLOSED, LIBSSH2_ERROR_TIMEOUT,
/// LIBSSH2_ERROR_ALLOC. Every function about a path fails in these ways.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; the names can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_rename_ex(
    sftp: *mut LIBSSH2_SFTP,
    source_filename: *const c_char,
    source_filename_len: c_uint,
    dest_filename: *const c_char,
    dest_filename_len: c_uint,
    _flags: c_long,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let from = path(source_filename, source_filename_len)?;
            let to = path(dest_filename, dest_filename_len)?;
            ask(session, id, Call::SftpRename, |core| sftp::rename(core, id, from, to))
        })
    }
}

/// Renames a file or directory on the server and replaces what has the new name (OpenSSH's PROTOCOL section 4.3,
/// "posix-rename@openssh.com"). The names are so many bytes each.
///
/// Returns 0, or fails as libssh2_sftp_rename_ex() does: without a word to the server, and with
/// LIBSSH2_FX_OP_UNSUPPORTED, if that has not announced the extension.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; the names can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_posix_rename_ex(
    sftp: *mut LIBSSH2_SFTP,
    source_filename: *const c_char,
    source_filename_len: usize,
    dest_filename: *const c_char,
    dest_filename_len: usize,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let from = field(source_filename, source_filename_len)?;
            let to = field(dest_filename, dest_filename_len)?;
            ask(session, id, Call::SftpPosixRename, |core| sftp::posix_rename(core, id, from, to))
        })
    }
}

/// Asks about the file system that a path is on (OpenSSH's PROTOCOL section 4.4, "statvfs@openssh.com"). path is path_len
/// bytes; st is filled with the answer.
///
/// Returns 0, or fails as libssh2_sftp_rename_ex() does; LIBSSH2_ERROR_BAD_USE when st is NULL.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; path can be read, st written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_statvfs(
    sftp: *mut LIBSSH2_SFTP,
    path: *const c_char,
    path_len: usize,
    st: *mut LIBSSH2_SFTP_STATVFS,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = field(path, path_len)?;
            if st.is_null() {
                return Err(null());
            }
            let begin = |core: &mut Session| sftp::statvfs(core, id, path);
            let answer = resume(&session.core, session, Owner::Sftp(id), Call::SftpStatvfs, begin)?;
            st.write(file_system_to_c(answer));
            Ok(0)
        })
    }
}

/// Deletes a file on the server (draft section 6.5). filename is filename_len bytes.
///
/// Returns 0, or fails as libssh2_sftp_rename_ex() does.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; filename can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_unlink_ex(
    sftp: *mut LIBSSH2_SFTP,
    filename: *const c_char,
    filename_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = path(filename, filename_len)?;
            ask(session, id, Call::SftpUnlink, |core| sftp::remove(core, id, path))
        })
    }
}

/// Makes a directory on the server (draft section 6.6). path is path_len bytes. mode are its permissions, of which the
/// server may strip some, or LIBSSH2_SFTP_DEFAULT_MODE to leave them to the server.
///
/// Returns 0, or fails as libssh2_sftp_rename_ex() does.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; path can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_mkdir_ex(
    sftp: *mut LIBSSH2_SFTP,
    path: *const c_char,
    path_len: c_uint,
    mode: c_long,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = self::path(path, path_len)?;
            let mode = (mode != c_long::from(LIBSSH2_SFTP_DEFAULT_MODE)).then(|| low_bits(mode as c_ulong));
            ask(session, id, Call::SftpMkdir, |core| sftp::mkdir(core, id, path, mode))
        })
    }
}

/// Deletes an empty directory on the server (draft section 6.6). path is path_len bytes.
///
/// Returns 0, or fails as libssh2_sftp_rename_ex() does.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; path can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_rmdir_ex(
    sftp: *mut LIBSSH2_SFTP,
    path: *const c_char,
    path_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = self::path(path, path_len)?;
            ask(session, id, Call::SftpRmdir, |core| sftp::rmdir(core, id, path))
        })
    }
}

/// Asks for or sets the attributes of a file by its path (draft sections 6.8 and 6.9). path is path_len bytes.
///
/// stat_type is LIBSSH2_SFTP_STAT (ask), LIBSSH2_SFTP_LSTAT (ask, of a symbolic link about the link itself) or
/// LIBSSH2_SFTP_SETSTAT (set those that attrs->flags names); every other number is taken for LIBSSH2_SFTP_STAT. attrs is
/// filled with the answer; after setting it is zeroed.
///
/// Returns 0, or fails as libssh2_sftp_rename_ex() does; LIBSSH2_ERROR_BAD_USE when attrs is NULL.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; path can be read, attrs read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_stat_ex(
    sftp: *mut LIBSSH2_SFTP,
    path: *const c_char,
    path_len: c_uint,
    stat_type: c_int,
    attrs: *mut LIBSSH2_SFTP_ATTRIBUTES,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = self::path(path, path_len)?;
            if attrs.is_null() {
                return Err(null());
            }
            let owner = Owner::Sftp(id);
            let answer = match stat_type {
                LIBSSH2_SFTP_SETSTAT => {
                    let attributes = from_c(&attrs.read());
                    let begin = |core: &mut Session| sftp::set_stat(core, id, path, attributes);
                    resume(&session.core, session, owner, Call::SftpSetstat, begin)?;
                    LIBSSH2_SFTP_ATTRIBUTES::default()
                }
                _ => {
                    let follow = stat_type != LIBSSH2_SFTP_LSTAT;
                    let begin = |core: &mut Session| sftp::stat(core, id, path, follow);
                    to_c(&resume(&session.core, session, owner, Call::SftpStat, begin)?)
                }
            };
            attrs.write(answer);
            Ok(0)
        })
    }
}

/// Makes a symbolic link, or resolves a path (draft sections 6.10 and 6.11). path is path_len bytes, target target_len.
///
/// link_type is LIBSSH2_SFTP_SYMLINK (make a link named target to path), LIBSSH2_SFTP_READLINK (put into target where
/// the link path leads) or LIBSSH2_SFTP_REALPATH (put into target the absolute form of path); every other number is taken
/// for LIBSSH2_SFTP_READLINK.
///
/// Returns for LIBSSH2_SFTP_SYMLINK 0; for the others the length of what is in target, which is terminated, or
/// LIBSSH2_ERROR_BUFFER_TOO_SMALL when it does not fit with its terminator. Otherwise fails as libssh2_sftp_rename_ex()
/// does.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; path can be read, target read or written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_symlink_ex(
    sftp: *mut LIBSSH2_SFTP,
    path: *const c_char,
    path_len: c_uint,
    target: *mut c_char,
    target_len: c_uint,
    link_type: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = self::path(path, path_len)?;
            let link = match link_type {
                LIBSSH2_SFTP_SYMLINK => {
                    let link = self::path(target, target_len)?;
                    return ask(session, id, Call::SftpSymlink, |core| sftp::symlink(core, id, path, link));
                }
                LIBSSH2_SFTP_REALPATH => Link::Real,
                _ => Link::Target,
            };
            let space = bytes_mut(target, size(target_len))?;
            let owner = Owner::Sftp(id);
            let call = if link == Link::Target { Call::SftpReadlink } else { Call::SftpRealpath };
            let begin = |core: &mut Session| sftp::read_link(core, id, path, link);
            let name = resume(&session.core, session, owner, call, begin)?;
            put_terminated(space, &name)?;
            Ok(c_int::try_from(name.len()).unwrap_or(c_int::MAX))
        })
    }
}

/// Runs an operation of the conversation that has nothing to bring but its end.
fn ask<O: Op<Out = ()>>(
    session: &SessionHandle,
    sftp: SftpId,
    call: Call,
    begin: impl FnOnce(&mut Session) -> Result<O>,
) -> Result<c_int> {
    resume(&session.core, session, Owner::Sftp(sftp), call, begin)?;
    Ok(0)
}

/// Puts `text` and a terminator into `space`, which must have room for both.
pub(super) fn put_terminated(space: &mut [u8], text: &[u8]) -> Result<()> {
    let room = space.get_mut(..=text.len()).and_then(|room| room.split_last_mut());
    let (end, room) = room.ok_or_else(|| Error::new(Code::BufferTooSmall, "Buffer is too small for the name"))?;
    room.copy_from_slice(text);
    *end = 0;
    Ok(())
}

/// # Safety
/// `start` can be read for so many bytes during `'a`.
pub(super) unsafe fn path<'a>(start: *const c_char, length: c_uint) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { field(start, size(length)) }
}

/// Attributes as C has them.
pub(super) fn to_c(attributes: &Attributes) -> LIBSSH2_SFTP_ATTRIBUTES {
    LIBSSH2_SFTP_ATTRIBUTES {
        flags: attributes.flags.into(),
        filesize: attributes.size,
        uid: attributes.uid.into(),
        gid: attributes.gid.into(),
        permissions: attributes.permissions.into(),
        atime: attributes.atime.into(),
        mtime: attributes.mtime.into(),
    }
}

/// A file system as C has it. The flags of OpenSSH are those of the interface.
pub(super) const fn file_system_to_c(fields: FileSystem) -> LIBSSH2_SFTP_STATVFS {
    let [f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail, f_fsid, f_flag, f_namemax] =
        fields;
    LIBSSH2_SFTP_STATVFS {
        f_bsize,
        f_frsize,
        f_blocks,
        f_bfree,
        f_bavail,
        f_files,
        f_ffree,
        f_favail,
        f_fsid,
        f_flag: f_flag & (LIBSSH2_SFTP_ST_RDONLY | LIBSSH2_SFTP_ST_NOSUID) as u64,
        f_namemax,
    }
}

/// Attributes as the wire has them: 32 bits where C has a long.
pub(super) fn from_c(attributes: &LIBSSH2_SFTP_ATTRIBUTES) -> Attributes {
    Attributes {
        flags: low_bits(attributes.flags),
        size: attributes.filesize,
        uid: low_bits(attributes.uid),
        gid: low_bits(attributes.gid),
        permissions: low_bits(attributes.permissions),
        atime: low_bits(attributes.atime),
        mtime: low_bits(attributes.mtime),
    }
}
