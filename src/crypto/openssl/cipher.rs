//! Symmetric ciphers.

use std::ffi::{CStr, c_int, c_ulong};
use std::ptr;

use openssl_sys as ffi;

use super::{Refused, Result, Source, done, int, not_null};

owned!(FetchedCipher, ffi::EVP_CIPHER, ffi::EVP_CIPHER_free);
owned!(CipherContext, ffi::EVP_CIPHER_CTX, ffi::EVP_CIPHER_CTX_free);

/// What a [`Cipher`] does with the bytes it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Encrypt = 1,
    Decrypt = 0,
}

/// `EVP_CIPH_GCM_MODE` of openssl/evp.h.
const GCM_MODE: c_ulong = 6;

/// A symmetric cipher under one key, without padding.
pub struct Cipher {
    context: CipherContext,
    iv_len: usize,
    block: usize,
    tagged: bool,
}

impl Cipher {
    /// The cipher libcrypto knows as `name`. Key and initial IV must have just the sizes that it takes.
    pub fn new(name: &CStr, direction: Direction, key: &[u8], iv: &[u8]) -> Result<Self> {
        Self::from_source(Source::Default, name, direction, key, iv)
    }

    /// [`Cipher::new`], from that source.
    pub fn from_source(source: Source, name: &CStr, direction: Direction, key: &[u8], iv: &[u8]) -> Result<Self> {
        let context = source.context()?;
        // SAFETY: `context` is NULL or lives as long as the program, `name` ends with NUL, and the last may be NULL.
        let cipher = unsafe { ffi::EVP_CIPHER_fetch(context, name.as_ptr(), ptr::null()) };
        let cipher = FetchedCipher(not_null(cipher)?);
        // SAFETY: takes nothing.
        let context = CipherContext(not_null(unsafe { ffi::EVP_CIPHER_CTX_new() })?);
        // SAFETY: `cipher` is alive.
        let (key_len, iv_len, block, flags) = unsafe {
            let cipher = cipher.0.as_ptr();
            (
                ffi::EVP_CIPHER_key_length(cipher),
                ffi::EVP_CIPHER_iv_length(cipher),
                ffi::EVP_CIPHER_block_size(cipher),
                ffi::EVP_CIPHER_get_flags(cipher),
            )
        };
        if int(key.len())? != key_len || int(iv.len())? != iv_len {
            return Err(Refused::UNFIT);
        }
        // SAFETY: context and cipher are alive, key and IV were just seen to have the sizes that the cipher reads. The
        // context keeps a reference of its own to the cipher.
        done(unsafe {
            ffi::EVP_CipherInit_ex(
                context.0.as_ptr(),
                cipher.0.as_ptr(),
                ptr::null_mut(),
                key.as_ptr(),
                iv.as_ptr(),
                direction as c_int,
            )
        })?;
        // SAFETY: the context has its cipher.
        done(unsafe { ffi::EVP_CIPHER_CTX_set_padding(context.0.as_ptr(), 0) })?;
        let block = usize::try_from(block).map_err(|_| Refused::UNFIT)?;
        Ok(Self { context, iv_len: iv.len(), block, tagged: flags & ffi::EVP_CIPH_MODE == GCM_MODE })
    }

    /// Starts anew at `iv`, under the same key.
    pub fn restart(&mut self, iv: &[u8]) -> Result<()> {
        if iv.len() != self.iv_len {
            return Err(Refused::UNFIT);
        }
        // SAFETY: the context has cipher and key; `iv` has the size that it reads; -1 keeps the direction.
        done(unsafe {
            let context = self.context.0.as_ptr();
            ffi::EVP_CipherInit_ex(context, ptr::null(), ptr::null_mut(), ptr::null(), iv.as_ptr(), -1)
        })
    }

    /// Takes in `data` that a tagged cipher authenticates only.
    pub fn authenticate(&mut self, data: &[u8]) -> Result<()> {
        if !self.tagged {
            return Err(Refused::UNFIT);
        }
        let (mut written, len) = (0, int(data.len())?);
        // SAFETY: a tagged cipher takes NULL as the place of its output, and writes nothing then.
        done(unsafe {
            ffi::EVP_CipherUpdate(self.context.0.as_ptr(), ptr::null_mut(), &raw mut written, data.as_ptr(), len)
        })
    }

    /// From `input` to `output`, which are equally long.
    pub fn update(&mut self, input: &[u8], output: &mut [u8]) -> Result<()> {
        if input.len() != output.len() {
            return Err(Refused::UNFIT);
        }
        // SAFETY: both places hold `input.len()` bytes and are borrowed until the call returns.
        unsafe { self.run(input.as_ptr(), output.as_mut_ptr(), input.len()) }
    }

    /// Where `data` lies.
    pub fn update_in_place(&mut self, data: &mut [u8]) -> Result<()> {
        let place = data.as_mut_ptr();
        // SAFETY: the place holds `data.len()` bytes and is borrowed until the call returns.
        unsafe { self.run(place, place, data.len()) }
    }

    /// # Safety
    ///
    /// `input` must be good to read and `output` to write for `len` bytes; both are the same place or lie apart.
    unsafe fn run(&mut self, input: *const u8, output: *mut u8, len: usize) -> Result<()> {
        // Whole blocks only: so nothing is ever held back, and each call writes just what it reads.
        if len.checked_rem(self.block) != Some(0) {
            return Err(Refused::UNFIT);
        }
        let mut written = 0;
        // SAFETY: the caller vouches for the places; without padding, whole blocks give as many bytes as they take.
        done(unsafe { ffi::EVP_CipherUpdate(self.context.0.as_ptr(), output, &raw mut written, input, int(len)?) })?;
        if usize::try_from(written) == Ok(len) { Ok(()) } else { Err(Refused::UNFIT) }
    }

    /// Ends a message of a tagged cipher: its tag.
    pub fn tag(&mut self, tag: &mut [u8; 16]) -> Result<()> {
        self.finish()?;
        self.tag_control(ffi::EVP_CTRL_GCM_GET_TAG, tag.as_mut_ptr())
    }

    /// Ends a message of a tagged cipher: refused unless `tag` is its tag.
    pub fn check_tag(&mut self, tag: &[u8; 16]) -> Result<()> {
        let mut tag = *tag;
        self.tag_control(ffi::EVP_CTRL_GCM_SET_TAG, tag.as_mut_ptr())?;
        self.finish()
    }

    fn finish(&mut self) -> Result<()> {
        let (mut rest, mut written) = ([0_u8; 32], 0);
        // SAFETY: `rest` is longer than the block of any cipher, and nothing was held back to write there.
        done(unsafe { ffi::EVP_CipherFinal(self.context.0.as_ptr(), rest.as_mut_ptr(), &raw mut written) })
    }

    fn tag_control(&mut self, command: c_int, tag: *mut u8) -> Result<()> {
        if !self.tagged {
            return Err(Refused::UNFIT);
        }
        // SAFETY: both commands read or write the stated 16 bytes; both callers pass an array of 16.
        done(unsafe { ffi::EVP_CIPHER_CTX_ctrl(self.context.0.as_ptr(), command, 16, tag.cast()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_cipher_takes_whole_blocks_and_no_tag() {
        let mut cipher = Cipher::new(c"AES-128-CBC", Direction::Encrypt, &[0; 16], &[0; 16]).unwrap();
        for len in [1, 15, 17, 31] {
            assert!(cipher.update_in_place(&mut vec![0; len]).is_err());
        }
        let mut data = [0; 32];
        cipher.update_in_place(&mut data).unwrap();
        cipher.restart(&[0; 16]).unwrap();
        let mut again = [0; 32];
        cipher.update(&[0; 32], &mut again).unwrap();
        assert_eq!(data, again);
        assert!(cipher.authenticate(b"front").is_err() && cipher.tag(&mut [0; 16]).is_err());
        assert!(cipher.restart(&[0; 12]).is_err());
    }
}
