//! Handles, structs and constants of `libssh2_channel_*` and `libssh2_poll`.

use libc::{c_int, c_uchar, c_ulong};

use super::{LIBSSH2_ERROR_EAGAIN, libssh2_socket_t};

/// One channel of a session. Released by libssh2_channel_free(), at the latest with its session.
pub struct _LIBSSH2_CHANNEL {
    _private: [u8; 0],
}
/// One channel of a session, see `struct _LIBSSH2_CHANNEL`.
pub type LIBSSH2_CHANNEL = _LIBSSH2_CHANNEL;

/// A port on the server's side that connections are accepted from. Released by libssh2_channel_forward_cancel(), at
/// the latest with its session.
pub struct _LIBSSH2_LISTENER {
    _private: [u8; 0],
}
/// A port on the server's side that connections are accepted from, see `struct _LIBSSH2_LISTENER`.
pub type LIBSSH2_LISTENER = _LIBSSH2_LISTENER;

/// Bytes that the server may send before it must wait for us, in a channel opened by a macro.
pub const LIBSSH2_CHANNEL_WINDOW_DEFAULT: c_int = 2 * 1024 * 1024;
/// The largest packet that we take, in a channel opened by a macro.
pub const LIBSSH2_CHANNEL_PACKET_DEFAULT: c_int = 32768;
/// Bytes; smaller additions to the receive window are put off unless forced.
pub const LIBSSH2_CHANNEL_MINADJUST: c_int = 1024;

/// Standard error is kept for whoever reads that stream.
pub const LIBSSH2_CHANNEL_EXTENDED_DATA_NORMAL: c_int = 0;
/// Standard error is dropped.
pub const LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE: c_int = 1;
/// Standard error is read together with standard output.
pub const LIBSSH2_CHANNEL_EXTENDED_DATA_MERGE: c_int = 2;

/// The stream number of standard error, RFC 4254 section 5.2.
pub const SSH_EXTENDED_DATA_STDERR: c_int = 1;

/// For libssh2_channel_flush_ex(): drop all extended data.
pub const LIBSSH2_CHANNEL_FLUSH_EXTENDED_DATA: c_int = -1;
/// Drop everything.
pub const LIBSSH2_CHANNEL_FLUSH_ALL: c_int = -2;

/// A channel's name for LIBSSH2_ERROR_EAGAIN.
pub const LIBSSH2CHANNEL_EAGAIN: c_int = LIBSSH2_ERROR_EAGAIN;

/// Columns of a terminal asked for by libssh2_channel_request_pty().
pub const LIBSSH2_TERM_WIDTH: c_int = 80;
/// Its lines.
pub const LIBSSH2_TERM_HEIGHT: c_int = 24;
/// Its width in pixels: not known.
pub const LIBSSH2_TERM_WIDTH_PX: c_int = 0;
/// Its height in pixels: not known.
pub const LIBSSH2_TERM_HEIGHT_PX: c_int = 0;

/// What libssh2_poll() is to watch in one entry; `type` tells which.
#[cfg(not(no_deprecated))]
#[repr(C)]
#[derive(Clone, Copy)]
pub union _LIBSSH2_POLLFD_TARGET {
    /// A socket, for LIBSSH2_POLLFD_SOCKET.
    pub socket: libssh2_socket_t,
    /// A channel, for LIBSSH2_POLLFD_CHANNEL.
    pub channel: *mut LIBSSH2_CHANNEL,
    /// A listener, for LIBSSH2_POLLFD_LISTENER.
    pub listener: *mut LIBSSH2_LISTENER,
}

/// One entry of what libssh2_poll() watches.
#[cfg(not(no_deprecated))]
#[repr(C)]
pub struct _LIBSSH2_POLLFD {
    /// LIBSSH2_POLLFD_SOCKET, LIBSSH2_POLLFD_CHANNEL or LIBSSH2_POLLFD_LISTENER.
    pub r#type: c_uchar,
    /// The thing to watch.
    pub fd: _LIBSSH2_POLLFD_TARGET,
    /// The events wanted.
    pub events: c_ulong,
    /// The events found.
    pub revents: c_ulong,
}
/// One entry of what libssh2_poll() watches, see `struct _LIBSSH2_POLLFD`.
#[cfg(not(no_deprecated))]
pub type LIBSSH2_POLLFD = _LIBSSH2_POLLFD;

/// The entry is a socket.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_SOCKET: c_int = 1;
/// The entry is a channel.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_CHANNEL: c_int = 2;
/// The entry is a listener.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_LISTENER: c_int = 3;
/// There is something to read, or a connection to accept.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLIN: c_int = 0x0001;
/// A socket has urgent data.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLPRI: c_int = 0x0002;
/// A channel has extended data to read.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLEXT: c_int = 0x0002;
/// Writing is possible.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLOUT: c_int = 0x0004;
/// Found only, never asked for: a socket has an error.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLERR: c_int = 0x0008;
/// Found only: a socket is at its end.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLHUP: c_int = 0x0010;
/// Found only: the session is gone.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_SESSION_CLOSED: c_int = 0x0010;
/// Found only: the entry is not valid.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLNVAL: c_int = 0x0020;
/// Found only: a socket has an exceptional condition.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_POLLEX: c_int = 0x0040;
/// Found only: the channel is closed.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_CHANNEL_CLOSED: c_int = 0x0080;
/// Found only: the listener is closed.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_POLLFD_LISTENER_CLOSED: c_int = 0x0080;
