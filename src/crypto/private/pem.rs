//! Private keys that libcrypto reads: PKCS#1, SEC1 (RFC 5915) and PKCS#8 (RFC 5958), in PEM.
#![forbid(unsafe_code)]

use super::armor::{self, Armor};
use super::{asn1, damaged, no_passphrase, wrong_passphrase};
use crate::crypto::der::{self, OBJECT_IDENTIFIER, OCTET_STRING};
use crate::crypto::openssl::{Key, PemRefused};
use crate::error::{Code, Error, Result};
use crate::wire::{Reader, Short};

/// Most steps of key derivation: some seconds. Usual are 2,048 to 1,000,000 for PBKDF2, and 131,072 for scrypt.
const MOST_STEPS: u64 = if cfg!(fuzzing) { 5_000 } else { 10_000_000 };
/// Longest key in Base64, which RSA with 16384 bits needs. Whoever calculates with numbers of that length, which libcrypto
/// does not compare with the modulus, or for keys that are none of SSH's, is done within half a minute; with twice the
/// length it is eight times that.
const LONGEST_BODY: usize = 14 * 1024;
/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.3.6.1.4.1.11591.4.11
const SCRYPT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];

/// Reads the key of `armor`; `is_encrypted` if it is PKCS#8's `EncryptedPrivateKeyInfo`.
pub(super) fn read(armor: &Armor<'_>, is_encrypted: bool, passphrase: &[u8]) -> Result<Key> {
    if armor.body.len() > LONGEST_BODY {
        return Err(Error::new(Code::File, "Private key in the file is too long"));
    }
    // libcrypto does as many steps as the file says, which may be years of them.
    if is_encrypted && steps(&armor::decode(armor.body)?).map_err(|_| damaged())? > MOST_STEPS {
        return Err(Error::new(Code::File, "Private key file wants too many steps of key derivation"));
    }
    let refused = |refused| match refused {
        PemRefused::Passphrase if passphrase.is_empty() => no_passphrase(),
        PemRefused::Passphrase => wrong_passphrase(),
        PemRefused::Content(refused) => refused.into_error(Code::File, "Private key file cannot be read"),
    };
    let (label, content) = if is_encrypted {
        (&b""[..], Key::decrypt_pkcs8(&armor::decode(armor.body)?, passphrase).map_err(refused)?)
    } else if armor.body.contains(&b':') {
        // What is before the first empty line tells how the rest is encrypted.
        (armor.label, Key::decrypt_pem(armor.whole, passphrase).map_err(refused)?)
    } else {
        (armor.label, armor::decode(armor.body).unwrap_or_default())
    };
    match asn1::read(label, &content) {
        Some(key) => Ok(key),
        None => Key::from_pem(armor.whole, passphrase).map_err(refused),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        [&[tag, 0x81, u8::try_from(content.len()).unwrap()], &content[..]].concat()
    }

    /// An `EncryptedPrivateKeyInfo` by PBES2.
    fn pbes2(derivation: &[u8], numbers: &[&[u8]]) -> Vec<u8> {
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| element(2, &[number])).collect();
        let params = element(0x30, &[&element(4, &[b"saltsalt"]), &numbers]);
        let derivation = element(0x30, &[&element(6, &[derivation]), &params]);
        let encryption = element(0x30, &[&element(6, &[&[0x2a]]), &element(4, &[&[0; 16]])]);
        let scheme = element(0x30, &[&element(6, &[PBES2]), &element(0x30, &[&derivation, &encryption])]);
        element(0x30, &[&scheme, &element(4, &[&[0; 32]])])
    }

    #[test]
    fn steps_are_counted() {
        const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
        assert_eq!(steps(&pbes2(PBKDF2, &[&[8, 0], &[32]])), Ok(2048));
        assert_eq!(steps(&pbes2(PBKDF2, &[&[0x7f; 4]])), Ok(0x7f7f_7f7f));
        assert_eq!(steps(&pbes2(PBKDF2, &[&[0x7f; 20]])), Ok(u64::MAX));
        assert_eq!(steps(&pbes2(PBKDF2, &[])), Err(Short));
        assert_eq!(steps(&pbes2(SCRYPT, &[&[0x40, 0], &[8], &[1]])), Ok(16384 * 8));
        assert_eq!(steps(&pbes2(SCRYPT, &[&[0x40, 0], &[8], &[0x7f; 8]])), Ok(u64::MAX));
        assert_eq!(steps(&pbes2(SCRYPT, &[&[0x40, 0], &[8]])), Err(Short));
        for len in 0..100 {
            let info = pbes2(PBKDF2, &[&[8, 0]]);
            assert!(len >= info.len() || steps(&info[..len]).is_err());
        }
    }

    #[test]
    fn numbers_without_end_are_refused_before_the_first_step() {
        let line = "A".repeat(63) + "\n";
        for label in ["", "ENCRYPTED ", "RSA ", "EC ", "DSA "] {
            let body = line.repeat(LONGEST_BODY.div_ceil(line.len()) + 1);
            let text = format!("-----BEGIN {label}PRIVATE KEY-----\n{body}-----END {label}PRIVATE KEY-----\n");
            let error = super::super::PrivateKey::parse(text.as_bytes(), None).err().unwrap();
            assert_eq!(error.to_string(), "Private key in the file is too long");
        }
    }

    #[test]
    fn too_many_steps_are_refused_before_the_first() {
        use base64::Engine;
        const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
        let body = base64::engine::general_purpose::STANDARD.encode(pbes2(PBKDF2, &[&[0x7f, 0xff, 0xff, 0xff]]));
        let text = format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n");
        let error = super::super::PrivateKey::parse(text.as_bytes(), Some(b"passphrase")).err().unwrap();
        assert_eq!(error.to_string(), "Private key file wants too many steps of key derivation");
    }
}
