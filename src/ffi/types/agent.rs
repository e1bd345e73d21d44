//! Handle and struct of `libssh2_agent_*`.

use libc::{c_char, c_uchar, c_uint, c_void, size_t};

/// A connection to the authentication agent. Made by libssh2_agent_init(), released by libssh2_agent_free().
pub struct _LIBSSH2_AGENT {
    _private: [u8; 0],
}
/// A connection to the authentication agent, see `struct _LIBSSH2_AGENT`.
pub type LIBSSH2_AGENT = _LIBSSH2_AGENT;

/// A key that the agent holds. It belongs to the agent's handle and lives until the keys are listed anew or the
/// handle is freed.
#[repr(C)]
pub struct libssh2_agent_publickey {
    /// The library's mark.
    pub magic: c_uint,
    /// The library's own record of this key.
    pub node: *mut c_void,
    /// The public key as the bytes of the wire.
    pub blob: *mut c_uchar,
    /// Bytes in `blob`.
    pub blob_len: size_t,
    /// The agent's comment on it, terminated.
    pub comment: *mut c_char,
}
