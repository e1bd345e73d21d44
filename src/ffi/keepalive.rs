//! Showing that a silent connection is in use, and hearing that the server is there.

use std::ffi::{c_int, c_uint};

use crate::error::{Code, Error};
use crate::ffi::guard::{enter, store};
use crate::ffi::types::LIBSSH2_SESSION;
use crate::op::{drive, with};
use crate::session::Session;

/// Sets how often a keepalive is sent: a global request "keepalive@libssh2.org" (RFC 4254 section 4), which want_reply not
/// 0 asks the server to answer. Calls that wait in blocking mode send it by themselves; otherwise it is for
/// libssh2_keepalive_send(). None is sent before the login, where it would be an error (RFC 4252 section 6).
///
/// If answers are asked for, the server is taken for dead when three keepalives in a row are without any sign of life,
/// each for an interval: neither an answer nor anything else has come, and a socket that was full has not taken bytes
/// again. That ends the connection. The call that notices, and every one after it, returns
/// LIBSSH2_ERROR_SOCKET_DISCONNECT; libssh2_keepalive_send() has its own number for that. Servers that say other things
/// and never answer keepalives are not taken for dead.
///
/// interval is in seconds; 0, as at the beginning, is none, and 1 counts as 2.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_keepalive_config(session: *mut LIBSSH2_SESSION, want_reply: c_int, interval: c_uint) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            with(&session.core, |core| {
                let now = std::time::Instant::now();
                core.keepalive.configure(want_reply != 0, interval, now);
                Ok(())
            })
        })
    }
}

/// Sends a keepalive if the interval of libssh2_keepalive_config() is over since the last one; the first call after the
/// login always sends one. seconds_to_next, unless it is NULL, is set to the time until the next one, 0 if there is none.
///
/// Returns 0, also when the socket does not take it at once; LIBSSH2_ERROR_SOCKET_SEND when the connection is dead, or
/// the server is taken for dead: libssh2_session_last_error() tells which.
///
/// Requires: session is NULL or a session that has not been freed; seconds_to_next can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_keepalive_send(session: *mut LIBSSH2_SESSION, seconds_to_next: *mut c_int) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let next = drive(&session.core, session, Session::poll_keepalive)
                .map_err(|error| error.within(Error::new(Code::SocketSend, "Keepalive cannot be sent")))?;
            // Rounded up: the time is over only then.
            let seconds = next.as_nanos().div_ceil(1_000_000_000);
            store(seconds_to_next, c_int::try_from(seconds).unwrap_or(c_int::MAX));
            Ok(0)
        })
    }
}
