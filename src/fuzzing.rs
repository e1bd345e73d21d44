//! The doors for fuzzers: one function per target, each of which takes any bytes and must neither panic nor find a
//! property broken. They exist under `--cfg fuzzing` (see `fuzz/`) and in tests, never in the library.
#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is a panic"
)]

mod exchange;
mod keys;
mod knownhost;
mod login;
mod packet;
#[cfg(test)]
mod replay;

pub use self::exchange::{host_key, kex_reply, kexinit};
pub use self::keys::{certificate, private_key, public_key};
pub use self::knownhost::known_hosts;
pub use self::login::{agent, login};
pub use self::packet::{ident, packet};
use crate::ffi::base64::decode;
pub use crate::ffi::fuzzing::{channel, publickey_subsystem, scp, server, sftp};

/// What is run on an input.
pub type Target = fn(&[u8]);

/// What is fuzzed, under the names that `FUZZ_TARGET` and `fuzz/corpus` have for it.
pub const TARGETS: [(&str, Target); 17] = [
    ("agent", agent),
    ("base64", base64),
    ("certificate", certificate),
    ("channel", channel),
    ("host_key", host_key),
    ("ident", ident),
    ("kex_reply", kex_reply),
    ("kexinit", kexinit),
    ("known_hosts", known_hosts),
    ("login", login),
    ("packet", packet),
    ("private_key", private_key),
    ("public_key", public_key),
    ("publickey_subsystem", publickey_subsystem),
    ("scp", scp),
    ("server", server),
    ("sftp", sftp),
];

/// Base64 as the C interface reads it, against the crate that the rest of the library reads it by.
pub fn base64(data: &[u8]) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let encoded = STANDARD.encode(data);
    assert_eq!(decode(encoded.as_bytes()).unwrap(), data);
    let folded: Vec<u8> = encoded.bytes().flat_map(|digit| [digit, b'\n']).collect();
    assert_eq!(decode(&folded).unwrap(), data);
    // Here it is text, of which all that is not of the alphabet is skipped.
    if let Ok(decoded) = decode(data) {
        let digits = data.iter().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count();
        assert_eq!(decoded.len(), digits * 3 / 4);
        assert_eq!(decode(STANDARD.encode(&decoded).as_bytes()).unwrap(), decoded);
    }
    if let Ok(strict) = STANDARD.decode(data) {
        assert_eq!(decode(data).unwrap(), strict);
    }
}

/// Takes an 8-bit length and so many bytes, or what there is, from the front.
pub(crate) fn piece<'a>(data: &mut &'a [u8]) -> &'a [u8] {
    let Some((&length, rest)) = data.split_first() else { return &[] };
    let (piece, rest) = rest.split_at(usize::from(length).min(rest.len()));
    *data = rest;
    piece
}
