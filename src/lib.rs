//! libssh2's C interface on a memory-safe SSH and SFTP engine.
//!
//! The storeys from above: `ffi` (the C boundary), `op` (operations, and the only place that waits), `session` (one
//! connection), the protocols `auth`, `channel` and `sftp`, `transport` (bytes in, packets out), `crypto` (the safe face of
//! libcrypto), `wire` and `error`. `docs/architecture.md` has the picture and the reasons.
// `arithmetic_side_effects` knows no "in tests" setting of its own.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]
// What ends the process when memory runs out: see `memory`.
#![cfg_attr(not(any(test, fuzzing)), deny(clippy::disallowed_methods, clippy::disallowed_macros))]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "the C interface is proven for 64-bit platforms alone: where `long`, `off_t` and `time_t` have 32 bits it is another"
);

pub mod agent;
pub mod auth;
pub mod channel;
pub mod crypto;
pub mod error;
pub mod ffi;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod global;
pub mod io;
pub mod keepalive;
pub mod knownhost;
pub mod memory;
pub mod op;
mod patience;
pub mod publickey;
mod radix64;
pub mod scp;
pub mod session;
pub mod sftp;
pub mod sink;
mod table;
#[cfg(test)]
mod testing;
mod tickets;
pub mod trace;
pub mod transport;
pub mod wire;
