//! Hashes.

use std::ffi::CStr;
use std::ptr;

use openssl_sys as ffi;

use super::{Result, done, not_null};

owned!(FetchedMd, ffi::EVP_MD, ffi::EVP_MD_free);
owned!(MdContext, ffi::EVP_MD_CTX, ffi::EVP_MD_CTX_free);

/// Longest output of any hash, `EVP_MAX_MD_SIZE`.
pub const LONGEST_DIGEST: usize = 64;

/// A hash under way.
pub struct Hash(MdContext);

impl Hash {
    /// The hash libcrypto knows as `name`.
    pub fn new(name: &CStr) -> Result<Self> {
        let (context, digest) = (digest_context()?, fetch_digest(name)?);
        // SAFETY: both are alive; the context keeps a reference of its own to the digest.
        done(unsafe { ffi::EVP_DigestInit_ex(context.0.as_ptr(), digest.0.as_ptr(), ptr::null_mut()) })?;
        Ok(Self(context))
    }

    /// Takes in `data`.
    pub fn update(&mut self, data: &[u8]) -> Result<()> {
        // SAFETY: `data` is as long as stated.
        done(unsafe { ffi::EVP_DigestUpdate(self.0.0.as_ptr(), data.as_ptr().cast(), data.len()) })
    }

    /// Writes the hash to the front of `out`.
    pub fn finish(self, out: &mut [u8; LONGEST_DIGEST]) -> Result<()> {
        // SAFETY: `out` has room for the longest hash, and the place of the length may be NULL.
        done(unsafe { ffi::EVP_DigestFinal_ex(self.0.0.as_ptr(), out.as_mut_ptr(), ptr::null_mut()) })
    }
}

/// The hash libcrypto knows as `name`.
pub(super) fn fetch_digest(name: &CStr) -> Result<FetchedMd> {
    // SAFETY: `name` ends with NUL; the other two may be NULL.
    not_null(unsafe { ffi::EVP_MD_fetch(ptr::null_mut(), name.as_ptr(), ptr::null()) }).map(FetchedMd)
}

/// A context for a hash, or for a signature over one.
pub(super) fn digest_context() -> Result<MdContext> {
    // SAFETY: takes nothing.
    not_null(unsafe { ffi::EVP_MD_CTX_new() }).map(MdContext)
}
