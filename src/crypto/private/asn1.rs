//! What is in a PEM file, as far as SSH has keys of that form: PKCS#1 (RFC 8017 appendix A.1.2), SEC1 (RFC 5915) and PKCS#8
//! (RFC 5958). libcrypto reads more forms of them, but leaves copies of the secret behind in memory that it gives back.
#![forbid(unsafe_code)]

use super::rsa::Rsa;
use crate::crypto::der::{self, BIT_STRING, EXPLICIT, OBJECT_IDENTIFIER, OCTET_STRING};
use crate::crypto::nist::{Nist, P256, P384, P521};
use crate::crypto::openssl::{Key, Param};
use crate::crypto::public::{ED25519, ED25519_LEN};
use crate::wire::Reader;

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.3.101.112
const ID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// 1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35
const CURVES: [(&[u8], &Nist); 3] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], &P256),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], &P384),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], &P521),
];

/// The key in `content`, whose text says that it is of the form `label`; `None` if it is none of those known here.
pub(super) fn read(label: &[u8], content: &[u8]) -> Option<Key> {
    match label {
        b"" => pkcs8(content),
        b"RSA " => pkcs1(content),
        b"EC " => sec1(content, None),
        _ => None,
    }
}

fn pkcs8(content: &[u8]) -> Option<Key> {
    let mut info = der::sequence(&mut Reader::new(content)).ok()?;
    let _version = der::integer(&mut info).ok()?;
    let mut algorithm = der::sequence(&mut info).ok()?;
    let name = der::element(&mut algorithm, OBJECT_IDENTIFIER).ok()?;
    let key = der::element(&mut info, OCTET_STRING).ok()?;
    match name {
        RSA => pkcs1(key),
        EC => sec1(key, Some(curve(der::element(&mut algorithm, OBJECT_IDENTIFIER).ok()?)?)),
        // RFC 8410 section 7.
        ID_ED25519 => {
            let seed = der::element(&mut Reader::new(key), OCTET_STRING).ok()?;
            if seed.len() == ED25519_LEN { Key::pair(ED25519, &[Param::Octets(c"priv", seed)]).ok() } else { None }
        }
        _ => None,
    }
}

fn pkcs1(content: &[u8]) -> Option<Key> {
    let mut numbers = der::sequence(&mut Reader::new(content)).ok()?;
    // Of version 1 are keys of more than two primes.
    if !der::integer(&mut numbers).ok()?.is_empty() {
        return None;
    }
    let mut next = || der::integer(&mut numbers).ok().filter(|digits| !digits.is_empty());
    let (n, e, d, p, q) = (next()?, next()?, next()?, next()?, next()?);
    let (_dmp1, _dmq1, iqmp) = (next()?, next()?, next()?);
    Rsa { n, e, d, iqmp, p, q }.pair().ok()
}

/// The curve may be known from elsewhere.
fn sec1(content: &[u8], known: Option<&Nist>) -> Option<Key> {
    let mut fields = der::sequence(&mut Reader::new(content)).ok()?;
    let _version = der::integer(&mut fields).ok()?;
    let secret = der::trim(der::element(&mut fields, OCTET_STRING).ok()?);
    let [parameters, public] = EXPLICIT;
    let mut named = None;
    if fields.rest().first() == Some(&parameters) {
        let mut parameters = Reader::new(der::element(&mut fields, parameters).ok()?);
        named = Some(curve(der::element(&mut parameters, OBJECT_IDENTIFIER).ok()?)?);
    }
    let mut public = Reader::new(der::element(&mut fields, public).ok()?);
    // The first byte says how many bits of the last one do not count.
    let point = der::element(&mut public, BIT_STRING).ok()?.strip_prefix(&[0])?;
    if secret.is_empty() { None } else { known.or(named)?.pair(secret, point).ok() }
}

fn curve(name: &[u8]) -> Option<&'static Nist> {
    CURVES.iter().find(|curve| curve.0 == name).map(|curve| curve.1)
}

#[cfg(test)]
mod tests {
    use super::super::{armor, identify, public_blob};
    use super::*;
    use crate::crypto::testing::Directory;

    /// The key in a text, and what libcrypto reads there, by their public halves.
    fn both(text: &[u8]) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let blob = |key: Key| public_blob(&key, identify(&key).unwrap().unwrap()).unwrap();
        let armor = armor::find(text).unwrap();
        let content = armor::decode(armor.body).unwrap();
        (read(armor.label, &content).map(blob), Key::from_pem(armor.whole, b"").ok().map(blob))
    }

    #[test]
    fn keys_are_what_libcrypto_reads() {
        let directory = Directory::new();
        for options in ["-t rsa -b 1024", "-t rsa -b 3072", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521"] {
            for form in ["PEM", "PKCS8"] {
                let (text, _) = directory.keygen(&format!("{options} -m {form}"), "");
                let (ours, theirs) = both(&text);
                assert!(ours.is_some() && ours == theirs, "{options} {form}");
            }
        }
        let (ours, theirs) = both(&directory.run("openssl genpkey -algorithm ed25519"));
        assert!(ours.is_some() && ours == theirs);
    }

    #[test]
    fn what_is_not_known_is_left_to_libcrypto() {
        let directory = Directory::new();
        // Without the public half.
        let short =
            directory.run("openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -outform DER -out full");
        assert!(short.is_empty());
        directory.run("openssl ec -inform DER -in full -no_public -out without");
        let (ours, theirs) = both(&directory.read("without"));
        assert!(ours.is_none() && theirs.is_some());
        assert!(read(b"DSA ", &[0x30, 0]).is_none());
    }

    #[test]
    fn what_is_cut_or_changed_anywhere_never_panics() {
        let directory = Directory::new();
        for options in ["-t rsa -b 1024 -m PKCS8", "-t ecdsa -b 256 -m PEM", "-t ecdsa -b 256 -m PKCS8"] {
            let (text, _) = directory.keygen(options, "");
            let armor = armor::find(&text).unwrap();
            let content = armor::decode(armor.body).unwrap();
            for place in (0..content.len()).step_by(5) {
                // Attributes may follow the key.
                let _ = read(armor.label, &content[..place]);
                let mut changed = content.clone();
                changed[place] ^= 0x81;
                let _ = read(armor.label, &changed);
            }
        }
    }
}
