//! Message authentication codes.

use std::ffi::CStr;
use std::ptr;

use openssl_sys as ffi;

use super::params::Params;
use super::{Param, Refused, Result, done, not_null};

owned!(FetchedMac, ffi::EVP_MAC, ffi::EVP_MAC_free);
owned!(MacContext, ffi::EVP_MAC_CTX, ffi::EVP_MAC_CTX_free);

/// A message authentication code.
pub struct Mac {
    context: MacContext,
    size: usize,
}

impl Mac {
    /// HMAC over the hash libcrypto knows as `digest`.
    pub fn hmac(digest: &CStr, key: &[u8]) -> Result<Self> {
        let mut mac = Self::fetch(c"HMAC")?;
        let params = Params::new(&[Param::Text(c"digest", digest)])?;
        // SAFETY: the context is alive, `key` as long as stated, `params` ends as it must.
        done(unsafe { ffi::EVP_MAC_init(mac.context.0.as_ptr(), key.as_ptr(), key.len(), params.as_ptr()) })?;
        mac.measure();
        Ok(mac)
    }

    /// Poly1305, which wants a key for each message.
    pub fn poly1305() -> Result<Self> {
        Self::fetch(c"POLY1305")
    }

    fn fetch(name: &CStr) -> Result<Self> {
        // SAFETY: `name` ends with NUL; the other two may be NULL.
        let mac = FetchedMac(not_null(unsafe { ffi::EVP_MAC_fetch(ptr::null_mut(), name.as_ptr(), ptr::null()) })?);
        // SAFETY: `mac` is alive; the context keeps a reference of its own to it.
        let context = MacContext(not_null(unsafe { ffi::EVP_MAC_CTX_new(mac.0.as_ptr()) })?);
        let mut mac = Self { context, size: 0 };
        mac.measure();
        Ok(mac)
    }

    fn measure(&mut self) {
        // SAFETY: the context is alive.
        self.size = unsafe { ffi::EVP_MAC_CTX_get_mac_size(self.context.0.as_ptr()) };
    }

    /// Bytes of a code.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Writes the code over `parts`, one after the other, to the front of `out`; under `key`, or the key so far.
    pub fn compute(&mut self, key: Option<&[u8]>, parts: &[&[u8]], out: &mut [u8]) -> Result<()> {
        let context = self.context.0.as_ptr();
        let (key, key_len) = key.map_or((ptr::null(), 0), |key| (key.as_ptr(), key.len()));
        // Some versions of libcrypto do not look at the room there is.
        if self.size == 0 || out.len() < self.size {
            return Err(Refused::UNFIT);
        }
        // SAFETY: the context is alive, and `key` as long as stated, or NULL for the key so far.
        done(unsafe { ffi::EVP_MAC_init(context, key, key_len, ptr::null()) })?;
        for part in parts {
            // SAFETY: `part` is as long as stated.
            done(unsafe { ffi::EVP_MAC_update(context, part.as_ptr(), part.len()) })?;
        }
        let mut written = 0;
        // SAFETY: `out` has room for a code, as was just seen.
        done(unsafe { ffi::EVP_MAC_final(context, out.as_mut_ptr(), &raw mut written, out.len()) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::nothing_is_left_behind;
    use super::*;

    #[test]
    fn an_output_that_is_too_short_is_refused() {
        let mut mac = Mac::hmac(c"SHA256", b"key").unwrap();
        assert!(mac.compute(None, &[b"data"], &mut [0; 31]).is_err());
        assert!(mac.compute(None, &[b"data"], &mut [0; 32]).is_ok());
        let mut mac = Mac::poly1305().unwrap();
        assert!(mac.compute(Some(&[0; 32]), &[b"data"], &mut [0; 15]).is_err());
        assert!(mac.compute(Some(&[0; 31]), &[b"data"], &mut [0; 16]).is_err());
        assert!(mac.compute(Some(&[0; 32]), &[b"data"], &mut [0; 16]).is_ok());
        nothing_is_left_behind();
    }
}
