//! Cuts the stream of a channel into SFTP packets.
//!
//! A packet that lies whole in the bytes at hand is handed on where it lies. File data is handed on piece by piece, so
//! that it goes from the packet that brought it straight to its reader.
#![forbid(unsafe_code)]

use super::message;
use crate::error::{Code, Error, Result};
use crate::wire::Put;

/// Bytes before the body: length, type, request id. A `VERSION` has its version where the others have the id.
const HEAD: usize = 9;
/// [`HEAD`], and the length of the data.
const DATA_HEAD: usize = 13;
/// Longest reply taken: the most data that a read asks for, and what stands around it. A `NAME` may be
/// [`LONGEST_NAMES`] long.
const LONGEST: usize = 256 * 1024 + 1024;
const LONGEST_NAMES: usize = 16 * 1024 * 1024;

/// Takes what comes out of an [`Inbox`].
pub trait Replies {
    /// A whole reply: its type, its id, and what follows.
    fn reply(&mut self, kind: u8, id: u32, body: &[u8]) -> Result<()>;
    /// A `DATA` reply of `length` bytes begins; 0 to 4 `data` calls with its bytes follow, and then `data_end`.
    fn data_begin(&mut self, id: u32, length: usize) -> Result<()>;
    /// The next bytes of that reply.
    fn data(&mut self, id: u32, bytes: &[u8]) -> Result<()>;
    /// All bytes of that reply have come.
    fn data_end(&mut self, id: u32) -> Result<()>;
}

/// Where the stream stands.
#[derive(Debug)]
pub enum Inbox {
    /// Within a head; the bytes of it so far.
    Head(Vec<u8>),
    /// Within a packet that is collected: all its bytes so far, and how many it has.
    Body { packet: Vec<u8>, size: usize },
    /// Within file data: so much of it is still to come.
    Data { id: u32, left: usize },
}

impl Default for Inbox {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Inbox {
    /// Takes in the next bytes of the stream.
    pub fn receive(&mut self, mut bytes: &[u8], replies: &mut impl Replies) -> Result<()> {
        while !bytes.is_empty() {
            let current = std::mem::take(self);
            let (next, rest) = match current {
                Self::Head(have) => head(have, bytes, replies)?,
                Self::Body { packet, size } => body(packet, size, bytes, replies)?,
                Self::Data { id, left } => data(id, left, bytes, replies)?,
            };
            *self = next;
            bytes = rest;
        }
        Ok(())
    }
}

type Step<'a> = Result<(Inbox, &'a [u8])>;

fn head<'a>(mut have: Vec<u8>, bytes: &'a [u8], replies: &mut impl Replies) -> Step<'a> {
    if have.is_empty()
        && let Some(head) = Head::read(bytes)?
    {
        return head.follow(bytes, replies);
    }
    // The head is scattered over packets of the channel: gather it byte by byte, which is rare and short.
    let mut rest = bytes;
    while let Some((byte, others)) = rest.split_first() {
        have.put_u8(*byte)?;
        rest = others;
        if let Some(head) = Head::read(&have)? {
            return match head.kind {
                message::DATA => head.follow(&have, replies).map(|(next, _)| (next, rest)),
                _ if have.len() == head.size => {
                    replies.reply(head.kind, head.id, have.get(HEAD..).unwrap_or_default())?;
                    Ok((Inbox::default(), rest))
                }
                _ => Ok((Inbox::Body { packet: have, size: head.size }, rest)),
            };
        }
    }
    Ok((Inbox::Head(have), rest))
}

fn body<'a>(mut packet: Vec<u8>, size: usize, bytes: &'a [u8], replies: &mut impl Replies) -> Step<'a> {
    let (taken, rest) = split(bytes, size.saturating_sub(packet.len()));
    packet.put(taken)?;
    if packet.len() < size {
        return Ok((Inbox::Body { packet, size }, rest));
    }
    if let Some(head) = Head::read(&packet)? {
        replies.reply(head.kind, head.id, packet.get(HEAD..).unwrap_or_default())?;
    }
    Ok((Inbox::default(), rest))
}

fn data<'a>(id: u32, left: usize, bytes: &'a [u8], replies: &mut impl Replies) -> Step<'a> {
    let (taken, rest) = split(bytes, left);
    replies.data(id, taken)?;
    let left = left.saturating_sub(taken.len());
    if left > 0 {
        return Ok((Inbox::Data { id, left }, rest));
    }
    replies.data_end(id)?;
    Ok((Inbox::default(), rest))
}

/// What the first bytes of a packet say.
struct Head {
    kind: u8,
    id: u32,
    /// Bytes of the whole packet, its length field included.
    size: usize,
    data_length: usize,
}

impl Head {
    /// Reads the head at the front of `bytes`, if it is there whole.
    fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let field = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map(|four| u32::from_be_bytes(*four));
        let Some(length) = field(0) else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length < HEAD.saturating_sub(4) {
            return Err(Error::new(Code::OutOfBoundary, "SFTP packet of the server is too short for its header"));
        }
        let Some(kind) = bytes.get(4).copied() else { return Ok(None) };
        let longest = if kind == message::NAME { LONGEST_NAMES } else { LONGEST };
        if length > longest {
            return Err(Error::new(Code::ChannelPacketExceeded, "SFTP packet of the server is too long"));
        }
        let Some(id) = field(5) else { return Ok(None) };
        let mut head = Self { kind, id, size: length.saturating_add(4), data_length: 0 };
        if kind == message::DATA {
            let Some(data_length) = field(HEAD) else {
                return if head.size < DATA_HEAD { Err(misfit()) } else { Ok(None) };
            };
            head.data_length = usize::try_from(data_length).unwrap_or(usize::MAX);
            if head.data_length.checked_add(DATA_HEAD) != Some(head.size) {
                return Err(misfit());
            }
        }
        Ok(Some(head))
    }

    /// Goes on behind the head at the front of `bytes`.
    fn follow<'a>(self, bytes: &'a [u8], replies: &mut impl Replies) -> Step<'a> {
        if self.kind == message::DATA {
            replies.data_begin(self.id, self.data_length)?;
            let (_, rest) = split(bytes, DATA_HEAD);
            return if self.data_length == 0 {
                replies.data_end(self.id)?;
                Ok((Inbox::default(), rest))
            } else {
                Ok((Inbox::Data { id: self.id, left: self.data_length }, rest))
            };
        }
        if let Some((packet, rest)) = bytes.split_at_checked(self.size) {
            replies.reply(self.kind, self.id, packet.get(HEAD..).unwrap_or_default())?;
            return Ok((Inbox::default(), rest));
        }
        Ok((Inbox::Body { packet: crate::memory::copy(bytes)?, size: self.size }, &[]))
    }
}

const fn misfit() -> Error {
    Error::new(Code::SftpProtocol, "SFTP data reply of the server does not fit its length")
}

fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Debug, PartialEq, Eq)]
    struct Seen(Vec<(u8, u32, Vec<u8>)>, bool);

    impl Replies for Seen {
        fn reply(&mut self, kind: u8, id: u32, body: &[u8]) -> Result<()> {
            self.0.push((kind, id, body.to_vec()));
            Ok(())
        }
        fn data_begin(&mut self, id: u32, _: usize) -> Result<()> {
            assert!(!std::mem::replace(&mut self.1, true));
            self.0.push((message::DATA, id, Vec::new()));
            Ok(())
        }
        fn data(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
            let last = self.0.last_mut().unwrap();
            assert_eq!(last.1, id);
            last.2.extend_from_slice(bytes);
            Ok(())
        }
        fn data_end(&mut self, _: u32) -> Result<()> {
            assert!(std::mem::take(&mut self.1));
            Ok(())
        }
    }

    fn stream() -> (Vec<u8>, Seen) {
        let mut bytes = Vec::new();
        let mut seen = Seen::default();
        for (n, length) in [(0_u32, 0_usize), (1, 1), (2, 40), (3, 70_000), (4, 5)] {
            for kind in [message::STATUS, message::DATA, message::NAME] {
                let body = vec![n as u8; length];
                let extra = if kind == message::DATA { 4 } else { 0 };
                bytes.put_u32((5 + length + extra) as u32).unwrap();
                bytes.put_u8(kind).unwrap();
                bytes.put_u32(n).unwrap();
                if kind == message::DATA {
                    bytes.put_u32(length as u32).unwrap();
                }
                bytes.extend_from_slice(&body);
                seen.0.push((kind, n, body));
            }
        }
        (bytes, seen)
    }

    #[test]
    fn however_the_stream_is_cut_the_packets_are_the_same() {
        let (bytes, expected) = stream();
        for size in [1, 2, 3, 7, 8, 9, 10, 13, 14, 100, 32_768, bytes.len()] {
            let mut seen = Seen::default();
            let mut inbox = Inbox::default();
            bytes.chunks(size).for_each(|chunk| inbox.receive(chunk, &mut seen).unwrap());
            assert_eq!(seen, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn bogus_lengths_are_refused() {
        let cases: [(&[u8], Code); 6] = [
            (&[0, 0, 0, 0], Code::OutOfBoundary),
            (&[0, 0, 0, 4], Code::OutOfBoundary),
            (&[0, 16, 0, 0, message::STATUS], Code::ChannelPacketExceeded),
            (&[255, 255, 255, 255, message::NAME], Code::ChannelPacketExceeded),
            (&[0, 0, 0, 5, message::DATA, 0, 0, 0, 1], Code::SftpProtocol),
            (&[0, 0, 0, 10, message::DATA, 0, 0, 0, 1, 0, 0, 0, 5, 0], Code::SftpProtocol),
        ];
        for (bytes, code) in cases {
            for size in [1, bytes.len()] {
                let mut inbox = Inbox::default();
                let result = bytes.chunks(size).try_for_each(|chunk| inbox.receive(chunk, &mut Seen::default()));
                assert_eq!(result.unwrap_err().code, code, "{bytes:?}");
            }
        }
    }
}
