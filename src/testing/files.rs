//! What the server's SFTP does with requests.

use super::Dice;
use super::server::Ways;
use crate::wire::{Put, Reader};

/// A write as the server has met it.
pub struct Written {
    pub file: usize,
    pub offset: u64,
    pub data: Vec<u8>,
    pub id: u32,
    /// Its status: 0 where it has been carried out.
    pub status: u32,
}

/// Two files, and the handles to them.
pub struct Files {
    /// Of `file` and of `other`. Every other name is taken for the first.
    pub content: [Vec<u8>; 2],
    /// Bytes of file data that WRITE requests have brought.
    pub written: usize,
    /// Bytes of file data that have been read.
    pub read: usize,
    /// The longest READ and WRITE.
    pub longest_read: usize,
    pub longest_write: usize,
    pub refuses_open: bool,
    /// Handles that nobody was given are refused, not found fault with.
    pub is_lenient: bool,
    /// Every write, if somebody wants to know.
    pub journal: Option<Vec<Written>>,
    /// Requests that have come, by type.
    pub requests: [usize; 256],
    open: Vec<Vec<u8>>,
    opened: u32,
    dice: Dice,
}

type Reply = Option<Vec<u8>>;

impl Files {
    pub const fn new(dice: Dice) -> Self {
        Self {
            content: [Vec::new(), Vec::new()],
            written: 0,
            read: 0,
            longest_read: 0,
            longest_write: 0,
            refuses_open: false,
            is_lenient: false,
            journal: None,
            requests: [0; 256],
            open: Vec::new(),
            opened: 0,
            dice,
        }
    }

    /// Carries out a request: the reply.
    pub fn handle(&mut self, packet: &[u8], ways: &mut Ways) -> Reply {
        let mut reader = Reader::new(packet);
        let kind = reader.u8().unwrap();
        let id = reader.u32().unwrap();
        self.requests[usize::from(kind)] += 1;
        if self.is_lenient && matches!(kind, 4..=6 | 8) {
            let handle = reader.string().unwrap();
            if !self.open.iter().any(|open| open == handle) {
                return status(id, 4, b"No such handle");
            }
            reader = Reader::new(packet);
            reader.bytes(5).unwrap();
        }
        match kind {
            1 => {
                let mut version = vec![2, 0, 0, 0, 3];
                version.put_string(b"limits@openssh.com").unwrap();
                version.put_string(b"1").unwrap();
                Some(version)
            }
            3 if self.refuses_open => status(id, 4, b"Too many"),
            3 => {
                let other = u8::from(reader.string().unwrap() == b"other");
                self.opened += 1;
                let handle = [&b"h"[..], &[other], &self.opened.to_be_bytes()].concat();
                self.open.push(handle.clone());
                string(id, 102, &handle)
            }
            4 => {
                let handle = reader.string().unwrap();
                assert!(handle == b"directory" || self.open.iter().any(|open| open == handle), "closed twice");
                self.open.retain(|open| open != handle);
                status(id, 0, b"")
            }
            5 => self.read(id, reader, ways),
            6 => self.write(id, reader, ways),
            8 => {
                let file = self.file(reader.string().unwrap());
                attributes(id, self.content[file].len() as u64)
            }
            11 => string(id, 102, b"directory"),
            12 => status(id, 1, b""),
            // The size of a file is the length of its name.
            17 => attributes(id, reader.string().unwrap().len() as u64),
            200 => match reader.string().unwrap() {
                b"limits@openssh.com" => {
                    let mut reply = head(id, 201);
                    ways.limits.iter().for_each(|limit| reply.put_u64(*limit).unwrap());
                    Some(reply)
                }
                b"fsync@openssh.com" if self.is_lenient => status(id, 0, b""),
                b"fsync@openssh.com" => {
                    self.file(reader.string().unwrap());
                    status(id, 0, b"")
                }
                other => panic!("extension {}", other.escape_ascii()),
            },
            other => panic!("request {other}"),
        }
    }

    fn file(&self, handle: &[u8]) -> usize {
        assert!(self.open.iter().any(|open| open == handle), "handle {} is not open", handle.escape_ascii());
        usize::from(handle[1])
    }

    fn read(&mut self, id: u32, mut reader: Reader<'_>, ways: &Ways) -> Reply {
        let file = self.file(reader.string().unwrap());
        let offset = reader.u64().unwrap() as usize;
        let length = reader.u32().unwrap() as usize;
        self.longest_read = self.longest_read.max(length);
        let Some(rest) = self.content[file].get(offset..).filter(|rest| !rest.is_empty()) else {
            return status(id, 1, b"");
        };
        let whole = length.min(rest.len());
        let length = if ways.answers_short { 1 + self.dice.below(whole) } else { whole };
        self.read += length;
        string(id, 103, &rest[..length])
    }

    fn write(&mut self, id: u32, mut reader: Reader<'_>, ways: &mut Ways) -> Reply {
        let file = self.file(reader.string().unwrap());
        let offset = reader.u64().unwrap();
        let data = reader.string().unwrap();
        self.longest_write = self.longest_write.max(data.len());
        let refused = ways.fails_write == Some(0);
        ways.fails_write = ways.fails_write.and_then(|left| left.checked_sub(1));
        let code = if refused { ways.refusal } else { 0 };
        if let Some(journal) = &mut self.journal {
            journal.push(Written { file, offset, data: data.to_vec(), id, status: code });
        }
        if refused {
            return status(id, code, b"No room for that");
        }
        self.written += data.len();
        let (offset, content) = (offset as usize, &mut self.content[file]);
        let end = offset + data.len();
        content.resize(content.len().max(end), 0);
        content[offset..end].copy_from_slice(data);
        status(id, 0, b"")
    }
}

fn head(id: u32, kind: u8) -> Vec<u8> {
    let mut reply = vec![kind];
    reply.put_u32(id).unwrap();
    reply
}

fn string(id: u32, kind: u8, value: &[u8]) -> Reply {
    let mut reply = head(id, kind);
    reply.put_string(value).unwrap();
    Some(reply)
}

fn status(id: u32, code: u32, text: &[u8]) -> Reply {
    let mut reply = head(id, 101);
    reply.put_u32(code).unwrap();
    reply.put_string(text).unwrap();
    reply.put_string(b"en").unwrap();
    Some(reply)
}

fn attributes(id: u32, size: u64) -> Reply {
    let mut reply = head(id, 105);
    reply.put_u32(1).unwrap();
    reply.put_u64(size).unwrap();
    Some(reply)
}
