//! What libssh2 does not have: writing files without waiting for the server.

use std::ffi::{CStr, c_int};

use crate::ffi::guard::{enter_file, enter_sftp, store, text};
use crate::ffi::types::{LIBSSH2_SFTP, LIBSSH2_SFTP_HANDLE, libssh2_uint64_t};
use crate::op::{Call, Owner, resume, turn, with};
use crate::sftp::{self, Settle};

/// Sets how far the writes of a program may be ahead of the server: for programs that can not be rebuilt. A number of
/// bytes, as for libssh2_ext_sftp_set_write_behind(), taken by libssh2_sftp_init(). No such thing in a set-uid program.
const VARIABLE: &CStr = c"LIBSSH2_SFTP_WRITE_BEHIND";

/// Lets the files that are opened from now on be written behind: libssh2_sftp_write() accepts what the connection takes
/// and does not wait until the server has written it. Off at first, because libssh2 counts only what the server has
/// written. For one file there is libssh2_ext_sftp_handle_set_write_behind().
///
/// max_unacknowledged is how many bytes of a file may be accepted that the server has not acknowledged; what is useful is
/// what the line holds, bandwidth times round trip. 0 switches it off.
///
/// Only a program that looks at what libssh2_sftp_close() returns may use this, since it may be the first to tell that
/// the disk is full. These are the rules:
///
/// - A write that the server refuses makes the next libssh2_sftp_write(), libssh2_sftp_fsync(), libssh2_sftp_fstat(),
///   libssh2_ext_sftp_flush() or libssh2_sftp_close() of that file fail with LIBSSH2_ERROR_SFTP_PROTOCOL, whichever comes
///   first; libssh2_sftp_shutdown() does if none has. The position is then behind the last byte that the server has
///   written without a gap before it, and the program may go on from there.
/// - libssh2_sftp_tell64() gives that position at any time; libssh2_ext_sftp_progress() gives both. After
///   libssh2_sftp_read() or libssh2_sftp_seek64() the position is where that has moved it: a failure of what was written
///   before is still told, but not at which offset.
/// - libssh2_sftp_fsync(), libssh2_sftp_fstat() and libssh2_sftp_close() wait until the server has answered every write.
/// - While others are on their way, up to 32 KiB may wait in memory for the next call. libssh2_ext_sftp_flush() sends
///   them, as every call does that waits for the server.
///
/// A program that cannot be rebuilt gets the same by LIBSSH2_SFTP_WRITE_BEHIND in its environment: the number of bytes.
///
/// Returns 0, LIBSSH2_ERROR_BAD_USE if sftp is NULL.
///
/// Requires: sftp is NULL or a conversation that has not been shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_sftp_set_write_behind(
    sftp: *mut LIBSSH2_SFTP,
    max_unacknowledged: usize,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_sftp(sftp, |session, id, _| {
            with(&session.core, |core| sftp::write_behind(core, id, max_unacknowledged))?;
            Ok(0)
        })
    }
}

/// Lets one file be written behind, or no longer, see libssh2_ext_sftp_set_write_behind(). What has been accepted before
/// stays so.
///
/// Returns 0, LIBSSH2_ERROR_BAD_USE if handle is NULL or a directory.
///
/// Requires: handle is NULL or an open file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_sftp_handle_set_write_behind(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    max_unacknowledged: usize,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            with(&session.core, |core| sftp::write_file_behind(core, file, max_unacknowledged))?;
            Ok(0)
        })
    }
}

/// Waits until the server has answered every write to a file. Nothing is sent for that but the writes.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_SFTP_PROTOCOL when the server has refused a write that no call has told of, see
/// libssh2_sftp_last_error(); or the errors of the connection as in libssh2_sftp_write().
///
/// Requires: handle is NULL or an open file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_sftp_flush(handle: *mut LIBSSH2_SFTP_HANDLE) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            resume(&session.core, session, Owner::File(file), Call::SftpFlush, |core| Settle::flush(core, file))?;
            Ok(0)
        })
    }
}

/// Tells how far the writing of a file has come, without waiting: what can be sent is sent, and what has arrived taken
/// in.
///
/// accepted is set to the offset behind the last byte that libssh2_sftp_write() has returned, acknowledged to the one
/// behind the last byte that the server has written without a gap before it; each may be NULL. accepted is ahead while
/// the file is written behind, acknowledged when the server has written parts of what a write could not wait for: one that
/// has ended with LIBSSH2_ERROR_EAGAIN or LIBSSH2_ERROR_TIMEOUT.
///
/// Returns 0; LIBSSH2_ERROR_BAD_USE if handle is NULL; or the error of a connection that has ended: what is told counts
/// all the same.
///
/// Requires: handle is NULL or an open file; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_sftp_progress(
    handle: *mut LIBSSH2_SFTP_HANDLE,
    accepted: *mut libssh2_uint64_t,
    acknowledged: *mut libssh2_uint64_t,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_file(handle, |session, file, _| {
            let turned = turn(&session.core, session);
            let (reported, written) = with(&session.core, |core| {
                let file = core.sftps.file(file)?;
                Ok((file.position, file.tell()))
            })?;
            store(accepted, reported);
            store(acknowledged, written);
            turned.map(|_| 0)
        })
    }
}

/// How far the environment wants the files of a new conversation to be written behind.
pub(super) fn write_behind_of_environment() -> usize {
    // SAFETY: it looks at a table that the kernel has made.
    let is_set_uid = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    // SAFETY: nobody changes the environment while another thread is in a library.
    let value = unsafe { text(libc::getenv(VARIABLE.as_ptr())) };
    write_behind_of(is_set_uid, value)
}

/// What that variable says. Whoever starts a set-uid program has no say in what it does.
fn write_behind_of(is_set_uid: bool, value: Option<&[u8]>) -> usize {
    let value = value.filter(|_| !is_set_uid);
    value.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_of_a_set_uid_program_says_nothing() {
        assert_eq!(write_behind_of(false, Some(b"1000")), 1000);
        assert_eq!(write_behind_of(true, Some(b"1000")), 0);
        assert_eq!(write_behind_of(false, None), 0);
        for nonsense in [&b""[..], b"many", b"-1", b"1 MB", b"99999999999999999999", b"\xff"] {
            assert_eq!(write_behind_of(false, Some(nonsense)), 0);
        }
    }
}
