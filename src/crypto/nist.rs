//! The elliptic curves of NIST and their points, as SSH writes them: RFC 5656 section 3.1 and SEC 1 section 2.3.3.
#![forbid(unsafe_code)]

use std::ffi::CStr;

use super::openssl::{Key, Param, Refused};
use crate::memory::{self, Add};
use crate::wire::Put;

/// libcrypto's name for keys on these curves, whatever they are for.
pub(super) const KIND: &CStr = c"EC";
/// The first byte of a point that is not compressed.
const UNCOMPRESSED: u8 = 4;

/// One curve.
pub(super) struct Nist {
    /// libcrypto's name for it.
    pub(super) group: &'static CStr,
    /// SSH's name for it.
    pub(super) name: &'static str,
    /// Bytes of a coordinate.
    width: usize,
}

pub(super) static P256: Nist = Nist { group: c"prime256v1", name: "nistp256", width: 32 };
pub(super) static P384: Nist = Nist { group: c"secp384r1", name: "nistp384", width: 48 };
pub(super) static P521: Nist = Nist { group: c"secp521r1", name: "nistp521", width: 66 };

impl Nist {
    /// The public key that is `point`. Only a point written out in full is taken, and only if it lies on the curve:
    /// being of prime order, the curve has no other dangerous points.
    pub(super) fn public_key(&self, point: &[u8]) -> Result<Key, Refused> {
        self.check_form(point)?;
        Key::public(KIND, &[Param::Text(c"group", self.group), Param::Octets(c"pub", point)])
    }

    /// The key pair of the secret number `secret`, big-endian, and the public `point`.
    pub(super) fn pair(&self, secret: &[u8], point: &[u8]) -> Result<Key, Refused> {
        self.check_form(point)?;
        let group = Param::Text(c"group", self.group);
        Key::pair(KIND, &[group, Param::Octets(c"pub", point), Param::Number(c"priv", secret)])
    }

    /// The point that is the public half of `key`.
    pub(super) fn point(&self, key: &Key) -> Result<Vec<u8>, Refused> {
        let mut point = memory::sized(self.width.saturating_mul(2).saturating_add(1))?;
        point.add(UNCOMPRESSED)?;
        for name in [c"qx", c"qy"] {
            let digits = key.number(name)?;
            let zeros = self.width.checked_sub(digits.len()).ok_or(Refused::UNFIT)?;
            let padded = point.len().saturating_add(zeros);
            memory::extend(&mut point, padded)?;
            point.put(&digits)?;
        }
        Ok(point)
    }

    fn check_form(&self, point: &[u8]) -> Result<(), Refused> {
        let coordinates = point.strip_prefix(&[UNCOMPRESSED]).ok_or(Refused::UNFIT)?;
        if coordinates.len() == self.width.saturating_mul(2) { Ok(()) } else { Err(Refused::UNFIT) }
    }
}
