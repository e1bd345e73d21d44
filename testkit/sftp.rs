//! SFTP version 3, draft-ietf-secsh-filexfer-02: requests in, replies out, some of them wrong.

use std::path::PathBuf;

use ssh2::wire::{Put, Reader};

use crate::end::{End, Result};
use crate::fault::{Fault, Occasion, Stage};
use crate::store::{Attributes, Refusal, Store};

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
const LSTAT: u8 = 7;
const FSTAT: u8 = 8;
const SETSTAT: u8 = 9;
const FSETSTAT: u8 = 10;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const REMOVE: u8 = 13;
const MKDIR: u8 = 14;
const RMDIR: u8 = 15;
const REALPATH: u8 = 16;
const STAT: u8 = 17;
const RENAME: u8 = 18;
const EXTENDED: u8 = 200;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

const LIMITS: &[u8] = b"limits@openssh.com";
/// Longest request taken.
const LONGEST: u32 = 1024 * 1024;

/// One subsystem.
pub struct Sftp {
    input: Vec<u8>,
    store: Store,
    limit: u64,
    silent: bool,
}

/// A reply's type and what follows its id.
type Reply = (u8, Vec<u8>);

impl Sftp {
    pub fn new(root: Option<PathBuf>, limit: u64) -> Self {
        Self { input: Vec::new(), store: Store::new(root), limit, silent: false }
    }

    /// Takes in bytes of the stream; the replies to the requests that are whole now.
    pub fn receive(&mut self, occasion: &mut Occasion, bytes: &[u8]) -> Result<Vec<(Stage, Vec<u8>)>> {
        self.input.extend_from_slice(bytes);
        let mut replies = Vec::new();
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        loop {
            let mut reader = Reader::new(rest);
            let Ok(length) = reader.u32() else { break };
            if !(5..=LONGEST).contains(&length) {
                return Err(End::new(format!("the client sent an SFTP packet of {length} bytes")));
            }
            let Ok(packet) = reader.bytes(length as usize) else { break };
            self.answer(occasion, packet, &mut replies)?;
            rest = reader.rest();
        }
        self.input = rest.to_vec();
        Ok(replies)
    }

    fn answer(&mut self, occasion: &mut Occasion, packet: &[u8], out: &mut Vec<(Stage, Vec<u8>)>) -> Result<()> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8()?;
        let id = reader.u32()?;
        if kind == INIT {
            return version(occasion, self.limit > 0, out);
        }
        let answers = match kind {
            EXTENDED => {
                out.push((Stage::Other, frame(id, &self.extension(reader)?)?));
                return Ok(());
            }
            OPEN | OPENDIR => self.open(occasion, kind, reader)?,
            READ => vec![self.read(occasion, reader)?],
            WRITE => vec![self.write(occasion, reader)?],
            READDIR => vec![self.read_dir(occasion, reader)?],
            STAT | LSTAT | FSTAT => vec![self.attributes(occasion, kind, reader)?],
            REALPATH => vec![name(occasion, &[Store::real_path(reader.string()?)])?],
            _ => vec![self.simple(kind, reader)?],
        };
        let answers_to_this = occasion.strikes(Fault::ReplySilence);
        self.silent |= answers_to_this;
        if self.silent {
            return Ok(());
        }
        for answer in answers {
            harm_reply(occasion, id, &answer, out)?;
        }
        Ok(())
    }

    fn extension(&self, mut reader: Reader<'_>) -> Result<Reply> {
        let name = reader.string()?;
        if name != LIMITS || self.limit == 0 {
            return status(8, b"unsupported");
        }
        let mut body = Vec::new();
        for limit in [self.limit + 1024, self.limit, self.limit, 100] {
            body.put_u64(limit)?;
        }
        Ok((EXTENDED_REPLY, body))
    }

    fn open(&mut self, occasion: &mut Occasion, kind: u8, mut reader: Reader<'_>) -> Result<Vec<Reply>> {
        let path = reader.string()?;
        if occasion.strikes(Fault::StatusInsteadOfHandle) {
            return Ok(vec![status(0, b"fine")?, status(2, b"no such file after all")?]);
        }
        let opened = if kind == OPEN { self.store.open(path, reader.u32()?) } else { self.store.open_dir(path) };
        let handle = match opened {
            Ok(handle) => handle,
            Err(refusal) => return Ok(vec![refused(&refusal)?]),
        };
        let mut body = Vec::new();
        let faults = [Fault::HandleLong, Fault::HandlePastEnd];
        match occasion.strikes_one_of(&faults) {
            Some(Fault::HandleLong) => body.put_string(&[b'h'; 5000])?,
            Some(_) => body.put_u32(0x7fff_ffff)?,
            None => body.put_string(&handle)?,
        }
        let mut answers = Vec::new();
        if occasion.strikes(Fault::StatusBeforeHandle) {
            answers.push(status(0, b"fine")?);
        }
        answers.push((HANDLE, body));
        Ok(answers)
    }

    fn read(&self, occasion: &mut Occasion, mut reader: Reader<'_>) -> Result<Reply> {
        let (handle, offset, mut length) = (reader.string()?, reader.u64()?, reader.u32()? as usize);
        if self.limit > 0 {
            length = length.min(self.limit as usize);
        }
        let faults = [Fault::ReadOk, Fault::ReadLong, Fault::ReadShort, Fault::ReadEmpty, Fault::ReadError];
        let fault = occasion.strikes_one_of(&faults);
        match fault {
            Some(Fault::ReadOk) => return status(0, b"fine"),
            Some(Fault::ReadError) => return status(4, b"the disk is on fire"),
            Some(Fault::ReadShort) => length = length.div_ceil(2),
            Some(Fault::ReadEmpty) => length = 0,
            _ => {}
        }
        match self.store.read(handle, offset, length) {
            Ok(data) if data.is_empty() && fault.is_none() => status(1, b"end of file"),
            Ok(mut data) => {
                if fault == Some(Fault::ReadLong) {
                    data.resize(length + 10, b'x');
                }
                let mut body = Vec::new();
                body.put_string(&data)?;
                Ok((DATA, body))
            }
            Err(refusal) => refused(&refusal),
        }
    }

    fn write(&self, occasion: &mut Occasion, mut reader: Reader<'_>) -> Result<Reply> {
        let (handle, offset, data) = (reader.string()?, reader.u64()?, reader.string()?);
        if self.limit > 0 && data.len() as u64 > self.limit {
            return status(5, b"more than the limit");
        }
        if occasion.strikes(Fault::WriteError) {
            return status(14, b"the disk is on fire");
        }
        answer(self.store.write(handle, offset, data))
    }

    fn read_dir(&mut self, occasion: &mut Occasion, mut reader: Reader<'_>) -> Result<Reply> {
        match self.store.read_dir(reader.string()?) {
            Ok(names) if names.is_empty() => status(1, b"no more"),
            Ok(names) => name(occasion, &names),
            Err(refusal) => refused(&refusal),
        }
    }

    fn attributes(&self, occasion: &mut Occasion, kind: u8, mut reader: Reader<'_>) -> Result<Reply> {
        let what = reader.string()?;
        let found = if kind == FSTAT { self.store.attributes_of(what) } else { self.store.attributes(what) };
        let attributes = match found {
            Ok(attributes) => attributes,
            Err(refusal) => return refused(&refusal),
        };
        let mut body = Vec::new();
        if occasion.strikes(Fault::AttributesEndless) {
            body.put_u32(0x8000_0000)?;
            body.put_u32(u32::MAX)?;
        } else {
            put_attributes(&mut body, &attributes)?;
            if occasion.strikes(Fault::AttributesShort) {
                body.truncate(10);
            }
        }
        Ok((ATTRS, body))
    }

    /// Requests that are answered by a status and have nothing wrong of their own.
    fn simple(&mut self, kind: u8, mut reader: Reader<'_>) -> Result<Reply> {
        let what = reader.string()?;
        answer(match kind {
            CLOSE => self.store.close(what),
            REMOVE => self.store.remove(what),
            MKDIR => self.store.make_dir(what),
            RMDIR => self.store.remove_dir(what),
            RENAME => self.store.rename(what, reader.string()?),
            SETSTAT | FSETSTAT => Ok(()),
            _ => return status(8, b"unsupported"),
        })
    }
}

fn version(occasion: &mut Occasion, has_limits: bool, out: &mut Vec<(Stage, Vec<u8>)>) -> Result<()> {
    let faults = [Fault::VersionNone, Fault::VersionTwo, Fault::VersionPastEnd, Fault::VersionStatus];
    let fault = occasion.strikes_one_of(&faults);
    let mut body = vec![if fault == Some(Fault::VersionStatus) { STATUS } else { VERSION }];
    body.put_u32(if fault == Some(Fault::VersionTwo) { 2 } else { 3 })?;
    if fault == Some(Fault::VersionPastEnd) {
        body.put_u32(0x7fff_ffff)?;
    } else {
        body.put_string(if has_limits { LIMITS } else { b"nothing@example.com" })?;
        body.put_string(b"1")?;
        if has_limits {
            body.put_string(b"limits@openssh.com")?;
            body.put_string(b"1")?;
        }
    }
    if fault != Some(Fault::VersionNone) {
        let mut packet = Vec::new();
        packet.put_string(&body)?;
        out.push((Stage::Version, packet));
    }
    Ok(())
}

/// Sends a reply, or what goes wrong with it whatever its type.
fn harm_reply(occasion: &mut Occasion, id: u32, reply: &Reply, out: &mut Vec<(Stage, Vec<u8>)>) -> Result<()> {
    let faults = [
        Fault::ReplyId,
        Fault::ReplyType,
        Fault::ReplyTypeUnknown,
        Fault::ReplyLength0,
        Fault::ReplyLength4,
        Fault::ReplyLengthHuge,
        Fault::ReplyShort,
        Fault::ReplyTwice,
    ];
    let (kind, body) = reply;
    let with_length = |length: u32| {
        let mut packet = frame(id, reply)?;
        packet[..4].copy_from_slice(&length.to_be_bytes());
        Ok::<_, End>(packet)
    };
    let packet = match occasion.strikes_one_of(&faults) {
        Some(Fault::ReplyId) => frame(id.wrapping_add(1_000_000), reply)?,
        Some(Fault::ReplyType) => {
            let other = if *kind == HANDLE { ATTRS } else { HANDLE };
            let mut odd = Vec::new();
            odd.put_string(b"h")?;
            frame(id, &(other, odd))?
        }
        Some(Fault::ReplyTypeUnknown) => frame(id, &(250, body.clone()))?,
        Some(Fault::ReplyLength0) => with_length(0)?,
        Some(Fault::ReplyLength4) => with_length(4)?,
        Some(Fault::ReplyLengthHuge) => with_length(u32::MAX)?,
        Some(Fault::ReplyShort) => frame(id, &(*kind, Vec::new()))?,
        Some(Fault::ReplyTwice) => {
            out.push((Stage::Reply, frame(id, reply)?));
            frame(id, reply)?
        }
        _ => frame(id, reply)?,
    };
    out.push((Stage::Reply, packet));
    Ok(())
}

fn frame(id: u32, (kind, body): &Reply) -> Result<Vec<u8>> {
    let mut packet = Vec::new();
    packet.put_string(&[&[*kind], &id.to_be_bytes()[..], body].concat())?;
    Ok(packet)
}

fn status(code: u32, text: &[u8]) -> Result<Reply> {
    let mut body = Vec::new();
    body.put_u32(code)?;
    body.put_string(text)?;
    body.put_string(b"en")?;
    Ok((STATUS, body))
}

fn refused(refusal: &Refusal) -> Result<Reply> {
    status(refusal.code, refusal.text.as_bytes())
}

fn answer(result: Result<(), Refusal>) -> Result<Reply> {
    match result {
        Ok(()) => status(0, b""),
        Err(refusal) => refused(&refusal),
    }
}

fn name(occasion: &mut Occasion, names: &[(Vec<u8>, Attributes)]) -> Result<Reply> {
    let lies = occasion.strikes(Fault::NameCount);
    let past_end = occasion.strikes(Fault::NamePastEnd);
    let mut body = Vec::new();
    body.put_u32(if lies { 1_000_000 } else { names.len() as u32 })?;
    for (name, attributes) in names {
        if past_end {
            body.put_u32(0x7fff_ffff)?;
        }
        body.put_string(name)?;
        body.put_string(&[b"-rw-r--r-- ", name.as_slice()].concat())?;
        put_attributes(&mut body, attributes)?;
    }
    Ok((NAME, body))
}

fn put_attributes(body: &mut Vec<u8>, attributes: &Attributes) -> Result<()> {
    const SIZE_AND_PERMISSIONS: u32 = 1 | 4;
    body.put_u32(SIZE_AND_PERMISSIONS)?;
    body.put_u64(attributes.size)?;
    body.put_u32(attributes.permissions)?;
    Ok(())
}
