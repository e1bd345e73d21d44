//! The text around a key: RFC 7468.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use super::damaged;
use crate::error::Result;
use crate::memory;
use crate::radix64::{self, Form};
use crate::wire::Put;

/// What the first and the last line begin and end with.
const DASHES: &[u8] = b"-----";

/// A key's piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Armor<'a> {
    /// What stands before "PRIVATE KEY": nothing, or a word and a space.
    pub(super) label: &'a [u8],
    /// The lines between the first and the last.
    pub(super) body: &'a [u8],
    /// All its lines.
    pub(super) whole: &'a [u8],
}

/// The first private key of `text`. Nothing within it looks like the first or last line of another: libcrypto, which
/// is given all its lines, cuts long ones and knows blanks of its own, and must not find another key than we do.
pub(super) fn find(text: &[u8]) -> Option<Armor<'_>> {
    let mut rest = text;
    loop {
        let (line, after) = first_line(rest)?;
        match line.strip_prefix(b"-----BEGIN ").and_then(|line| line.strip_suffix(b"PRIVATE KEY-----")) {
            Some(label) => {
                let (body_len, end) = find_end(after, label)?;
                let head = rest.len().saturating_sub(after.len());
                let (body, whole) = (after.get(..body_len)?, rest.get(..head.saturating_add(end))?);
                let has_dashes = |text: &[u8]| text.windows(DASHES.len()).any(|window| window == DASHES);
                return if has_dashes(label) || has_dashes(body) { None } else { Some(Armor { label, body, whole }) };
            }
            None => rest = after,
        }
    }
}

/// Where the last line of the key begins and ends in `text`.
fn find_end(text: &[u8], label: &[u8]) -> Option<(usize, usize)> {
    let mut rest = text;
    loop {
        let (line, after) = first_line(rest)?;
        let of_this = |line: &[u8]| line.strip_suffix(b"PRIVATE KEY-----") == Some(label);
        if line.strip_prefix(b"-----END ").is_some_and(of_this) {
            return Some((text.len().saturating_sub(rest.len()), text.len().saturating_sub(after.len())));
        }
        rest = after;
    }
}

/// The first line, without the space around it, and what follows it.
fn first_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |end| end.saturating_add(1));
    text.split_at_checked(end).map(|(line, after)| (line.trim_ascii(), after))
}

/// The bytes that the Base64 of `body` stands for.
pub(super) fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    // At once, so that no growing leaves a copy behind.
    let mut digits = Zeroizing::new(memory::sized(body.len())?);
    body.split(u8::is_ascii_whitespace).try_for_each(|line| digits.put(line))?;
    radix64::decode(Form::Exact, &digits)?.map(Zeroizing::new).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_key_among_other_things() {
        let text = b"note\n-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\r\n\
            -----BEGIN EC PRIVATE KEY-----\r\nAAAA\r\nBBBB\r\n-----END EC PRIVATE KEY-----";
        let armor = find(text).unwrap();
        assert_eq!(armor.label, b"EC ");
        assert_eq!(armor.body, b"AAAA\r\nBBBB\r\n");
        assert!(armor.whole.starts_with(b"-----BEGIN EC PRIV") && armor.whole.ends_with(b"KEY-----"));
        assert_eq!(decode(armor.body).unwrap()[..], [0, 0, 0, 4, 16, 65]);
    }

    #[test]
    fn a_key_without_its_end_is_none() {
        assert_eq!(find(b""), None);
        assert_eq!(find(b"-----BEGIN PRIVATE KEY-----"), None);
        assert_eq!(find(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"), None);
    }

    #[test]
    fn a_key_within_a_key_is_none() {
        let inner = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (label, before) in [("", ""), ("", "AAAA\n"), ("RSA ", "-----END RSA PRIVATE KEY-----x\n"), ("RSA ", "\0")]
        {
            for indent in ["", " "] {
                let text =
                    format!("-----BEGIN {label}PRIVATE KEY-----\n{before}{inner}-----END {label}PRIVATE KEY-----\n");
                assert_eq!(find(format!("{indent}{text}").as_bytes()), None, "{text}");
            }
        }
        // libcrypto takes such a line for two.
        let label = format!("{:243}-----BEGIN ENCRYPTED ", "X");
        let text = format!("-----BEGIN {label}PRIVATE KEY-----\nAAAA\n-----END {label}PRIVATE KEY-----\n");
        assert_eq!(find(text.as_bytes()), None);
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for body in ["A", "AAA", "AA*A", "AAAA=", "AA=A"] {
            assert!(decode(body.as_bytes()).is_err(), "{body}");
        }
    }
}
