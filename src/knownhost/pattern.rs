//! Patterns of names, as OpenSSH reads them: ssh_config(5), PATTERNS.
#![forbid(unsafe_code)]

use std::net::Ipv6Addr;

/// Whether `name` matches one of the patterns in `list`, which have commas between them, and none of those that begin
/// with `!`.
pub fn matches(list: &[u8], name: &[u8]) -> bool {
    matches_by(matches_one, list, name)
}

/// [`matches`], where plain names have no case either.
pub fn matches_in_any_case(list: &[u8], name: &[u8]) -> bool {
    matches_by(matches_one_in_any_case, list, name)
}

fn matches_by(matches_one: fn(&[u8], &[u8]) -> bool, list: &[u8], name: &[u8]) -> bool {
    let is_wanted = |pattern: &[u8]| !pattern.starts_with(b"!") && matches_one(pattern, name);
    list.split(|&byte| byte == b',').any(is_wanted) && !excludes(list, name)
}

/// Whether `name` matches one of those that begin with `!`. Here plain names have no case either: that is the safe side.
pub fn excludes(list: &[u8], name: &[u8]) -> bool {
    let mut excluded = list.split(|&byte| byte == b',').filter_map(|pattern| pattern.strip_prefix(b"!"));
    excluded.any(|pattern| matches_one_in_any_case(pattern, name))
}

fn matches_one_in_any_case(pattern: &[u8], name: &[u8]) -> bool {
    matches_one(pattern, name) || pattern.eq_ignore_ascii_case(name)
}

/// Whether `name` matches one pattern. `*` stands for any number of characters, `?` for one. Names have no case.
pub(super) fn matches_one(pattern: &[u8], name: &[u8]) -> bool {
    // A plain name is compared as it is, as libssh2's callers know it.
    if !pattern.iter().any(|byte| matches!(byte, b'*' | b'?')) {
        return !pattern.is_empty() && (pattern == name || is_same_address(pattern, name));
    }
    let (mut pattern, mut name) = (pattern, name);
    // Where to go on if what follows the last `*` does not match here: the `*` takes in one character more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                retry = Some((rest, name));
                pattern = rest;
                continue;
            }
            ([], []) => return true,
            ([wanted, rest @ ..], [byte, name_rest @ ..]) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                (pattern, name) = (rest, name_rest);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((rest, [_, name_rest @ ..])) => {
                retry = Some((rest, name_rest));
                (pattern, name) = (rest, name_rest);
            }
            _ => return false,
        }
    }
}

/// Whether both are the same IPv6 address, which can be written in many ways, with the same port or with none.
fn is_same_address(one: &[u8], other: &[u8]) -> bool {
    address(one).is_some_and(|one| address(other) == Some(one))
}

/// What `2001:db8::1` or `[2001:db8::1]:2222` says: the address, and the port if there is one.
fn address(name: &[u8]) -> Option<(Ipv6Addr, Option<&str>)> {
    let name = str::from_utf8(name).ok()?;
    let (address, port) = match name.strip_prefix('[').map(|name| name.split_once("]:")) {
        Some(parts) => parts.map(|(address, port)| (address, Some(port)))?,
        None => (name, None),
    };
    Some((address.parse().ok()?, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "any", true),
            ("?", "", false),
            ("?", "x", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.Example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.example.comm", false),
            ("10.0.?.*", "10.0.7.200", true),
            ("10.0.?.*", "10.0.77.200", false),
            ("*a*b", "xaxbxab", true),
            ("*a*b", "xaxbxa", false),
            ("**", "x", true),
            ("[*]:2222", "[host]:2222", true),
            ("[host]:22", "h:22", false),
            ("host", "HOST", false),
            ("", "", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        for list in ["*.net,!two.net", "!two.net,*.net", "!TWO.*,*.net"] {
            assert!(matches(list.as_bytes(), b"one.net"));
            assert!(!matches(list.as_bytes(), b"two.net"));
        }
        assert!(!matches(b"!two.net", b"one.net"), "nothing but negation matches nothing");
    }

    #[test]
    fn an_ipv6_address_is_the_same_however_it_is_written() {
        for (pattern, name, expected) in [
            ("2001:0DB8:0:0::1", "2001:db8::1", true),
            ("::", "0:0:0:0:0:0:0:0", true),
            ("::ffff:192.0.2.1", "::ffff:c000:201", true),
            ("::ffff:192.0.2.1", "192.0.2.1", false),
            ("fe80::1", "fe80::2", false),
            ("[fe80:0::1]:22", "[fe80::1]:22", true),
            ("[fe80::1]:22", "[fe80::1]:23", false),
            ("[fe80::1]:22", "fe80:0::1", false),
            ("[fe80::1]", "[fe80:0::1]", false),
            ("fe80:0::1%eth0", "fe80::1%eth0", false),
            ("fe80:::1", "fe80:::1", true),
            ("1::2::3", "1:0::2::3", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        assert!(!matches(b"fe80::*,!fe80:0::1", b"fe80::1"), "in a negation as well");
    }

    #[test]
    fn exclusion_has_no_case() {
        assert!(excludes(b"*,!Two.net", b"two.NET") && !matches(b"*,!Two.net", b"two.NET"));
        assert!(!excludes(b"*,two.net", b"two.net") && !excludes(b"*,!two.net", b"two.nets"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = format!("{}b", "*a".repeat(500));
        assert!(!matches(pattern.as_bytes(), &[b'a'; 5000]));
    }
}
