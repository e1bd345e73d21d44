//! Host keys, and the handle, struct and constants of `libssh2_knownhost_*`.

use libc::{c_char, c_int, c_uint, c_void};

/// A collection of known hosts. Made by libssh2_knownhost_init(), released by libssh2_knownhost_free().
pub struct _LIBSSH2_KNOWNHOSTS {
    _private: [u8; 0],
}
/// A collection of known hosts, see `struct _LIBSSH2_KNOWNHOSTS`.
pub type LIBSSH2_KNOWNHOSTS = _LIBSSH2_KNOWNHOSTS;

/// A known host. It belongs to its collection and lives until it is deleted or the collection is freed.
#[repr(C)]
pub struct libssh2_knownhost {
    /// The library's mark.
    pub magic: c_uint,
    /// The library's own record of this host.
    pub node: *mut c_void,
    /// The host's name, or NULL when it is known by a hash only.
    pub name: *mut c_char,
    /// The key in base64.
    pub key: *mut c_char,
    /// Name format, key encoding and key type: LIBSSH2_KNOWNHOST_ numbers or-ed together.
    pub typemask: c_int,
}

/// For libssh2_hostkey_hash(): MD5, 16 bytes.
pub const LIBSSH2_HOSTKEY_HASH_MD5: c_int = 1;
/// SHA-1, 20 bytes.
pub const LIBSSH2_HOSTKEY_HASH_SHA1: c_int = 2;
/// SHA-256, 32 bytes.
pub const LIBSSH2_HOSTKEY_HASH_SHA256: c_int = 3;

/// From libssh2_session_hostkey(): a key of none of the types below, or no key yet.
pub const LIBSSH2_HOSTKEY_TYPE_UNKNOWN: c_int = 0;
/// RSA.
pub const LIBSSH2_HOSTKEY_TYPE_RSA: c_int = 1;
/// DSA.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_HOSTKEY_TYPE_DSS: c_int = 2;
/// ECDSA on the curve nistp256.
pub const LIBSSH2_HOSTKEY_TYPE_ECDSA_256: c_int = 3;
/// ECDSA on the curve nistp384.
pub const LIBSSH2_HOSTKEY_TYPE_ECDSA_384: c_int = 4;
/// ECDSA on the curve nistp521.
pub const LIBSSH2_HOSTKEY_TYPE_ECDSA_521: c_int = 5;
/// Ed25519.
pub const LIBSSH2_HOSTKEY_TYPE_ED25519: c_int = 6;

/// The part of a typemask that tells how the host's name is given.
pub const LIBSSH2_KNOWNHOST_TYPE_MASK: c_int = 0xffff;
/// As it is.
pub const LIBSSH2_KNOWNHOST_TYPE_PLAIN: c_int = 1;
/// As base64 of a salted SHA-1.
pub const LIBSSH2_KNOWNHOST_TYPE_SHA1: c_int = 2;
/// In a form of the program's own.
pub const LIBSSH2_KNOWNHOST_TYPE_CUSTOM: c_int = 3;

/// The part of a typemask that tells how the key is given.
pub const LIBSSH2_KNOWNHOST_KEYENC_MASK: c_int = 3 << 16;
/// As the bytes of the wire.
pub const LIBSSH2_KNOWNHOST_KEYENC_RAW: c_int = 1 << 16;
/// In base64.
pub const LIBSSH2_KNOWNHOST_KEYENC_BASE64: c_int = 2 << 16;

/// The part of a typemask that tells the key's type.
pub const LIBSSH2_KNOWNHOST_KEY_MASK: c_int = 15 << 18;
/// Where that part begins, in bits.
pub const LIBSSH2_KNOWNHOST_KEY_SHIFT: c_int = 18;
/// RSA of SSH's version 1.
pub const LIBSSH2_KNOWNHOST_KEY_RSA1: c_int = 1 << 18;
/// RSA.
pub const LIBSSH2_KNOWNHOST_KEY_SSHRSA: c_int = 2 << 18;
/// DSA.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_KNOWNHOST_KEY_SSHDSS: c_int = 3 << 18;
/// ECDSA on the curve nistp256.
pub const LIBSSH2_KNOWNHOST_KEY_ECDSA_256: c_int = 4 << 18;
/// ECDSA on the curve nistp384.
pub const LIBSSH2_KNOWNHOST_KEY_ECDSA_384: c_int = 5 << 18;
/// ECDSA on the curve nistp521.
pub const LIBSSH2_KNOWNHOST_KEY_ECDSA_521: c_int = 6 << 18;
/// Ed25519.
pub const LIBSSH2_KNOWNHOST_KEY_ED25519: c_int = 7 << 18;
/// A type that has no number.
pub const LIBSSH2_KNOWNHOST_KEY_UNKNOWN: c_int = 15 << 18;

/// From libssh2_knownhost_check(): host and key are known.
pub const LIBSSH2_KNOWNHOST_CHECK_MATCH: c_int = 0;
/// The host is known, with another key.
pub const LIBSSH2_KNOWNHOST_CHECK_MISMATCH: c_int = 1;
/// The host is not known.
pub const LIBSSH2_KNOWNHOST_CHECK_NOTFOUND: c_int = 2;
/// The check could not be made.
pub const LIBSSH2_KNOWNHOST_CHECK_FAILURE: c_int = 3;

/// The format of OpenSSH's known_hosts file.
pub const LIBSSH2_KNOWNHOST_FILE_OPENSSH: c_int = 1;
