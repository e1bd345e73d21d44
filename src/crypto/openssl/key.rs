//! Keys: what they consist of, and what two of them agree on.

use std::ffi::{CStr, c_int};
use std::ptr;

use openssl_sys as ffi;
use zeroize::Zeroizing;

use super::number::Number;
use super::params::Params;
use super::{Param, Refused, Result, done, not_null, zeroed};
use crate::memory;

owned!(KeyContext, ffi::EVP_PKEY_CTX, ffi::EVP_PKEY_CTX_free);
owned!(KeyObject, ffi::EVP_PKEY, ffi::EVP_PKEY_free);

/// A public key, or a pair.
pub struct Key(pub(super) KeyObject);

impl Key {
    /// A fresh pair of the type libcrypto knows as `kind`; `group` is its curve where the type does not say.
    pub fn generate(kind: &CStr, group: Option<&CStr>) -> Result<Self> {
        let (context, nothing) = (ptr::null_mut(), ptr::null());
        // SAFETY: the names end with NUL, and "EC" is the only type asked for whose variable argument is read.
        let key = unsafe {
            match group {
                Some(group) => ffi::EVP_PKEY_Q_keygen(context, nothing, kind.as_ptr(), group.as_ptr()),
                None => ffi::EVP_PKEY_Q_keygen(context, nothing, kind.as_ptr()),
            }
        };
        not_null(key).map(KeyObject).map(Self)
    }

    /// The public key with these values.
    pub fn public(kind: &CStr, params: &[Param<'_>]) -> Result<Self> {
        Self::from_params(kind, ffi::EVP_PKEY_PUBLIC_KEY, params)
    }

    /// The pair with these values.
    pub fn pair(kind: &CStr, params: &[Param<'_>]) -> Result<Self> {
        Self::from_params(kind, ffi::EVP_PKEY_KEYPAIR, params)
    }

    /// Whether there are keys of the type libcrypto knows as `kind`.
    pub fn is_known(kind: &CStr) -> bool {
        Self::context(kind).is_ok()
    }

    fn context(kind: &CStr) -> Result<KeyContext> {
        // SAFETY: `kind` ends with NUL; the other two may be NULL.
        let context = unsafe { ffi::EVP_PKEY_CTX_new_from_name(ptr::null_mut(), kind.as_ptr(), ptr::null()) };
        not_null(context).map(KeyContext)
    }

    fn from_params(kind: &CStr, selection: c_int, params: &[Param<'_>]) -> Result<Self> {
        let (context, params) = (Self::context(kind)?, Params::new(params)?);
        let mut key = ptr::null_mut();
        // SAFETY: the context is alive. libcrypto copies out of `params` and writes nothing there, whatever its type
        // says.
        unsafe {
            done(ffi::EVP_PKEY_fromdata_init(context.0.as_ptr()))?;
            done(ffi::EVP_PKEY_fromdata(context.0.as_ptr(), &raw mut key, selection, params.as_ptr().cast_mut()))?;
        }
        not_null(key).map(KeyObject).map(Self)
    }

    /// Whether this key is of the type libcrypto knows as `kind`.
    pub fn is_a(&self, kind: &CStr) -> bool {
        // SAFETY: the key is alive, and `kind` ends with NUL.
        unsafe { ffi::EVP_PKEY_is_a(self.0.0.as_ptr(), kind.as_ptr()) == 1 }
    }

    /// The value `name`, which is text.
    pub fn text(&self, name: &CStr) -> Result<Vec<u8>> {
        let (mut text, mut len) = ([0_u8; 64], 0);
        // SAFETY: the key is alive, `name` ends with NUL, and `text` is as long as stated.
        done(unsafe {
            let place = text.as_mut_ptr().cast();
            ffi::EVP_PKEY_get_utf8_string_param(self.0.0.as_ptr(), name.as_ptr(), place, text.len(), &raw mut len)
        })?;
        Ok(memory::copy(text.get(..len).ok_or(Refused::UNFIT)?)?)
    }

    /// The value `name`, which is octets, at most 256 of them.
    pub fn octets(&self, name: &CStr) -> Result<Vec<u8>> {
        let (mut octets, mut len) = ([0_u8; 256], 0);
        // SAFETY: the key is alive, `name` ends with NUL, and `octets` is as long as stated.
        done(unsafe {
            let place = octets.as_mut_ptr();
            ffi::EVP_PKEY_get_octet_string_param(self.0.0.as_ptr(), name.as_ptr(), place, octets.len(), &raw mut len)
        })?;
        Ok(memory::copy(octets.get(..len).ok_or(Refused::UNFIT)?)?)
    }

    /// The value `name`, which is a number of the public half, big-endian and without leading zeros.
    pub fn number(&self, name: &CStr) -> Result<Vec<u8>> {
        let mut number = ptr::null_mut();
        // SAFETY: the key is alive, and `name` ends with NUL; a number is made for us.
        done(unsafe { ffi::EVP_PKEY_get_bn_param(self.0.0.as_ptr(), name.as_ptr(), &raw mut number) })?;
        Ok(memory::copy(&Number(not_null(number)?).digits()?)?)
    }

    /// Bytes of the longest signature.
    pub fn size(&self) -> Result<usize> {
        // SAFETY: the key is alive.
        usize::try_from(unsafe { ffi::EVP_PKEY_get_size(self.0.0.as_ptr()) }).map_err(|_| Refused::UNFIT)
    }

    /// The secret shared by this pair and the public key `peer`.
    pub fn agree(&self, peer: &Self) -> Result<Zeroizing<Vec<u8>>> {
        // SAFETY: this key is alive; the last may be NULL.
        let context = KeyContext(not_null(unsafe { ffi::EVP_PKEY_CTX_new(self.0.0.as_ptr(), ptr::null_mut()) })?);
        let context = context.0.as_ptr();
        let mut len = 0;
        // SAFETY: context and peer are alive; NULL asks for the length.
        unsafe {
            done(ffi::EVP_PKEY_derive_init(context))?;
            done(ffi::EVP_PKEY_derive_set_peer_ex(context, peer.0.0.as_ptr(), 1))?;
            done(ffi::EVP_PKEY_derive(context, ptr::null_mut(), &raw mut len))?;
        }
        let mut secret = zeroed(len)?;
        // SAFETY: `secret` is as long as stated.
        done(unsafe { ffi::EVP_PKEY_derive(context, secret.as_mut_ptr(), &raw mut len) })?;
        secret.truncate(len);
        Ok(secret)
    }
}
