//! Key encapsulation that quantum computers do not break: ML-KEM (FIPS 203) and Streamlined NTRU Prime. libcrypto has
//! neither before version 3.5, so they come from crates; the random bytes are libcrypto's.
#![forbid(unsafe_code)]

use libcrux_ml_kem::{mlkem768, mlkem1024};
use sntrup761::{CIPHERTEXT_SIZE, Ciphertext, DecapsulationKey, PUBLIC_KEY_SIZE, generate_key_from_seed};
use zeroize::Zeroizing;

use super::random::random;
use crate::error::{Code, Error, Result};
use crate::memory;

/// Bytes of the secret in each of them.
const SECRET: usize = 32;

/// A key encapsulation mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kem {
    /// ML-KEM-768
    MlKem768,
    /// ML-KEM-1024
    MlKem1024,
    /// sntrup761
    Sntrup761,
}

impl Kem {
    /// Bytes of a public key.
    pub const fn public_key_len(self) -> usize {
        match self {
            Self::MlKem768 => 1184,
            Self::MlKem1024 => 1568,
            Self::Sntrup761 => PUBLIC_KEY_SIZE,
        }
    }

    /// Bytes of a ciphertext.
    pub const fn ciphertext_len(self) -> usize {
        match self {
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
            Self::Sntrup761 => CIPHERTEXT_SIZE,
        }
    }
}

/// The secret half of a fresh pair, which is wiped when dropped. ML-KEM's is kept as the seed that it was made from.
enum Secret {
    MlKem768(Zeroizing<[u8; 64]>),
    MlKem1024(Zeroizing<[u8; 64]>),
    Sntrup761(Box<DecapsulationKey>),
}

/// A key pair for one encapsulation.
pub struct KemKey {
    secret: Secret,
    public: Vec<u8>,
}

impl KemKey {
    /// A fresh pair.
    pub fn generate(kem: Kem) -> Result<Self> {
        match kem {
            Kem::MlKem768 => Self::ml_kem_768(seed()?),
            Kem::MlKem1024 => Self::ml_kem_1024(seed()?),
            Kem::Sntrup761 => {
                let (public, secret) = generate_key_from_seed(*seed()?);
                Ok(Self { public: memory::copy(public.as_ref())?, secret: Secret::Sntrup761(memory::boxed(secret)?) })
            }
        }
    }

    fn ml_kem_768(seed: Zeroizing<[u8; 64]>) -> Result<Self> {
        let public = memory::copy(mlkem768::generate_key_pair(*seed).pk())?;
        Ok(Self { public, secret: Secret::MlKem768(seed) })
    }

    fn ml_kem_1024(seed: Zeroizing<[u8; 64]>) -> Result<Self> {
        let public = memory::copy(mlkem1024::generate_key_pair(*seed).pk())?;
        Ok(Self { public, secret: Secret::MlKem1024(seed) })
    }

    /// The public half.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The secret in `ciphertext`. What was made for another key, or tampered with, gives a secret that nobody else
    /// has; only a wrong length is an error.
    pub fn decapsulate(self, ciphertext: &[u8]) -> Result<Zeroizing<[u8; SECRET]>> {
        let unfit = || Error::new(Code::KeyExchangeFailure, "Ciphertext has a wrong length");
        let mut secret = Zeroizing::new([0; SECRET]);
        match &self.secret {
            Secret::MlKem768(seed) => {
                let ciphertext = ciphertext.try_into().map_err(|_| unfit())?;
                *secret = mlkem768::decapsulate(mlkem768::generate_key_pair(**seed).private_key(), &ciphertext);
            }
            Secret::MlKem1024(seed) => {
                let ciphertext = ciphertext.try_into().map_err(|_| unfit())?;
                *secret = mlkem1024::decapsulate(mlkem1024::generate_key_pair(**seed).private_key(), &ciphertext);
            }
            Secret::Sntrup761(key) => {
                let ciphertext = Ciphertext::try_from(ciphertext).map_err(|_| unfit())?;
                let shared = key.decapsulate(&ciphertext);
                *secret = shared.as_ref().try_into().map_err(|_| unfit())?;
            }
        }
        Ok(secret)
    }
}

fn seed<const N: usize>() -> Result<Zeroizing<[u8; N]>> {
    let mut seed = Zeroizing::new([0; N]);
    random(&mut *seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::super::{HashAlgorithm, digest, hex};
    use super::*;

    /// What OpenSSL 3.5 makes of the seed 0, 1, 2 ... : the hash of the public key, and the secrets in what was
    /// encapsulated with the randomness 7, 7, 7 ... and in the bytes 0, 1, 2 ... that nobody encapsulated.
    #[test]
    fn ml_kem_is_that_of_openssl() {
        let check = |make: fn(Zeroizing<[u8; 64]>) -> Result<KemKey>,
                     encapsulate: fn(&[u8]) -> Vec<u8>,
                     expected: [&str; 3]| {
            let key = || make(Zeroizing::new(std::array::from_fn(|at| at as u8))).unwrap();
            let public = digest(HashAlgorithm::Sha256, &[key().public_key()]).unwrap();
            assert_eq!(public.as_ref(), hex(expected[0]));
            let ciphertext = encapsulate(key().public_key());
            assert_eq!(key().decapsulate(&ciphertext).unwrap()[..], hex(expected[1]));
            let made_up: Vec<u8> = (0..ciphertext.len()).map(|at| at as u8).collect();
            assert_eq!(key().decapsulate(&made_up).unwrap()[..], hex(expected[2]));
        };
        check(
            KemKey::ml_kem_768,
            |key| mlkem768::encapsulate(&key.try_into().unwrap(), [7; 32]).0.as_ref().to_vec(),
            [
                "0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9",
                "f3409cb545c0757aab3d7c7b9e8be4225b4aac1107f6663f1f19dc676a69de60",
                "2dcec6eacd41f41e98bbf1e6c4b6d1cfa76d83079fa78decb49d77f6ff9b796d",
            ],
        );
        check(
            KemKey::ml_kem_1024,
            |key| mlkem1024::encapsulate(&key.try_into().unwrap(), [7; 32]).0.as_ref().to_vec(),
            [
                "c7b8fa0aa471d5ae18922d6ccad5b31e1d84f92ae723abfd13747018740a8530",
                "0f569bf284efa80866fb11e6c3668b40390687f8be08fc46c7cc09ccdda44270",
                "fa0e8f717366945dc1177a1b3eef44bd329bc1d0987e4e4a12bc0373aa096a37",
            ],
        );
    }

    #[test]
    fn lengths_are_checked_and_keys_are_fresh() {
        for kem in [Kem::MlKem768, Kem::MlKem1024, Kem::Sntrup761] {
            let key = || KemKey::generate(kem).unwrap();
            assert_eq!(key().public_key().len(), kem.public_key_len());
            assert_ne!(key().public_key(), key().public_key());
            for len in [0, kem.ciphertext_len() - 1, kem.ciphertext_len() + 1] {
                assert_eq!(key().decapsulate(&vec![0; len]).unwrap_err().code, Code::KeyExchangeFailure);
            }
            let made_up = vec![0; kem.ciphertext_len()];
            assert_ne!(key().decapsulate(&made_up).unwrap(), key().decapsulate(&made_up).unwrap());
        }
    }
}
