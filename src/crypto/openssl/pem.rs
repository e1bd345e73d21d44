//! Private keys in PEM.

use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_void};
use std::ptr;

use openssl_sys as ffi;
use zeroize::Zeroizing;

use super::key::KeyObject;
use super::{Key, Refused, Result as RefusedResult, int, not_null, zeroed};

/// What a text may be that holds a key of any kind, for [`PEM_bytes_read_bio`].
const ANY_KEY: &CStr = c"ANY PRIVATE KEY";

/// `X509_SIG`: what is encrypted, and how.
pub(super) enum Encrypted {}

// Of openssl/x509.h, openssl/pem.h and openssl/crypto.h; the crate has them not.
unsafe extern "C" {
    fn d2i_X509_SIG(place: *mut *mut Encrypted, content: *mut *const c_uchar, length: c_long) -> *mut Encrypted;
    fn X509_SIG_free(encrypted: *mut Encrypted);
    fn PKCS8_decrypt(
        encrypted: *const Encrypted,
        passphrase: *const c_char,
        length: c_int,
    ) -> *mut ffi::PKCS8_PRIV_KEY_INFO;
    fn i2d_PKCS8_PRIV_KEY_INFO(info: *const ffi::PKCS8_PRIV_KEY_INFO, place: *mut *mut c_uchar) -> c_int;
    fn PEM_bytes_read_bio(
        content: *mut *mut c_uchar,
        length: *mut c_long,
        name: *mut *mut c_char,
        wanted: *const c_char,
        bio: *mut ffi::BIO,
        callback: ffi::pem_password_cb,
        data: *mut c_void,
    ) -> c_int;
    fn CRYPTO_clear_free(memory: *mut c_void, length: usize, file: *const c_char, line: c_int);
}

owned!(Bio, ffi::BIO, ffi::BIO_free_all);
owned!(EncryptedKey, Encrypted, X509_SIG_free);
owned!(KeyInfo, ffi::PKCS8_PRIV_KEY_INFO, ffi::PKCS8_PRIV_KEY_INFO_free);

impl Bio {
    /// What reads `text` and no further; it must not outlive it.
    fn over(text: &[u8]) -> RefusedResult<Self> {
        // SAFETY: pointer and length are those of a slice, which outlives the result as the callers see to.
        not_null(unsafe { ffi::BIO_new_mem_buf(text.as_ptr().cast(), int(text.len())?) }).map(Self)
    }
}

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
            let bio = Bio::over(text)?;
            // SAFETY: the BIO is alive, and `answer` is given what it expects, alive until the call returns.
            not_null(unsafe {
                let prompt = (&raw mut prompt).cast();
                ffi::PEM_read_bio_PrivateKey(bio.0.as_ptr(), ptr::null_mut(), Some(answer), prompt)
            })
        };
        let key = read();
        // A reader that tried several decoders may leave the failures of some behind.
        Refused::take();
        key.map(|key| Self(KeyObject(key))).map_err(|refused| prompt.refusal(refused))
    }

    /// What is in a key of PKCS#8 that is encrypted, `content` being that without its armor: a `PrivateKeyInfo`.
    pub fn decrypt_pkcs8(content: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, PemRefused> {
        let read = || {
            let mut start = content.as_ptr();
            let length = c_long::try_from(content.len()).map_err(|_| Refused::UNFIT)?;
            // SAFETY: pointer and length are those of a slice; a new object is made.
            not_null(unsafe { d2i_X509_SIG(ptr::null_mut(), &raw mut start, length) }).map(EncryptedKey)
        };
        let decrypt = |encrypted: &EncryptedKey| {
            let length = int(passphrase.len())?;
            // SAFETY: the object is alive, pointer and length are those of a slice.
            not_null(unsafe { PKCS8_decrypt(encrypted.0.as_ptr(), passphrase.as_ptr().cast(), length) }).map(KeyInfo)
        };
        let write = |info: &KeyInfo| {
            // SAFETY: the object is alive; NULL asks for the length.
            let length = unsafe { i2d_PKCS8_PRIV_KEY_INFO(info.0.as_ptr(), ptr::null_mut()) };
            let mut out = zeroed(usize::try_from(length).map_err(|_| Refused::UNFIT)?)?;
            let mut place = out.as_mut_ptr();
            // SAFETY: the object is alive, and there is as much room as it has just asked for.
            let written = unsafe { i2d_PKCS8_PRIV_KEY_INFO(info.0.as_ptr(), &raw mut place) };
            if written == length { Ok(out) } else { Err(Refused::UNFIT) }
        };
        let encrypted = read().map_err(PemRefused::Content)?;
        let prompt = Prompt { passphrase, asked: true };
        let result = decrypt(&encrypted).and_then(|info| write(&info));
        Refused::take();
        result.map_err(|refused| prompt.refusal(refused))
    }

    /// What is in the first key of a PEM text that is encrypted as RFC 1421 has it.
    pub fn decrypt_pem(text: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, PemRefused> {
        let mut prompt = Prompt { passphrase, asked: false };
        let mut read = || {
            let bio = Bio::over(text)?;
            let (mut content, mut length) = (ptr::null_mut(), 0);
            // SAFETY: the BIO is alive, the places can be written to, and `answer` is given what it expects, alive until
            // the call returns.
            super::done(unsafe {
                let prompt = (&raw mut prompt).cast();
                let (bio, wanted) = (bio.0.as_ptr(), ANY_KEY.as_ptr());
                PEM_bytes_read_bio(
                    &raw mut content,
                    &raw mut length,
                    ptr::null_mut(),
                    wanted,
                    bio,
                    Some(answer),
                    prompt,
                )
            })?;
            let size = usize::try_from(length).unwrap_or_default();
            let copied = zeroed(size).map(|mut copy| {
                // SAFETY: libcrypto has given so many bytes there.
                copy.copy_from_slice(unsafe { std::slice::from_raw_parts(content, size) });
                copy
            });
            // SAFETY: they are ours to free, and used no more.
            unsafe { CRYPTO_clear_free(content.cast(), size, ptr::null(), 0) };
            copied
        };
        let result = read();
        Refused::take();
        result.map_err(|refused| prompt.refusal(refused))
    }
}

/// What [`answer`] works with.
struct Prompt<'a> {
    passphrase: &'a [u8],
    asked: bool,
}

impl Prompt<'_> {
    /// Whom a failure is to be blamed on.
    const fn refusal(&self, refused: Refused) -> PemRefused {
        if self.asked && !refused.is_missing_algorithm() {
            PemRefused::Passphrase
        } else {
            PemRefused::Content(refused)
        }
    }
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
