//! Opening channels, and what is asked of the server before and while a command runs on one.

use std::ffi::{c_char, c_int, c_uint};
use std::hash::Hash;

use crate::channel::{ChannelId, Flushed, Opening, Request, RequestAgent, Terminal};
use crate::error::Result;
use crate::ffi::guard::{enter, enter_channel, field, size, text};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::types::{LIBSSH2_CHANNEL, LIBSSH2_SESSION};
use crate::op::{Call, Op, Owner, one_of, resume, resume_one};
use crate::session::Session;

/// Opens a channel (RFC 4254 section 5.1).
///
/// channel_type is channel_type_len bytes, "session" for a shell, a command or a subsystem. window_size is how many
/// bytes the server may send before they are read, packet_size how many of them in one packet. With
/// LIBSSH2_CHANNEL_WINDOW_DEFAULT the window grows up to 16 MiB: to the size of the program's buffer, and while the
/// program keeps up with the server. All windows of a session grow by 64 MiB together at most. Every other size is kept
/// to. message, message_len bytes, is sent behind these fields; what it has to be depends on the
/// type, and for "session" it is NULL.
///
/// Returns the channel, to be freed by libssh2_channel_free(), or NULL: libssh2_session_last_errno() is then
/// LIBSSH2_ERROR_EAGAIN (it would have to wait in non-blocking mode, to be called again with the same arguments),
/// LIBSSH2_ERROR_CHANNEL_FAILURE (the server refuses; its words are in libssh2_session_last_error()),
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_PROTO,
/// LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_ALLOC. In non-blocking mode several channels may be opened at a time.
///
/// Requires: session is NULL or a session that has not been freed; channel_type and message can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_open_ex(
    session: *mut LIBSSH2_SESSION,
    channel_type: *const c_char,
    channel_type_len: c_uint,
    window_size: c_uint,
    packet_size: c_uint,
    message: *const c_char,
    message_len: c_uint,
) -> *mut LIBSSH2_CHANNEL {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let kind = counted(channel_type, channel_type_len)?;
            let fields = counted(message, message_len)?;
            open(session, (kind, window_size, packet_size, fields), |core| {
                Opening::program(core, kind, window_size, packet_size, fields)
            })
        })
    }
}

/// Asks the server to set an environment variable for what will be started on the channel (RFC 4254 section 6.4). Most
/// servers allow only a few. The name is varname_len bytes, the value value_len bytes; it may be empty.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED when the server refuses; LIBSSH2_ERROR_CHANNEL_CLOSED, LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC. Every request
/// on a channel fails in these ways.
///
/// Requires: channel is NULL or a channel that has not been freed; varname and value can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_setenv_ex(
    channel: *mut LIBSSH2_CHANNEL,
    varname: *const c_char,
    varname_len: c_uint,
    value: *const c_char,
    value_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let name = counted(varname, varname_len)?;
            let value = counted(value, value_len)?;
            ask(session, id, Call::ChannelSetenv, |core| Request::setenv(core, id, name, value))
        })
    }
}

/// Asks the server to forward the authentication agent: programs on the server that want a signature open a channel
/// back to us, which reaches the program by LIBSSH2_CALLBACK_AUTHAGENT. To be called before something is started on the
/// channel.
///
/// Returns 0, or fails as libssh2_channel_setenv_ex() does.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_request_auth_agent(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            ask(session, id, Call::ChannelRequestAuthAgent, |core| RequestAgent::begin(core, id))
        })
    }
}

/// Asks the server for a terminal for what will be started on the channel (RFC 4254 section 6.2).
///
/// term is the type of the terminal as in the environment variable TERM, term_len bytes. modes are its modes as the
/// wire has them (RFC 4254 section 8), modes_len bytes; NULL for none. width and height are columns and rows, width_px
/// and height_px the same in pixels, 0 if that is not known.
///
/// Returns 0, or fails as libssh2_channel_setenv_ex() does; LIBSSH2_ERROR_INVAL when term and modes are more than 256
/// bytes together.
///
/// Requires: channel is NULL or a channel that has not been freed; term and modes can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_request_pty_ex(
    channel: *mut LIBSSH2_CHANNEL,
    term: *const c_char,
    term_len: c_uint,
    modes: *const c_char,
    modes_len: c_uint,
    width: c_int,
    height: c_int,
    width_px: c_int,
    height_px: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let size = [width, height, width_px, height_px].map(c_int::cast_unsigned);
            let terminal = Terminal { kind: counted(term, term_len)?, modes: counted(modes, modes_len)?, size };
            ask(session, id, Call::ChannelRequestPty, |core| Request::terminal(core, id, &terminal))
        })
    }
}

/// Tells the server that the window of the terminal has changed its size (RFC 4254 section 6.7), at any time. width and
/// height are columns and rows, width_px and height_px the same in pixels, 0 if that is not known.
///
/// Returns 0 once the message has left, which the server does not answer, or at once if the channel is closed. Fails as
/// libssh2_channel_setenv_ex() does.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_request_pty_size_ex(
    channel: *mut LIBSSH2_CHANNEL,
    width: c_int,
    height: c_int,
    width_px: c_int,
    height_px: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let size = [width, height, width_px, height_px].map(c_int::cast_unsigned);
            ask(session, id, Call::ChannelRequestPtySize, |core| Flushed::window_change(core, id, size))
        })
    }
}

/// Asks the server to forward X11 (RFC 4254 section 6.3.1): programs on the server that open a window open a channel
/// back to us, which reaches the program by LIBSSH2_CALLBACK_X11. To be called before something is started on the
/// channel.
///
/// single_connection is not 0 if only one such channel is to be opened. auth_proto is the method of authentication,
/// MIT-MAGIC-COOKIE-1 if NULL; auth_cookie is its value in hexadecimal, a random one of 16 bytes if NULL.
/// screen_number is that of X11.
///
/// Returns 0, or fails as libssh2_channel_setenv_ex() does.
///
/// Requires: channel is NULL or a channel that has not been freed; auth_proto and auth_cookie are terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_x11_req_ex(
    channel: *mut LIBSSH2_CHANNEL,
    single_connection: c_int,
    auth_proto: *const c_char,
    auth_cookie: *const c_char,
    screen_number: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let protocol = text(auth_proto).unwrap_or(b"MIT-MAGIC-COOKIE-1");
            let cookie = text(auth_cookie);
            let screen = screen_number.cast_unsigned();
            ask(session, id, Call::ChannelX11Req, |core| {
                Request::x11(core, id, single_connection != 0, protocol, cookie, screen)
            })
        })
    }
}

/// Sends a signal to what has been started on the channel (RFC 4254 section 6.9). signame is its name without "SIG",
/// signame_len bytes. Not every server carries it out.
///
/// Returns 0 once the message has left, which the server does not answer, or at once if the channel is closed. Fails as
/// libssh2_channel_setenv_ex() does.
///
/// Requires: channel is NULL or a channel that has not been freed; signame can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_signal_ex(
    channel: *mut LIBSSH2_CHANNEL,
    signame: *const c_char,
    signame_len: usize,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let name = field(signame, signame_len)?;
            ask(session, id, Call::ChannelSignal, |core| Flushed::signal(core, id, name))
        })
    }
}

/// Starts what the channel is for (RFC 4254 section 6.5): request is "shell", "exec" or "subsystem", request_len bytes.
/// message, message_len bytes, is the command or the name of the subsystem; NULL for a shell. One channel starts one
/// thing, once.
///
/// Returns 0, or fails as libssh2_channel_setenv_ex() does; LIBSSH2_ERROR_BAD_USE the second time, also if the first
/// time failed.
///
/// Requires: channel is NULL or a channel that has not been freed; request and message can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_process_startup(
    channel: *mut LIBSSH2_CHANNEL,
    request: *const c_char,
    request_len: c_uint,
    message: *const c_char,
    message_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let kind = counted(request, request_len)?;
            let what = if message.is_null() { None } else { Some(counted(message, message_len)?) };
            ask(session, id, Call::ChannelStartup, |core| Request::startup(core, id, kind, what))
        })
    }
}

/// Opens a channel, or goes on opening the one that was asked for with the same arguments.
pub(super) fn open(
    session: &SessionHandle,
    arguments: impl Hash,
    begin: impl FnOnce(&mut Session) -> Result<Opening>,
) -> Result<*mut LIBSSH2_CHANNEL> {
    let which = one_of(Call::ChannelOpen, arguments);
    session.expect_handle()?;
    let channel = resume_one(&session.core, session, Owner::Session, which, begin)?;
    Ok(session.adopt(Target::Channel(channel))?.cast())
}

/// Runs an operation of the channel that has nothing to bring but its end.
pub(super) fn ask<O: Op<Out = ()>>(
    session: &SessionHandle,
    channel: ChannelId,
    call: Call,
    begin: impl FnOnce(&mut Session) -> Result<O>,
) -> Result<c_int> {
    resume(&session.core, session, Owner::Channel(channel), call, begin)?;
    Ok(0)
}

/// # Safety
/// `start` is NULL, or can be read for so many bytes during `'a`.
unsafe fn counted<'a>(start: *const c_char, length: c_uint) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { field(start, size(length)) }
}
