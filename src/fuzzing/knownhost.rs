//! Files of known hosts: what was read and written reads the same.
#![forbid(unsafe_code)]

use crate::crypto::Certificate;
use crate::knownhost::{Entry, Host, Hosts, KeyKind, Query, Verdict, decode};

/// The text of a file. Its last line may be a name to look for.
pub fn known_hosts(data: &[u8]) {
    let mut hosts = Hosts::default();
    let whole = hosts.read_file(data).is_ok();
    let written = hosts.to_file().expect("what was read can be written");
    let mut again = Hosts::default();
    again.read_file(&written).unwrap_or_else(|error| panic!("{error}: {}", written.escape_ascii()));
    let rewritten = again.to_file().unwrap();
    assert!(written == rewritten, "{}\n{}", written.escape_ascii(), rewritten.escape_ascii());
    let (before, after) = (entries(&hosts), entries(&again));
    assert_eq!(before.len(), after.len());
    assert!(before.iter().zip(&after).all(|(before, after)| same(before, after)));

    let last = data.split(|&byte| byte == b'\n').next_back().unwrap_or_default();
    let mut names = vec![last.to_vec()];
    names.extend(before.iter().take(6).filter_map(|entry| match &entry.host {
        Host::Plain(name) => Some(name.clone()),
        _ => None,
    }));
    let mut keys = vec![(&b"no key"[..], None)];
    keys.extend(before.iter().take(6).map(|entry| (&entry.key[..], Some(entry.kind))));
    for name in &names {
        for &(key, kind) in &keys {
            let verdict =
                |hosts: &Hosts| match hosts.check(&query(&[name.clone(), b"second".to_vec()], key, kind)).unwrap() {
                    Verdict::Match(id) => ('=', hosts.to_line(id).unwrap()),
                    Verdict::Mismatch(id) => ('!', hosts.to_line(id).unwrap()),
                    Verdict::NotFound => ('?', Vec::new()),
                };
            assert_eq!(verdict(&hosts), verdict(&again), "{}", name.escape_ascii());
        }
    }
    if whole && before.iter().all(|entry| entry.marker.is_none()) {
        for entry in before.iter().take(6) {
            let Host::Plain(name) = &entry.host else { continue };
            let kind = Some(entry.kind).filter(|&kind| kind != KeyKind::UNKNOWN);
            let query = query(std::slice::from_ref(name), &entry.key, kind);
            let is_certificate = Certificate::read(&decode(&entry.key).unwrap().unwrap_or_default()).is_ok();
            let verdict = hosts.check(&query).unwrap();
            assert!(is_certificate || matches!(verdict, Verdict::Match(_)), "an entry is found by its own name");
        }
    }
}

fn query<'a>(names: &'a [Vec<u8>], key: &'a [u8], kind: Option<KeyKind>) -> Query<'a> {
    let host = names.last().map_or(&[][..], |name| name);
    Query { names, host, is_custom: false, key, kind, time: 1_700_000_000 }
}

fn entries(hosts: &Hosts) -> Vec<&Entry> {
    let ids = std::iter::successors(hosts.next(None), |&id| hosts.next(Some(id)));
    ids.map(|id| hosts.get(id).unwrap()).collect()
}

fn same(one: &Entry, other: &Entry) -> bool {
    let host = match (&one.host, &other.host) {
        (Host::Plain(one), Host::Plain(other)) => one == other,
        (Host::Hashed { salt, hash }, Host::Hashed { salt: other, hash: other_hash }) => {
            salt == other && hash == other_hash
        }
        _ => false,
    };
    let rest =
        |entry: &Entry| (entry.marker, entry.kind, entry.kind_name.clone(), entry.key.clone(), entry.comment.clone());
    host && rest(one) == rest(other)
}
