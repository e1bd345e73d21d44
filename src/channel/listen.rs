//! Ports on the server's side whose connections come to us as channels, RFC 4254 section 7.1.
#![forbid(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::task::Poll;

use super::ChannelId;
use super::news::{Events, News};
use crate::error::{Code, Error, Result};
use crate::global;
use crate::memory::{self, Add, copy};
use crate::op::{Op, Slots};
use crate::patience::Patience;
use crate::session::Session;
use crate::table::{Key, Table};
use crate::transport::{Mark, Tx};
use crate::wire::Reader;

/// Names a listener of a session; stale once it is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerId(Key);

/// The listeners of a connection, found by the address that the server names with each connection.
#[derive(Default)]
pub struct Listeners {
    listeners: Table<Listener>,
    /// Found by port, since a look at that takes no memory; few listen at the same.
    by_port: HashMap<u32, Vec<Key>>,
    /// Those that have a connection which the program has not been told of. It has room for all of them.
    line: VecDeque<ListenerId>,
}

/// One listener.
pub struct Listener {
    host: Vec<u8>,
    /// The port; before the server has agreed, the one asked for.
    pub port: u32,
    state: State,
    /// Connections that nobody has accepted yet.
    queue: VecDeque<ChannelId>,
    /// How many of them there may be.
    most: usize,
    /// The number of the program's handle for it, if it has one.
    handle: Option<usize>,
    /// It is in the line of those that have news.
    in_line: bool,
    /// The program has been told of a connection, and has accepted none since.
    told: bool,
    /// Unfinished operations of this listener.
    pub slots: Slots,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Listening,
    Refused,
    /// Nobody wants it any more, and the server has not answered yet.
    Abandoned,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// No listener has that address.
    Unknown,
    /// Too many wait to be accepted.
    Full,
}

impl Listeners {
    /// The listener, unless it has been cancelled.
    pub fn get(&mut self, id: ListenerId) -> Result<&mut Listener> {
        self.listeners.get_mut(id.0).ok_or_else(|| Error::new(Code::BadUse, "Listener has been cancelled"))
    }

    /// Takes the server's reply to the request to listen: what came with its consent, `None` if it refuses.
    pub fn on_reply(&mut self, id: ListenerId, consent: Option<&[u8]>, tx: &mut Tx) -> Result<()> {
        let Ok(listener) = self.get(id) else { return Ok(()) };
        let abandoned = listener.state == State::Abandoned;
        let Some(payload) = consent else {
            listener.state = State::Refused;
            if abandoned {
                self.listeners.remove(id.0);
            }
            return Ok(());
        };
        if listener.port == 0 {
            // A server that does not tell which port it has chosen is taken at its word, as by the original.
            listener.port = Reader::new(payload).u32().unwrap_or_default();
        }
        if abandoned {
            let sent = global::stop_listening(tx, &listener.host, listener.port);
            self.listeners.remove(id.0);
            return sent;
        }
        listener.state = State::Listening;
        let port = listener.port;
        match self.by_port.get_mut(&port) {
            Some(at_port) => at_port.add(id.0),
            None => self.by_port.add((port, memory::collect([id.0])?)),
        }
    }

    /// The listener that takes a connection to that address.
    pub fn taker(&self, host: &[u8], port: u32) -> Result<ListenerId, NotTaken> {
        let at_port = self.by_port.get(&port).map(Vec::as_slice).unwrap_or_default().iter();
        let mut listening = at_port.filter_map(|key| Some((*key, self.listeners.get(*key)?)));
        let (key, listener) = listening.find(|(_, listener)| listener.host == host).ok_or(NotTaken::Unknown)?;
        if listener.queue.len() >= listener.most { Err(NotTaken::Full) } else { Ok(ListenerId(key)) }
    }

    /// Puts a connection into the queue of its listener.
    pub fn queue(&mut self, id: ListenerId, channel: ChannelId) -> Result<()> {
        let listener = self.get(id)?;
        listener.queue.add(channel)?;
        self.note(id)
    }

    /// The next one with a connection that the program has not been told of.
    pub fn next_news(&mut self) -> Option<News> {
        while let Some(id) = self.line.pop_front() {
            let Ok(listener) = self.get(id) else { continue };
            listener.in_line = false;
            if listener.has_connection() {
                listener.told = true;
                return Some(News { handle: listener.handle, events: Events::ACCEPT });
            }
        }
        None
    }

    /// Takes the oldest connection off the queue.
    fn accept(&mut self, id: ListenerId) -> Result<Option<ChannelId>> {
        let listener = self.get(id)?;
        let channel = listener.queue.pop_front();
        listener.told = false;
        self.note(id)?;
        Ok(channel)
    }

    /// The program has that listener by the handle of this number; `None` when it has it no more.
    pub fn set_handle(&mut self, id: ListenerId, handle: Option<usize>) -> Result<()> {
        self.get(id)?.handle = handle;
        self.note(id)
    }

    /// Something about a listener has changed.
    fn note(&mut self, id: ListenerId) -> Result<()> {
        let listener = self.get(id)?;
        let has_news = listener.handle.is_some() && listener.has_connection() && !listener.told;
        if has_news && !listener.in_line {
            listener.in_line = true;
            self.line.add(id)?;
        }
        Ok(())
    }

    fn add(&mut self, listener: Listener) -> Result<ListenerId> {
        let count = self.listeners.values().count();
        self.line.room(count.saturating_add(1).saturating_sub(self.line.len()))?;
        self.listeners.add(listener).map(ListenerId)
    }

    /// Forgets a listener.
    pub fn remove(&mut self, id: ListenerId) {
        if let Some(listener) = self.listeners.remove(id.0) {
            if let Some(at_port) = self.by_port.get_mut(&listener.port) {
                at_port.retain(|key| *key != id.0);
                if at_port.is_empty() {
                    self.by_port.remove(&listener.port);
                }
            }
            self.line.retain(|other| *other != id);
        }
    }
}

impl Listener {
    /// Whether a connection waits to be accepted.
    pub fn has_connection(&self) -> bool {
        !self.queue.is_empty()
    }
}

/// `libssh2_channel_forward_listen_ex`: ready with the listener once the server listens.
pub struct Listen {
    listener: ListenerId,
    patience: Patience,
}

impl Listen {
    /// Queues the request. Of the connections not yet accepted `most` are kept, any number if that is 0.
    pub fn begin(session: &mut Session, host: &[u8], port: u32, most: usize) -> Result<Self> {
        if !session.transport.is_established() {
            return Err(Error::new(Code::SocketSend, "Listening needs a session that is connected"));
        }
        let listener = session.channels.listeners.add(Listener {
            host: copy(host)?,
            port,
            state: State::Asked,
            queue: VecDeque::new(),
            most: if most == 0 { usize::MAX } else { most },
            handle: None,
            in_line: false,
            told: false,
            slots: Slots::default(),
        })?;
        if let Err(error) = session.globals.ask_to_listen(&mut session.transport.tx, listener, host, port) {
            session.channels.listeners.remove(listener);
            return Err(error);
        }
        Ok(Self { listener, patience: session.patience() })
    }
}

impl Op for Listen {
    type Out = ListenerId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<ListenerId>> {
        session.pump()?;
        match session.channels.listeners.get(self.listener)?.state {
            State::Listening => Poll::Ready(Ok(self.listener)),
            State::Refused => {
                session.channels.listeners.remove(self.listener);
                Poll::Ready(Err(Error::new(Code::RequestDenied, "Server refused to listen")))
            }
            State::Asked | State::Abandoned => {
                let pending = session.await_reply(&mut self.patience);
                if pending.is_ready() {
                    self.abandon(session);
                }
                pending
            }
        }
    }

    fn abandon(&mut self, session: &mut Session) {
        match session.channels.listeners.get(self.listener) {
            Ok(listener) if listener.state == State::Asked => listener.state = State::Abandoned,
            _ => {}
        }
    }
}

/// `libssh2_channel_forward_accept`: ready with the oldest connection that waits. They count before whatever ended the
/// session.
pub fn poll_accept(session: &mut Session, id: ListenerId) -> Poll<Result<ChannelId>> {
    session.serves(None);
    let pumped = session.pump();
    if let Some(channel) = session.channels.listeners.accept(id)? {
        return Poll::Ready(Ok(channel));
    }
    pumped.map_err(|error| error.within(Error::new(Code::ChannelUnknown, "No connection will come")))?;
    Poll::Pending
}

/// `libssh2_channel_forward_cancel`: ready when the server has been told.
pub struct Cancel(Mark);

impl Cancel {
    /// Queues the request, and closes the connections that nobody has accepted.
    pub fn begin(session: &mut Session, id: ListenerId) -> Result<Self> {
        let listener = session.channels.listeners.get(id)?;
        listener.most = 0;
        let waiting = std::mem::take(&mut listener.queue);
        global::stop_listening(&mut session.transport.tx, &listener.host, listener.port)?;
        for channel in waiting {
            session.channels.abandon(channel, &mut session.transport.tx)?;
        }
        Ok(Self(session.transport.tx.mark()))
    }
}

impl Op for Cancel {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        session.poll_left(self.0)
    }
}
