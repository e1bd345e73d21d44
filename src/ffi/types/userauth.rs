//! Structs of `libssh2_userauth_*`.

use libc::{c_char, c_int, c_uchar, c_uint, c_void, size_t};

use super::LIBSSH2_USERAUTH_SK_SIGN_FUNC;

/// A question of keyboard-interactive authentication.
#[repr(C)]
pub struct _LIBSSH2_USERAUTH_KBDINT_PROMPT {
    /// What to show the user, `length` bytes; NULL when it is empty.
    pub text: *mut c_uchar,
    /// Bytes in `text`.
    pub length: size_t,
    /// 0 when what the user types must not be shown.
    pub echo: c_uchar,
}
/// A question of keyboard-interactive authentication, see `struct _LIBSSH2_USERAUTH_KBDINT_PROMPT`.
pub type LIBSSH2_USERAUTH_KBDINT_PROMPT = _LIBSSH2_USERAUTH_KBDINT_PROMPT;

/// The answer to one question.
#[repr(C)]
pub struct _LIBSSH2_USERAUTH_KBDINT_RESPONSE {
    /// The answer, allocated with the session's allocator; the library frees it.
    pub text: *mut c_char,
    /// Bytes in `text`.
    pub length: c_uint,
}
/// The answer to one question, see `struct _LIBSSH2_USERAUTH_KBDINT_RESPONSE`.
pub type LIBSSH2_USERAUTH_KBDINT_RESPONSE = _LIBSSH2_USERAUTH_KBDINT_RESPONSE;

/// A security key's signature.
#[repr(C)]
pub struct _LIBSSH2_SK_SIG_INFO {
    /// What the key reports to have checked: LIBSSH2_SK_PRESENCE_REQUIRED, LIBSSH2_SK_VERIFICATION_REQUIRED.
    pub flags: u8,
    /// The key's signature counter.
    pub counter: u32,
    /// An Ed25519 signature, or the r of an ECDSA one; allocated with the session's allocator, the library frees it.
    pub sig_r: *mut c_uchar,
    /// Bytes in `sig_r`.
    pub sig_r_len: size_t,
    /// The s of an ECDSA signature, allocated like `sig_r`, or NULL.
    pub sig_s: *mut c_uchar,
    /// Bytes in `sig_s`.
    pub sig_s_len: size_t,
}
/// A security key's signature, see `struct _LIBSSH2_SK_SIG_INFO`.
pub type LIBSSH2_SK_SIG_INFO = _LIBSSH2_SK_SIG_INFO;

/// A security key as its key file describes it: what libssh2_sign_sk() is given through its `abstract`.
#[repr(C)]
pub struct _LIBSSH2_PRIVKEY_SK {
    /// The kind of key: a LIBSSH2_HOSTKEY_TYPE_ number.
    pub algorithm: c_int,
    /// What the key is to check: LIBSSH2_SK_PRESENCE_REQUIRED, LIBSSH2_SK_VERIFICATION_REQUIRED.
    pub flags: u8,
    /// The application that the key was made for, terminated.
    pub application: *const c_char,
    /// The handle by which the device finds its key.
    pub key_handle: *const c_uchar,
    /// Bytes in `key_handle`.
    pub handle_len: size_t,
    /// Talks to the device.
    pub sign_callback: LIBSSH2_USERAUTH_SK_SIGN_FUNC,
    /// What `sign_callback` is given as its `abstract`.
    pub orig_abstract: *mut *mut c_void,
}
/// A security key as its key file describes it, see `struct _LIBSSH2_PRIVKEY_SK`.
pub type LIBSSH2_PRIVKEY_SK = _LIBSSH2_PRIVKEY_SK;

/// The user must touch the security key.
pub const LIBSSH2_SK_PRESENCE_REQUIRED: c_int = 0x01;
/// The user must prove to the security key who they are.
pub const LIBSSH2_SK_VERIFICATION_REQUIRED: c_int = 0x04;
