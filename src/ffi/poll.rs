//! Waiting for several things at a time, as libssh2 did it before its sockets were the program's to watch.

use std::ffi::{c_int, c_long, c_short, c_uint, c_ulong};
use std::time::{Duration, Instant};

use crate::channel::{MAIN, Wanted};
use crate::error::{Code, Error, Result};
use crate::ffi::guard::{broken, without_session, wrong_handle};
use crate::ffi::handle::{Child, SessionHandle, Target};
use crate::ffi::types::{
    LIBSSH2_POLLFD, LIBSSH2_POLLFD_CHANNEL, LIBSSH2_POLLFD_CHANNEL_CLOSED, LIBSSH2_POLLFD_LISTENER,
    LIBSSH2_POLLFD_LISTENER_CLOSED, LIBSSH2_POLLFD_POLLEXT, LIBSSH2_POLLFD_POLLIN, LIBSSH2_POLLFD_POLLOUT,
    LIBSSH2_POLLFD_SESSION_CLOSED, LIBSSH2_POLLFD_SOCKET,
};
use crate::io::{Watch, wait_for_any};
use crate::memory::Add;
use crate::op::{turn, with};
use crate::session::Session;

/// Waits until something can be read, written or accepted, in blocking and non-blocking mode alike. Deprecated since
/// 1.2.0: programs watch their sockets themselves.
///
/// fds are nfds entries, each a socket, a channel or a listener with the events that are of interest; revents of each
/// is set to what was found. timeout_ms is how long to wait, in milliseconds; 0 only looks, less than 0 waits for ever.
/// No keepalives are sent meanwhile.
///
/// Returns the number of entries with something found; 0 when the time is over; -1 when an entry is not valid, or the
/// system cannot wait for it.
///
/// Requires: fds can be read and written, and its channels and listeners have not been freed.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.2.0: use libssh2_session_block_directions and poll")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_poll(fds: *mut LIBSSH2_POLLFD, nfds: c_uint, timeout_ms: c_long) -> c_int {
    without_session(|| {
        let count = usize::try_from(nfds).unwrap_or_default();
        let entries = if fds.is_null() || count == 0 {
            &mut []
        } else {
            // SAFETY: not NULL, and the caller's for so many entries.
            unsafe { std::slice::from_raw_parts_mut(fds, count) }
        };
        // Anything that goes wrong is -1.
        // SAFETY: as promised by the caller.
        Ok(unsafe { poll(entries, timeout_ms) }.unwrap_or(-1))
    })
}

/// An entry, and the session it belongs to.
enum Watched<'a> {
    Socket(c_int),
    Channel(&'a SessionHandle, &'a Child),
}

/// # Safety
/// The handles in `entries` are alive.
unsafe fn poll(entries: &mut [LIBSSH2_POLLFD], timeout_ms: c_long) -> Result<c_int> {
    let until = u64::try_from(timeout_ms).ok().and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms)));
    let mut watched = Vec::new();
    let mut sessions: Vec<&SessionHandle> = Vec::new();
    for entry in entries.iter_mut() {
        entry.revents = 0;
        // SAFETY: as promised by the caller.
        let watch = unsafe { watch(entry) };
        let watch = watch.inspect_err(|error| sessions.last().into_iter().for_each(|s| s.last_error.store(error)))?;
        if let Watched::Channel(session, _) = watch
            && !sessions.iter().any(|known| std::ptr::eq(*known, session))
        {
            sessions.add(session)?;
        }
        watched.add(watch)?;
    }
    // Nobody frees them meanwhile, not even in a callback.
    let mut inside = Vec::new();
    for session in &sessions {
        inside.add(session.inside())?;
    }
    loop {
        let mut has_more = false;
        for session in &sessions {
            // A dead connection shows in what is found.
            has_more |= turn(&session.core, *session).unwrap_or_default();
        }
        let mut found = 0_usize;
        for (entry, watch) in entries.iter_mut().zip(&watched) {
            if let Watched::Channel(session, child) = watch {
                entry.revents = with(&session.core, |core| look(core, child.target(), entry.events))?;
                found = found.saturating_add(usize::from(entry.revents != 0));
            }
        }
        let now = Instant::now();
        let left = until.map(|until| until.saturating_duration_since(now));
        let over = left.is_some_and(|left| left.is_zero());
        // The sockets of the program are looked at in any case.
        let left = if found > 0 || has_more { Some(Duration::ZERO) } else { left };
        let ready = wait(entries, &watched, &sessions, left)?;
        found = found.saturating_add(ready);
        if found > 0 || over {
            return Ok(c_int::try_from(found).unwrap_or(c_int::MAX));
        }
    }
}

/// # Safety
/// The handle in `entry` is alive during `'a`.
unsafe fn watch<'a>(entry: &LIBSSH2_POLLFD) -> Result<Watched<'a>> {
    let invalid = || Error::new(Code::InvalidPollType, "Entry of libssh2_poll is not valid");
    let handle = match c_int::from(entry.r#type) {
        // SAFETY: the type says which member of the union it is, and handles are alive as promised by the caller.
        LIBSSH2_POLLFD_SOCKET => return Ok(Watched::Socket(unsafe { entry.fd.socket })),
        // SAFETY: as above.
        LIBSSH2_POLLFD_CHANNEL => unsafe { Child::from_pointer(entry.fd.channel.cast()) },
        // SAFETY: as above.
        LIBSSH2_POLLFD_LISTENER => unsafe { Child::from_pointer(entry.fd.listener.cast()) },
        _ => None,
    };
    let (session, child) = handle.ok_or_else(invalid)?;
    let refused = match child.target() {
        _ if session.poisoned.get() => broken(),
        Target::Channel(_) | Target::Listener(_) => return Ok(Watched::Channel(session, child)),
        _ => wrong_handle(),
    };
    session.last_error.store(&refused);
    Err(refused)
}

/// What is found on a channel or listener.
fn look(core: &mut Session, target: Target, events: c_ulong) -> Result<c_ulong> {
    let is_dead = core.transport.failure().is_some();
    let mut found = 0;
    match target {
        Target::Channel(id) => {
            let channel = core.channels.get(id)?;
            for (flag, holds) in [
                (LIBSSH2_POLLFD_POLLIN, channel.unread(Wanted::Stream(MAIN)) > 0),
                (LIBSSH2_POLLFD_POLLEXT, channel.unread(Wanted::Extended) > 0),
                (LIBSSH2_POLLFD_POLLOUT, channel.room() > 0),
            ] {
                if holds {
                    found |= bits(flag) & events;
                }
            }
            if is_dead || channel.is_closed() || channel.is_closed_by_server() {
                found |= bits(LIBSSH2_POLLFD_CHANNEL_CLOSED);
            }
        }
        Target::Listener(id) => {
            if core.channels.listeners.get(id)?.has_connection() {
                found |= bits(LIBSSH2_POLLFD_POLLIN) & events;
            }
            if is_dead {
                found |= bits(LIBSSH2_POLLFD_LISTENER_CLOSED);
            }
        }
        _ => return Err(Error::new(Code::BadUse, "Entry of libssh2_poll has been freed")),
    }
    Ok(if is_dead { found | bits(LIBSSH2_POLLFD_SESSION_CLOSED) } else { found })
}

/// Waits for the program's sockets and those of the sessions: how many of the program's are ready.
fn wait(
    entries: &mut [LIBSSH2_POLLFD],
    watched: &[Watched<'_>],
    sessions: &[&SessionHandle],
    timeout: Option<Duration>,
) -> Result<usize> {
    let mut watches = Vec::new();
    for (entry, watch) in entries.iter().zip(watched) {
        if let Watched::Socket(socket) = watch {
            // The numbers of the events are poll(2)'s.
            watches.add(Watch::new(*socket, c_short::try_from(entry.events & 0x7fff).unwrap_or_default()))?;
        }
    }
    for session in sessions {
        watches.add(Watch::of(session.socket.get(), with(&session.core, |core| Ok(core.interest()))?))?;
    }
    wait_for_any(&mut watches, timeout)
        .map_err(|error| Error::new(Code::Timeout, "Waiting for the sockets failed").with_io(&error))?;
    let mut ready = 0_usize;
    let sockets = entries.iter_mut().zip(watched).filter(|(_, watch)| matches!(watch, Watched::Socket(_)));
    for ((entry, _), watch) in sockets.zip(&watches) {
        entry.revents = c_ulong::try_from(watch.found()).unwrap_or_default();
        ready = ready.saturating_add(usize::from(entry.revents != 0));
    }
    Ok(ready)
}

fn bits(flag: c_int) -> c_ulong {
    c_ulong::try_from(flag).unwrap_or_default()
}
