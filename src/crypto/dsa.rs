//! DSA as SSH has it, RFC 4253 section 6.6: with SHA-1, for old servers only.
#![forbid(unsafe_code)]

use std::ffi::CStr;

use super::der;
use super::openssl::{Key, Param, Refused};
use super::public::{bits, mpint};
use crate::error::Result;
use crate::wire::{Put, Reader, Short};

/// libcrypto's name for these keys.
pub(super) const KIND: &CStr = c"DSA";
/// libcrypto's names for the public numbers, in the order of the wire.
pub(super) const PUBLIC: [&CStr; 4] = [c"p", c"q", c"g", c"pub"];
/// Bits of the prime: below, it gives no security; nothing above was ever specified (FIPS 186-4 section 4.2).
const PRIME_BITS: std::ops::RangeInclusive<usize> = 1024..=3072;
/// Bits of the order: a signature has no room for more.
const ORDER_BITS: usize = 160;
/// Bytes of each of the two numbers of a signature.
const HALF: usize = 20;

/// The public numbers of a key.
#[derive(Clone, Copy)]
pub(super) struct Dsa<'a> {
    p: &'a [u8],
    q: &'a [u8],
    g: &'a [u8],
    y: &'a [u8],
}

impl<'a> Dsa<'a> {
    /// Reads the numbers.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Short> {
        let mut next = || mpint(reader);
        Ok(Self { p: next()?, q: next()?, g: next()?, y: next()? })
    }

    /// The public key.
    pub(super) fn public_key(self) -> Result<Key, Refused> {
        self.check()?;
        Key::public(KIND, &self.params())
    }

    /// The key pair of the secret number `x`.
    pub(super) fn pair(self, x: &[u8]) -> Result<Key, Refused> {
        self.check()?;
        if x.len() > HALF {
            return Err(Refused::UNFIT);
        }
        let [p, q, g, y] = self.params();
        Key::pair(KIND, &[p, q, g, y, Param::Number(c"priv", x)])
    }

    fn params(self) -> [Param<'a>; 4] {
        let [p, q, g, y] = PUBLIC;
        [Param::Number(p, self.p), Param::Number(q, self.q), Param::Number(g, self.g), Param::Number(y, self.y)]
    }

    /// Refuses what SSH has no form for, or what costs too much, or protects nothing.
    fn check(self) -> Result<(), Refused> {
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        let one: &[u8] = &[1];
        let is_inside =
            |number: &[u8]| (1, one) < (number.len(), number) && (number.len(), number) < (self.p.len(), self.p);
        if PRIME_BITS.contains(&bits(self.p))
            && bits(self.q) == ORDER_BITS
            && [self.p, self.q].into_iter().all(odd)
            && [self.g, self.y].into_iter().all(is_inside)
        {
            Ok(())
        } else {
            Err(Refused::UNFIT)
        }
    }
}

/// Whether libcrypto has these keys.
pub(super) fn is_available() -> bool {
    Key::is_known(KIND)
}

/// Whether SSH has a form for `key`.
pub(super) fn is_fit(key: &Key) -> Result<bool, Refused> {
    let [p, q, g, y] = PUBLIC.map(|name| key.number(name));
    Ok(Dsa { p: &p?, q: &q?, g: &g?, y: &y? }.check().is_ok())
}

/// Writes the two numbers of libcrypto's signature `raw`, each at its full length.
pub(super) fn encode(raw: &[u8]) -> Result<Vec<u8>> {
    let mut numbers = der::sequence(&mut Reader::new(raw))?;
    let mut both = Vec::new();
    for _ in 0..2 {
        let digits = der::integer(&mut numbers)?;
        let zeros = HALF.checked_sub(digits.len()).ok_or(Short)?;
        both.put([0; HALF].get(..zeros).unwrap_or_default())?;
        both.put(digits)?;
    }
    Ok(both)
}

/// The signature in the form that libcrypto checks; `None` if `raw` has another length than that of two numbers.
pub(super) fn decode(raw: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some((r, s)) = raw.split_at_checked(HALF).filter(|(_, s)| s.len() == HALF) else { return Ok(None) };
    der::integers(&[r, s]).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_of_a_signature_have_their_full_length() {
        let raw = der::integers(&[&[1], &[0xff; 20]]).unwrap();
        let both = [&[0; 19][..], &[1], &[0xff; 20]].concat();
        assert_eq!(encode(&raw).unwrap(), both);
        assert_eq!(decode(&both).unwrap(), Some(raw));
        assert!(encode(&der::integers(&[&[1; 21], &[1]]).unwrap()).is_err());
        for len in [0, 20, 39, 41, 60] {
            assert_eq!(decode(&vec![1; len]).unwrap(), None, "{len}");
        }
    }
}
