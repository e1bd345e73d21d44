//! Private keys in PEM.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use openssl_sys as ffi;

use super::key::KeyObject;
use super::{Key, Refused, int, not_null};

owned!(Bio, ffi::BIO, ffi::BIO_free_all);

/// Why a key file was not read.
pub enum PemRefused {
    /// It is encrypted, and not with this passphrase.
    Passphrase,
    /// It holds no key that libcrypto can read.
    Content(Refused),
}

impl Key {
    /// Reads the first private key of a PEM text: PKCS#1, SEC1 or PKCS#8, plain or encrypted. Never asks the terminal.
    pub fn from_pem(text: &[u8], passphrase: &[u8]) -> Result<Self, PemRefused> {
        let mut prompt = Prompt { passphrase, asked: false };
        let mut read = || {
            // SAFETY: the BIO reads `text`, which outlives it, and no further than stated.
            let bio = Bio(not_null(unsafe { ffi::BIO_new_mem_buf(text.as_ptr().cast(), int(text.len())?) })?);
            // SAFETY: the BIO is alive, and `answer` is given what it expects, alive until the call returns.
            not_null(unsafe {
                let prompt = (&raw mut prompt).cast();
                ffi::PEM_read_bio_PrivateKey(bio.0.as_ptr(), ptr::null_mut(), Some(answer), prompt)
            })
        };
        let key = read();
        // A reader that tried several decoders may leave the failures of some behind.
        Refused::take();
        match key {
            Ok(key) => Ok(Self(KeyObject(key))),
            Err(refused) if prompt.asked && !refused.is_missing_algorithm() => Err(PemRefused::Passphrase),
            Err(refused) => Err(PemRefused::Content(refused)),
        }
    }
}

/// What [`answer`] works with.
struct Prompt<'a> {
    passphrase: &'a [u8],
    asked: bool,
}

/// Stands where libcrypto would otherwise ask the terminal for a passphrase.
extern "C" fn answer(place: *mut c_char, room: c_int, _for_writing: c_int, prompt: *mut c_void) -> c_int {
    // SAFETY: `from_pem` passes a `Prompt` that it does not touch during the call.
    let prompt = unsafe { &mut *prompt.cast::<Prompt<'_>>() };
    prompt.asked = true;
    let (Ok(room), Ok(len)) = (usize::try_from(room), c_int::try_from(prompt.passphrase.len())) else { return -1 };
    if prompt.passphrase.len() > room {
        return -1;
    }
    // SAFETY: libcrypto has `room` bytes there, which is enough, as was just seen.
    unsafe { ptr::copy_nonoverlapping(prompt.passphrase.as_ptr(), place.cast(), prompt.passphrase.len()) };
    len
}
