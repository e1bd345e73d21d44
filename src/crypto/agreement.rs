//! Elliptic curve Diffie-Hellman: RFC 5656 section 4, RFC 7748.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::nist::{self, Nist};
use super::openssl::{Key, OrRefuse, Param, Refused};
use crate::error::{Code, Error, Result};

/// libcrypto's name for keys on Curve25519 that agree.
const X25519: &std::ffi::CStr = c"X25519";

/// A curve to agree on a secret over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Curve25519
    X25519,
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// NIST P-521
    P521,
}

impl Curve {
    const fn nist(self) -> Option<&'static Nist> {
        match self {
            Self::X25519 => None,
            Self::P256 => Some(&nist::P256),
            Self::P384 => Some(&nist::P384),
            Self::P521 => Some(&nist::P521),
        }
    }

    fn public_key(self, bytes: &[u8]) -> Result<Key, Refused> {
        match self.nist() {
            Some(curve) => curve.public_key(bytes),
            None => Key::public(X25519, &[Param::Octets(c"pub", bytes)]),
        }
    }
}

/// A key pair for one agreement.
pub struct EphemeralKey {
    key: Key,
    public: Vec<u8>,
    curve: Curve,
}

impl EphemeralKey {
    /// A fresh pair.
    pub fn generate(curve: Curve) -> Result<Self> {
        let generated = match curve.nist() {
            Some(nist) => Key::generate(nist::KIND, Some(nist.group)).and_then(|key| Ok((nist.point(&key)?, key))),
            None => Key::generate(X25519, None).and_then(|key| Ok((key.octets(c"pub")?, key))),
        };
        let (public, key) = generated.or_refuse(Code::KeyExchangeFailure, "Making a key for the exchange failed")?;
        Ok(Self { key, public, curve })
    }

    /// The public half: 32 bytes of Curve25519, or a point written out in full.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The secret shared with the holder of the pair whose public half is `peer`: 32 bytes of Curve25519, or the
    /// x-coordinate in full width. A `peer` that is not on the curve, or that would make the secret a known one, is
    /// refused.
    pub fn agree(self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let secret = self
            .curve
            .public_key(peer)
            .and_then(|peer| self.key.agree(&peer))
            .or_refuse(Code::KeyExchangeFailure, "Public key of the peer is not valid")?;
        // RFC 8731 section 3: the all-zero secret is what a point of small order gives.
        if secret.iter().fold(0, |seen, byte| seen | byte) == 0 {
            return Err(Error::new(Code::KeyExchangeFailure, "Public key of the peer makes the secret zero"));
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    fn x25519(secret: &str) -> EphemeralKey {
        let key = Key::pair(X25519, &[Param::Octets(c"priv", &hex(secret))]).unwrap();
        EphemeralKey { public: key.octets(c"pub").unwrap(), key, curve: Curve::X25519 }
    }

    #[test]
    fn curve25519_of_rfc_7748_section_6_1() {
        let alice = x25519("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        let bob = x25519("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        assert_eq!(alice.public_key(), hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
        assert_eq!(bob.public_key(), hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
        let shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        let public = alice.public_key().to_vec();
        assert_eq!(alice.agree(bob.public_key()).unwrap()[..], shared);
        assert_eq!(bob.agree(&public).unwrap()[..], shared);
    }

    #[test]
    fn p256_of_rfc_5903_section_8_1() {
        let ours = hex("04 DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180
                           5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3");
        let theirs = hex("04 D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63
                             56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB");
        let secret = hex("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
        let key = nist::P256.pair(&secret, &ours).unwrap();
        assert_eq!(nist::P256.point(&key).unwrap(), ours);
        let key = EphemeralKey { key, public: ours, curve: Curve::P256 };
        let shared = hex("D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE");
        assert_eq!(key.agree(&theirs).unwrap()[..], shared);
    }

    #[test]
    fn both_sides_come_to_the_same_secret() {
        let widths = [(Curve::X25519, 32, 32), (Curve::P256, 65, 32), (Curve::P384, 97, 48), (Curve::P521, 133, 66)];
        for (curve, public_len, secret_len) in widths {
            let (ours, theirs) = (EphemeralKey::generate(curve).unwrap(), EphemeralKey::generate(curve).unwrap());
            assert_eq!(ours.public_key().len(), public_len);
            assert_ne!(ours.public_key(), theirs.public_key());
            let public = ours.public_key().to_vec();
            let secret = ours.agree(theirs.public_key()).unwrap();
            assert_eq!(secret.len(), secret_len);
            assert_eq!(secret, theirs.agree(&public).unwrap());
        }
    }

    #[test]
    fn points_that_give_the_secret_away_are_refused() {
        let refused = |curve, peer: &[u8]| {
            let error = EphemeralKey::generate(curve).unwrap().agree(peer).unwrap_err();
            assert_eq!(error.code, Code::KeyExchangeFailure);
        };
        // Points of small order: 0, 1, p - 1, p.
        for point in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            refused(Curve::X25519, &hex(point));
        }
        for len in [0, 1, 31, 33, 64] {
            refused(Curve::X25519, &vec![9; len]);
        }
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let public = EphemeralKey::generate(curve).unwrap().public_key().to_vec();
            // Not on the curve, the point at infinity, compressed, too short, too long.
            for at in [1, public.len() / 2, public.len() - 1] {
                let mut other = public.clone();
                other[at] ^= 1;
                refused(curve, &other);
            }
            refused(curve, &[0]);
            refused(curve, &[&[2], &public[1..=public.len() / 2]].concat());
            refused(curve, &public[..public.len() - 1]);
            refused(curve, &[&public[..], &[0]].concat());
            refused(curve, &[]);
            refused(curve, &[&[4], &vec![0xff; public.len() - 1][..]].concat());
        }
    }
}
