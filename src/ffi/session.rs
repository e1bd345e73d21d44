//! The life of a session: made, connected, ended.

use std::ffi::{c_char, c_int, c_void};
use std::mem::{align_of, size_of};
use std::ptr;
use std::time::Instant;

use crate::error::{Code, Error, Result};
use crate::ffi::alloc::{Abstract, Allocator};
use crate::ffi::guard::{enter, enter_even_broken, text, without_session};
use crate::ffi::handle::SessionHandle;
use crate::ffi::time::time_of_day;
use crate::ffi::types::{
    LIBSSH2_ALLOC_FUNC, LIBSSH2_FREE_FUNC, LIBSSH2_REALLOC_FUNC, LIBSSH2_SESSION, libssh2_socket_t,
};
use crate::io;
use crate::memory::c_string;
use crate::op::{Call, Owner, resume, with};
use crate::session::{CloseAll, Disconnect, Handshake, Session};

/// Longest text of a disconnect message, and longest language tag.
const LONGEST_DISCONNECT: usize = 256;
/// Longest identification.
const LONGEST_IDENT: usize = 4 * 1024 * 1024;

// What `malloc` promises is all that the program's allocator has to promise.
const _: () = assert!(align_of::<SessionHandle>() <= 16);

/// Makes a session. It is not connected yet, and in blocking mode.
///
/// my_alloc, my_free and my_realloc are the allocator for everything that passes between the program and the library;
/// each that is NULL is replaced by the C library's. my_realloc is not needed. abstract is a pointer of the program's
/// own, handed to each of its functions; libssh2_session_abstract() tells where it is kept.
///
/// Returns the session, to be freed by libssh2_session_free(), or NULL when there is no memory.
///
/// Requires: The functions given must be an allocator, and stay one as long as the session lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_init_ex(
    my_alloc: LIBSSH2_ALLOC_FUNC,
    my_free: LIBSSH2_FREE_FUNC,
    my_realloc: LIBSSH2_REALLOC_FUNC,
    r#abstract: *mut c_void,
) -> *mut LIBSSH2_SESSION {
    without_session(|| {
        let _not_needed = my_realloc;
        let allocator = Allocator::new(my_alloc, my_free);
        let r#abstract = Abstract::new(r#abstract);
        let core = Session::new(Instant::now())?;
        let memory = allocator.alloc(size_of::<SessionHandle>(), &r#abstract)?.cast::<SessionHandle>();
        let handle = SessionHandle::new(allocator, r#abstract, core);
        // SAFETY: the memory is fresh, of the right size, and aligned as `malloc`'s.
        unsafe { memory.write(handle) };
        Ok(memory.as_ptr().cast())
    })
}

/// Tells where the program's own pointer is kept, the one given to libssh2_session_init_ex(). The program may change
/// the pointer there at any time; its functions are given this same address.
///
/// Returns the address, which is valid as long as the session, or NULL if session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_abstract(session: *mut LIBSSH2_SESSION) -> *mut *mut c_void {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| Ok(session.r#abstract.address())) }
}

/// Connects: exchanges identifications, algorithms and keys with the server (RFC 4253), and verifies that the server
/// holds the host key that it shows. Whether that key is the right one is for the program to say, see
/// libssh2_session_hostkey().
///
/// socket is connected to the server. It stays the program's: it is switched to non-blocking mode, switched back by
/// libssh2_session_free(), and never closed. If the program has set functions of its own for sending and for receiving, it
/// may be any number from 0 that they know; where that is no descriptor, waiting for it takes a millisecond each time.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again; or
/// LIBSSH2_ERROR_BAD_SOCKET (no socket), LIBSSH2_ERROR_SOCKET_DISCONNECT (server hung up before it said who it is),
/// LIBSSH2_ERROR_BANNER_RECV (its identification makes no sense), LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_KEX_FAILURE (no algorithm in common, or the connection broke before that was known),
/// LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE (wrong signature or value, or the connection broke meanwhile),
/// LIBSSH2_ERROR_INVALID_MAC, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC. After a failure the
/// session can only be freed. Called once more after it has returned 0 it changes nothing: it returns 0 in blocking mode,
/// LIBSSH2_ERROR_EAGAIN in non-blocking mode.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_handshake(session: *mut LIBSSH2_SESSION, socket: libssh2_socket_t) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| handshake(session, socket)) }
}

/// Connects, as libssh2_session_handshake() does. Deprecated since 1.2.8.
///
/// Requires: session is NULL or a session that has not been freed.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.2.8: use libssh2_session_handshake")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_startup(session: *mut LIBSSH2_SESSION, sock: c_int) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| handshake(session, sock)) }
}

fn handshake(session: &SessionHandle, socket: c_int) -> Result<c_int> {
    if socket < 0 {
        return Err(Error::new(Code::BadSocket, "Socket is not valid"));
    }
    if session.socket.get() < 0 {
        let was_nonblocking = match io::set_nonblocking(socket, true) {
            // To the program's own functions it may be any number.
            Err(_) if session.moves_bytes_itself() => true,
            switched => switched.map_err(|error| Error::new(Code::BadSocket, "Socket is not valid").with_io(&error))?,
        };
        session.was_blocking.set(!was_nonblocking);
        session.socket.set(socket);
    }
    resume(&session.core, session, Owner::Session, Call::SessionHandshake, |core| {
        Handshake::begin(core, time_of_day())
    })?;
    Ok(0)
}

/// Tells the server that the session is over, SSH_MSG_DISCONNECT (RFC 4253 section 11.1). The session still has to be
/// freed, and the socket to be closed.
///
/// reason is one of SSH_DISCONNECT_. description is for the user at the other end, lang its language (RFC 3066); each
/// is at most 256 bytes, NULL for none.
///
/// Returns 0, also when the connection is dead already; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking
/// mode, to be called again; LIBSSH2_ERROR_INVAL when a text is too long; LIBSSH2_ERROR_TIMEOUT when the socket has not
/// taken the message within the time set for the call, or the read timeout, which counts in both modes;
/// LIBSSH2_ERROR_ALLOC when there is no memory for the message.
///
/// Requires: session is NULL or a session that has not been freed; the texts are terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_disconnect_ex(
    session: *mut LIBSSH2_SESSION,
    reason: c_int,
    description: *const c_char,
    lang: *const c_char,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let description = text(description).unwrap_or_default();
            let language = text(lang).unwrap_or_default();
            if description.len() > LONGEST_DISCONNECT || language.len() > LONGEST_DISCONNECT {
                return Err(Error::new(Code::Inval, "Text of the disconnect message is too long"));
            }
            if session.socket.get() < 0 {
                return Ok(0);
            }
            session.may_move()?;
            let is_dead = with(&session.core, |core| Ok(core.transport.failure().is_some()))?;
            let done = resume(&session.core, session, Owner::Session, Call::SessionDisconnect, |core| {
                Disconnect::begin(core, reason.unsigned_abs(), description, language)
            });
            match done {
                Err(error) if matches!(error.code, Code::Eagain | Code::Timeout) => Err(error),
                Err(error) if error.code == Code::Alloc && !is_dead => Err(error),
                _ => Ok(0),
            }
        })
    }
}

/// Frees a session: closes its channels as far as the connection lives, frees everything that hangs off it, and
/// switches the socket back to the mode that it was in. The server is not told, see libssh2_session_disconnect_ex(),
/// and the socket is not closed. Whatever the server does, closing all channels takes no longer than the time set for a
/// call, or the read timeout, which counts in both modes; channels that have been waited for in vain before are not
/// waited for again.
///
/// Returns 0; or LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode: the session is still there, and
/// the function is to be called again; or LIBSSH2_ERROR_BAD_USE from within one of the session's own callbacks, where
/// it cannot be freed. Whatever else is returned, the session is gone.
///
/// Requires: session is NULL or a session that has not been freed. Nothing that belongs to it may be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_free(session: *mut LIBSSH2_SESSION) -> c_int {
    // SAFETY: as promised by the caller.
    let Some(handle) = (unsafe { SessionHandle::from_pointer(session.cast()) }) else {
        return Code::BadUse.number();
    };
    if handle.is_in_use() {
        // One of its own callbacks: what runs further up still needs it.
        return Code::BadUse.number();
    }
    // SAFETY: as promised by the caller.
    let result: c_int = unsafe {
        enter(session, |session| {
            resume(&session.core, session, Owner::Session, Call::SessionFree, CloseAll::begin)?;
            Ok(0)
        })
    };
    if result == Code::Eagain.number() {
        return result;
    }
    if handle.was_blocking.get() {
        let _restored = io::set_nonblocking(handle.socket.get(), false);
    }
    handle.bury();
    let allocator = handle.allocator;
    // SAFETY: the program's pointer is read while nobody else runs, and no reference to it exists.
    let r#abstract = Abstract::new(unsafe { *handle.r#abstract.address() });
    // SAFETY: `session` was written by `libssh2_session_init_ex`; the caller uses it no more, `handle` ends here.
    unsafe {
        ptr::drop_in_place(session.cast::<SessionHandle>());
        allocator.free(session.cast(), &r#abstract);
    }
    0
}

/// Sets what the server is told we are, instead of the default. To be called before the handshake.
///
/// banner is sent as it is, with a line end behind it, so it has to begin with "SSH-2.0-"; it is copied. NULL or an
/// empty text is the default, LIBSSH2_SSH_DEFAULT_BANNER.
///
/// Returns 0, LIBSSH2_ERROR_OUT_OF_BOUNDARY when it is longer than 4 MiB, or LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; banner is terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_banner_set(session: *mut LIBSSH2_SESSION, banner: *const c_char) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let ident = text(banner).unwrap_or_default();
            if ident.len() > LONGEST_IDENT {
                return Err(Error::new(Code::OutOfBoundary, "Identification is too long"));
            }
            with(&session.core, |core| core.transport.set_ident(ident))?;
            Ok(0)
        })
    }
}

/// Sets what the server is told we are, as libssh2_session_banner_set() does. Deprecated since 1.4.0.
///
/// Requires: session is NULL or a session that has not been freed; banner is terminated.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.4.0: use libssh2_session_banner_set")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_banner_set(session: *mut LIBSSH2_SESSION, banner: *const c_char) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { libssh2_session_banner_set(session, banner) }
}

/// Tells what the server says it is: its identification line, without the line end.
///
/// Returns a terminated text that belongs to the session and lives as long, or NULL before it has been received.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_banner_get(session: *mut LIBSSH2_SESSION) -> *const c_char {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            if session.lent.ident.get().is_none() {
                let ident = with(&session.core, |core| crate::memory::copy(core.transport.server_ident()))?;
                if ident.is_empty() {
                    return Ok(ptr::null());
                }
                let ident = c_string(&ident)?;
                session.lent.ident.get_or_init(|| ident);
            }
            Ok(session.lent.ident.get().map_or(ptr::null(), |ident| ident.as_ptr()))
        })
    }
}

/// Gives memory back that a function of this library has allocated for the program.
///
/// ptr came from a function whose description says that it is to be freed with this one; NULL is allowed.
///
/// Requires: session is NULL or a session that has not been freed; ptr is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_free(session: *mut LIBSSH2_SESSION, ptr: *mut c_void) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_even_broken(session, |session| {
            session.allocator.free(ptr, &session.r#abstract);
            Ok(())
        })
    }
}
