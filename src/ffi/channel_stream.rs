//! The bytes of a channel: reading, writing, windows.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong};
use std::task::Poll;

use libc::ssize_t;

use crate::channel::{ChannelId, Events, ExtendedData, MAIN, Wanted, Write, poll_read};
use crate::error::{Code, Error, Result};
use crate::ffi::guard::{bytes, bytes_mut, count, enter_channel, store};
use crate::ffi::handle::SessionHandle;
use crate::ffi::types::{
    LIBSSH2_CHANNEL, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE, LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE,
    LIBSSH2_CHANNEL_FLUSH_ALL, LIBSSH2_CHANNEL_FLUSH_EXTENDED_DATA,
};
use crate::op::{drive, glance, with};
use crate::session::Session;

/// Reads from a stream of a channel. stream_id is 0 for standard output, SSH_EXTENDED_DATA_STDERR for standard error.
/// What arrives for other streams and channels meanwhile is kept for them.
///
/// Returns the number of bytes put into buf, at least 1 and at most buflen, as many as are at hand; 0 at the end of the
/// stream; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// or, after everything that had arrived has been read, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT,
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// If buflen is 0, returns 0 at the end of the stream or in blocking mode, otherwise LIBSSH2_ERROR_EAGAIN.
///
/// Requires: channel is NULL or a channel that has not been freed; buflen bytes can be written to buf.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_read_ex(
    channel: *mut LIBSSH2_CHANNEL,
    stream_id: c_int,
    buf: *mut c_char,
    buflen: usize,
) -> ssize_t {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let space = bytes_mut(buf, buflen)?;
            let stream = stream_id.cast_unsigned();
            let read = drive(&session.core, session, |core| poll_read(core, id, stream, space))?;
            Ok(count(read))
        })
    }
}

/// Writes to a stream of a channel. stream_id is 0 for standard input; others go out as extended data of that type,
/// which servers hardly expect.
///
/// Returns the number of bytes sent, at least 1 and at most buflen, often less: the program goes on with the rest; 0
/// only if buflen is 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, for the socket or for the
/// server to take more, to be called again with the same data; LIBSSH2_ERROR_CHANNEL_CLOSED,
/// LIBSSH2_ERROR_CHANNEL_EOF_SENT, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed; buflen bytes can be read from buf.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_write_ex(
    channel: *mut LIBSSH2_CHANNEL,
    stream_id: c_int,
    buf: *const c_char,
    buflen: usize,
) -> ssize_t {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let data = bytes(buf, buflen)?;
            let stream = stream_id.cast_unsigned();
            // First what has come: whether the server still listens, and how much it takes.
            glance(&session.core, session)?;
            let mut write = Write::new(id, stream);
            let written = drive(&session.core, session, |core| write.poll(core, data));
            let is_whole = written.as_ref().is_ok_and(|written| *written == data.len());
            with(&session.core, |core| write.end(core, is_whole))?;
            Ok(count(written?))
        })
    }
}

/// Tells how many bytes the server may send now. read_avail is set to how many have arrived and can be read, of all
/// streams; window_size_initial to how many it might send when the channel was opened. Each may be NULL. The socket is
/// not looked at.
///
/// Returns the number, 0 if channel is NULL.
///
/// Requires: channel is NULL or a channel that has not been freed; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_window_read_ex(
    channel: *mut LIBSSH2_CHANNEL,
    read_avail: *mut c_ulong,
    window_size_initial: *mut c_ulong,
) -> c_ulong {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            with(&session.core, |core| {
                let channel = core.channels.get(id)?;
                store(read_avail, c_ulong::try_from(channel.unread(Wanted::All)).unwrap_or(c_ulong::MAX));
                store(window_size_initial, channel.initial_receive_window().into());
                Ok(c_ulong::from(channel.receive_window()))
            })
        })
    }
}

/// Lets the server send adjustment bytes more. Fewer than LIBSSH2_CHANNEL_MINADJUST are put off until more come
/// together, unless force is not 0. Deprecated since 1.1.0: libssh2_channel_receive_window_adjust2() tells failures
/// from windows.
///
/// Returns what the server might send before, or a negative error number as an unsigned long.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.1.0: use libssh2_channel_receive_window_adjust2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_receive_window_adjust(
    channel: *mut LIBSSH2_CHANNEL,
    adjustment: c_ulong,
    force: c_uchar,
) -> c_ulong {
    let mut before = 0;
    // SAFETY: as promised by the caller; `before` can be written to.
    match unsafe { libssh2_channel_receive_window_adjust2(channel, adjustment, force, &raw mut before) } {
        0 => before.into(),
        failed => c_long::from(failed).cast_unsigned(),
    }
}

/// Lets the server send adjustment bytes more. Fewer than LIBSSH2_CHANNEL_MINADJUST are put off until more come
/// together, unless force is not 0. Reading does this by itself. storewindow, unless it is NULL, is set to what the
/// server might send before.
///
/// Returns 0; LIBSSH2_ERROR_PROTO when the server could send more than 2^32 - 1 bytes; LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed; storewindow can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_receive_window_adjust2(
    channel: *mut LIBSSH2_CHANNEL,
    adjustment: c_ulong,
    force: c_uchar,
    storewindow: *mut c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let bytes = u32::try_from(adjustment)
                .map_err(|_| Error::new(Code::Proto, "Window of the channel would be more than 2^32 - 1 bytes"))?;
            let before = at_once(session, |core| {
                core.transport.check()?;
                core.channels.get(id)?.grant(bytes, force != 0, &mut core.transport.tx)
            })?;
            store(storewindow, before);
            Ok(0)
        })
    }
}

/// Tells how many bytes the server takes now. window_size_initial, unless it is NULL, is set to how many it took when
/// the channel was opened. The socket is not looked at.
///
/// Returns the number, 0 if channel is NULL.
///
/// Requires: channel is NULL or a channel that has not been freed; window_size_initial can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_window_write_ex(
    channel: *mut LIBSSH2_CHANNEL,
    window_size_initial: *mut c_ulong,
) -> c_ulong {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            with(&session.core, |core| {
                let channel = core.channels.get(id)?;
                store(window_size_initial, channel.initial_room().into());
                Ok(c_ulong::try_from(channel.room()).unwrap_or(c_ulong::MAX))
            })
        })
    }
}

/// Says what becomes of standard error, as libssh2_channel_handle_extended_data2() does. Deprecated since 1.1.0.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.1.0: use libssh2_channel_handle_extended_data2")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_handle_extended_data(channel: *mut LIBSSH2_CHANNEL, ignore_mode: c_int) {
    // SAFETY: as promised by the caller.
    unsafe { libssh2_channel_handle_extended_data2(channel, ignore_mode) };
}

/// Says what becomes of standard error and other extended data: LIBSSH2_CHANNEL_EXTENDED_DATA_NORMAL (kept for whoever
/// reads that stream), LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE (dropped, also what has arrived already) or
/// LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE (read together with standard output, in the order of its arrival).
///
/// Returns 0; LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT,
/// LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_handle_extended_data2(
    channel: *mut LIBSSH2_CHANNEL,
    ignore_mode: c_int,
) -> c_int {
    let mode = match ignore_mode {
        LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE => ExtendedData::Ignore,
        LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE => ExtendedData::Merge,
        _ => ExtendedData::Normal,
    };
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            at_once(session, |core| {
                core.channels.get(id)?.handle_extended_data(mode, &mut core.transport.tx)?;
                core.channels.acted(id, Events::READ.and(Events::EXTENDED));
                Ok(())
            })?;
            Ok(0)
        })
    }
}

/// Drops what has arrived on a channel and has not been read. streamid is the number of a stream,
/// LIBSSH2_CHANNEL_FLUSH_EXTENDED_DATA for all but standard output, or LIBSSH2_CHANNEL_FLUSH_ALL.
///
/// Returns the number of bytes dropped; LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_channel_flush_ex(channel: *mut LIBSSH2_CHANNEL, streamid: c_int) -> c_int {
    let wanted = match streamid {
        LIBSSH2_CHANNEL_FLUSH_ALL => Wanted::All,
        LIBSSH2_CHANNEL_FLUSH_EXTENDED_DATA => Wanted::Extended,
        number => Wanted::Stream(number.cast_unsigned()),
    };
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            let dropped = at_once(session, |core| forget_unread(core, id, wanted))?;
            Ok(c_int::try_from(dropped).unwrap_or(c_int::MAX))
        })
    }
}

/// What the socket already holds is dropped too.
fn forget_unread(core: &mut Session, id: ChannelId, wanted: Wanted) -> Result<usize> {
    let _lost = core.pump();
    let dropped = core.channels.get(id)?.forget_unread(wanted, &mut core.transport.tx)?;
    core.channels.acted(id, Events::READ.and(Events::EXTENDED));
    Ok(dropped)
}

/// Tells whether something has arrived on a channel that can be read without waiting: on any stream if extended is not
/// 0, on standard output if it is 0. The socket is not looked at. Deprecated since 1.2.0.
///
/// Returns 1 or 0; LIBSSH2_ERROR_BAD_USE if channel is NULL.
///
/// Requires: channel is NULL or a channel that has not been freed.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.2.0: use libssh2_channel_window_read_ex")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_poll_channel_read(channel: *mut LIBSSH2_CHANNEL, extended: c_int) -> c_int {
    let wanted = if extended == 0 { Wanted::Stream(MAIN) } else { Wanted::All };
    // SAFETY: as promised by the caller.
    unsafe {
        enter_channel(channel, |session, id, _| {
            with(&session.core, |core| Ok(c_int::from(core.channels.get(id)?.unread(wanted) > 0)))
        })
    }
}

/// Does what needs no waiting; what it has queued leaves as far as the socket takes it.
pub(super) fn at_once<T>(session: &SessionHandle, mut act: impl FnMut(&mut Session) -> Result<T>) -> Result<T> {
    drive(&session.core, session, |core| Poll::Ready(act(core)))
}
