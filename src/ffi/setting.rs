//! How a session behaves, and what it last complained of.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::ptr;

use crate::error::{Code, Error};
use crate::ffi::callback::Generic;
use crate::ffi::guard::{enter, enter_even_broken, look, store, text};
use crate::ffi::types::{
    LIBSSH2_CHANNEL, LIBSSH2_FLAG_COMPRESS, LIBSSH2_FLAG_QUOTE_PATHS, LIBSSH2_FLAG_SIGPIPE, LIBSSH2_SESSION,
    LIBSSH2_SESSION_BLOCK_INBOUND, LIBSSH2_SESSION_BLOCK_OUTBOUND, libssh2_cb_generic,
};
use crate::io::Readiness;
use crate::memory;
use crate::op::with;

/// Sets one of the program's functions.
///
/// cbtype is one of LIBSSH2_CALLBACK_ and tells the type of the function, callback is the function, or NULL for none.
/// With LIBSSH2_CALLBACK_SEND and LIBSSH2_CALLBACK_RECV it takes the socket's place, and NULL is the socket again.
///
/// Returns the function set before, which for the two mentioned is never NULL; NULL if there was none, session is NULL
/// or cbtype is not known.
///
/// Requires: session is NULL or a session that has not been freed; callback is of the type that cbtype stands for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_callback_set2(
    session: *mut LIBSSH2_SESSION,
    cbtype: c_int,
    callback: *mut libssh2_cb_generic,
) -> *mut libssh2_cb_generic {
    // SAFETY: as promised by the caller.
    unsafe { set_callback(session, cbtype, callback.cast()).cast() }
}

/// Sets one of the program's functions, as libssh2_session_callback_set2() does. Deprecated since 1.11.1.
///
/// Requires: session is NULL or a session that has not been freed; callback is of the type that cbtype stands for.
#[deprecated(note = "1.11.1: use libssh2_session_callback_set2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_callback_set(
    session: *mut LIBSSH2_SESSION,
    cbtype: c_int,
    callback: *mut c_void,
) -> *mut c_void {
    // SAFETY: as promised by the caller.
    unsafe { set_callback(session, cbtype, callback) }
}

/// # Safety
/// `session` is NULL or a session that has not been freed; `callback` is NULL or of the type that `cbtype` stands for.
unsafe fn set_callback(session: *mut LIBSSH2_SESSION, cbtype: c_int, callback: *mut c_void) -> *mut c_void {
    // SAFETY: as promised by the caller; a function pointer of the program is a pointer, and NULL is none.
    unsafe {
        let callback: Option<Generic> = std::mem::transmute(callback);
        enter(session, |session| {
            let number = usize::try_from(cbtype).unwrap_or(usize::MAX);
            let before = session.callbacks.set(number, callback);
            with(&session.core, |core| {
                core.channels.accepts = session.callbacks.accepts();
                Ok(())
            })?;
            Ok(before.map_or(ptr::null_mut(), |before| before as *mut c_void))
        })
    }
}

/// Switches a property of a session: LIBSSH2_FLAG_SIGPIPE (a broken connection may raise SIGPIPE; off),
/// LIBSSH2_FLAG_COMPRESS (compression is offered; off, and to be set before the handshake), LIBSSH2_FLAG_QUOTE_PATHS
/// (scp quotes paths for the server's shell; on). value is 0 for off.
///
/// Returns 0; LIBSSH2_ERROR_INVAL when flag is not known; LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_flag(session: *mut LIBSSH2_SESSION, flag: c_int, value: c_int) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            match flag {
                LIBSSH2_FLAG_SIGPIPE => session.callbacks.sigpipe.set(value != 0),
                LIBSSH2_FLAG_COMPRESS => {
                    with(&session.core, |core| core.transport.preferences.set_compress(value != 0))?
                }
                LIBSSH2_FLAG_QUOTE_PATHS => with(&session.core, |core| {
                    core.settings.quotes_paths = value != 0;
                    Ok(())
                })?,
                _ => return Err(Error::new(Code::Inval, "Flag is not known")),
            }
            Ok(0)
        })
    }
}

/// Says whether calls wait (blocking is not 0, as at the beginning), or return LIBSSH2_ERROR_EAGAIN where they would
/// have to, also for the session's channels and files. The socket is not touched. It may be switched at any time.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_set_blocking(session: *mut LIBSSH2_SESSION, blocking: c_int) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            with(&session.core, |core| {
                core.settings.blocking = blocking;
                Ok(())
            })
        })
    }
}

/// Tells what libssh2_session_set_blocking() has set; 0 if session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_get_blocking(session: *mut LIBSSH2_SESSION) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { look(session, 0, |core| core.settings.blocking) }
}

/// Says whether calls wait, as libssh2_session_set_blocking() does for the whole session of channel.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_set_blocking(channel: *mut LIBSSH2_CHANNEL, blocking: c_int) {
    // SAFETY: as promised by the caller.
    unsafe {
        crate::ffi::guard::enter_channel(channel, |session, _, _| {
            with(&session.core, |core| {
                core.settings.blocking = blocking;
                Ok(())
            })
        })
    }
}

/// Sets how long one call may take in blocking mode, in milliseconds from its beginning; the program's own functions that
/// it calls count as well. When the time is over and nothing more has arrived the call returns LIBSSH2_ERROR_TIMEOUT. 0,
/// as at the beginning, or less is no limit.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_set_timeout(session: *mut LIBSSH2_SESSION, timeout: c_long) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            with(&session.core, |core| {
                core.settings.timeout = timeout;
                Ok(())
            })
        })
    }
}

/// Tells what libssh2_session_set_timeout() has set, in milliseconds; 0 if session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_get_timeout(session: *mut LIBSSH2_SESSION) -> c_long {
    // SAFETY: as promised by the caller.
    unsafe { look(session, 0, |core| core.settings.timeout) }
}

/// Sets how long the server may take to answer a request, in seconds, in both modes. When the time is over the call
/// returns LIBSSH2_ERROR_TIMEOUT. 0 or less is the default, 60 seconds.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_set_read_timeout(session: *mut LIBSSH2_SESSION, timeout: c_long) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            with(&session.core, |core| {
                core.settings.set_read_timeout(timeout);
                Ok(())
            })
        })
    }
}

/// Tells how long the server may take to answer a request, in seconds; 0 if session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_get_read_timeout(session: *mut LIBSSH2_SESSION) -> c_long {
    // SAFETY: as promised by the caller.
    unsafe { look(session, 0, |core| core.settings.read_timeout()) }
}

/// Tells which directions of the socket to wait for after a call has returned LIBSSH2_ERROR_EAGAIN:
/// LIBSSH2_SESSION_BLOCK_INBOUND, LIBSSH2_SESSION_BLOCK_OUTBOUND, or both. The first of them that is ready is progress.
/// LIBSSH2_SESSION_BLOCK_INBOUND says that the socket had nothing when it was last looked at, or so much that a call
/// stopped reading. It stays through calls that need not look, so that a program can wait once for several channels, when
/// each of them has returned LIBSSH2_ERROR_EAGAIN since bytes last came in. 0 when neither has been so since then and
/// nothing is to be sent, when the connection is over, or session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_block_directions(session: *mut LIBSSH2_SESSION) -> c_int {
    // SAFETY: as promised by the caller.
    block_directions(unsafe { look(session, Readiness::default(), |core| core.block_directions()) })
}

/// Tells of the last failure. A success does not clear it, so it means something only after a failure.
///
/// errmsg is set to its text, which is terminated, errmsg_len to the length of that without the terminator, 0 if errmsg is
/// NULL; each may be NULL. If want_buf is 0 the text belongs to the session, and the next failure may overwrite it, or
/// free it if it was set by libssh2_session_set_last_error(); if not, it is a copy that the program frees with
/// libssh2_free(), or NULL when there is no memory for it.
///
/// Returns the error number, 0 if there is none, LIBSSH2_ERROR_BAD_USE if session is NULL.
///
/// Requires: session is NULL or a session that has not been freed; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_last_error(
    session: *mut LIBSSH2_SESSION,
    errmsg: *mut *mut c_char,
    errmsg_len: *mut c_int,
    want_buf: c_int,
) -> c_int {
    // SAFETY: as promised by the caller; the copy is not larger than what exists.
    unsafe {
        enter_even_broken(session, |session| {
            let (number, length) = (session.last_error.number(), session.last_error.len());
            let given = if want_buf == 0 || errmsg.is_null() {
                session.last_error.text().cast_mut()
            } else {
                // The program's allocator may set another error meanwhile.
                let text = memory::copy(CStr::from_ptr(session.last_error.text()).to_bytes());
                let copy = text.and_then(|text| session.allocator.copy(&text, &session.r#abstract));
                copy.map_or(ptr::null_mut(), |copy| copy.as_ptr().cast())
            };
            store(errmsg, given);
            let length = if errmsg.is_null() { 0 } else { length };
            store(errmsg_len, c_int::try_from(length).unwrap_or(c_int::MAX));
            Ok(number)
        })
    }
}

/// Tells the number of the last failure, see libssh2_session_last_error(). After a function has returned NULL it tells
/// whether that was a failure or LIBSSH2_ERROR_EAGAIN.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_last_errno(session: *mut LIBSSH2_SESSION) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { enter_even_broken(session, |session| Ok(session.last_error.number())) }
}

/// Sets the last failure, for programs that wrap functions of this library. errmsg is copied; NULL is an empty text.
///
/// Returns errcode, or LIBSSH2_ERROR_ALLOC when there is no memory for the text.
///
/// Requires: session is NULL or a session that has not been freed; errmsg is terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_set_last_error(
    session: *mut LIBSSH2_SESSION,
    errcode: c_int,
    errmsg: *const c_char,
) -> c_int {
    if session.is_null() {
        return errcode;
    }
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            // It may be the one that lies there.
            let message = memory::copy(text(errmsg).unwrap_or_default())?;
            session.last_error.set(errcode, &message);
            Ok(errcode)
        })
    }
}

/// Directions of the socket as C has them.
pub(super) const fn block_directions(directions: Readiness) -> c_int {
    let inbound = if directions.read { LIBSSH2_SESSION_BLOCK_INBOUND } else { 0 };
    let outbound = if directions.write { LIBSSH2_SESSION_BLOCK_OUTBOUND } else { 0 };
    inbound | outbound
}
