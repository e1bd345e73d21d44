//! Lines of a known_hosts file.
#![forbid(unsafe_code)]

use super::entry::{Entry, Host, KeyKind, Marker};
use super::{ITEM, check_size};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add, copy};
use crate::radix64::{self, Form};
use crate::wire::{Put, names};

/// Shortest key with its type.
const SHORTEST_KEY: usize = 20;
/// Longest name.
const LONGEST_NAME: usize = 254;
/// Longest salt, in Base64 without its padding.
const LONGEST_SALT: usize = 30;
/// Longest hash, in Base64 without its padding.
const LONGEST_HASH: usize = 254;
/// What a hashed host begins with.
const HASHED: &[u8] = b"|1|";
/// The C interface's number for keys in Base64.
const BASE64: u8 = 2;

/// What a line holds.
pub(super) enum Line<'a> {
    /// The same key for one or several hosts.
    Entries(Vec<Entry>),
    /// Nothing that we understand, but nothing wrong either.
    Other(&'a [u8]),
}

/// The bytes of a salt or a hash; nothing if `text` is not Base64, or has no bytes.
pub fn decode(text: &[u8]) -> Result<Option<Vec<u8>>> {
    Ok(radix64::decode(Form::Lenient, text)?.filter(|bytes| !bytes.is_empty()))
}

/// Reads one line, of which nothing is copied that would take more than `left` of memory.
pub(super) fn read(line: &[u8], left: usize) -> Result<Line<'_>> {
    let end = line.iter().position(|byte| matches!(byte, b'\n' | 0)).unwrap_or(line.len());
    let line = line.get(..end).unwrap_or_default();
    let text_end = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last.saturating_add(1));
    let line = line.get(..text_end).unwrap_or_default();
    check_size(line.len().saturating_add(ITEM), left)?;
    if matches!(skip_blanks(line), [] | [b'#', ..]) {
        return Ok(Line::Other(line));
    }
    let (mut hosts, mut rest) = word(line);
    let marker = Marker::from_word(hosts);
    if marker.is_some() {
        (hosts, rest) = word(rest);
    }
    if rest.len() < SHORTEST_KEY {
        return Err(Error::new(Code::MethodNotSupported, "Known hosts line has no key"));
    }
    let hosts = match hosts.strip_prefix(HASHED) {
        Some(hashed) => match read_hashed(hashed)? {
            Some(host) => memory::collect([host])?,
            None => return Ok(Line::Other(line)),
        },
        None if is_whole(hosts, marker)? => memory::collect([Host::Plain(copy(hosts)?)])?,
        None => {
            let each = rest.len().saturating_add(ITEM);
            check_size(names(hosts).count().saturating_mul(each).saturating_add(hosts.len()), left)?;
            read_names(hosts)?
        }
    };
    let mut entries = Vec::new();
    for host in hosts {
        match with_key(marker, host, rest)? {
            Some(entry) => entries.add(entry)?,
            None => return Ok(Line::Other(line)),
        }
    }
    Ok(Line::Entries(entries))
}

/// The next word and what follows it, without the blanks between the two.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = skip_blanks(text);
    let end = text.iter().position(is_blank).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    (word, skip_blanks(rest))
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

const fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Salt and hash; nothing if there is but one of them.
fn read_hashed(text: &[u8]) -> Result<Option<Host>> {
    let Some(bar) = text.iter().position(|&byte| byte == b'|') else { return Ok(None) };
    let (salt, hash) = text.split_at_checked(bar).unwrap_or_default();
    let hash = hash.get(1..).unwrap_or_default();
    if digits(salt) > LONGEST_SALT || digits(hash) > LONGEST_HASH {
        return Err(Error::new(Code::MethodNotSupported, "Known hosts line has too long a hash"));
    }
    let (Some(salt), Some(hash)) = (decode(salt)?, decode(hash)?) else {
        return Err(Error::new(Code::Inval, "Known hosts line has a damaged hash"));
    };
    Ok(Some(Host::Hashed { salt, hash }))
}

/// How long a text in Base64 is without its padding, which it may lack when it is read and has when it is written.
fn digits(text: &[u8]) -> usize {
    text.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last.saturating_add(1))
}

/// Whether a list of names is one host, since its parts mean nothing alone.
fn is_whole(list: &[u8], marker: Option<Marker>) -> Result<bool> {
    let mut each = names(list);
    if each.any(|name| name.len() > LONGEST_NAME) {
        return Err(Error::new(Code::MethodNotSupported, "Known hosts line has too long a name"));
    }
    if names(list).next().is_none() {
        return Err(Error::new(Code::MethodNotSupported, "Known hosts line names no host"));
    }
    // Negation is about the whole list; the others would begin a line of another kind.
    let stands_alone = |name: &[u8]| !matches!(name.first(), Some(b'!' | b'@' | b'#' | b'|'));
    Ok(marker.is_some() || !names(list).all(stands_alone))
}

/// The names of a list, the last one first.
fn read_names(list: &[u8]) -> Result<Vec<Host>> {
    let mut hosts = memory::try_collect(names(list).map(|name| copy(name).map(Host::Plain)))?;
    hosts.reverse();
    Ok(hosts)
}

/// `host` with the key that `text` begins with; nothing if it is long enough for one only by its blanks.
fn with_key(marker: Option<Marker>, host: Host, text: &[u8]) -> Result<Option<Entry>> {
    // RSA of version 1 has three numbers and no type; what follows them cannot be told from them.
    if text.first().is_some_and(u8::is_ascii_digit) {
        let key = copy(text)?;
        let kind = KeyKind::RSA1;
        return Ok(Some(Entry { marker, host, kind, kind_name: None, key, encoding: BASE64, comment: None }));
    }
    let (name, rest) = word(text);
    let end = rest.iter().position(is_blank).unwrap_or(rest.len());
    let (key, rest) = rest.split_at_checked(end).unwrap_or_default();
    if key.is_empty() {
        return Err(Error::new(Code::MethodNotSupported, "Known hosts line has no key"));
    }
    let entry = Entry {
        marker,
        host,
        kind: KeyKind::from_name(name),
        kind_name: Some(copy(name)?),
        key: copy(key)?,
        encoding: BASE64,
        comment: if rest.is_empty() { None } else { Some(copy(skip_blanks(rest))?) },
    };
    Ok(if written_key(&entry)?.len() < SHORTEST_KEY { None } else { Some(entry) })
}

/// The key of `entry` as it is written, with the name of its type in front and its comment behind.
fn written_key(entry: &Entry) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    if entry.kind != KeyKind::RSA1 {
        let name =
            entry.kind_name.as_deref().or(entry.kind.name().map(str::as_bytes)).ok_or_else(|| {
                Error::new(Code::MethodNotSupported, "Key of a type without a name cannot be written")
            })?;
        text.put(name)?;
        text.put(b" ")?;
    }
    text.put(&entry.key)?;
    if let Some(comment) = &entry.comment {
        text.put(b" ")?;
        text.put(comment)?;
    }
    Ok(text)
}

/// Writes `entry` as a line with its line end.
pub(super) fn write(entry: &Entry) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    if let Some(marker) = entry.marker {
        line.put(marker.word().as_bytes())?;
        line.put(b" ")?;
    }
    match &entry.host {
        Host::Plain(name) | Host::Custom(name) => line.put(name)?,
        Host::Hashed { salt, hash } => {
            for part in [&b"|1|"[..], &radix64::encode(salt)?, b"|", &radix64::encode(hash)?] {
                line.put(part)?;
            }
        }
    }
    line.put(b" ")?;
    line.put(&written_key(entry)?)?;
    line.put(b"\n")?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    fn entries(line: &str) -> Vec<Entry> {
        match read(line.as_bytes(), usize::MAX).unwrap() {
            Line::Entries(entries) => entries,
            Line::Other(_) => Vec::new(),
        }
    }

    fn written(line: &str) -> Vec<String> {
        entries(line).iter().map(|entry| String::from_utf8(write(entry).unwrap()).unwrap()).collect()
    }

    fn code(line: &str) -> Code {
        read(line.as_bytes(), usize::MAX).err().unwrap().code
    }

    #[test]
    fn a_name_of_a_list_is_an_entry_of_its_own_the_last_one_first() {
        let lines = ["[c]:22", "b", "a"].map(|name| format!("{name} ssh-rsa {KEY} c\n"));
        assert_eq!(written(&format!("a,b,,[c]:22 \tssh-rsa\t {KEY}  c\r\nmore")), lines);
    }

    #[test]
    fn a_list_whose_parts_mean_something_else_alone_stays_whole() {
        for list in ["!bad.example.com,*.example.com", "a,@revoked", "a,#b", ",|1|AAAA|AAAA"] {
            let line = format!("{list} ssh-ed25519 {KEY}\n");
            assert_eq!(written(&line), [line]);
        }
    }

    #[test]
    fn key_types_are_known_by_their_whole_names() {
        for (name, number) in [
            ("ssh-ed25519", 7),
            ("ssh-rsa", 2),
            ("ecdsa-sha2-nistp256", 4),
            ("ecdsa-sha2-nistp384", 5),
            ("ecdsa-sha2-nistp521", 6),
            ("ssh-", 15),
            ("ssh-ed25519x", 15),
            ("ssh-dss", 3),
            ("sk-ssh-ed25519@openssh.com", 15),
        ] {
            let line = format!("host {name} {KEY}\n");
            assert_eq!(entries(&line)[0].kind, KeyKind(number), "{name}");
            assert_eq!(written(&line), [line]);
        }
        let line = "host 1024 35 1234567890123456789012345 comment\n";
        assert_eq!(entries(line)[0].kind, KeyKind::RSA1);
        assert_eq!(written(line), [line]);
    }

    #[test]
    fn hashed_hosts() {
        let line = format!("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa {KEY}\n");
        assert_eq!(written(&line), [line]);
        assert!(entries(&format!("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y= ssh-rsa {KEY}")).is_empty());
        assert_eq!(code(&format!("|1|*|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa {KEY}")), Code::Inval);
        assert_eq!(code(&format!("|1||3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa {KEY}")), Code::Inval);
        assert_eq!(code(&format!("|1|AAAA| ssh-rsa {KEY}")), Code::Inval);
        // 22 bytes are 30 digits, and two more with the padding that they are written with.
        let (bare, padded) = ("A".repeat(30), format!("{}==", "A".repeat(30)));
        for salt in [&bare, &padded] {
            assert_eq!(
                written(&format!("|1|{salt}|AAAA ssh-rsa {KEY}")),
                [format!("|1|{padded}|AAAA ssh-rsa {KEY}\n")]
            );
        }
        let long = "A".repeat(32);
        assert_eq!(code(&format!("|1|{long}|AAAA ssh-rsa {KEY}")), Code::MethodNotSupported);
        assert_eq!(code(&format!("|1|AAAA|{} ssh-rsa {KEY}", long.repeat(8))), Code::MethodNotSupported);
    }

    #[test]
    fn blanks_do_not_make_a_key_longer() {
        for line in ["host a                   b", "h,g ssh-rsa AAAA           ", "h ssh-rsa          AAAA c"] {
            let read = read(line.as_bytes(), usize::MAX).unwrap();
            assert!(matches!(read, Line::Other(text) if text == line.as_bytes()), "{line}");
        }
        // As short as it can be.
        assert_eq!(written("host ssh-rsa   AAAAAAAAAA c"), ["host ssh-rsa AAAAAAAAAA c\n"]);
        assert_eq!(written("host ssh-rsa   AAAAAAAAAAA  "), ["host ssh-rsa AAAAAAAAAAA \n"]);
        assert_eq!(code("host ssh-rsa AAAAAAAAAAA"), Code::MethodNotSupported);
    }

    #[test]
    fn a_line_is_read_where_there_is_room_for_all_of_it() {
        let line = format!("one,two ssh-rsa {KEY}");
        let needed = 7 + 2 * (8 + KEY.len() + ITEM);
        assert_eq!(read(line.as_bytes(), needed - 1).err().unwrap().code, Code::Alloc);
        assert!(matches!(read(line.as_bytes(), needed).unwrap(), Line::Entries(entries) if entries.len() == 2));
        for line in
            ["# a comment".to_owned(), format!("!one,two ssh-rsa {KEY}"), format!("@revoked one,two ssh-rsa {KEY}")]
        {
            assert_eq!(read(line.as_bytes(), line.len() + ITEM - 1).err().unwrap().code, Code::Alloc);
            assert!(read(line.as_bytes(), line.len() + ITEM).is_ok());
        }
    }

    #[test]
    fn lines_that_are_cut_short() {
        let whole = format!("host ssh-ed25519 {KEY} comment");
        for length in 0..whole.len() {
            let line = whole.get(..length).unwrap();
            match length {
                0 => assert!(entries(line).is_empty()),
                1..25 => assert_eq!(code(line), Code::MethodNotSupported, "{line}"),
                _ => assert_eq!(entries(line).len(), 1),
            }
        }
        for line in [",, ssh-ed25519 ", "host AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "@revoked ", "@revoked ssh-ed25519 "] {
            let line = if line.ends_with(' ') { format!("{line}{KEY}") } else { line.to_owned() };
            assert_eq!(code(&line), Code::MethodNotSupported, "{line}");
        }
        assert_eq!(entries(&format!("{} ssh-rsa {KEY}", "a".repeat(254))).len(), 1);
        assert_eq!(code(&format!("{} ssh-rsa {KEY}", "a".repeat(255))), Code::MethodNotSupported);
        assert!(entries(&format!("\0host ssh-rsa {KEY}")).is_empty());
    }
}
