//! SCP: one file at a time, over a channel of its own.

use std::ffi::{c_char, c_int, c_long};

use crate::error::{Code, Error, Result};
use crate::ffi::guard::{enter, text};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::types::{LIBSSH2_CHANNEL, LIBSSH2_SESSION, libssh2_int64_t, libssh2_struct_stat};
use crate::op::{Call, Owner, one_of, resume_one};
use crate::scp::{Setup, Stat};

/// Receives a file, as libssh2_scp_recv2() does. Deprecated since 1.7.0.
///
/// Requires: session is NULL or a session that has not been freed; path is terminated; sb is NULL or can be written to.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.7.0: use libssh2_scp_recv2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_scp_recv(
    session: *mut LIBSSH2_SESSION,
    path: *const c_char,
    sb: *mut libssh2_struct_stat,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe { libssh2_scp_recv2(session, path, sb) }
}

/// Receives a file by means of the server's program scp. path is on the server; unless LIBSSH2_FLAG_QUOTE_PATHS is off,
/// the server's shell takes it as it is.
///
/// sb, unless it is NULL, is zeroed but for st_mode (permissions alone), st_size, st_mtime and st_atime.
///
/// Returns a channel to read from, to be freed by libssh2_channel_free(), or NULL. The file is the first st_size bytes;
/// a byte behind them belongs to the protocol. libssh2_session_last_errno() of NULL is LIBSSH2_ERROR_EAGAIN (it would
/// have to wait in non-blocking mode, to be called again with the same arguments), LIBSSH2_ERROR_SCP_PROTOCOL (no such
/// file, or the server's program fails in another way: its words are in libssh2_session_last_error()),
/// LIBSSH2_ERROR_INVAL (path is NULL), LIBSSH2_ERROR_CHANNEL_FAILURE, LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED,
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT or
/// LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; path is terminated; sb is NULL or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_scp_recv2(
    session: *mut LIBSSH2_SESSION,
    path: *const c_char,
    sb: *mut libssh2_struct_stat,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let path = text(path).ok_or_else(no_path)?;
            let which = one_of(Call::ScpRecv, (path, sb.is_null()));
            session.expect_handle()?;
            let (channel, stat) = resume_one(&session.core, session, Owner::Session, which, |core| {
                Setup::fetch(core, path, !sb.is_null())
            })?;
            let handle = session.adopt(Target::Channel(channel))?;
            if !sb.is_null() {
                sb.write(to_c(&stat));
            }
            Ok(handle.cast())
        })
    }
}

/// Sends a file, as libssh2_scp_send64() does. Deprecated since 1.2.6.
///
/// Requires: session is NULL or a session that has not been freed; path is terminated.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.2.6: use libssh2_scp_send64")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_scp_send_ex(
    session: *mut LIBSSH2_SESSION,
    path: *const c_char,
    mode: c_int,
    size: usize,
    mtime: c_long,
    atime: c_long,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| send(session, text(path), mode, u64::try_from(size).ok(), (mtime, atime))) }
}

/// Sends a file by means of the server's program scp. path is on the server, as with libssh2_scp_recv2(). mode are the
/// file's permissions, size is its size in bytes. mtime and atime are seconds since 1970; if both are 0 the server sets
/// the present.
///
/// Returns a channel, to be freed by libssh2_channel_free(), or NULL as libssh2_scp_recv2() does; LIBSSH2_ERROR_INVAL
/// also if size is negative, LIBSSH2_ERROR_SCP_PROTOCOL also where that has LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED. The program writes exactly size bytes to the channel, and then usually calls
/// libssh2_channel_send_eof(), libssh2_channel_wait_eof() and libssh2_channel_wait_closed().
///
/// Requires: session is NULL or a session that has not been freed; path is terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_scp_send64(
    session: *mut LIBSSH2_SESSION,
    path: *const c_char,
    mode: c_int,
    size: libssh2_int64_t,
    mtime: libc::time_t,
    atime: libc::time_t,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| send(session, text(path), mode, u64::try_from(size).ok(), (mtime, atime))) }
}

fn send(
    session: &SessionHandle,
    path: Option<&[u8]>,
    mode: c_int,
    size: Option<u64>,
    times: (i64, i64),
) -> Result<*mut LIBSSH2_CHANNEL> {
    let path = path.ok_or_else(no_path)?;
    let size = size.ok_or_else(|| Error::new(Code::Inval, "Size of the file is negative"))?;
    let stat = Stat { mode: mode.cast_unsigned(), size, times };
    let which = one_of(Call::ScpSend, (path, mode, size, times));
    session.expect_handle()?;
    let (channel, ()) =
        resume_one(&session.core, session, Owner::Session, which, |core| Setup::store(core, path, &stat))?;
    Ok(session.adopt(Target::Channel(channel))?.cast())
}

const fn no_path() -> Error {
    Error::new(Code::Inval, "Path is NULL")
}

fn to_c(stat: &Stat) -> libssh2_struct_stat {
    // SAFETY: a stat is made of numbers, of which 0 is one.
    let mut place: libssh2_struct_stat = unsafe { std::mem::zeroed() };
    place.st_mode = stat.mode;
    place.st_size = i64::try_from(stat.size).unwrap_or(i64::MAX);
    (place.st_mtime, place.st_atime) = stat.times;
    place
}
