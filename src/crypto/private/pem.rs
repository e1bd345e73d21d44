//! Private keys that libcrypto reads: PKCS#1, SEC1 (RFC 5915) and PKCS#8 (RFC 5958), in PEM.
#![forbid(unsafe_code)]

use super::armor::{self, Armor};
use super::{damaged, wrong_passphrase};
use crate::crypto::der::{self, OBJECT_IDENTIFIER, OCTET_STRING};
use crate::crypto::openssl::{Key, PemRefused};
use crate::error::{Code, Error, Result};
use crate::wire::{Reader, Short};

/// Most steps of key derivation: some seconds. Usual are 2,048 to 1,000,000 for PBKDF2, and 131,072 for scrypt.
const MOST_STEPS: u64 = 10_000_000;
/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.3.6.1.4.1.11591.4.11
const SCRYPT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];

/// Reads the key of `armor`; `is_encrypted` if it is PKCS#8's `EncryptedPrivateKeyInfo`.
pub(super) fn read(armor: &Armor<'_>, is_encrypted: bool, passphrase: &[u8]) -> Result<Key> {
    // libcrypto does as many steps as the file says, which may be years of them.
    if is_encrypted && steps(&armor::decode(armor.body)?).map_err(|_| damaged())? > MOST_STEPS {
        return Err(Error::new(Code::File, "Private key file wants too many steps of key derivation"));
    }
    Key::from_pem(armor.whole, passphrase).map_err(|refused| match refused {
        PemRefused::Passphrase => wrong_passphrase(),
        PemRefused::Content(refused) => refused.into_error(Code::File, "Private key file cannot be read"),
    })
}

/// The cost of deriving the key of an `EncryptedPrivateKeyInfo`: RFC 8018 appendix A, RFC 7914 section 7.
fn steps(info: &[u8]) -> Result<u64, Short> {
    let mut info = der::sequence(&mut Reader::new(info))?;
    let (mut name, mut params) = algorithm(&mut info)?;
    if name == PBES2 {
        (name, params) = algorithm(&mut params)?;
    }
    der::element(&mut params, OCTET_STRING)?;
    let factors = if name == SCRYPT { 3 } else { 1 };
    (0..factors).try_fold(1_u64, |steps, _| {
        let digits = der::integer(&mut params)?;
        let factor =
            digits.iter().fold(
                0_u64,
                |sum, &digit| {
                    if sum > u64::from(u32::MAX) { u64::MAX } else { (sum << 8) | u64::from(digit) }
                },
            );
        Ok(steps.saturating_mul(factor))
    })
}

/// An `AlgorithmIdentifier`: its name, and its parameters.
fn algorithm<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], Reader<'a>), Short> {
    let mut identifier = der::sequence(reader)?;
    Ok((der::element(&mut identifier, OBJECT_IDENTIFIER)?, der::sequence(&mut identifier)?))
}
