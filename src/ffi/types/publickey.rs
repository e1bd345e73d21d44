//! Handle and structs of the publickey subsystem, RFC 4819.

use libc::{c_char, c_uchar, c_ulong};

/// The publickey subsystem of a session. Made by libssh2_publickey_init(), released by libssh2_publickey_shutdown().
pub struct _LIBSSH2_PUBLICKEY {
    _private: [u8; 0],
}
/// The publickey subsystem of a session, see `struct _LIBSSH2_PUBLICKEY`.
pub type LIBSSH2_PUBLICKEY = _LIBSSH2_PUBLICKEY;

/// An attribute of a public key, RFC 4819 section 4.1.
#[repr(C)]
pub struct _libssh2_publickey_attribute {
    /// Its name.
    pub name: *const c_char,
    /// Bytes in `name`.
    pub name_len: c_ulong,
    /// Its value.
    pub value: *const c_char,
    /// Bytes in `value`.
    pub value_len: c_ulong,
    /// Not 0 when the server must refuse the key rather than ignore the attribute.
    pub mandatory: c_char,
}
/// An attribute of a public key, see `struct _libssh2_publickey_attribute`.
pub type libssh2_publickey_attribute = _libssh2_publickey_attribute;

/// A public key that the server holds. All pointers lead into `packet`.
#[repr(C)]
pub struct _libssh2_publickey_list {
    /// The server's message; NULL in the entry that ends a list.
    pub packet: *mut c_uchar,
    /// The key's algorithm.
    pub name: *const c_uchar,
    /// Bytes in `name`.
    pub name_len: c_ulong,
    /// The key as the bytes of the wire.
    pub blob: *const c_uchar,
    /// Bytes in `blob`.
    pub blob_len: c_ulong,
    /// Entries in `attrs`.
    pub num_attrs: c_ulong,
    /// The key's attributes.
    pub attrs: *mut libssh2_publickey_attribute,
}
/// A public key that the server holds, see `struct _libssh2_publickey_list`.
pub type libssh2_publickey_list = _libssh2_publickey_list;
