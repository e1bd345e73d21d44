//! Large numbers.

use std::ptr;

use openssl_sys as ffi;
use zeroize::Zeroizing;

use super::{Refused, Result, done, int, not_null, zeroed};

owned!(Number, ffi::BIGNUM, ffi::BN_clear_free);
owned!(NumberContext, ffi::BN_CTX, ffi::BN_CTX_free);

impl Number {
    pub(super) fn new(digits: &[u8]) -> Result<Self> {
        // SAFETY: `digits` is as long as stated; NULL has a number made.
        let number = not_null(unsafe { ffi::BN_bin2bn(digits.as_ptr(), int(digits.len())?, ptr::null_mut()) })?;
        // SAFETY: the number is alive.
        unsafe { ffi::BN_set_flags(number.as_ptr(), ffi::BN_FLG_CONSTTIME) };
        Ok(Self(number))
    }

    pub(super) fn digits(&self) -> Result<Zeroizing<Vec<u8>>> {
        // SAFETY: the number is alive.
        let bits = usize::try_from(unsafe { ffi::BN_num_bits(self.0.as_ptr()) }).map_err(|_| Refused::UNFIT)?;
        let mut digits = zeroed(bits.div_ceil(8))?;
        // SAFETY: `digits` is as long as the number's bytes.
        let written = unsafe { ffi::BN_bn2bin(self.0.as_ptr(), digits.as_mut_ptr()) };
        if int(digits.len())? == written { Ok(digits) } else { Err(Refused::UNFIT) }
    }
}

/// `number` modulo `modulus` - 1, in a time that does not depend on the digits; all big-endian.
pub fn modulo_predecessor(number: &[u8], modulus: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (number, modulus, remainder) = (Number::new(number)?, Number::new(modulus)?, Number::new(&[])?);
    // SAFETY: takes nothing.
    let context = NumberContext(not_null(unsafe { ffi::BN_CTX_new() })?);
    // SAFETY: all are alive; the place of the quotient may be NULL.
    unsafe {
        done(ffi::BN_sub_word(modulus.0.as_ptr(), 1))?;
        done(ffi::BN_div(
            ptr::null_mut(),
            remainder.0.as_ptr(),
            number.0.as_ptr(),
            modulus.0.as_ptr(),
            context.0.as_ptr(),
        ))?;
    }
    remainder.digits()
}

/// `base` to the power of `exponent`, modulo the odd `modulus`, in a time that does not depend on the digits of the
/// exponent; all big-endian, and the result without leading zeros.
pub fn power_modulo(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (base, exponent, modulus) = (Number::new(base)?, Number::new(exponent)?, Number::new(modulus)?);
    let power = Number::new(&[])?;
    // SAFETY: takes nothing.
    let context = NumberContext(not_null(unsafe { ffi::BN_CTX_new() })?);
    // SAFETY: all are alive.
    done(unsafe {
        ffi::BN_mod_exp(power.0.as_ptr(), base.0.as_ptr(), exponent.0.as_ptr(), modulus.0.as_ptr(), context.0.as_ptr())
    })?;
    power.digits()
}

/// The prime of so many bits in RFC 2409 (1024) or RFC 3526 (the others), big-endian.
pub fn well_known_prime(bits: usize) -> Result<Zeroizing<Vec<u8>>> {
    let made: unsafe extern "C" fn(*mut ffi::BIGNUM) -> *mut ffi::BIGNUM = match bits {
        1024 => ffi::BN_get_rfc2409_prime_1024,
        2048 => ffi::BN_get_rfc3526_prime_2048,
        4096 => ffi::BN_get_rfc3526_prime_4096,
        8192 => ffi::BN_get_rfc3526_prime_8192,
        _ => return Err(Refused::UNFIT),
    };
    // SAFETY: NULL has a number made.
    Number(not_null(unsafe { made(ptr::null_mut()) })?).digits()
}

#[cfg(test)]
mod tests {
    use super::super::nothing_is_left_behind;
    use super::*;

    #[test]
    fn remainders() {
        assert_eq!(modulo_predecessor(&[100], &[8]).unwrap()[..], [2]);
        assert_eq!(modulo_predecessor(&[1, 0], &[0xff]).unwrap()[..], [2]);
        assert!(modulo_predecessor(&[14], &[8]).unwrap().is_empty());
        assert!(modulo_predecessor(&[14], &[1]).is_err());
        nothing_is_left_behind();
    }
}
