//! Showing that a silent connection is in use.

use std::ffi::{c_int, c_uint};

use crate::error::{Code, Error};
use crate::ffi::guard::{enter, store};
use crate::ffi::types::LIBSSH2_SESSION;
use crate::op::{drive, with};
use crate::session::Session;

/// Sets how often a keepalive is sent: a global request "keepalive@libssh2.org" (RFC 4254 section 4), which want_reply not
/// 0 asks the server to answer. Calls that wait in blocking mode send it by themselves; otherwise it is for
/// libssh2_keepalive_send().
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

/// Sends a keepalive if the interval of libssh2_keepalive_config() is over since the last one; the first call always
/// sends one. seconds_to_next, unless it is NULL, is set to the time until the next one, 0 if there is none.
///
/// Returns 0, also when the socket does not take it at once; LIBSSH2_ERROR_SOCKET_SEND when the connection is dead.
///
/// Requires: session is NULL or a session that has not been freed; seconds_to_next can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_keepalive_send(session: *mut LIBSSH2_SESSION, seconds_to_next: *mut c_int) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let next = drive(&session.core, session, Session::poll_keepalive)
                .map_err(|error| Error::new(Code::SocketSend, "Keepalive cannot be sent").with(error.to_string()))?;
            // Rounded up: the time is over only then.
            let seconds = next.as_nanos().div_ceil(1_000_000_000);
            store(seconds_to_next, c_int::try_from(seconds).unwrap_or(c_int::MAX));
            Ok(0)
        })
    }
}
