//! Named values: how libcrypto is given what an algorithm or a key consists of.

use std::ffi::{CStr, c_char, c_uint, c_void};
use std::ptr;

use openssl_sys as ffi;
use zeroize::Zeroizing;

use super::{Result, zeroed};
use crate::memory::Add;

/// One named value that libcrypto is given.
#[derive(Clone, Copy)]
pub enum Param<'a> {
    Text(&'a CStr, &'a CStr),
    Octets(&'a CStr, &'a [u8]),
    /// A number of at least one byte, big-endian.
    Number(&'a CStr, &'a [u8]),
}

/// Values in the form in which libcrypto takes them.
pub(super) struct Params<'a> {
    array: Vec<ffi::OSSL_PARAM>,
    /// The numbers in the machine's byte order; `array` points into them.
    _numbers: Vec<Zeroizing<Vec<u8>>>,
    _values: std::marker::PhantomData<&'a [u8]>,
}

impl<'a> Params<'a> {
    // `OSSL_PARAM_*` of openssl/core.h.
    const UNSIGNED_INTEGER: c_uint = 2;
    const UTF8_STRING: c_uint = 4;
    const OCTET_STRING: c_uint = 5;

    pub(super) fn new(params: &[Param<'a>]) -> Result<Self> {
        let entry = |key: *const c_char, data_type, data: *const c_void, data_size| ffi::OSSL_PARAM {
            key,
            data_type,
            data: data.cast_mut(),
            data_size,
            return_size: 0,
        };
        let (mut array, mut numbers) = (Vec::new(), Vec::new());
        for param in params {
            array.add(match *param {
                Param::Text(key, text) => {
                    entry(key.as_ptr(), Self::UTF8_STRING, text.as_ptr().cast(), text.count_bytes())
                }
                Param::Octets(key, octets) => {
                    entry(key.as_ptr(), Self::OCTET_STRING, octets.as_ptr().cast(), octets.len())
                }
                Param::Number(key, digits) => {
                    let mut number = zeroed(digits.len())?;
                    number.copy_from_slice(digits);
                    if cfg!(target_endian = "little") {
                        number.reverse();
                    }
                    let entry = entry(key.as_ptr(), Self::UNSIGNED_INTEGER, number.as_ptr().cast(), number.len());
                    numbers.add(number)?;
                    entry
                }
            })?;
        }
        array.add(entry(ptr::null(), 0, ptr::null(), 0))?;
        Ok(Self { array, _numbers: numbers, _values: std::marker::PhantomData })
    }

    pub(super) const fn as_ptr(&self) -> *const ffi::OSSL_PARAM {
        self.array.as_slice().as_ptr()
    }
}
