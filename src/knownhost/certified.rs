//! Hosts that show a certificate: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT, and OpenSSH's PROTOCOL.certkeys.
#![forbid(unsafe_code)]

use super::Hosts;
use super::check::{Query, Verdict};
use super::entry::{KeyKind, Marker};
use super::pattern::matches_one;
use crate::crypto::Certificate;
use crate::error::{Code, Result};
use crate::radix64;

impl Hosts {
    /// Looks for a host and the authority that vouches for it by `certificate`, which is the key of `query`. One that
    /// nobody vouches for is worth as much as the key that is in it.
    pub(super) fn check_certificate(&self, query: &Query<'_>, certificate: &Certificate<'_>) -> Result<Verdict> {
        let kind = query.kind.map(|_| KeyKind::from_name(certificate.key_type().as_bytes()));
        let (key, authority) = (radix64::encode(&certificate.key()?)?, radix64::encode(certificate.authority())?);
        let (key, authority) = (query.about(&key, kind), query.about(&authority, None));
        for shown in [query, &key, &authority] {
            if let Some(revoked) = self.marked(Marker::Revoked, shown)? {
                return Ok(Verdict::Mismatch(revoked));
            }
        }
        if is_for(certificate, query)?
            && let Some(id) = self.marked(Marker::CertAuthority, &authority)?
        {
            return Ok(Verdict::Match(id));
        }
        // The program may have entered it as if it were a key.
        match self.check_key(query)? {
            Verdict::Match(id) => Ok(Verdict::Match(id)),
            _ => self.check_key(&key),
        }
    }
}

/// Whether `certificate` holds, and for the host of `query`. One that names no hosts would be for all of them, and is for
/// none, as OpenSSH has it since 10.3.
fn is_for(certificate: &Certificate<'_>, query: &Query<'_>) -> Result<bool> {
    let is_named = certificate.principals().any(|principal| matches_one(principal, query.host));
    match certificate.check_host(query.time) {
        Err(error) if error.code == Code::Alloc => Err(error),
        checked => Ok(is_named && checked.is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::crypto::PrivateKey;
    use crate::crypto::testing::{Directory, Issue, packed};

    struct World {
        key: PrivateKey,
        authority: PrivateKey,
    }

    impl World {
        fn new() -> Self {
            let directory = Directory::new();
            let key = || PrivateKey::parse(&directory.keygen("-t ed25519", "").0, None).unwrap();
            Self { key: key(), authority: key() }
        }

        fn issue(&self) -> Issue<'_> {
            Issue::new(&self.key, &self.authority, "host.net")
        }

        /// What `lines` say about `blob` for "host.net" at port 2222, and the number of the line that says so. In the
        /// lines, CA and KEY and CERT stand for those.
        fn check(&self, lines: &str, blob: &[u8], kind: Option<u8>) -> (char, usize) {
            let mut hosts = Hosts::default();
            let text = |blob: &[u8]| format!("ssh-ed25519 {}", STANDARD.encode(blob));
            let lines = lines
                .replace("CA", &text(&self.authority.public_blob().unwrap()))
                .replace("KEY", &text(&self.key.public_blob().unwrap()))
                .replace("CERT", &text(blob))
                .replace("OTHER", &text(b"another key"));
            hosts.read_file(lines.as_bytes()).unwrap();
            let (names, shown) = ([b"[host.net]:2222".to_vec(), b"host.net".to_vec()], STANDARD.encode(blob));
            let kind = kind.map(KeyKind);
            let query =
                Query { names: &names, host: b"host.net", is_custom: false, key: shown.as_bytes(), kind, time: 1500 };
            let number = |found| {
                let mut ids = std::iter::successors(hosts.next(None), |id| hosts.next(Some(*id)));
                ids.position(|id| id == found).unwrap() + 1
            };
            match hosts.check(&query).unwrap() {
                Verdict::Match(id) => ('=', number(id)),
                Verdict::Mismatch(id) => ('!', number(id)),
                Verdict::NotFound => ('?', 0),
            }
        }
    }

    #[test]
    fn an_authority_vouches_for_its_hosts() {
        let world = World::new();
        let whole = world.issue().write();
        for kind in [None, Some(15), Some(7)] {
            for (lines, expected) in [
                ("", ('?', 0)),
                ("@cert-authority host.net CA", ('=', 1)),
                ("@cert-authority [host.net]:2222 CA", ('=', 1)),
                ("@cert-authority *.net,!other.net CA", ('=', 1)),
                ("host.net OTHER\n@cert-authority * CA", ('=', 2)),
                ("@cert-authority *,!host.net CA", ('?', 0)),
                ("@cert-authority *,!*:2222 CA", ('?', 0)),
                ("@cert-authority other.net CA", ('?', 0)),
                ("@cert-authority * KEY", ('?', 0)),
                ("@cert-authority * OTHER", ('?', 0)),
                // Not said to be an authority.
                ("host.net CA", ('!', 1)),
            ] {
                assert_eq!(world.check(lines, &whole, kind), expected, "{lines} {kind:?}");
            }
        }
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_worth_the_key_in_it() {
        let world = World::new();
        let expired = Issue { valid: 0..1500, ..world.issue() }.write();
        for whole in [&world.issue().write(), &expired] {
            for kind in [None, Some(15), Some(7), Some(2)] {
                assert_eq!(world.check("host.net KEY", whole, kind), ('=', 1));
                assert_eq!(world.check("host.net OTHER", whole, kind), ('!', 1));
                assert_eq!(world.check("host.net OTHER\nhost.net KEY", whole, kind), ('=', 2));
                assert_eq!(world.check("other.net KEY", whole, kind), ('?', 0));
            }
            assert_eq!(world.check("host.net OTHER\nhost.net CERT", whole, None), ('=', 2), "entered like a key");
        }
    }

    #[test]
    fn a_certificate_must_hold_and_be_for_the_host() {
        let world = World::new();
        let line = "@cert-authority * CA";
        let check = |issue: Issue<'_>| world.check(line, &issue.write(), None);
        let with = |principals: &[&str]| Issue { principals: packed(principals), ..world.issue() };
        assert_eq!(check(with(&["a.net", "host.net"])), ('=', 1));
        assert_eq!(check(with(&["*.net"])), ('=', 1));
        for principals in [&[][..], &[""], &["other.net"], &["[host.net]:2222"], &["host.net,a.net"], &["!a.net"]] {
            assert_eq!(check(with(principals)), ('?', 0), "{principals:?}");
        }
        for issue in [
            Issue { valid: 1501..2000, ..world.issue() },
            Issue { valid: 1000..1500, ..world.issue() },
            Issue { role: 1, ..world.issue() },
            Issue { critical_options: packed(&["name", "data"]), ..world.issue() },
            Issue { authority: &world.key, ..world.issue() },
        ] {
            assert_eq!(check(issue), ('?', 0));
        }
    }

    #[test]
    fn whatever_is_revoked_counts_more() {
        let world = World::new();
        let whole = world.issue().write();
        for revoked in ["CA", "KEY", "CERT"] {
            let lines = format!("@cert-authority * CA\nhost.net KEY\n@revoked * {revoked}");
            assert_eq!(world.check(&lines, &whole, None), ('!', 3), "{revoked}");
            let lines = format!("@cert-authority * CA\n@revoked other.net {revoked}");
            assert_eq!(world.check(&lines, &whole, None), ('=', 1), "{revoked}");
        }
    }
}
