//! What libssh2 does not have: waiting for many channels at a time, without looking at each.

use std::ffi::{c_int, c_void};
use std::ptr;

use crate::error::{Code, Error, Result};
use crate::ffi::guard::{enter, enter_channel, enter_listener, null, store};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::setting::block_directions;
use crate::ffi::types::{LIBSSH2_CHANNEL, LIBSSH2_EXT_READY, LIBSSH2_LISTENER, LIBSSH2_SESSION};
use crate::io::milliseconds;
use crate::op::{tend, with};

/// Tells which channels and listeners have something for the program, and moves bytes. It never waits, neither in
/// blocking nor in non-blocking mode: it sends what is queued, a keepalive or the beginning of a key exchange included if
/// they are due, and takes in what has arrived. What it costs depends on what has happened, not on how many channels
/// there are.
///
/// entries has room for most entries, and is filled from its beginning. Each entry tells of one channel, one listener, or
/// the session, and of everything that holds of it. Something is told when it begins to hold, and then no more until the
/// program has acted on it: a channel that the program leaves alone does not disturb it. So whoever is told that a
/// channel can be read reads until there is nothing left, or remembers it.
///
/// LIBSSH2_EXT_READ and LIBSSH2_EXT_READ_EXTENDED come again after a read that has left something, and when something
/// arrives after one that has not. LIBSSH2_EXT_WRITE comes again after a write that returned LIBSSH2_ERROR_EAGAIN or less
/// than it was given, as soon as the server and the socket take more; those that have waited longest come first.
/// LIBSSH2_EXT_ACCEPT comes again after libssh2_channel_forward_accept() while a connection waits. LIBSSH2_EXT_AGAIN comes
/// once after each time that another function returned LIBSSH2_ERROR_EAGAIN, when it may get further. Of the session it
/// stands for every function that is not called with a channel: those that connect, log in, open channels and listen, and
/// those of SFTP and of the publickey subsystem, whose channels are not told of.
///
/// If there is more to tell than fits, the next call goes on where this one ended; whoever has been told of stands behind
/// all others. libssh2_ext_channel_abstract() leads from a channel to what the program knows of it.
///
/// A program calls this until it returns 0, and then waits. directions, unless it is NULL, is set to what to wait for on
/// the socket, LIBSSH2_SESSION_BLOCK_INBOUND and LIBSSH2_SESSION_BLOCK_OUTBOUND as with
/// libssh2_session_block_directions(). timeout_ms, unless it is NULL, is set to how many milliseconds to wait at most
/// until a keepalive or a key exchange is due, as poll() takes it: -1 if there is no limit, 0 if there is more to be had
/// at once. Every function of the session takes in what has arrived for all channels, so if the program has called any,
/// it calls this again before it waits.
///
/// Returns the number of entries filled. When the connection is over, what had arrived is told first, then
/// LIBSSH2_EXT_ENDED of the session: every function that returned LIBSSH2_ERROR_EAGAIN now comes to an end. From then on
/// the error is returned: LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC or another one that ends connections.
/// LIBSSH2_ERROR_BAD_USE if libssh2_session_handshake() has not been called yet, or entries is NULL and most is not 0, or
/// this is called from within the program's own send or receive function.
///
/// Requires: session is NULL or a session that has not been freed; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_session_ready(
    session: *mut LIBSSH2_SESSION,
    entries: *mut LIBSSH2_EXT_READY,
    most: usize,
    directions: *mut c_int,
    timeout_ms: *mut c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            if entries.is_null() && most > 0 {
                return Err(null());
            }
            with(&session.core, |core| {
                let text = "Session has not been connected";
                if core.transport.is_started() { Ok(()) } else { Err(Error::new(Code::BadUse, text)) }
            })?;
            let outlook = tend(&session.core, session)?;
            let most = most.min(usize::try_from(c_int::MAX).unwrap_or_default());
            let mut count = 0;
            while count < most
                && let Some(entry) = next(session)?
            {
                entries.add(count).write(entry);
                count = count.saturating_add(1);
            }
            store(directions, block_directions(outlook.directions));
            store(timeout_ms, if count > 0 && count == most { 0 } else { milliseconds(outlook.timeout) });
            if count == 0 {
                with(&session.core, |core| core.transport.check())?;
            }
            Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
        })
    }
}

/// A place for a pointer of the program that belongs to a channel, NULL at first: what it knows of a channel that
/// libssh2_ext_session_ready() tells of. It is there until the channel is freed.
///
/// Returns the address of the pointer, NULL if channel is NULL.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_channel_abstract(channel: *mut LIBSSH2_CHANNEL) -> *mut *mut c_void {
    // SAFETY: as promised by the caller.
    unsafe { enter_channel(channel, |_, _, child| Ok(child.r#abstract.address())) }
}

/// A place for a pointer of the program that belongs to a listener, as libssh2_ext_channel_abstract() has for channels.
///
/// Returns the address of the pointer, NULL if listener is NULL.
///
/// Requires: listener is NULL or a listener that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_ext_listener_abstract(listener: *mut LIBSSH2_LISTENER) -> *mut *mut c_void {
    // SAFETY: as promised by the caller.
    unsafe { enter_listener(listener, |_, _, child| Ok(child.r#abstract.address())) }
}

/// The next thing to tell.
fn next(session: &SessionHandle) -> Result<Option<LIBSSH2_EXT_READY>> {
    let Some(news) = with(&session.core, |core| Ok(core.next_news()))? else { return Ok(None) };
    let child = news.handle.and_then(|number| session.child(number));
    let mut entry = LIBSSH2_EXT_READY {
        channel: ptr::null_mut(),
        listener: ptr::null_mut(),
        events: news.events.bits().cast_signed(),
    };
    match child.map(|child| (child.target(), child.pointer())) {
        Some((Target::Channel(_), pointer)) => entry.channel = pointer.cast(),
        Some((Target::Listener(_), pointer)) => entry.listener = pointer.cast(),
        _ => {}
    }
    Ok(Some(entry))
}
