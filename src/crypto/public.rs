//! Public keys as SSH writes them: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4.
#![forbid(unsafe_code)]

use super::der;
use super::dsa::{self, Dsa};
use super::nist::{self, Nist};
use super::openssl::{Key, OrRefuse, Param, Refused};
use super::signature::{SignatureAlgorithm, only};
use crate::error::{Code, Error, Result};
use crate::wire::{Reader, Short};

/// libcrypto's name for keys on Curve25519 that sign.
pub(super) const ED25519: &std::ffi::CStr = c"ED25519";
/// Bytes of a public key on Curve25519, and of a secret one.
pub(super) const ED25519_LEN: usize = 32;
/// libcrypto's name for RSA keys.
pub(super) const RSA: &std::ffi::CStr = c"RSA";
/// Bits of an RSA modulus: below, it gives no security; above, checking a signature takes seconds. As in OpenSSH.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=16384;
/// Bits of an RSA exponent; FIPS 186-5 allows no more.
const MOST_EXPONENT_BITS: usize = 256;

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519
    Ed25519,
    /// ECDSA on NIST P-256
    EcdsaP256,
    /// ECDSA on NIST P-384
    EcdsaP384,
    /// ECDSA on NIST P-521
    EcdsaP521,
    /// RSA
    Rsa,
    /// DSA, for old servers only
    Dsa,
}

impl KeyType {
    const ALL: [Self; 6] = [Self::Ed25519, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Rsa, Self::Dsa];

    /// Its name at the front of a key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
            Self::Dsa => "ssh-dss",
        }
    }

    /// Its name, as the wire has it.
    pub const fn as_bytes(self) -> &'static [u8] {
        self.name().as_bytes()
    }

    /// The type of that name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_bytes() == name)
    }

    /// The algorithms that keys of this type sign with, best first.
    pub const fn algorithms(self) -> &'static [SignatureAlgorithm] {
        match self {
            Self::Ed25519 => &[SignatureAlgorithm::Ed25519],
            Self::EcdsaP256 => &[SignatureAlgorithm::EcdsaP256],
            Self::EcdsaP384 => &[SignatureAlgorithm::EcdsaP384],
            Self::EcdsaP521 => &[SignatureAlgorithm::EcdsaP521],
            Self::Rsa => &[SignatureAlgorithm::RsaSha512, SignatureAlgorithm::RsaSha256, SignatureAlgorithm::RsaSha1],
            Self::Dsa => &[SignatureAlgorithm::Dsa],
        }
    }

    /// How many fields a key of this type has behind its name.
    pub(super) const fn fields(self) -> usize {
        match self {
            Self::Ed25519 => 1,
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 | Self::Rsa => 2,
            Self::Dsa => 4,
        }
    }

    /// Whether libcrypto has keys of this type.
    pub fn is_available(self) -> bool {
        self != Self::Dsa || dsa::is_available()
    }

    pub(super) const fn nist(self) -> Option<&'static Nist> {
        match self {
            Self::Ed25519 | Self::Rsa | Self::Dsa => None,
            Self::EcdsaP256 => Some(&nist::P256),
            Self::EcdsaP384 => Some(&nist::P384),
            Self::EcdsaP521 => Some(&nist::P521),
        }
    }
}

/// A public key.
pub struct PublicKey {
    key: Key,
    kind: KeyType,
}

impl PublicKey {
    /// Reads a key in the form of the wire, its type's name in front. Nothing may follow it.
    pub fn from_blob(blob: &[u8]) -> Result<Self> {
        let name = Reader::new(blob).string().map_err(|short| short.in_packet(Code::HostkeyInit, NOT_VALID))?;
        let kind = KeyType::from_name(name)
            .ok_or_else(|| Error::new(Code::HostkeyInit, "Public key is of a type that is not known").with(name))?;
        let key = match kind.nist() {
            Some(curve) => read_point(blob, curve).map(|point| curve.public_key(point)),
            None if kind == KeyType::Rsa => read_rsa(blob).map(|(e, n)| rsa(e, n)),
            None if kind == KeyType::Dsa => read_dsa(blob).map(Dsa::public_key),
            None => read_ed25519(blob).map(|bytes| Key::public(ED25519, &[Param::Octets(c"pub", bytes)])),
        };
        key.unwrap_or(Err(Refused::UNFIT)).or_refuse(Code::HostkeyInit, NOT_VALID).map(|key| Self { key, kind })
    }

    /// Its type.
    pub const fn key_type(&self) -> KeyType {
        self.kind
    }

    /// Checks that `signature`, in the form of the wire with the algorithm's name in front, is this key's over `data`
    /// by `algorithm` and no other.
    pub fn verify(&self, algorithm: SignatureAlgorithm, data: &[u8], signature: &[u8]) -> Result<()> {
        const WRONG: &str = "Signature is wrong";
        if algorithm.key_type() != self.kind {
            return Err(Error::new(Code::HostkeySign, "Signature algorithm does not fit the key"));
        }
        let size = self.key.size().or_refuse(Code::HostkeySign, WRONG)?;
        let raw = algorithm
            .decode(signature, size)?
            .ok_or_else(|| Error::new(Code::HostkeySign, "Signature is not of the algorithm's form"))?;
        self.key.verify(algorithm.digest(), data, &raw).or_refuse(Code::HostkeySign, WRONG)
    }
}

const NOT_VALID: &str = "Public key is not valid";

fn read_ed25519(blob: &[u8]) -> Result<&[u8], Short> {
    only(blob, |reader| {
        reader.string()?;
        reader.string().and_then(|bytes| if bytes.len() == ED25519_LEN { Ok(bytes) } else { Err(Short) })
    })
}

fn read_point<'a>(blob: &'a [u8], curve: &Nist) -> Result<&'a [u8], Short> {
    only(blob, |reader| {
        reader.string()?;
        if reader.string()? == curve.name.as_bytes() { reader.string() } else { Err(Short) }
    })
}

/// Exponent and modulus.
fn read_rsa(blob: &[u8]) -> Result<(&[u8], &[u8]), Short> {
    only(blob, |reader| {
        reader.string()?;
        Ok((mpint(reader)?, mpint(reader)?))
    })
}

fn read_dsa(blob: &[u8]) -> Result<Dsa<'_>, Short> {
    only(blob, |reader| {
        reader.string()?;
        Dsa::read(reader)
    })
}

fn rsa(e: &[u8], n: &[u8]) -> Result<Key, Refused> {
    check_rsa(e, n)?;
    Key::public(RSA, &[Param::Number(c"n", n), Param::Number(c"e", e)])
}

/// Refuses what costs too much or protects nothing.
pub(super) fn check_rsa(e: &[u8], n: &[u8]) -> Result<(), Refused> {
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if odd(e) && e != [1] && bits(e) <= MOST_EXPONENT_BITS && odd(n) && RSA_BITS.contains(&bits(n)) {
        Ok(())
    } else {
        Err(Refused::UNFIT)
    }
}

/// Bits of a number without leading zeros.
pub(super) fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or_default())
}

/// A positive `mpint`, without the leading zeros that it should not have and some write.
pub(super) fn mpint<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let digits = reader.string()?;
    if digits.first().is_none_or(|&first| first >= 0x80) {
        return Err(Short);
    }
    let trimmed = der::trim(digits);
    if trimmed.is_empty() { Err(Short) } else { Ok(trimmed) }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use crate::wire::Put;

    fn blob(fields: &[&[u8]]) -> Vec<u8> {
        let mut blob = Vec::new();
        fields.iter().try_for_each(|field| blob.put_string(field)).unwrap();
        blob
    }

    fn numbers(numbers: &[&[u8]]) -> Vec<u8> {
        let mut blob = Vec::new();
        numbers.iter().try_for_each(|number| blob.put_mpint(number)).unwrap();
        blob
    }

    struct Vector {
        algorithm: SignatureAlgorithm,
        key: Vec<u8>,
        message: &'static [u8],
        signature: Vec<u8>,
    }

    fn ecdsa(algorithm: SignatureAlgorithm, point: [&str; 2], signature: [&str; 2]) -> Vector {
        let (name, curve) = (algorithm.name().as_bytes(), algorithm.key_type().nist().unwrap().name.as_bytes());
        Vector {
            algorithm,
            key: blob(&[name, curve, &[&[4], &hex(point[0])[..], &hex(point[1])].concat()]),
            message: b"sample",
            signature: blob(&[name, &numbers(&[&hex(signature[0]), &hex(signature[1])])]),
        }
    }

    /// RFC 6979 section A.2.1.
    fn dsa() -> Vector {
        let name = b"ssh-dss";
        let key = numbers(&[
            &hex("86F5CA03DCFEB225063FF830A0C769B9DD9D6153AD91D7CE27F787C43278B447
                  E6533B86B18BED6E8A48B784A14C252C5BE0DBF60B86D6385BD2F12FB763ED88
                  73ABFD3F5BA2E0A8C0A59082EAC056935E529DAF7C610467899C77ADEDFC846C
                  881870B7B19B2B58F9BE0521A17002E3BDD6B86685EE90B3D9A1B02B782B1779"),
            &hex("996F967F6C8E388D9E28D01E205FBA957A5698B1"),
            &hex("07B0F92546150B62514BB771E2A0C0CE387F03BDA6C56B505209FF25FD3C133D
                  89BBCD97E904E09114D9A7DEFDEADFC9078EA544D2E401AEECC40BB9FBBF78FD
                  87995A10A1C27CB7789B594BA7EFB5C4326A9FE59A070E136DB77175464ADCA4
                  17BE5DCE2F40D10A46A3A3943F26AB7FD9C0398FF8C76EE0A56826A8A88F1DBD"),
            &hex("5DF5E01DED31D0297E274E1691C192FE5868FEF9E19A84776454B100CF16F653
                  92195A38B90523E2542EE61871C0440CB87C322FC4B4D2EC5E1E7EC766E1BE8D
                  4CE935437DC11C3C8FD426338933EBFE739CB3465F4D3668C5E473508253B1E6
                  82F65CBDC4FAE93C2EA212390E54905A86E2223170B44EAA7DA5DD9FFCFB7F3B"),
        ]);
        let signature = "2E1A0C2562B2912CAAF89186FB0F42001585DA5529EFB6B0AFF2D7A68EB70CA313022253B9A88DF5";
        Vector {
            algorithm: SignatureAlgorithm::Dsa,
            key: [blob(&[name]), key].concat(),
            message: b"sample",
            signature: blob(&[name, &hex(signature)]),
        }
    }

    /// RFC 8032 section 7.1 test 1, and RFC 6979 sections A.2.1 and A.2.5 to A.2.7.
    fn vectors() -> [Vector; 5] {
        [
            Vector {
                algorithm: SignatureAlgorithm::Ed25519,
                key: blob(&[b"ssh-ed25519", &hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")]),
                message: b"",
                signature: blob(&[
                    b"ssh-ed25519",
                    &hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
                          5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
                ]),
            },
            ecdsa(
                SignatureAlgorithm::EcdsaP256,
                [
                    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
                    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
                ],
                [
                    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
                    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
                ],
            ),
            ecdsa(
                SignatureAlgorithm::EcdsaP384,
                [
                    "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64
                     DEF8F0EA9055866064A254515480BC13",
                    "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1
                     288B231C3AE0D4FE7344FD2533264720",
                ],
                [
                    "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C
                     81A648152E44ACF96E36DD1E80FABE46",
                    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F
                     A329C145786E679E7B82C71A38628AC8",
                ],
            ),
            ecdsa(
                SignatureAlgorithm::EcdsaP521,
                [
                    "01894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD371123D46E45DB6B
                     5D5370A7F20FB633155D38FFA16D2BD761DCAC474B9A2F5023A4",
                    "00493101C962CD4D2FDDF782285E64584139C2F91B47F87FF82354D6630F746A28A0DB25741B5B34
                     A828008B22ACC23F924FAAFBD4D33F81EA66956DFEAA2BFDFCF5",
                ],
                [
                    "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5
                     D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
                    "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C
                     0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
                ],
            ),
            dsa(),
        ]
    }

    #[test]
    fn published_signatures_are_right() {
        for Vector { algorithm, key, message, signature } in vectors() {
            let key = PublicKey::from_blob(&key).unwrap();
            assert_eq!(key.key_type(), algorithm.key_type());
            key.verify(algorithm, message, &signature).unwrap();
            assert_eq!(key.verify(algorithm, b"another", &signature).unwrap_err().code, Code::HostkeySign);
        }
    }

    #[test]
    fn leading_zeros_in_front_of_a_number_are_forgiven() {
        let [_, Vector { algorithm, key, message, .. }, ..] = vectors();
        let r = hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
        let s = hex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
        let key = PublicKey::from_blob(&key).unwrap();
        let with_zeros = |zeros: usize| {
            let pair = blob(&[&[&vec![0; zeros][..], &r].concat(), &[&[0][..], &s].concat()]);
            blob(&[algorithm.name().as_bytes(), &pair])
        };
        for zeros in 1..4 {
            key.verify(algorithm, message, &with_zeros(zeros)).unwrap();
        }
        // Without one the number is negative.
        assert!(key.verify(algorithm, message, &with_zeros(0)).is_err());
    }

    #[test]
    fn a_signature_is_of_one_algorithm_and_whole() {
        for Vector { algorithm, key, message, signature } in vectors() {
            let key = PublicKey::from_blob(&key).unwrap();
            for other in SignatureAlgorithm::ALL {
                assert_eq!(key.verify(other, message, &signature).is_ok(), other == algorithm, "{other:?}");
            }
            for len in 0..signature.len() {
                assert!(key.verify(algorithm, message, &signature[..len]).is_err());
            }
            assert!(key.verify(algorithm, message, &[&signature[..], &[0]].concat()).is_err());
            for at in 0..signature.len() {
                for bit in [1, 0x80] {
                    let mut wrong = signature.clone();
                    wrong[at] ^= bit;
                    assert!(key.verify(algorithm, message, &wrong).is_err(), "{algorithm:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_key_is_of_its_form_and_whole() {
        for Vector { algorithm, key, message, signature } in vectors() {
            for len in 0..key.len() {
                assert_eq!(PublicKey::from_blob(&key[..len]).err().unwrap().code, Code::HostkeyInit);
            }
            assert!(PublicKey::from_blob(&[&key[..], &[0]].concat()).is_err());
            for at in 0..key.len() {
                let mut other = key.clone();
                other[at] ^= 1;
                // Ed25519 takes any bytes for a key.
                if let Ok(other) = PublicKey::from_blob(&other) {
                    assert!(other.verify(algorithm, message, &signature).is_err(), "{algorithm:?} at {at}");
                }
            }
        }
        for other in [&b"ssh-dss-cert-v01@openssh.com"[..], b"", b"ssh-ed25519\0", b"ssh-ed25519-cert-v01@openssh.com"]
        {
            assert!(PublicKey::from_blob(&blob(&[other, &[0; 32]])).is_err());
        }
    }

    #[test]
    fn rsa_keys_of_absurd_sizes_are_refused() {
        let taken =
            |e: &[u8], n: &[u8]| PublicKey::from_blob(&[blob(&[b"ssh-rsa"]), numbers(&[e, n])].concat()).is_ok();
        let odd = |len: usize| [&[0xff], &vec![0; len - 2][..], &[1]].concat();
        assert!(taken(&[1, 0, 1], &odd(128)) && taken(&[3], &odd(2048)) && taken(&[0x25], &odd(256)));
        assert!(!taken(&[1, 0, 1], &odd(127)), "modulus too short");
        assert!(!taken(&[1, 0, 1], &[&[1], &odd(2048)[..]].concat()), "modulus too long");
        assert!(!taken(&[1, 0, 1], &[0xfe; 256]), "modulus even");
        assert!(!taken(&[1], &odd(256)) && !taken(&[2], &odd(256)) && !taken(&[], &odd(256)), "exponent useless");
        assert!(!taken(&odd(33), &odd(256)), "exponent too long");
        assert!(!taken(&[1, 0, 1], &[]), "no modulus");
    }

    #[test]
    fn dsa_keys_that_ssh_has_no_form_for_are_refused() {
        let Vector { key, .. } = dsa();
        let mut reader = Reader::new(&key);
        let _name = reader.string().unwrap();
        let [p, q, g, y] = [(); 4].map(|()| mpint(&mut reader).unwrap().to_vec());
        let taken = |p: &[u8], q: &[u8], g: &[u8], y: &[u8]| {
            PublicKey::from_blob(&[blob(&[b"ssh-dss"]), numbers(&[p, q, g, y])].concat()).is_ok()
        };
        assert!(taken(&p, &q, &g, &y));
        let odd = |len: usize| [&[0xff], &vec![0; len - 2][..], &[1]].concat();
        assert!(taken(&odd(384), &q, &g, &y), "nobody can tell in time whether it is a prime");
        assert!(!taken(&odd(127), &q, &g, &y) && !taken(&odd(385), &q, &g, &y), "sizes of the prime");
        assert!(!taken(&p, &odd(19), &g, &y) && !taken(&p, &odd(32), &g, &y), "sizes of the order");
        assert!(!taken(&[&p[..127], &[0x78]].concat(), &q, &g, &y) && !taken(&p, &[0xfe; 20], &g, &y), "even");
        for outside in [&[][..], &[1], &p, &[&p[..], &[1]].concat()] {
            assert!(!taken(&p, &q, outside, &y) && !taken(&p, &q, &g, outside), "{outside:?}");
        }
    }
}
