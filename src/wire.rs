//! SSH's data types (RFC 4251 section 5), read without trust and written without a panic.
#![forbid(unsafe_code)]

use std::fmt::{self, Arguments, Write};

use crate::error::{Code, Error, Result};

/// A field runs past the end of its packet. Whoever parses says which packet, by [`Short::in_packet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short;

impl Short {
    /// The error of a packet too short for its fields.
    pub const fn in_packet(self, code: Code, text: &'static str) -> Error {
        Error::new(code, text)
    }
}

impl From<Short> for Error {
    fn from(_: Short) -> Self {
        Self::new(Code::Proto, "Packet is shorter than its fields")
    }
}

/// Reads fields from the front of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads `packet` from its first byte.
    pub const fn new(packet: &'a [u8]) -> Self {
        Self(packet)
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Short> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// `byte`
    pub fn u8(&mut self) -> Result<u8, Short> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `boolean`: every value but 0 is true.
    pub fn boolean(&mut self) -> Result<bool, Short> {
        self.u8().map(|byte| byte != 0)
    }

    /// `uint32`
    pub fn u32(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_be_bytes)
    }

    /// `uint64`
    pub fn u64(&mut self) -> Result<u64, Short> {
        self.array().map(u64::from_be_bytes)
    }

    /// `string`: its bytes, without the length.
    pub fn string(&mut self) -> Result<&'a [u8], Short> {
        let length = self.u32()?;
        self.bytes(usize::try_from(length).map_err(|_| Short)?)
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Whether all has been read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The names of a `name-list`; an empty list has none.
pub fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').filter(|name| !name.is_empty())
}

/// Where text goes that is being shown.
struct Shown<'a, P: ?Sized> {
    out: &'a mut P,
    failure: Option<Error>,
}

impl<P: Put + ?Sized> Write for Shown<'_, P> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.put(text.as_bytes()).map_err(|error| {
            self.failure = Some(error);
            fmt::Error
        })
    }
}

/// Appends fields to a packet. Every append is fallible: the caller's and the peer's sizes go through here.
pub trait Put {
    /// Bytes as they are.
    fn put(&mut self, bytes: &[u8]) -> Result<()>;

    /// `byte`
    fn put_u8(&mut self, value: u8) -> Result<()> {
        self.put(&[value])
    }

    /// Text as it is shown.
    fn put_text(&mut self, text: Arguments<'_>) -> Result<()> {
        let mut out = Shown { out: self, failure: None };
        // What a `Display` fails with is always the failure of the buffer.
        match (out.write_fmt(text), out.failure) {
            (_, Some(failure)) => Err(failure),
            _ => Ok(()),
        }
    }

    /// `boolean`
    fn put_boolean(&mut self, value: bool) -> Result<()> {
        self.put_u8(u8::from(value))
    }

    /// `uint32`
    fn put_u32(&mut self, value: u32) -> Result<()> {
        self.put(&value.to_be_bytes())
    }

    /// `uint64`
    fn put_u64(&mut self, value: u64) -> Result<()> {
        self.put(&value.to_be_bytes())
    }

    /// `string`
    fn put_string(&mut self, value: &[u8]) -> Result<()> {
        self.put_u32(length(value)?)?;
        self.put(value)
    }

    /// `mpint` of a non-negative number given in big-endian bytes, with any number of leading zeros.
    fn put_mpint(&mut self, magnitude: &[u8]) -> Result<()> {
        let start = magnitude.iter().position(|&byte| byte != 0).unwrap_or(magnitude.len());
        let digits = magnitude.get(start..).unwrap_or_default();
        let sign: &[u8] = if digits.first().is_some_and(|&byte| byte >= 0x80) { &[0] } else { &[] };
        self.put_u32(length(digits)?.saturating_add(length(sign)?))?;
        self.put(sign)?;
        self.put(digits)
    }
}

/// The length of `value` as a `uint32`.
pub fn length(value: &[u8]) -> Result<u32> {
    u32::try_from(value.len()).map_err(|_| Error::new(Code::OutOfBoundary, "A field is longer than 4 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written() {
        let mut packet = Vec::new();
        packet.put_u8(7).unwrap();
        packet.put_boolean(true).unwrap();
        packet.put_u32(0xdead_beef).unwrap();
        packet.put_u64(u64::MAX).unwrap();
        packet.put_string(b"name").unwrap();
        let mut reader = Reader::new(&packet);
        assert_eq!(reader.u8(), Ok(7));
        assert_eq!(reader.boolean(), Ok(true));
        assert_eq!(reader.u32(), Ok(0xdead_beef));
        assert_eq!(reader.u64(), Ok(u64::MAX));
        assert_eq!(reader.string(), Ok(&b"name"[..]));
        assert!(reader.is_empty());
        assert_eq!(reader.u8(), Err(Short));
    }

    #[test]
    fn a_string_that_claims_more_than_there_is_is_short() {
        assert_eq!(Reader::new(&[0, 0, 0, 2, b'x']).string(), Err(Short));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, b'x']).string(), Err(Short));
        assert_eq!(Reader::new(&[0, 0, 0]).string(), Err(Short));
    }

    #[test]
    fn mpints_of_rfc_4251() {
        let cases: [(&[u8], &[u8]); 4] = [
            (&[0, 0], &[0, 0, 0, 0]),
            (
                &[0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
                &[0, 0, 0, 8, 0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7],
            ),
            (&[0x80], &[0, 0, 0, 2, 0, 0x80]),
            (&[0, 0, 0x7f], &[0, 0, 0, 1, 0x7f]),
        ];
        for (magnitude, wire) in cases {
            let mut packet = Vec::new();
            packet.put_mpint(magnitude).unwrap();
            assert_eq!(packet, wire);
        }
    }

    #[test]
    fn names_of_a_list() {
        assert_eq!(names(b"a,bc,d").collect::<Vec<_>>(), [&b"a"[..], b"bc", b"d"]);
        assert_eq!(names(b"").count(), 0);
    }
}
