//! Open files and directories of an SFTP conversation.

use std::ffi::{c_char, c_int, c_long, c_uint, c_ulong};

use libc::ssize_t;

use crate::error::{Code, Result};
use crate::ffi::guard::{bytes, bytes_mut, count, enter_file, enter_sftp, field, low_bits, null, store};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::sftp::{file_system_to_c, from_c, put_terminated, to_c};
use crate::ffi::types::{
    LIBSSH2_SFTP, LIBSSH2_SFTP_ATTRIBUTES, LIBSSH2_SFTP_HANDLE, LIBSSH2_SFTP_OPENFILE, LIBSSH2_SFTP_STATVFS,
    libssh2_uint64_t,
};
use crate::op::{Call, Owner, drive, resume, with};
use crate::session::Session;
use crate::sftp::{self, Attributes, Entry, Open, Settle, SftpId};

/// Opens a file or a directory on the server (draft-ietf-secsh-filexfer-02 sections 6.3 and 6.7).
///
/// filename is filename_len bytes. open_type is LIBSSH2_SFTP_OPENFILE or LIBSSH2_SFTP_OPENDIR. For a file, flags is a
/// sum of LIBSSH2_FXF_, and mode are the permissions of a file that is made, of which the server may strip some.
///
/// Returns the handle, to be closed by libssh2_sftp_close_handle(), or NULL: libssh2_session_last_errno() is then
/// LIBSSH2_ERROR_EAGAIN (it would have to wait in non-blocking mode, to be called again), LIBSSH2_ERROR_SFTP_PROTOCOL
/// (the server refuses, see libssh2_sftp_last_error()), LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_CHANNEL_CLOSED, LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_ALLOC.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; filename can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_open_ex(
    sftp: *mut LIBSSH2_SFTP,
    filename: *const c_char,
    filename_len: c_uint,
    flags: c_ulong,
    mode: c_long,
    open_type: c_int,
) -> *mut LIBSSH2_SFTP_HANDLE {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = super::sftp::path(filename, filename_len)?;
            open(session, id, path, flags, mode, open_type, None)
        })
    }
}

/// Opens a file or a directory on the server as libssh2_sftp_open_ex() does, and asks the server to give a file that is
/// made the attributes in attrs. Where attrs->flags names the permissions, those are mode, whatever attrs->permissions
/// says. attrs may be NULL.
///
/// Requires: sftp is NULL or a conversation that has not been shut down; filename and attrs can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_open_ex_r(
    sftp: *mut LIBSSH2_SFTP,
    filename: *const c_char,
    filename_len: usize,
    flags: c_ulong,
    mode: c_long,
    open_type: c_int,
    attrs: *mut LIBSSH2_SFTP_ATTRIBUTES,
) -> *mut LIBSSH2_SFTP_HANDLE {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            let path = field(filename, filename_len)?;
            let attributes = attrs.as_ref().map(from_c);
            open(session, id, path, flags, mode, open_type, attributes)
        })
    }
}

fn open(
    session: &SessionHandle,
    sftp: SftpId,
    path: &[u8],
    flags: c_ulong,
    mode: c_long,
    open_type: c_int,
    attributes: Option<Attributes>,
) -> Result<*mut LIBSSH2_SFTP_HANDLE> {
    session.expect_handle()?;
    let file = resume(&session.core, session, Owner::Sftp(sftp), Call::SftpOpen, |core| {
        if open_type == LIBSSH2_SFTP_OPENFILE {
            Open::file(core, sftp, path, low_bits(flags), low_bits(mode as c_ulong), attributes)
        } else {
            Open::directory(core, sftp, path)
        }
    })?;
    Ok(session.adopt(Target::File(file))?.cast())
}

/// Reads from a file at its position, and moves that (draft section 6.4). The server is asked for more than
/// buffer_maxlen bytes ahead of the program, so reading in sequence is fast whatever the size of the buffer.
///
/// Returns the number of bytes put into buffer, at least 1 and at most buffer_maxlen, as many as are at hand; 0 at the
/// end of the file; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_SFTP_PROTOCOL when the server refuses, see libssh2_sftp_last_error(): the position is then behind the
/// last byte returned; LIBSSH2_ERROR_BAD_USE for a directory; LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_CHANNEL_CLOSED, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: handle is NULL or an open file; buffer_maxlen bytes can be written to buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_read(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    buffer: *mut c_char,
    buffer_maxlen: usize,
) -> ssize_t {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            let space = bytes_mut(buffer, buffer_maxlen)?;
            let read = drive(&session.core, session, |core| sftp::poll_read(core, file, space))?;
            Ok(count(read))
        })
    }
}

/// Writes to a file at its position, and moves that by what is returned (draft section 6.4).
///
/// buffer is cut into requests, and as many of them as the connection takes are sent before the first is answered. The
/// call is over as soon as the server has written the first of them. Data that has been sent but not yet returned is
/// remembered: the next call has to begin with the first byte that was not returned, unchanged, may have more data
/// behind it, and does not send again what is on its way. A program therefore goes on until everything is returned; the
/// larger its buffer, the better a long line is used.
///
/// Returns the number of bytes written, at least 1 and at most count, 0 only if count is 0; LIBSSH2_ERROR_EAGAIN when
/// it would have to wait in non-blocking mode, to be called again with the same data; LIBSSH2_ERROR_SFTP_PROTOCOL when
/// the server refuses, see libssh2_sftp_last_error(): the position is then behind the last byte that was returned,
/// nothing is on its way any more, and the program may go on; LIBSSH2_ERROR_BAD_USE for a directory;
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_CHANNEL_CLOSED,
/// LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: handle is NULL or an open file; count bytes can be read from buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_write(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    buffer: *const c_char,
    count: usize,
) -> ssize_t {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            let data = bytes(buffer, count)?;
            let written = drive(&session.core, session, |core| sftp::poll_write(core, file, data))?;
            Ok(self::count(written))
        })
    }
}

/// Reads the next entry of a directory (draft section 6.7).
///
/// buffer gets its name and longentry the line that "ls -l" would print, both terminated; longentry may be NULL, or
/// longentry_maxlen at most 1, for none. attrs, unless it is NULL, gets its attributes.
///
/// Returns the length of the name; 0 at the end; LIBSSH2_ERROR_BUFFER_TOO_SMALL when a text does not fit: the entry is
/// kept for a call with more room; otherwise fails as libssh2_sftp_read() does.
///
/// Requires: handle is NULL or an open directory; the places can be written to as far as the sizes say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_readdir_ex(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    buffer: *mut c_char,
    buffer_maxlen: usize,
    longentry: *mut c_char,
    longentry_maxlen: usize,
    attrs: *mut LIBSSH2_SFTP_ATTRIBUTES,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            let name = bytes_mut(buffer, buffer_maxlen)?;
            let wants_line = !longentry.is_null() && longentry_maxlen > 1;
            let line = bytes_mut(longentry, if wants_line { longentry_maxlen } else { 0 })?;
            let mut take = |entry: &Entry<'_>| {
                put_terminated(name, entry.name)?;
                if wants_line {
                    put_terminated(line, entry.longname)?;
                }
                store(attrs, to_c(&entry.attributes));
                Ok(c_int::try_from(entry.name.len()).unwrap_or(c_int::MAX))
            };
            let length = drive(&session.core, session, |core| sftp::poll_entry(core, file, &mut take))?;
            Ok(length.unwrap_or(0))
        })
    }
}

/// Has the server bring what was written to a file to its disk (OpenSSH's PROTOCOL section 4.5, "fsync@openssh.com").
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_SFTP_PROTOCOL when the server refuses, see libssh2_sftp_last_error(), which is
/// LIBSSH2_FX_OP_UNSUPPORTED if it cannot do that; or the errors of the connection as in libssh2_sftp_read().
///
/// Requires: handle is NULL or an open file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_fsync(handle: *mut LIBSSH2_SFTP_HANDLE) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            let begin = |core: &mut Session| {
                let ask = sftp::fsync(core, file);
                Settle::after(core, file, ask)
            };
            resume(&session.core, session, Owner::File(file), Call::SftpFsync, begin)?;
            Ok(0)
        })
    }
}

/// Asks about the file system that an open file is on (OpenSSH's PROTOCOL section 4.4, "fstatvfs@openssh.com"). st is
/// filled with the answer.
///
/// Returns 0, or fails as libssh2_sftp_fsync() does; LIBSSH2_ERROR_BAD_USE when st is NULL.
///
/// Requires: handle is NULL or an open file or directory; st can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_fstatvfs(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    st: *mut LIBSSH2_SFTP_STATVFS,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            if st.is_null() {
                return Err(null());
            }
            let begin = |core: &mut Session| sftp::fstatvfs(core, file);
            let answer = resume(&session.core, session, Owner::File(file), Call::SftpFstatvfs, begin)?;
            st.write(file_system_to_c(answer));
            Ok(0)
        })
    }
}

/// Closes a file or directory and frees its handle (draft section 6.3). Waits for the answers to writes that are on
/// their way.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode: the handle is still there, and the
/// function is to be called again; LIBSSH2_ERROR_BAD_USE within the program's own send or receive function, where nothing
/// is done. Whatever else is returned, the handle is gone: LIBSSH2_ERROR_SFTP_PROTOCOL when the server refuses, or has
/// refused a write that no call has told of; LIBSSH2_ERROR_BAD_USE also when its conversation has been shut down; or the
/// errors of the connection as in libssh2_sftp_read().
///
/// Requires: handle is NULL or a handle that has not been closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_close_handle(handle: *mut LIBSSH2_SFTP_HANDLE) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, child| {
            session.may_move()?;
            let closed =
                resume(&session.core, session, Owner::File(file), Call::SftpClose, |core| Settle::close(core, file));
            if !matches!(&closed, Err(error) if error.code == Code::Eagain) {
                session.release(child);
                with(&session.core, |core| {
                    sftp::forget(core, file);
                    Ok(())
                })?;
            }
            closed.map(|()| 0)
        })
    }
}

/// Moves the position of a file to offset bytes from its beginning. Nothing is sent. Data that was read ahead is
/// dropped, and no call will return writes that are on their way.
///
/// Requires: handle is NULL or an open file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_seek64(handle: *mut LIBSSH2_SFTP_HANDLE, offset: libssh2_uint64_t) {
    // SAFETY: as promised by the caller.
    unsafe { enter_file(handle, |session, file, _| with(&session.core, |core| sftp::seek(core, file, offset))) }
}

/// Moves the position of a file, as libssh2_sftp_seek64() does. Deprecated since 1.2.8.
///
/// Requires: handle is NULL or an open file.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.2.8: use libssh2_sftp_seek64")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_seek(handle: *mut LIBSSH2_SFTP_HANDLE, offset: usize) {
    // SAFETY: as promised by the caller.
    unsafe { libssh2_sftp_seek64(handle, u64::try_from(offset).unwrap_or(u64::MAX)) }
}

/// Tells the position of a file in bytes from its beginning. What the server has written counts, also what no call has
/// returned yet. 0 if handle is NULL.
///
/// Requires: handle is NULL or an open file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_tell64(handle: *mut LIBSSH2_SFTP_HANDLE) -> libssh2_uint64_t {
    // SAFETY: as promised by the caller.
    unsafe { enter_file(handle, |session, file, _| with(&session.core, |core| sftp::tell(core, file))) }
}

/// Tells the position of a file, as libssh2_sftp_tell64() does. Deprecated since 1.0.
///
/// Requires: handle is NULL or an open file.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.0: use libssh2_sftp_tell64")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_tell(handle: *mut LIBSSH2_SFTP_HANDLE) -> usize {
    // SAFETY: as promised by the caller.
    usize::try_from(unsafe { libssh2_sftp_tell64(handle) }).unwrap_or(usize::MAX)
}

/// Asks for the attributes of an open file (setstat is 0), or sets those that attrs->flags names (setstat is 1); draft
/// sections 6.8 and 6.9.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_SFTP_PROTOCOL when the server refuses, see libssh2_sftp_last_error(); LIBSSH2_ERROR_BAD_USE when attrs
/// is NULL; or the errors of the connection as in libssh2_sftp_read().
///
/// Requires: handle is NULL or an open file or directory; attrs can be read and written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sftp_fstat_ex(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    attrs: *mut LIBSSH2_SFTP_ATTRIBUTES,
    setstat: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            if attrs.is_null() {
                return Err(null());
            }
            if setstat == 0 {
                let begin = |core: &mut Session| {
                    let ask = sftp::fstat(core, file);
                    Settle::after(core, file, ask)
                };
                attrs.write(to_c(&resume(&session.core, session, Owner::File(file), Call::SftpFstat, begin)?));
            } else {
                let attributes = from_c(&attrs.read());
                let begin = |core: &mut Session| sftp::fsetstat(core, file, attributes);
                resume(&session.core, session, Owner::File(file), Call::SftpFsetstat, begin)?;
            }
            Ok(0)
        })
    }
}
