//! The border to libcrypto, version 3.0 or later: the only place of `crypto` with `unsafe`.
//!
//! Everything here is reached by name through the provider interface (`EVP_*_fetch`), nothing touches libssl, and
//! libcrypto starts itself on first use. What the compiler cannot see is checked here, so that no argument from outside
//! makes a call unsound: lengths of keys, nonces and outputs, and that each pointer libcrypto gives is not NULL.
#![allow(unsafe_code, reason = "this is where libcrypto is called")]

use std::ffi::{CStr, c_int, c_ulong};
use std::ptr::NonNull;

use openssl_sys as ffi;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result as CrateResult};
use crate::memory;

/// An object of libcrypto that we alone hold, and the function that frees it.
macro_rules! owned {
    ($name:ident, $object:ty, $free:path) => {
        pub(super) struct $name(pub(super) std::ptr::NonNull<$object>);

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the pointer came from the matching constructor, and nothing uses it after this.
                unsafe {
                    $free(self.0.as_ptr());
                }
            }
        }

        // SAFETY: libcrypto ties none of these objects to a thread, and `&mut` keeps two threads from one of them.
        unsafe impl Send for $name {}
    };
}

mod cipher;
mod hash;
mod key;
mod mac;
mod number;
mod params;
mod pem;
mod signature;
mod source;

pub use self::cipher::{Cipher, Direction};
pub use self::hash::{Hash, LONGEST_DIGEST};
pub use self::key::Key;
pub use self::mac::Mac;
pub use self::number::{modulo_predecessor, power_modulo, well_known_prime};
pub use self::params::Param;
pub use self::pem::PemRefused;
pub use self::source::Source;

/// libcrypto said no; its own number for the reason, 0 when the refusal is ours.
#[derive(Clone, Copy, Debug)]
pub struct Refused(c_ulong);

type Result<T> = std::result::Result<T, Refused>;

impl From<Error> for Refused {
    /// Nothing but memory is asked for by those who turn our errors into this.
    fn from(_: Error) -> Self {
        Self::NO_MEMORY
    }
}

impl Refused {
    /// A size or a state that libcrypto is not even asked about.
    pub const UNFIT: Self = Self(0);
    /// Memory that was asked for is not to be had: `ERR_R_MALLOC_FAILURE`.
    pub const NO_MEMORY: Self = Self(0xc_0100);
    /// The part of a number that says why, not where: `ERR_REASON_MASK`.
    const REASON: c_ulong = 0x7f_ffff;

    /// Takes the most recent reason and empties libcrypto's queue, which the program's own TLS code may look at. Where
    /// memory was the first thing that was missing, all that followed came of that.
    fn take() -> Self {
        // SAFETY: all work on the calling thread's queue and take no pointer.
        let (first, last) = unsafe {
            let last = ffi::ERR_peek_last_error();
            let first = ffi::ERR_get_error();
            ffi::ERR_clear_error();
            (Self(first), Self(last))
        };
        if first.is_lack_of_memory() { first } else { last }
    }

    const fn is_lack_of_memory(self) -> bool {
        self.0 & Self::REASON == Self::NO_MEMORY.0
    }

    /// Whether an algorithm is missing: one that no provider has, or only one that is not loaded.
    const fn is_missing_algorithm(self) -> bool {
        // `ERR_PACK(ERR_LIB_EVP, 0, ERR_R_UNSUPPORTED)`
        self.0 == 0x0308_010c
    }

    /// As the crate's error, libcrypto's reason behind `text`.
    pub fn into_error(self, code: Code, text: &'static str) -> Error {
        if self.is_lack_of_memory() {
            return Error::alloc();
        }
        // SAFETY: any number may be asked about.
        let reason = unsafe { ffi::ERR_reason_error_string(self.0) };
        if reason.is_null() {
            return Error::new(code, text);
        }
        // SAFETY: not NULL, so one of the texts in libcrypto's tables: they end with NUL and stay.
        Error::new(code, text).with(unsafe { CStr::from_ptr(reason) }.to_bytes())
    }
}

/// libcrypto's habit: 1 for success, 0 or a negative number for failure.
fn done(returned: c_int) -> Result<()> {
    if returned > 0 { Ok(()) } else { Err(Refused::take()) }
}

fn not_null<T>(pointer: *mut T) -> Result<NonNull<T>> {
    NonNull::new(pointer).ok_or_else(Refused::take)
}

fn int(size: usize) -> Result<c_int> {
    c_int::try_from(size).map_err(|_| Refused::UNFIT)
}

/// A zeroed buffer of `len` bytes that is wiped when dropped.
fn zeroed(len: usize) -> Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(memory::filled(len, 0)?))
}

/// Fills `out` with random bytes.
pub fn random(out: &mut [u8]) -> Result<()> {
    // SAFETY: `out` is as long as stated.
    done(unsafe { ffi::RAND_bytes(out.as_mut_ptr(), int(out.len())?) })
}

/// Whether both are the same, in a time that does not depend on where they differ.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    // SAFETY: both are as long as `a`.
    a.len() == b.len() && unsafe { ffi::CRYPTO_memcmp(a.as_ptr().cast(), b.as_ptr().cast(), a.len()) } == 0
}
/// For callers that have one code and text for all failures.
pub trait OrRefuse<T> {
    /// Turns libcrypto's refusal into the crate's error.
    fn or_refuse(self, code: Code, text: &'static str) -> CrateResult<T>;
}

impl<T> OrRefuse<T> for Result<T> {
    fn or_refuse(self, code: Code, text: &'static str) -> CrateResult<T> {
        self.map_err(|refused| refused.into_error(code, text))
    }
}

/// The program's TLS code takes what lies in the queue for its own failure.
#[cfg(test)]
fn nothing_is_left_behind() {
    // SAFETY: takes nothing.
    assert_eq!(unsafe { ffi::ERR_peek_last_error() }, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_why_and_leaves_nothing_in_the_queue() {
        let refused = Cipher::new(c"no such cipher", Direction::Encrypt, &[], &[]).err().unwrap();
        let error = refused.into_error(Code::Encrypt, "Cipher is not to be had");
        assert!(error.to_string().starts_with("Cipher is not to be had: "), "{error}");
        nothing_is_left_behind();
        assert!(Hash::new(c"no such hash").is_err() && Key::generate(c"EC", Some(c"no such curve")).is_err());
        nothing_is_left_behind();
        assert!(Key::from_pem(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"").is_err());
        nothing_is_left_behind();
    }

    #[test]
    fn our_own_refusals_have_no_reason() {
        let error = Refused::UNFIT.into_error(Code::Encrypt, "Sizes do not fit");
        assert_eq!(error.to_string(), "Sizes do not fit");
    }
}
