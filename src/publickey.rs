//! The publickey subsystem, RFC 4819: the keys that let a user in, kept on the server.
//!
//! Requests have no ids, so one is under way at a time.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use crate::channel::{ChannelId, Discard, MAIN, Opening, Request, Wanted};
use crate::error::{Code, Error, Result};
use crate::memory::{Add, copy};
use crate::op::{Op, Slots};
use crate::patience::Patience;
use crate::session::Session;
use crate::table::{self, Table};
use crate::trace::Topic;
use crate::wire::{Put, Reader, Short};

/// The version that we speak.
const VERSION: u32 = 2;
/// A request takes at most so many bytes.
const LONGEST_REQUEST: usize = 40_000;
/// Attributes in one request.
const MOST_ATTRIBUTES: usize = 1024;
/// One response takes at most so many bytes, and all keys of a list together so many.
const LONGEST_RESPONSE: usize = 256 * 1024;
const LONGEST_LIST: usize = 16 * 1024 * 1024;

/// Names a publickey subsystem of a session; stale once it is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublickeyId(table::Key);

/// The publickey subsystems of a connection.
#[derive(Default)]
pub struct Publickeys(Table<Publickey>);

/// One publickey subsystem.
pub struct Publickey {
    channel: ChannelId,
    version: u32,
    state: State,
    /// Unfinished operations of this subsystem.
    pub slots: Slots,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A response is expected.
    Asked,
    /// Responses are expected that nobody waits for any more, so that none can be told from another.
    Lost,
}

/// An attribute of a key to add.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// The server must refuse the key if it does not know the attribute.
    pub mandatory: bool,
}

/// A key that the server holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Its algorithm.
    pub name: Vec<u8>,
    /// The key as the wire has it.
    pub blob: Vec<u8>,
    /// Names and values of its attributes.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Key {
    fn has(&mut self, attribute: &[u8], value: &[u8]) -> Result<()> {
        self.attributes.add((copy(attribute)?, copy(value)?))
    }
}

impl Publickeys {
    /// The subsystem, unless it has been shut down.
    pub fn get(&mut self, id: PublickeyId) -> Result<&mut Publickey> {
        self.0.get_mut(id.0).ok_or_else(|| Error::new(Code::BadUse, "Publickey subsystem has been shut down"))
    }

    /// Forgets the subsystem.
    pub fn remove(&mut self, id: PublickeyId) {
        self.0.remove(id.0);
    }
}

/// `libssh2_publickey_init`: ready with the subsystem.
pub enum Init {
    /// The channel is being opened.
    Opening(Opening),
    /// The subsystem is being started.
    Starting(ChannelId, Request),
    /// The server's version is awaited.
    Version(ChannelId, Patience),
}

impl Init {
    /// Asks for the channel.
    pub fn begin(session: &mut Session) -> Result<Self> {
        Ok(Self::Opening(Opening::default(session, b"session", &[])?))
    }

    fn step(&mut self, session: &mut Session) -> Poll<Result<PublickeyId>> {
        loop {
            *self = match self {
                Self::Opening(opening) => {
                    let channel = ready!(opening.poll(session))?;
                    Self::Starting(channel, Request::subsystem(session, channel, b"publickey")?)
                }
                Self::Starting(channel, request) => {
                    ready!(request.poll(session)).map_err(Request::not_started(Code::ChannelFailure))?;
                    let mut fields = Vec::new();
                    fields.put_u32(VERSION)?;
                    say(session, *channel, b"version", &fields)?;
                    Self::Version(*channel, session.patience())
                }
                Self::Version(channel, patience) => {
                    let channel = *channel;
                    let Some(response) = ready!(poll_response(session, channel, patience))? else { continue };
                    let mut reader = Reader::new(&response);
                    let name = reader.string().map_err(malformed)?;
                    if name == b"status" {
                        return Poll::Ready(Err(status(reader)?.unwrap_or_else(out_of_order)));
                    }
                    if name != b"version" {
                        continue;
                    }
                    let version = reader.u32().map_err(malformed)?.min(VERSION);
                    let slots = Slots::default();
                    let subsystem = Publickey { channel, version, state: State::Idle, slots };
                    return Poll::Ready(session.publickeys.0.add(subsystem).map(PublickeyId));
                }
            }
        }
    }
}

impl Op for Init {
    type Out = PublickeyId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<PublickeyId>> {
        let polled = self.step(session);
        if matches!(polled, Poll::Ready(Err(_))) {
            self.abandon(session);
        }
        polled
    }

    /// The channel is closed without anybody waiting for that, so that the program can simply try again.
    fn abandon(&mut self, session: &mut Session) {
        match self {
            Self::Opening(opening) => opening.abandon(session),
            Self::Starting(channel, _) | Self::Version(channel, _) => {
                let _dead = session.channels.abandon(*channel, &mut session.transport.tx);
            }
        }
    }
}

/// A request and its responses: ready with the keys that were listed, which are none unless that was asked for.
pub struct Ask {
    subsystem: PublickeyId,
    patience: Patience,
    keys: Vec<Key>,
    /// Bytes of all keys.
    size: usize,
}

impl Ask {
    /// Queues `add`. Servers of version 1 know no attribute but a comment.
    pub fn add(
        session: &mut Session,
        id: PublickeyId,
        key: (&[u8], &[u8]),
        overwrite: bool,
        attributes: &[Attribute<'_>],
    ) -> Result<Self> {
        let (name, blob) = key;
        if attributes.len() > MOST_ATTRIBUTES {
            return Err(too_long());
        }
        let mut fields = Vec::new();
        if session.publickeys.get(id)?.version == 1 {
            let comment = attributes.iter().find(|attribute| attribute.name == b"comment");
            fields.put_string(comment.map(|comment| comment.value).unwrap_or_default())?;
            fields.put_string(name)?;
            fields.put_string(blob)?;
        } else {
            fields.put_string(name)?;
            fields.put_string(blob)?;
            fields.put_boolean(overwrite)?;
            fields.put_u32(u32::try_from(attributes.len()).map_err(|_| too_long())?)?;
            for attribute in attributes {
                fields.put_string(attribute.name)?;
                fields.put_string(attribute.value)?;
                fields.put_boolean(attribute.mandatory)?;
            }
        }
        Self::begin(session, id, b"add", &fields)
    }

    /// Queues `remove`.
    pub fn remove(session: &mut Session, id: PublickeyId, name: &[u8], blob: &[u8]) -> Result<Self> {
        let mut fields = Vec::new();
        fields.put_string(name)?;
        fields.put_string(blob)?;
        Self::begin(session, id, b"remove", &fields)
    }

    /// Queues `list`.
    pub fn list(session: &mut Session, id: PublickeyId) -> Result<Self> {
        Self::begin(session, id, b"list", &[])
    }

    fn begin(session: &mut Session, id: PublickeyId, name: &[u8], fields: &[u8]) -> Result<Self> {
        if fields.len() > LONGEST_REQUEST {
            return Err(too_long());
        }
        let subsystem = session.publickeys.get(id)?;
        match subsystem.state {
            State::Idle => subsystem.state = State::Asked,
            State::Asked => return Err(Error::new(Code::BadUse, "Another request is under way")),
            State::Lost => return Err(protocol("An earlier request has never been answered")),
        }
        let channel = subsystem.channel;
        say(session, channel, name, fields)?;
        Ok(Self { subsystem: id, patience: session.patience(), keys: Vec::new(), size: 0 })
    }

    fn step(&mut self, session: &mut Session) -> Poll<Result<Vec<Key>>> {
        loop {
            let subsystem = session.publickeys.get(self.subsystem)?;
            let (channel, version) = (subsystem.channel, subsystem.version);
            let Some(response) = ready!(poll_response(session, channel, &mut self.patience))? else { continue };
            self.patience = session.patience();
            let mut reader = Reader::new(&response);
            match reader.string().map_err(malformed)? {
                b"status" => {
                    let refused = status(reader)?;
                    session.publickeys.get(self.subsystem)?.state = State::Idle;
                    return Poll::Ready(refused.map_or_else(|| Ok(std::mem::take(&mut self.keys)), Err));
                }
                b"publickey" => {
                    self.size = self.size.saturating_add(response.len());
                    if self.size > LONGEST_LIST {
                        return Poll::Ready(Err(protocol("Server lists keys without end")));
                    }
                    self.keys.add(read_key(reader, version).map_err(malformed)??)?;
                }
                // Nobody knows what else there is.
                _ => {}
            }
        }
    }
}

impl Op for Ask {
    type Out = Vec<Key>;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Vec<Key>>> {
        let polled = self.step(session);
        if matches!(polled, Poll::Ready(Err(_))) {
            self.abandon(session);
        }
        polled
    }

    fn abandon(&mut self, session: &mut Session) {
        match session.publickeys.get(self.subsystem) {
            Ok(subsystem) if subsystem.state == State::Asked => subsystem.state = State::Lost,
            _ => {}
        }
    }
}

/// `libssh2_publickey_shutdown`: ready when the channel is closed.
pub struct Shutdown(Discard);

impl Shutdown {
    /// Queues the end of the channel.
    pub fn begin(session: &mut Session, id: PublickeyId) -> Result<Self> {
        let channel = session.publickeys.get(id)?.channel;
        Ok(Self(Discard::begin(session, channel)?))
    }
}

impl Op for Shutdown {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        self.0.poll(session)
    }
}

/// Sends a packet of the subsystem: its length, its name, its fields.
fn say(session: &mut Session, id: ChannelId, name: &[u8], fields: &[u8]) -> Result<()> {
    let mut body = Vec::new();
    body.put_string(name)?;
    body.put(fields)?;
    let mut packet = Vec::new();
    packet.put_string(&body)?;
    show(session, "sent", &body);
    session.channels.get(id)?.send_stream(&mut session.transport.tx, &packet, &[])
}

/// Traces a packet that went as `how` says, by its name.
fn show(session: &mut Session, how: &str, body: &[u8]) {
    let name = Reader::new(body).string().unwrap_or_default().escape_ascii();
    session.transport.tx.trace.say(Topic::Publickey, format_args!("{how} \"{name}\", {} bytes", body.len()));
}

/// Ready with the next packet of the server; with nothing where that is empty.
fn poll_response(session: &mut Session, id: ChannelId, patience: &mut Patience) -> Poll<Result<Option<Vec<u8>>>> {
    let pumped = session.pump();
    let channel = session.channels.get(id)?;
    if let Some(length) = channel.peek_u32() {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > LONGEST_RESPONSE {
            return Poll::Ready(Err(protocol("Server sent a response that is too long")));
        }
        if channel.unread(Wanted::Stream(MAIN)) >= length.saturating_add(4) {
            channel.read_text(MAIN, 4, &mut session.transport.tx)?;
            let response = channel.read_text(MAIN, length, &mut session.transport.tx)?;
            show(session, "received", &response);
            return Poll::Ready(Ok(Some(response).filter(|response| !response.is_empty())));
        }
    }
    if channel.has_ended() {
        return Poll::Ready(Err(Error::new(Code::SocketTimeout, "Server has ended the publickey subsystem")));
    }
    pumped?;
    session.await_reply(patience)
}

fn read_key(mut reader: Reader<'_>, version: u32) -> Result<Result<Key>, Short> {
    let mut key = || -> Result<Result<Key>, Short> {
        if version == 1 {
            let comment = reader.string()?;
            let (name, blob) = (reader.string()?, reader.string()?);
            let comment = if comment.is_empty() { None } else { Some((&b"comment"[..], comment)) };
            return Ok(own(name, blob).and_then(|mut key| {
                comment.into_iter().try_for_each(|(name, value)| key.has(name, value))?;
                Ok(key)
            }));
        }
        let (name, blob) = (reader.string()?, reader.string()?);
        let mut key = own(name, blob);
        for _ in 0..reader.u32()? {
            let (name, value) = (reader.string()?, reader.string()?);
            key = key.and_then(|mut key| {
                key.has(name, value)?;
                Ok(key)
            });
        }
        Ok(key)
    };
    key()
}

fn own(name: &[u8], blob: &[u8]) -> Result<Key> {
    Ok(Key { name: copy(name)?, blob: copy(blob)?, attributes: Vec::new() })
}

/// Reads a status, RFC 4819 section 3.3: the error that it is, unless it is success.
fn status(mut reader: Reader<'_>) -> Result<Option<Error>> {
    let text = match reader.u32().map_err(malformed)? {
        0 => return Ok(None),
        1 => "Server denies access to its keys",
        2 => "Server has no room for the key",
        3 => "Server does not speak this version of the publickey subsystem",
        4 => "Server does not have the key",
        5 => "Server does not support the key",
        6 => "Server has the key already",
        8 => "Server does not know the request",
        9 => "Server does not support the attribute",
        _ => "Server failed with the request for its keys",
    };
    Ok(Some(protocol(text).with(reader.string().unwrap_or_default())))
}

const fn protocol(text: &'static str) -> Error {
    Error::new(Code::PublickeyProtocol, text)
}

fn malformed(short: Short) -> Error {
    short.in_packet(Code::PublickeyProtocol, "Response of the publickey subsystem is shorter than its fields")
}

const fn out_of_order() -> Error {
    protocol("Server answered the version with success")
}

const fn too_long() -> Error {
    Error::new(Code::OutOfBoundary, "Request about a key is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_versions_are_read() {
        let mut fields = Vec::new();
        for text in ["a comment", "ssh-ed25519", "blob"] {
            fields.put_string(text.as_bytes()).unwrap();
        }
        let key = read_key(Reader::new(&fields), 1).unwrap().unwrap();
        assert_eq!((&key.name[..], &key.blob[..]), (&b"ssh-ed25519"[..], &b"blob"[..]));
        assert_eq!(key.attributes, [(b"comment".to_vec(), b"a comment".to_vec())]);

        let mut fields = Vec::new();
        fields.put_string(b"ssh-rsa").unwrap();
        fields.put_string(b"blob").unwrap();
        fields.put_u32(2).unwrap();
        for text in ["from", "*.org", "comment", ""] {
            fields.put_string(text.as_bytes()).unwrap();
        }
        let key = read_key(Reader::new(&fields), 2).unwrap().unwrap();
        assert_eq!(key.attributes.len(), 2);
        for end in 0..fields.len() {
            assert_eq!(read_key(Reader::new(&fields[..end]), 2), Err(Short));
        }
        fields[19..23].copy_from_slice(&[0xff; 4]);
        assert!(read_key(Reader::new(&fields), 2).is_err());
    }
}
