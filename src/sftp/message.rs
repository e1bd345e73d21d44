//! Packet types, status codes and names of draft-ietf-secsh-filexfer-02 and of OpenSSH's PROTOCOL section 4.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "the names are the draft's own")]

use crate::trace::numbers;

pub const VERSION_SPOKEN: u32 = 3;

numbers! {
    INIT = 1;
    VERSION = 2;
    OPEN = 3;
    CLOSE = 4;
    READ = 5;
    WRITE = 6;
    LSTAT = 7;
    FSTAT = 8;
    SETSTAT = 9;
    FSETSTAT = 10;
    OPENDIR = 11;
    READDIR = 12;
    REMOVE = 13;
    MKDIR = 14;
    RMDIR = 15;
    REALPATH = 16;
    STAT = 17;
    RENAME = 18;
    READLINK = 19;
    SYMLINK = 20;
    STATUS = 101;
    HANDLE = 102;
    DATA = 103;
    NAME = 104;
    ATTRS = 105;
    EXTENDED = 200;
    EXTENDED_REPLY = 201;
}

pub const FX_OK: u32 = 0;
pub const FX_EOF: u32 = 1;
pub const FX_NO_SUCH_FILE: u32 = 2;
pub const FX_PERMISSION_DENIED: u32 = 3;
pub const FX_FAILURE: u32 = 4;
pub const FX_BAD_MESSAGE: u32 = 5;
pub const FX_NO_CONNECTION: u32 = 6;
pub const FX_CONNECTION_LOST: u32 = 7;
pub const FX_OP_UNSUPPORTED: u32 = 8;
