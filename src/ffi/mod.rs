//! The C boundary: pointers, NULL, panics, callbacks and allocators end here.
//!
//! Each file is one chapter of libssh2's three headers. `include/` is generated from this directory (`make headers`),
//! so the doc comments of whatever is public here are the headers' comments as well.
#![allow(unsafe_code, reason = "this is the C boundary")]
#![allow(clippy::missing_safety_doc, reason = "each function's comment says what its C caller owes it")]

mod alloc;
mod callback;
mod guard;
mod handle;
mod last_error;
mod time;
mod tracer;

pub mod agent;
pub mod algorithm;
pub mod base64;
pub mod channel;
pub mod channel_end;
pub mod channel_stream;
pub mod ext;
pub mod ext_sftp;
pub mod forward;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod global;
pub mod keepalive;
pub mod knownhost;
pub mod poll;
pub mod publickey;
pub mod scp;
pub mod session;
pub mod setting;
pub mod sftp;
pub mod sftp_file;
pub mod trace;
pub mod types;
pub mod userauth;
pub mod userauth_keyboard;
pub mod userauth_signer;
