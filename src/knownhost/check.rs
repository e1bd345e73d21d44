//! Whether a host has the key that it shows.
#![forbid(unsafe_code)]

use super::entry::{Entry, Host, KeyKind, Marker};
use super::line::decode;
use super::{EntryId, Hosts};
use crate::crypto::Certificate;
use crate::error::Result;

/// What is asked.
pub struct Query<'a> {
    /// The names that the host may be known by, the best one first.
    pub names: &'a [Vec<u8>],
    /// Its name alone, which a certificate has to be for.
    pub host: &'a [u8],
    /// The names are in a form of the program's own.
    pub is_custom: bool,
    /// The key or the certificate that it shows, in Base64.
    pub key: &'a [u8],
    /// The type of that key; entries with keys of other types do not count. `None` if all do.
    pub kind: Option<KeyKind>,
    /// When this is asked, in seconds since 1970: a certificate holds for a time.
    pub time: u64,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This entry has host and key.
    Match(EntryId),
    /// This entry has the host with another key, or says that the key is not to be trusted.
    Mismatch(EntryId),
    /// The host is not known.
    NotFound,
}

impl Hosts {
    /// Looks for a host and its key, or its certificate.
    pub fn check(&self, query: &Query<'_>) -> Result<Verdict> {
        let shown = decode(query.key)?.unwrap_or_default();
        if let Ok(certificate) = Certificate::read(&shown) {
            return self.check_certificate(query, &certificate);
        }
        match self.marked(Marker::Revoked, query)? {
            Some(revoked) => Ok(Verdict::Mismatch(revoked)),
            None => self.check_key(query),
        }
    }

    /// Looks for a host and its key among the entries that say so. One that has both counts more than one with another
    /// key.
    pub(super) fn check_key(&self, query: &Query<'_>) -> Result<Verdict> {
        let mut other = None;
        for name in query.names {
            for (id, entry) in self.entries() {
                if entry.marker.is_some() || !query.compares_with(entry) || !query.is_host(entry, name)? {
                    continue;
                }
                if entry.key == query.key {
                    return Ok(Verdict::Match(id));
                }
                other.get_or_insert(id);
            }
        }
        Ok(other.map_or(Verdict::NotFound, Verdict::Mismatch))
    }

    /// The entry that has host and key behind `marker`. For an authority, none of the host's names may be excluded: who
    /// excludes a host means it on every port.
    pub(super) fn marked(&self, marker: Marker, query: &Query<'_>) -> Result<Option<EntryId>> {
        for (id, entry) in self.entries() {
            let is_excluded =
                marker == Marker::CertAuthority && query.names.iter().any(|name| entry.host.excludes(name));
            if entry.marker == Some(marker) && entry.key == query.key && !is_excluded {
                for name in query.names {
                    if query.is_host(entry, name)? {
                        return Ok(Some(id));
                    }
                }
            }
        }
        Ok(None)
    }
}

impl<'a> Query<'a> {
    /// Asks the same about another key.
    pub(super) const fn about(&self, key: &'a [u8], kind: Option<KeyKind>) -> Self {
        Self { key, kind, ..*self }
    }

    fn compares_with(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind != KeyKind::UNKNOWN && kind == entry.kind)
    }

    fn is_host(&self, entry: &Entry, name: &[u8]) -> Result<bool> {
        match (&entry.host, self.is_custom) {
            (Host::Custom(custom), true) => Ok(custom == name),
            (_, true) => Ok(false),
            // As OpenSSH compares: a key must not be trusted again because the name is written in another way.
            (host, false) if entry.marker == Some(Marker::Revoked) => host.is_in_any_case(name),
            (host, false) => host.is(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{HashAlgorithm, Hmac};
    use crate::radix64;

    const FILE: &str = "[host]:2222 ssh-ed25519 AAAAAAAAport\n\
        host ssh-ed25519 AAAAAAAAone\n\
        host ssh-ed25519 AAAAAAAAtwo\n\
        host ssh-rsa AAAAAAAAArsa\n\
        *.net,!bad.net ssh-ed25519 AAAAAAAAnet\n\
        @revoked * ssh-ed25519 AAAAAAAAbad\n\
        @cert-authority * ssh-ed25519 AAAAAAAAca\n\
        evil ssh-ed25519 AAAAAAAAbad\n\
        |1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 AAAAAAAAhash\n";

    /// The verdict, and the ending of the entry's key.
    fn check(file: &str, names: &[&str], ending: &str, kind: Option<u8>) -> (char, String) {
        let mut hosts = Hosts::default();
        hosts.read_file(file.as_bytes()).unwrap();
        let names: Vec<_> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let key = if ending == "rsa" { "AAAAAAAAArsa".to_owned() } else { format!("AAAAAAAA{ending}") };
        let host = names.last().unwrap();
        let kind = kind.map(KeyKind);
        let query = Query { names: &names, host, is_custom: false, key: key.as_bytes(), kind, time: 0 };
        let key =
            |id| String::from_utf8(hosts.get(id).unwrap().key.clone()).unwrap().trim_start_matches('A').to_owned();
        match hosts.check(&query).unwrap() {
            Verdict::Match(id) => ('=', key(id)),
            Verdict::Mismatch(id) => ('!', key(id)),
            Verdict::NotFound => ('?', String::new()),
        }
    }

    #[test]
    fn hosts_and_keys() {
        let (bracket, both) = (["[host]:2222"], ["[host]:2222", "host"]);
        for (names, ending, kind, expected) in [
            (&["host"][..], "one", Some(7), "=one"),
            (&["host"], "two", Some(7), "=two"),
            (&["host"], "new", Some(7), "!one"),
            (&["host"], "rsa", Some(7), "!one"),
            (&["host"], "rsa", Some(2), "=rsa"),
            (&["host"], "rsa", None, "=rsa"),
            (&["host"], "two", Some(15), "?"),
            (&["host"], "two", Some(4), "?"),
            (&["other"], "one", Some(7), "?"),
            (&bracket, "port", Some(7), "=port"),
            (&bracket, "one", Some(7), "!port"),
            (&both, "one", Some(7), "=one"),
            (&both, "new", Some(7), "!port"),
            (&["good.net"], "net", Some(7), "=net"),
            (&["bad.net"], "net", Some(7), "?"),
            (&["any"], "bad", Some(7), "!bad"),
            (&["evil"], "bad", Some(7), "!bad"),
            (&["any"], "ca", Some(7), "?"),
            (&["@revoked"], "one", None, "?"),
            (&["192.168.1.61"], "hash", Some(7), "=hash"),
        ] {
            let (verdict, key) = check(FILE, names, ending, kind);
            assert_eq!(format!("{verdict}{key}"), expected, "{names:?} {ending} {kind:?}");
        }
    }

    #[test]
    fn a_revoked_key_is_refused_in_whatever_case_the_name_is_written() {
        let hashed = |name: &str| {
            let hash = Hmac::new(HashAlgorithm::Sha1, b"salt").unwrap().mac(&[name.as_bytes()]).unwrap();
            let [salt, hash] = [b"salt", hash.as_ref()].map(|part| String::from_utf8(radix64::encode(part).unwrap()));
            format!("|1|{}|{}", salt.unwrap(), hash.unwrap())
        };
        for (list, name, expected) in [
            ("Host.net", "Host.net", '!'),
            ("Host.net", "host.NET", '!'),
            ("Host.net", "host.nets", '?'),
            ("other,[Host.net]:22", "[host.net]:22", '!'),
            ("*.org,HOST.NET", "host.net", '!'),
            ("*,!HOST.net", "host.net", '?'),
            (&hashed("host.net"), "Host.NET", '!'),
            (&hashed("host.net"), "host.net", '!'),
            (&hashed("Host.net"), "Host.net", '!'),
            (&hashed("Host.net"), "host.net", '?'),
        ] {
            let file = format!("@revoked {list} ssh-ed25519 AAAAAAAAbad\n");
            assert_eq!(check(&file, &[name], "bad", None).0, expected, "{list} {name}");
        }
        // All other entries have a case.
        for marker in ["", "@cert-authority "] {
            let file = format!("{marker}Host.net ssh-ed25519 AAAAAAAAone\n");
            assert_eq!(check(&file, &["host.net"], "one", None).0, '?');
        }
    }
}
