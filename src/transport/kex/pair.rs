//! Our key pair for one exchange, and how its method writes the values that are exchanged: ECDH on the NIST curves (RFC
//! 5656 section 4) and on Curve25519 (RFC 8731), Diffie-Hellman modulo a prime (RFC 4253 section 8), and ECDH beside a
//! mechanism that quantum computers do not break (draft-ietf-sshm-mlkem-hybrid-kex, draft-ietf-sshm-ntruprime-ssh).
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::failed;
use crate::crypto::{Curve, EphemeralKey, HashAlgorithm, Kem, KemKey, ModpGroup, ModpKey, digest};
use crate::error::Result;
use crate::memory;
use crate::wire::Put;

/// A key pair.
pub(super) enum Pair {
    Ecdh(EphemeralKey),
    Modp(ModpKey),
    Hybrid { kem: Kem, key: KemKey, curve: EphemeralKey, hash: HashAlgorithm },
}

impl Pair {
    /// A fresh pair on `curve`.
    pub(super) fn ecdh(curve: Curve) -> Result<Self> {
        EphemeralKey::generate(curve).map(Self::Ecdh)
    }

    /// A fresh pair in `group`.
    pub(super) fn modp(group: ModpGroup) -> Result<Self> {
        ModpKey::generate(group).map(Self::Modp)
    }

    /// A fresh pair of `kem` and one on `curve`; the secrets of both go into one by `hash`.
    pub(super) fn hybrid(kem: Kem, curve: Curve, hash: HashAlgorithm) -> Result<Self> {
        Ok(Self::Hybrid { kem, key: KemKey::generate(kem)?, curve: EphemeralKey::generate(curve)?, hash })
    }

    /// Writes our public value.
    pub(super) fn put_public(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Ecdh(key) => out.put_string(key.public_key()),
            Self::Modp(key) => out.put_mpint(key.public_key()),
            Self::Hybrid { key, curve, .. } => {
                let mut both = memory::copy(key.public_key())?;
                both.put(curve.public_key())?;
                out.put_string(&both)
            }
        }
    }

    /// The secret shared with the holder of `theirs`, as it is hashed: a number, or what a hash has made of two secrets.
    pub(super) fn agree(self, theirs: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let shared = match self {
            Self::Ecdh(key) => key.agree(theirs).and_then(|shared| number(&shared)),
            Self::Modp(_) if theirs.first().is_some_and(|&first| first >= 0x80) => Err(failed("Number is negative")),
            Self::Modp(key) => key.agree(theirs).and_then(|shared| number(&shared)),
            Self::Hybrid { kem, key, curve, hash } => {
                let split = theirs.split_at_checked(kem.ciphertext_len()).ok_or_else(|| failed("Value is too short"));
                split
                    .and_then(|(ciphertext, point)| combine(hash, &*key.decapsulate(ciphertext)?, &curve.agree(point)?))
            }
        };
        shared.map_err(|error| error.within(failed("Key exchange value of the server is not valid")))
    }
}

/// One sign byte and four of length: reserved at once, so that no growing leaves a copy of the secret behind.
fn number(shared: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut secret = Zeroizing::new(memory::sized(shared.len().saturating_add(5))?);
    secret.put_mpint(shared)?;
    Ok(secret)
}

fn combine(hash: HashAlgorithm, first: &[u8], second: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let both = digest(hash, &[first, second])?;
    let mut secret = Zeroizing::new(memory::sized(both.as_ref().len().saturating_add(4))?);
    secret.put_string(both.as_ref())?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use libcrux_ml_kem::mlkem768;

    use super::*;
    use crate::error::Code;
    use crate::wire::Reader;

    fn public(pair: &Pair) -> Vec<u8> {
        let mut out = Vec::new();
        pair.put_public(&mut out).unwrap();
        Reader::new(&out).string().unwrap().to_vec()
    }

    /// What a server does: one value of both kinds there and back, the secret a string over both secrets.
    #[test]
    fn two_secrets_become_one() {
        let pair = Pair::hybrid(Kem::MlKem768, Curve::X25519, HashAlgorithm::Sha256).unwrap();
        let ours = public(&pair);
        let (kem, point) = ours.split_at(1184);
        assert_eq!(point.len(), 32);
        let (ciphertext, first) = mlkem768::encapsulate(&kem.try_into().unwrap(), [5; 32]);
        let key = EphemeralKey::generate(Curve::X25519).unwrap();
        let theirs = [ciphertext.as_ref(), key.public_key()].concat();
        let second = key.agree(point).unwrap();
        let secret = pair.agree(&theirs).unwrap();
        let expected = digest(HashAlgorithm::Sha256, &[&first, &second]).unwrap();
        assert_eq!(secret[..4], [0, 0, 0, 32]);
        assert_eq!(secret[4..], *expected.as_ref());
    }

    #[test]
    fn values_of_a_wrong_form_are_refused() {
        let refused = |pair: Pair, theirs: &[u8]| {
            assert_eq!(pair.agree(theirs).unwrap_err().code, Code::KeyExchangeFailure);
        };
        for kem in [Kem::MlKem768, Kem::MlKem1024, Kem::Sntrup761] {
            let pair = || Pair::hybrid(kem, Curve::X25519, HashAlgorithm::Sha256).unwrap();
            let whole = kem.ciphertext_len() + 32;
            for len in [0, 32, kem.ciphertext_len(), whole - 1, whole + 1] {
                refused(pair(), &vec![9; len]);
            }
            // The point of Curve25519 that makes its secret zero.
            refused(pair(), &vec![0; whole]);
            assert!(pair().agree(&vec![9; whole]).is_ok());
        }
        let negative = [&[0x80][..], &[1; 255]].concat();
        refused(Pair::modp(ModpGroup::well_known(4096).unwrap()).unwrap(), &negative);
        assert!(Pair::modp(ModpGroup::well_known(4096).unwrap()).unwrap().agree(&negative[1..]).is_ok());
    }

    /// A number loses its leading zeros, and gets one where it would be negative.
    #[test]
    fn numbers_are_hashed_in_their_shortest_form() {
        assert_eq!(number(&[0, 0, 5]).unwrap()[..], [0, 0, 0, 1, 5]);
        assert_eq!(number(&[0x80]).unwrap()[..], [0, 0, 0, 2, 0, 0x80]);
    }
}
