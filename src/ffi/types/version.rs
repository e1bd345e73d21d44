//! The version of the interface, which is libssh2's. The crate has one of its own.

use std::ffi::CStr;

use libc::c_int;

/// The interface's version as text.
pub const LIBSSH2_VERSION: &CStr = c"1.11.2";
/// The interface's version as a number, one byte for each of its parts.
pub const LIBSSH2_VERSION_NUM: c_int = 0x010b02;
