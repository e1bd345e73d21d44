//! Signatures: made, and checked.

use std::ffi::{CStr, c_int};
use std::ptr;

use openssl_sys as ffi;

use super::hash::{MdContext, digest_context, fetch_digest};
use super::{Key, Refused, Result, done, zeroed};
use crate::memory;

impl Key {
    /// Signs `data`, hashed by `digest` unless the algorithm does that itself.
    pub fn sign(&self, digest: Option<&CStr>, data: &[u8]) -> Result<Vec<u8>> {
        let context = self.signature_context(digest, ffi::EVP_DigestSignInit)?;
        let mut len = self.size()?;
        let mut signature = zeroed(len)?;
        // SAFETY: `signature` has room for the longest one, and `data` is as long as stated.
        done(unsafe {
            let place = signature.as_mut_ptr();
            ffi::EVP_DigestSign(context.0.as_ptr(), place, &raw mut len, data.as_ptr(), data.len())
        })?;
        Ok(memory::copy(signature.get(..len).ok_or(Refused::UNFIT)?)?)
    }

    /// Refused unless `signature` is this key's over `data`, hashed by `digest` unless the algorithm does that itself.
    pub fn verify(&self, digest: Option<&CStr>, data: &[u8], signature: &[u8]) -> Result<()> {
        let context = self.signature_context(digest, ffi::EVP_DigestVerifyInit)?;
        // SAFETY: both are as long as stated.
        done(unsafe {
            let (place, len) = (signature.as_ptr(), signature.len());
            ffi::EVP_DigestVerify(context.0.as_ptr(), place, len, data.as_ptr(), data.len())
        })
    }

    fn signature_context(&self, digest: Option<&CStr>, init: InitSignature) -> Result<MdContext> {
        let (context, digest) = (digest_context()?, digest.map(fetch_digest).transpose()?);
        let digest = digest.as_ref().map_or(ptr::null(), |digest| digest.0.as_ptr().cast_const());
        // SAFETY: context and key are alive, and the digest, if any, lives until the call returns; the context keeps
        // references of its own to both.
        done(unsafe { init(context.0.as_ptr(), ptr::null_mut(), digest, ptr::null_mut(), self.0.0.as_ptr()) })?;
        Ok(context)
    }
}

/// `EVP_DigestSignInit` or `EVP_DigestVerifyInit`.
type InitSignature = unsafe extern "C" fn(
    *mut ffi::EVP_MD_CTX,
    *mut *mut ffi::EVP_PKEY_CTX,
    *const ffi::EVP_MD,
    *mut ffi::ENGINE,
    *mut ffi::EVP_PKEY,
) -> c_int;
