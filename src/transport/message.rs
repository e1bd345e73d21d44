//! Message numbers: RFC 4250 section 4.1, RFC 4256, RFC 5656, RFC 8308 and OpenSSH's PROTOCOL.
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "the names are the RFCs' own")]

use crate::trace::numbers;

numbers! {
    DISCONNECT = 1;
    IGNORE = 2;
    UNIMPLEMENTED = 3;
    DEBUG = 4;
    SERVICE_REQUEST = 5;
    SERVICE_ACCEPT = 6;
    EXT_INFO = 7;
    KEXINIT = 20;
    NEWKEYS = 21;
    USERAUTH_REQUEST = 50;
    USERAUTH_FAILURE = 51;
    USERAUTH_SUCCESS = 52;
    USERAUTH_BANNER = 53;
    GLOBAL_REQUEST = 80;
    REQUEST_SUCCESS = 81;
    REQUEST_FAILURE = 82;
    CHANNEL_OPEN = 90;
    CHANNEL_OPEN_CONFIRMATION = 91;
    CHANNEL_OPEN_FAILURE = 92;
    CHANNEL_WINDOW_ADJUST = 93;
    CHANNEL_DATA = 94;
    CHANNEL_EXTENDED_DATA = 95;
    CHANNEL_EOF = 96;
    CHANNEL_CLOSE = 97;
    CHANNEL_REQUEST = 98;
    CHANNEL_SUCCESS = 99;
    CHANNEL_FAILURE = 100;
    // OpenSSH's transport-level ping (PROTOCOL section 1.9).
    PING = 192;
    PONG = 193;
}

/// First of the numbers that each key exchange method uses as it likes.
pub const KEX_FIRST: u8 = 30;
pub const KEX_ECDH_INIT: u8 = 30;
pub const KEX_ECDH_REPLY: u8 = 31;
pub const KEX_DH_GEX_GROUP: u8 = 31;
pub const KEX_DH_GEX_INIT: u8 = 32;
pub const KEX_DH_GEX_REPLY: u8 = 33;
pub const KEX_DH_GEX_REQUEST: u8 = 34;
pub const KEX_LAST: u8 = 49;
/// First of the numbers that each authentication method uses as it likes (RFC 4252 section 6).
pub const USERAUTH_METHOD_FIRST: u8 = 60;
pub const USERAUTH_PASSWD_CHANGEREQ: u8 = 60;
pub const USERAUTH_PK_OK: u8 = 60;
pub const USERAUTH_INFO_REQUEST: u8 = 60;
pub const USERAUTH_INFO_RESPONSE: u8 = 61;
pub const USERAUTH_LAST: u8 = 79;
