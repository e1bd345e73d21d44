//! Connections that the server makes or takes for us, RFC 4254 section 7.

use std::ffi::{c_char, c_int};

use crate::channel::{Cancel, Listen, Opening, poll_accept};
use crate::error::Code;
use crate::ffi::channel::open;
use crate::ffi::guard::{enter, enter_listener, null, store, text};
use crate::ffi::handle::Target;
use crate::ffi::types::{LIBSSH2_CHANNEL, LIBSSH2_LISTENER, LIBSSH2_SESSION};
use crate::op::{Call, Owner, drive, one_of, resume, resume_one, with};

/// Opens a channel that the server connects to a TCP port (RFC 4254 section 7.2): port of host, as the server sees it.
/// shost and sport are where the connection comes from, which servers write into their logs.
///
/// Returns the channel, to be freed by libssh2_channel_free(), or NULL as libssh2_channel_open_ex() does;
/// LIBSSH2_ERROR_CHANNEL_FAILURE also when the server cannot connect.
///
/// Requires: session is NULL or a session that has not been freed; host and shost are terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_direct_tcpip_ex(
    session: *mut LIBSSH2_SESSION,
    host: *const c_char,
    port: c_int,
    shost: *const c_char,
    sport: c_int,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let to = (text(host).ok_or_else(null)?, port.cast_unsigned());
            let from = (text(shost).ok_or_else(null)?, sport.cast_unsigned());
            open(session, ("direct-tcpip", to, from), |core| Opening::direct_tcpip(core, to, from))
        })
    }
}

/// Opens a channel that the server connects to a Unix socket of its own (OpenSSH's PROTOCOL section 2.4). shost and sport
/// are where the connection comes from.
///
/// Returns the channel, to be freed by libssh2_channel_free(), or NULL as libssh2_channel_direct_tcpip_ex() does.
///
/// Requires: session is NULL or a session that has not been freed; socket_path and shost are terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_direct_streamlocal_ex(
    session: *mut LIBSSH2_SESSION,
    socket_path: *const c_char,
    shost: *const c_char,
    sport: c_int,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let path = text(socket_path).ok_or_else(null)?;
            let from = (text(shost).ok_or_else(null)?, sport.cast_unsigned());
            open(session, ("direct-streamlocal", path, from), |core| Opening::direct_streamlocal(core, path, from))
        })
    }
}

/// Has the server listen on a TCP port of its own (RFC 4254 section 7.1); libssh2_channel_forward_accept() takes the
/// connections.
///
/// host is the address to listen on, "0.0.0.0" if NULL. port 0 leaves the choice to the server. bound_port, unless it is
/// NULL, is set to the port, 0 if the server has chosen one and does not tell which. Of the connections that have not been accepted queue_maxsize are kept, any number if it is
/// 0; more are refused.
///
/// Returns the listener, to be freed by libssh2_channel_forward_cancel(), or NULL: libssh2_session_last_errno() is then
/// LIBSSH2_ERROR_EAGAIN (it would have to wait in non-blocking mode, to be called again with the same arguments),
/// LIBSSH2_ERROR_REQUEST_DENIED (the server refuses), LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; host is terminated; bound_port can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_forward_listen_ex(
    session: *mut LIBSSH2_SESSION,
    host: *const c_char,
    port: c_int,
    bound_port: *mut c_int,
    queue_maxsize: c_int,
) -> *mut LIBSSH2_LISTENER {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let host = text(host).unwrap_or(b"0.0.0.0");
            let port = port.cast_unsigned();
            let most = usize::try_from(queue_maxsize).unwrap_or_default();
            let which = one_of(Call::ForwardListen, (host, port));
            session.expect_handle()?;
            let listener = resume_one(&session.core, session, Owner::Session, which, |core| {
                Listen::begin(core, host, port, most)
            })?;
            let port = with(&session.core, |core| Ok(core.channels.listeners.get(listener)?.port))?;
            store(bound_port, port.cast_signed());
            Ok(session.adopt(Target::Listener(listener))?.cast())
        })
    }
}

/// Has the server stop listening, and frees the listener. Connections that have not been accepted are closed; those
/// that have been live on.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode: the listener is still there, and the
/// function is to be called again; LIBSSH2_ERROR_BAD_USE within the program's own send or receive function, where nothing
/// is done. Whatever else is returned, it is gone: LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: listener is NULL or a listener that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_forward_cancel(listener: *mut LIBSSH2_LISTENER) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_listener(listener, |session, id, child| {
            session.may_move()?;
            let owner = Owner::Listener(id);
            let told = resume(&session.core, session, owner, Call::ForwardCancel, |core| Cancel::begin(core, id));
            if !matches!(&told, Err(error) if error.code == Code::Eagain) {
                session.release(child);
                with(&session.core, |core| {
                    core.channels.listeners.remove(id);
                    Ok(())
                })?;
            }
            told.map(|()| 0)
        })
    }
}

/// Takes a connection to the port that a listener listens on.
///
/// Returns its channel, to be freed by libssh2_channel_free(), or NULL: libssh2_session_last_errno() is then
/// LIBSSH2_ERROR_EAGAIN (none waits, in non-blocking mode), LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_CHANNEL_UNKNOWN (the
/// connection to the server is dead).
///
/// Requires: listener is NULL or a listener that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_forward_accept(listener: *mut LIBSSH2_LISTENER) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_listener(listener, |session, id, _| {
            session.expect_handle()?;
            let channel = drive(&session.core, session, |core| poll_accept(core, id))?;
            Ok(session.adopt(Target::Channel(channel))?.cast())
        })
    }
}
