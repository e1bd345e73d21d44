//! The end of a channel, and how the command on it ended.

use std::ffi::{c_char, c_int};
use std::ptr;

use crate::channel::{Close, Consumer, Discard, Flushed, poll_closed, poll_eof};
use crate::error::{Code, Result};
use crate::ffi::channel::ask;
use crate::ffi::guard::{enter_channel, store};
use crate::ffi::types::{LIBSSH2_CHANNEL, LIBSSH2_SFTP};
use crate::memory::copy;
use crate::op::{Call, drive, with};

/// Tells with what the command on the channel ended, as far as the server has told: it does before it closes the
/// channel. The socket is not looked at.
///
/// Returns the exit status; 0 if there is none, see libssh2_channel_has_exit_status().
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_get_exit_status(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    if channel.is_null() {
        return 0;
    }
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            with(&session.core, |core| Ok(core.channels.get(id)?.exit_status.map_or(0, u32::cast_signed)))
        })
    }
}

/// Tells whether the server has told the exit status of the command on the channel: 1 or 0.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_has_exit_status(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    if channel.is_null() {
        return 0;
    }
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            with(&session.core, |core| Ok(core.channels.get(id)?.exit_status.is_some().into()))
        })
    }
}

/// Tells which signal ended the command on the channel, if one did. exitsignal is set to its name without "SIG", a
/// terminated text that the program frees with libssh2_free(), or to NULL; exitsignal_len to its length. errmsg and
/// langtag are always set to NULL, their lengths to 0. Each may be NULL.
///
/// Returns 0; LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_get_exit_signal(
    channel: *mut LIBSSH2_CHANNEL,
    exitsignal: *mut *mut c_char,
    exitsignal_len: *mut usize,
    errmsg: *mut *mut c_char,
    errmsg_len: *mut usize,
    langtag: *mut *mut c_char,
    langtag_len: *mut usize,
) -> c_int {
    if channel.is_null() {
        return 0;
    }
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            store(errmsg, ptr::null_mut());
            store(errmsg_len, 0);
            store(langtag, ptr::null_mut());
            store(langtag_len, 0);
            store(exitsignal, ptr::null_mut());
            store(exitsignal_len, 0);
            let signal =
                with(&session.core, |core| core.channels.get(id)?.exit_signal.as_deref().map(copy).transpose())?;
            if let Some(signal) = signal {
                if !exitsignal.is_null() {
                    store(exitsignal, session.allocator.copy(&signal, &session.r#abstract)?.as_ptr().cast());
                }
                store(exitsignal_len, signal.len());
            }
            Ok(0)
        })
    }
}

/// Tells the server that the program writes nothing more to the channel. Reading goes on.
///
/// Returns 0 once the message has left; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be
/// called again; LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT,
/// LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_send_eof(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| ask(session, id, Call::ChannelSendEof, |core| Flushed::eof(core, id)))
    }
}

/// Tells whether all that the server has sent on the channel has been read and nothing more will come: 1 or 0. The
/// socket is not looked at. LIBSSH2_ERROR_BAD_USE if channel is NULL.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_eof(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            with(&session.core, |core| Ok(core.channels.get(id)?.is_at_end().into()))
        })
    }
}

/// Waits until the server says that it sends nothing more on the channel. What it has sent can still be read.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_CHANNEL_WINDOW_FULL in blocking mode when the server may not send any more until the program reads;
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_PROTO,
/// LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_wait_eof(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            drive(&session.core, session, |core| poll_eof(core, id))?;
            Ok(0)
        })
    }
}

/// Closes a channel in both directions, and waits until the server has closed it too. What has arrived before can still
/// be read. Closing a closed channel does nothing.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_PROTO,
/// LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC; the channel then counts as closed. LIBSSH2_ERROR_BAD_USE within the
/// program's own send or receive function, where nothing is done.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_close(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            session.may_move()?;
            let is_closed = with(&session.core, |core| {
                let channel = core.channels.get(id)?;
                Ok(channel.is_closed() && !channel.slots.has(Call::ChannelClose))
            })?;
            if is_closed {
                return Ok(0);
            }
            let closed = ask(session, id, Call::ChannelClose, |core| Close::begin(core, id));
            if !matches!(&closed, Err(error) if error.code == Code::Eagain) {
                with(&session.core, |core| {
                    core.channels.get(id)?.presume_closed();
                    Ok(())
                })?;
            }
            closed
        })
    }
}

/// Waits until the server has closed a channel whose end it has announced before, see libssh2_channel_wait_eof().
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_INVAL when the server has not said that it sends nothing more; LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_TIMEOUT,
/// LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_wait_closed(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            drive(&session.core, session, |core| poll_closed(core, id))?;
            Ok(0)
        })
    }
}

/// Frees a channel, and closes it before if need be. What has not been read is dropped. If SFTP runs over the channel,
/// that ends too, as with libssh2_sftp_shutdown(). If libssh2_channel_close() has waited for the server in vain, this does
/// not wait again.
///
/// Returns 0; or LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode: the channel is still there, and
/// the function is to be called again; or LIBSSH2_ERROR_BAD_USE within the program's own send or receive function, where
/// nothing is done.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_free(channel: *mut LIBSSH2_CHANNEL) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, child| {
            session.may_move()?;
            let consumer = with(&session.core, |core| Ok(core.channels.get(id)?.consumer))?;
            if let Consumer::Sftp(sftp) = consumer
                && let Some(conversation) = session.handle_of_sftp(sftp)
            {
                return match super::sftp::libssh2_sftp_shutdown(conversation.pointer().cast::<LIBSSH2_SFTP>()) {
                    again if again == Code::Eagain.number() => Ok(again),
                    _ => Ok(0),
                };
            }
            let freed = ask(session, id, Call::ChannelFree, |core| Discard::begin(core, id));
            if matches!(&freed, Err(error) if error.code == Code::Eagain) {
                return freed;
            }
            session.release(child);
            with(&session.core, |core| give_up(core, id))
        })
    }
}

/// Whatever has not worked while closing it, the channel is not the program's any more.
fn give_up(core: &mut crate::session::Session, id: crate::channel::ChannelId) -> Result<c_int> {
    if core.channels.get(id).is_ok() {
        let _unsent = core.channels.abandon(id, &mut core.transport.tx);
    }
    Ok(0)
}
