//! Certificates, as far as hosts have them: OpenSSH's PROTOCOL.certkeys.
#![forbid(unsafe_code)]

use std::ops::Range;

use super::public::{KeyType, PublicKey};
use super::signature::{SignatureAlgorithm, only};
use crate::error::{Code, Error, Result};
use crate::wire::{Put, Reader, Short};

/// What the name of a certificate's type ends with.
pub const CERTIFICATE: &[u8] = b"-cert-v01@openssh.com";
/// `SSH_CERT_TYPE_HOST`
const HOST: u32 = 2;
/// Fewest bytes of a nonce: with fewer, it may be known before the authority chooses it, and does not protect a hash.
const SHORTEST_NONCE: usize = 16;
/// What an authority may sign by: nothing that rests on SHA-1, which collides.
const SIGNS_CERTIFICATES: [SignatureAlgorithm; 6] = [
    SignatureAlgorithm::Ed25519,
    SignatureAlgorithm::EcdsaP256,
    SignatureAlgorithm::EcdsaP384,
    SignatureAlgorithm::EcdsaP521,
    SignatureAlgorithm::RsaSha512,
    SignatureAlgorithm::RsaSha256,
];

/// What a key of the type `name` names its signatures, if no algorithm of RSA does, in two parts: one in a certificate
/// signs as it does without. The names of certificates for security keys lack the ending that those of the keys have.
pub fn signature_name(name: &[u8]) -> [&[u8]; 2] {
    match name.strip_suffix(CERTIFICATE) {
        Some(plain) => [plain, if plain.starts_with(b"sk-") { b"@openssh.com" } else { b"" }],
        None => [name, b""],
    }
}

/// A certificate of the right form, about which nothing is known yet.
pub struct Certificate<'a> {
    kind: KeyType,
    /// The fields of the key behind the name of its type.
    key: &'a [u8],
    role: u32,
    principals: &'a [u8],
    /// In seconds since 1970.
    valid: Range<u64>,
    critical_options: &'a [u8],
    authority: &'a [u8],
    /// What the authority has signed.
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate in the form of the wire. Nothing may follow it.
    pub fn read(blob: &'a [u8]) -> Result<Self> {
        const NOT_VALID: &str = "Certificate is not valid";
        let name = Reader::new(blob).string().unwrap_or_default();
        let kind = name
            .strip_suffix(CERTIFICATE)
            .and_then(KeyType::from_name)
            .ok_or_else(|| Error::new(Code::HostkeyInit, "Certificate is of a type that is not known").with(name))?;
        only(blob, |reader| Self::read_fields(blob, reader, kind))
            .map_err(|short| short.in_packet(Code::HostkeyInit, NOT_VALID))
    }

    fn read_fields(blob: &'a [u8], reader: &mut Reader<'a>, kind: KeyType) -> Result<Self, Short> {
        let _name = reader.string()?;
        if reader.string()?.len() < SHORTEST_NONCE {
            return Err(Short);
        }
        let from_key = reader.rest();
        (0..kind.fields()).try_for_each(|_| reader.string().map(drop))?;
        let key = before(from_key, reader)?;
        let _serial = reader.u64()?;
        let role = reader.u32()?;
        let _key_id = reader.string()?;
        let principals = reader.string()?;
        check_packed(principals, 1)?;
        let valid = reader.u64()?..reader.u64()?;
        let critical_options = reader.string()?;
        let extensions = reader.string()?;
        // Names and their data.
        check_packed(critical_options, 2)?;
        check_packed(extensions, 2)?;
        let _reserved = reader.string()?;
        let authority = reader.string()?;
        let signed = before(blob, reader)?;
        let signature = reader.string()?;
        Ok(Self { kind, key, role, principals, valid, critical_options, authority, signed, signature })
    }

    /// The type of the key that is certified.
    pub const fn key_type(&self) -> KeyType {
        self.kind
    }

    /// The key that is certified, in the form of the wire.
    pub fn key(&self) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        key.put_string(self.kind.as_bytes())?;
        key.put(self.key)?;
        Ok(key)
    }

    /// The key of the authority, in the form of the wire.
    pub const fn authority(&self) -> &'a [u8] {
        self.authority
    }

    /// The names that it is for.
    pub fn principals(&self) -> impl Iterator<Item = &'a [u8]> {
        strings(self.principals)
    }

    /// Checks that the authority named in it has said that this is the key of a host at `time`, in seconds since 1970.
    /// Which host, and whether that authority may say so, is left to whoever knows.
    pub fn check_host(&self, time: u64) -> Result<()> {
        let refused = |text| Err::<(), _>(Error::new(Code::HostkeyInit, text));
        if self.role != HOST {
            return refused("Certificate is not that of a host");
        }
        // None is defined for hosts, and none that is not known may be ignored.
        if let Some(name) = strings(self.critical_options).next() {
            return refused("Certificate has a critical option that is not known").map_err(|error| error.with(name));
        }
        if time < self.valid.start {
            return refused("Certificate is not valid yet");
        }
        if time >= self.valid.end {
            return refused("Certificate has expired");
        }
        // Not a certificate itself: those are of types that are not known here.
        let authority = PublicKey::from_blob(self.authority).map_err(|error| {
            let code = error.code;
            error.within(Error::new(code, "Authority of the certificate is not valid"))
        })?;
        let algorithm = Reader::new(self.signature).string().ok().and_then(SignatureAlgorithm::from_name);
        let Some(algorithm) = algorithm.filter(|algorithm| SIGNS_CERTIFICATES.contains(algorithm)) else {
            return refused("Certificate is signed by an algorithm that is too weak, or not known");
        };
        authority.verify(algorithm, self.signed, self.signature).map_err(|error| {
            let code = error.code;
            error.within(Error::new(code, "Signature of the certificate is wrong"))
        })
    }
}

/// What `reader` has read since `start` was its rest.
fn before<'a>(start: &'a [u8], reader: &Reader<'a>) -> Result<&'a [u8], Short> {
    start.len().checked_sub(reader.rest().len()).and_then(|length| start.get(..length)).ok_or(Short)
}

/// Checks that `packed` is filled with strings, so many belonging together.
fn check_packed(packed: &[u8], together: usize) -> Result<(), Short> {
    let mut reader = Reader::new(packed);
    while !reader.is_empty() {
        (0..together).try_for_each(|_| reader.string().map(drop))?;
    }
    Ok(())
}

/// The strings that `packed` is filled with.
fn strings(packed: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(packed);
    std::iter::from_fn(move || reader.string().ok())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Directory, Issue, packed};
    use super::super::{PrivateKey, parse_public_text};
    use super::*;

    /// Two keys of ssh-keygen's: a host's, and its authority's.
    fn keys(directory: &Directory, kind: &str, authority: &str) -> (PrivateKey, PrivateKey) {
        let key = |options| PrivateKey::parse(&directory.keygen(options, "").0, None).unwrap();
        (key(kind), key(authority))
    }

    fn pair() -> (PrivateKey, PrivateKey) {
        keys(&Directory::new(), "-t ed25519", "-t ed25519")
    }

    /// Why the certificate is refused at the time 1500.
    fn refusal(issue: &Issue<'_>) -> String {
        Certificate::read(&issue.write()).unwrap().check_host(1500).unwrap_err().to_string()
    }

    #[test]
    fn certificates_of_ssh_keygen() {
        let directory = Directory::new();
        let authorities = ["-t ed25519", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t rsa -b 2048"];
        let kinds = authorities.iter().copied().rev();
        for (kind, authority) in kinds.zip(authorities) {
            let (_, authority_text) = directory.keygen(authority, "");
            for name in ["ca", "ca.pub"] {
                std::fs::rename(directory.0.join(name.replace("ca", "key")), directory.0.join(name)).unwrap();
            }
            let (_, text) = directory.keygen(kind, "");
            let options = "-I some~id -h -n one.net,two.net -V 20200101000000:20300101000000";
            directory.run(&format!("env TZ=UTC ssh-keygen -q -s ca {options} key.pub"));
            let (name, blob) = parse_public_text(&directory.read("key-cert.pub")).unwrap();
            let (plain_name, plain) = parse_public_text(&text).unwrap();
            assert_eq!(name, [&plain_name, CERTIFICATE].concat());
            let certificate = Certificate::read(&blob).unwrap();
            assert_eq!(
                (&certificate.key().unwrap()[..], certificate.key_type().as_bytes()),
                (&plain[..], &plain_name[..])
            );
            assert_eq!(certificate.authority(), parse_public_text(&authority_text).unwrap().1);
            assert_eq!(certificate.principals().collect::<Vec<_>>(), [b"one.net", b"two.net"]);
            let (year_2020, year_2030) = (1_577_836_800, 1_893_456_000);
            certificate.check_host(year_2020).unwrap();
            certificate.check_host(year_2030 - 1).unwrap();
            assert!(certificate.check_host(year_2020 - 1).is_err() && certificate.check_host(year_2030).is_err());
        }
    }

    #[test]
    fn every_byte_counts() {
        let (key, authority) = pair();
        let whole = Issue { extensions: packed(&["name@example.com", "data"]), ..Issue::new(&key, &authority, "host") };
        let whole = whole.write();
        Certificate::read(&whole).unwrap().check_host(1500).unwrap();
        for len in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..len]).err().unwrap().code, Code::HostkeyInit, "{len}");
        }
        assert!(Certificate::read(&[&whole[..], &[0]].concat()).is_err());
        for at in 0..whole.len() {
            for bit in [1, 0x80] {
                let mut other = whole.clone();
                other[at] ^= bit;
                let Ok(other) = Certificate::read(&other) else { continue };
                assert!(other.check_host(1500).is_err(), "{at}");
            }
        }
    }

    #[test]
    fn fields_are_of_their_form_even_if_they_are_signed() {
        let (key, authority) = pair();
        let new = || Issue::new(&key, &authority, "host");
        let is_read = |issue: &Issue<'_>| Certificate::read(&issue.write()).is_ok();
        assert!(is_read(&new()));
        assert!(is_read(&Issue { nonce: vec![7; 16], ..new() }));
        assert!(!is_read(&Issue { nonce: vec![7; 15], ..new() }));
        for short in [&b"\0\0\0\x05host"[..], b"\0\0\0\x04host\0", b"\xff\xff\xff\xff"] {
            assert!(!is_read(&Issue { principals: short.to_vec(), ..new() }), "{short:?}");
            assert!(!is_read(&Issue { critical_options: short.to_vec(), ..new() }), "{short:?}");
            assert!(!is_read(&Issue { extensions: short.to_vec(), ..new() }), "{short:?}");
        }
        assert!(!is_read(&Issue { critical_options: packed(&["name"]), ..new() }), "no data");
        assert!(!is_read(&Issue { extensions: packed(&["name", "data", "name"]), ..new() }), "no data");
        assert!(is_read(&Issue { extensions: packed(&["name", "data", "other", ""]), ..new() }));
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        let (key, authority) = pair();
        let plain = key.public_blob().unwrap();
        assert!(Certificate::read(&plain).is_err() && Certificate::read(&[]).is_err());
        let whole = Issue::new(&key, &authority, "host").write();
        for name in ["ssh-ed448-cert-v01@openssh.com", "-cert-v01@openssh.com", "ssh-ed25519-cert-v02@openssh.com"] {
            let mut reader = Reader::new(&whole);
            let _name = reader.string().unwrap();
            assert!(Certificate::read(&[&packed(&[name]), reader.rest()].concat()).is_err(), "{name}");
        }
    }

    #[test]
    fn it_holds_from_its_beginning_until_before_its_end() {
        let (key, authority) = pair();
        let check = |valid: Range<u64>, time: u64| {
            let whole = Issue { valid, ..Issue::new(&key, &authority, "host") }.write();
            Certificate::read(&whole).unwrap().check_host(time).map_err(|error| error.to_string())
        };
        let (early, late) = ("Certificate is not valid yet", "Certificate has expired");
        assert_eq!(check(1000..2000, 999), Err(early.to_owned()));
        assert_eq!(check(1000..2000, 1000), Ok(()));
        assert_eq!(check(1000..2000, 1999), Ok(()));
        assert_eq!(check(1000..2000, 2000), Err(late.to_owned()));
        assert_eq!(check(0..u64::MAX, 0), Ok(()), "what ssh-keygen writes for no limit");
        assert_eq!(check(0..u64::MAX, u64::MAX), Err(late.to_owned()));
        assert_eq!(check(1500..1500, 1500), Err(late.to_owned()), "no time at all");
        assert_eq!(check(Range { start: 2000, end: 1000 }, 1500), Err(early.to_owned()));
    }

    #[test]
    fn only_hosts_without_restrictions_are_hosts() {
        let (key, authority) = pair();
        for role in [0, 1, 3, u32::MAX] {
            let issue = Issue { role, ..Issue::new(&key, &authority, "host") };
            assert_eq!(refusal(&issue), "Certificate is not that of a host");
        }
        let critical_options = packed(&["force-command", "true"]);
        let issue = Issue { critical_options, ..Issue::new(&key, &authority, "host") };
        assert_eq!(refusal(&issue), "Certificate has a critical option that is not known: force-command");
    }

    #[test]
    fn an_authority_is_a_key_and_signs_by_what_is_not_weak() {
        let directory = Directory::new();
        let (key, authority) = keys(&directory, "-t ecdsa -b 256", "-t rsa -b 2048");
        let new = || Issue::new(&key, &authority, "host");
        for (algorithm, taken) in [
            (SignatureAlgorithm::RsaSha512, true),
            (SignatureAlgorithm::RsaSha256, true),
            (SignatureAlgorithm::RsaSha1, false),
        ] {
            let whole = Issue { algorithm, ..new() }.write();
            assert_eq!(Certificate::read(&whole).unwrap().check_host(1500).is_ok(), taken, "{algorithm:?}");
        }
        assert!(
            refusal(&Issue { named: new().write(), ..new() }).starts_with("Authority of the certificate is not valid")
        );
        assert!(
            refusal(&Issue { named: Vec::new(), ..new() }).starts_with("Authority of the certificate is not valid")
        );
        // Signed by the host itself, and said to be by the authority; and the other way round.
        let wrong = "Signature of the certificate is wrong";
        assert!(
            refusal(&Issue { authority: &key, algorithm: SignatureAlgorithm::EcdsaP256, ..new() }).starts_with(wrong)
        );
        assert!(refusal(&Issue { named: key.public_blob().unwrap(), ..new() }).starts_with(wrong));
        let (another, _) = keys(&directory, "-t rsa -b 2048", "-t ed25519");
        assert!(refusal(&Issue { authority: &another, ..new() }).starts_with(wrong));
    }

    #[test]
    fn an_authority_with_dsa_is_none() {
        let directory = Directory::new();
        if !KeyType::Dsa.is_available() {
            return;
        }
        directory.dsa_parameters(160);
        directory.run("openssl genpkey -quiet -paramfile dsa -out key");
        let authority = PrivateKey::parse(&directory.read("key"), None).unwrap();
        let (key, _) = pair();
        let text = refusal(&Issue::new(&key, &authority, "host"));
        assert_eq!(text, "Certificate is signed by an algorithm that is too weak, or not known");
    }
}
