//! What `libssh2_ext.h` defines besides functions.

use libc::c_int;

use super::{LIBSSH2_CHANNEL, LIBSSH2_LISTENER};
use crate::channel::Events;

/// One thing that libssh2_ext_session_ready() tells of: a channel, a listener, or if both are NULL the session itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct _LIBSSH2_EXT_READY {
    /// The channel, or NULL.
    pub channel: *mut LIBSSH2_CHANNEL,
    /// The listener, or NULL.
    pub listener: *mut LIBSSH2_LISTENER,
    /// What holds of it: LIBSSH2_EXT_READ and so on.
    pub events: c_int,
}
/// One thing that libssh2_ext_session_ready() tells of, see `struct _LIBSSH2_EXT_READY`.
pub type LIBSSH2_EXT_READY = _LIBSSH2_EXT_READY;

/// Standard output has something to read. Standard error counts as well if it is read together with it.
pub const LIBSSH2_EXT_READ: c_int = 0x0001;
/// Standard error or another stream has something to read.
pub const LIBSSH2_EXT_READ_EXTENDED: c_int = 0x0002;
/// Something can be written.
pub const LIBSSH2_EXT_WRITE: c_int = 0x0004;
/// The server sends nothing more: after what there is to read comes the end.
pub const LIBSSH2_EXT_EOF: c_int = 0x0008;
/// The server has closed the channel. What has arrived can still be read.
pub const LIBSSH2_EXT_CLOSED: c_int = 0x0010;
/// The server has told the exit status of the command, or the signal that ended it.
pub const LIBSSH2_EXT_EXIT: c_int = 0x0020;
/// A listener has a connection to accept.
pub const LIBSSH2_EXT_ACCEPT: c_int = 0x0040;
/// Another function of this channel, or of the session, that returned LIBSSH2_ERROR_EAGAIN should be called again.
pub const LIBSSH2_EXT_AGAIN: c_int = 0x0080;
/// Of the session: the connection is over. What has arrived can still be read.
pub const LIBSSH2_EXT_ENDED: c_int = 0x0100;

const _: () = {
    let pairs = [
        (LIBSSH2_EXT_READ, Events::READ),
        (LIBSSH2_EXT_READ_EXTENDED, Events::EXTENDED),
        (LIBSSH2_EXT_WRITE, Events::WRITE),
        (LIBSSH2_EXT_EOF, Events::EOF),
        (LIBSSH2_EXT_CLOSED, Events::CLOSED),
        (LIBSSH2_EXT_EXIT, Events::EXIT),
        (LIBSSH2_EXT_ACCEPT, Events::ACCEPT),
        (LIBSSH2_EXT_AGAIN, Events::AGAIN),
        (LIBSSH2_EXT_ENDED, Events::ENDED),
    ];
    let mut rest = pairs.as_slice();
    while let Some(((bit, event), behind)) = rest.split_first() {
        assert!(bit.cast_unsigned() == event.bits());
        rest = behind;
    }
};
