//! As much of ASN.1's distinguished encoding (X.690) as signatures and key files need.
#![forbid(unsafe_code)]

use crate::error::Result;
use crate::wire::{Put, Reader, Short};

/// `INTEGER`
const INTEGER: u8 = 0x02;
/// `BIT STRING`
pub(super) const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`
pub(super) const OCTET_STRING: u8 = 0x04;
/// `OBJECT IDENTIFIER`
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// `SEQUENCE`
const SEQUENCE: u8 = 0x30;
/// `[0]` and `[1]`, written out.
pub(super) const EXPLICIT: [u8; 2] = [0xa0, 0xa1];

/// The content of the element with `tag` that comes next.
pub(super) fn element<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<&'a [u8], Short> {
    if reader.u8()? != tag {
        return Err(Short);
    }
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(u16::from_be_bytes(reader.array()?)),
        _ => return Err(Short),
    };
    reader.bytes(length)
}

/// The `SEQUENCE` that comes next.
pub(super) fn sequence<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, Short> {
    element(reader, SEQUENCE).map(Reader::new)
}

/// The non-negative integer that comes next, without its leading zeros.
pub(super) fn integer<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let digits = element(reader, INTEGER)?;
    if digits.first().is_none_or(|&first| first >= 0x80) { Err(Short) } else { Ok(trim(digits)) }
}

/// The number that `digits` are, without leading zeros.
pub(super) fn trim(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|&digit| digit != 0).unwrap_or(digits.len());
    digits.get(start..).unwrap_or_default()
}

/// Writes a `SEQUENCE` of non-negative integers, given big-endian.
pub(super) fn integers(numbers: &[&[u8]]) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    for number in numbers {
        let digits = trim(number);
        // A number whose first bit is set would be negative, and no number has no digits.
        let sign: &[u8] = if digits.first().is_none_or(|&first| first >= 0x80) { &[0] } else { &[] };
        header(&mut content, INTEGER, digits.len().saturating_add(sign.len()))?;
        content.put(sign)?;
        content.put(digits)?;
    }
    let mut sequence = Vec::new();
    header(&mut sequence, SEQUENCE, content.len())?;
    sequence.put(&content)?;
    Ok(sequence)
}

fn header(out: &mut Vec<u8>, tag: u8, length: usize) -> Result<()> {
    out.put_u8(tag)?;
    let length = u16::try_from(length).map_err(|_| crate::error::Error::alloc())?;
    match length.to_be_bytes() {
        [0, short @ 0..=0x7f] => out.put_u8(short),
        [0, low] => out.put(&[0x81, low]),
        [high, low] => out.put(&[0x82, high, low]),
    }
}
