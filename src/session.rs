//! One connection: the transport, the protocols above it, and who is logged in.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use crate::auth::Auth;
use crate::channel::{Channels, Discard, Events, News};
use crate::error::{Code, Error, Result};
use crate::global::Globals;
use crate::io::Readiness;
use crate::keepalive::{self, Keepalive};
use crate::memory::Add;
use crate::op::{Hurry, Op, Owner, Slots, Transfer};
use crate::patience::Patience;
use crate::publickey::Publickeys;
use crate::sftp::{self, Sftps};
use crate::sink::Sink;
use crate::transport::{Buffer, Mark, Transport, message};

/// How long a reply may take unless the program says otherwise, in seconds.
const DEFAULT_READ_TIMEOUT: i64 = 60;

/// What the program has set, as it set it.
pub struct Settings {
    /// 0 for non-blocking mode.
    pub blocking: i32,
    /// Longest time for one call in milliseconds; 0 or less for no limit.
    pub timeout: i64,
    /// SCP quotes paths for the server's shell.
    pub quotes_paths: bool,
    /// Longest time for a reply in seconds, more than 0.
    read_timeout: i64,
}

impl Settings {
    /// Sets the longest time for a reply in seconds; 0 or less is the default.
    pub const fn set_read_timeout(&mut self, seconds: i64) {
        self.read_timeout = if seconds > 0 { seconds } else { DEFAULT_READ_TIMEOUT };
    }

    /// The longest time for a reply in seconds.
    pub const fn read_timeout(&self) -> i64 {
        self.read_timeout
    }
}

/// One connection.
pub struct Session {
    /// What the program has set.
    pub settings: Settings,
    /// The storey below.
    pub transport: Transport,
    /// Who is logged in.
    pub auth: Auth,
    /// Everything that runs over a channel.
    pub channels: Channels,
    /// The SFTP subsystems.
    pub sftps: Sftps,
    /// The publickey subsystems.
    pub publickeys: Publickeys,
    /// Global requests.
    pub globals: Globals,
    /// Keepalives.
    pub keepalive: Keepalive,
    /// Unfinished operations of the session itself.
    pub slots: Slots,
    /// How long the server takes to answer: the shortest time so far.
    pub round_trip: Option<Duration>,
    now: Instant,
    polls: u64,
    wake_at: Option<Instant>,
    /// When the socket last took bytes.
    sent_at: Instant,
    /// It did not take all of them.
    is_full: bool,
    /// The program has been told to wait for the socket, or it had nothing when it was last looked at.
    starved: bool,
    /// Whom the current operation is for, unless it tells of what it waits for by itself.
    serves: Option<Owner>,
    /// The program has been told that the connection is over.
    told_end: bool,
    /// The current operation has more to queue than the outgoing queue took.
    has_more: bool,
    /// The current operation is over once the socket has taken what was queued by then, and must not wait for the
    /// server.
    awaits: Option<Mark>,
    /// The socket has had nothing since the current call began, or more than can have come in time.
    has_looked: bool,
    /// The current operation gives up unless the socket has something.
    is_impatient: bool,
    /// What is queued may wait for company.
    lingers: bool,
    /// `SSH_MSG_DISCONNECT` has been queued.
    said_goodbye: bool,
    /// Why nothing more can be sent.
    send_failure: Option<Error>,
    /// A queue is lent to the program's send or receive function.
    moving: bool,
    /// The program is being told of what has happened.
    telling: bool,
}

impl Session {
    /// A session that is not connected.
    pub fn new(now: Instant) -> Result<Self> {
        Ok(Self {
            settings: Settings { blocking: 1, timeout: 0, quotes_paths: true, read_timeout: DEFAULT_READ_TIMEOUT },
            transport: Transport::new()?,
            auth: Auth::default(),
            channels: Channels::default(),
            sftps: Sftps::default(),
            publickeys: Publickeys::default(),
            globals: Globals::default(),
            keepalive: Keepalive::default(),
            slots: Slots::default(),
            round_trip: None,
            now,
            polls: 0,
            wake_at: None,
            sent_at: now,
            is_full: false,
            starved: false,
            serves: None,
            told_end: false,
            has_more: false,
            awaits: None,
            has_looked: false,
            is_impatient: false,
            lingers: false,
            said_goodbye: false,
            send_failure: None,
            moving: false,
            telling: false,
        })
    }

    /// A session whose handshake is over, on a transport that encrypts nothing.
    #[cfg(any(test, fuzzing))]
    pub fn connected(now: Instant) -> Result<Self> {
        Ok(Self { transport: Transport::connected()?, ..Self::new(now)? })
    }

    /// The time at which the current poll began.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Takes in every packet that has arrived. An error is the end of the connection.
    pub fn pump(&mut self) -> Result<()> {
        self.pump_into(&mut Sink::none())
    }

    /// [`Session::pump`], where file data that `sink` waits for goes straight to the reader's buffer.
    pub fn pump_into(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        self.tend_keys()?;
        let was_established = self.transport.is_established();
        while let Some(payload) = self.transport.packet()? {
            let (packet, tx) = self.transport.split(payload);
            let kind = packet.first().copied().unwrap_or_default();
            if !matches!(kind, message::CHANNEL_WINDOW_ADJUST..=message::CHANNEL_FAILURE) {
                self.channels.lines.unfinished.stir();
            }
            let handled = match kind {
                message::SERVICE_ACCEPT => self.auth.on_service_accept(packet),
                message::USERAUTH_REQUEST..=message::USERAUTH_LAST => {
                    let handled = self.auth.on_packet(packet);
                    if self.auth.is_authenticated() {
                        handled.and_then(|()| self.transport.on_login())
                    } else {
                        handled
                    }
                }
                message::GLOBAL_REQUEST..=message::REQUEST_FAILURE => {
                    self.globals.on_packet(packet, tx, &mut self.channels.listeners)
                }
                message::CHANNEL_OPEN..=message::CHANNEL_FAILURE => {
                    self.channels.on_packet(packet, tx, &mut self.sftps, sink)
                }
                _ => self.transport.unimplemented(),
            };
            handled.map_err(|error| self.transport.fail(error))?;
        }
        if self.transport.is_established() && !was_established {
            self.channels.lines.unfinished.stir();
        }
        Ok(())
    }

    /// The patience of an operation that has just queued its request.
    pub fn patience(&self) -> Patience {
        Patience::new(&self.transport.tx, self.now)
    }

    /// What an operation returns that waits for a reply: pending, or the end of its patience. That ends only when the
    /// socket has been looked at, since the reply may have come while the program was elsewhere.
    pub fn await_reply<T>(&mut self, patience: &mut Patience) -> Poll<Result<T>> {
        let limit = Duration::from_secs(self.settings.read_timeout.unsigned_abs());
        if let Some(until) = patience.until(&self.transport.tx, self.sent_at, limit) {
            if until <= self.now && self.has_looked {
                return Poll::Ready(Err(Error::new(Code::Timeout, "Server did not answer in time")));
            }
            self.is_impatient |= until <= self.now;
            self.wake_by(until);
        }
        Poll::Pending
    }

    /// Has the current operation polled again at `time`, if nothing else wakes it before.
    pub(crate) fn wake_by(&mut self, time: Instant) {
        self.wake_at = self.wake_at.into_iter().chain([time]).min();
    }

    /// A reply has come to what was sent at `since`.
    pub fn replied(&mut self, since: Instant) {
        let took = self.now.saturating_duration_since(since);
        self.round_trip = self.round_trip.into_iter().chain([took]).min();
    }

    /// Sends a keepalive if one is due: ready with how long until the next one. Pending where all of them were in vain,
    /// until the socket has been looked at, see [`Session::check_alive`].
    pub fn poll_keepalive(&mut self) -> Poll<Result<Duration>> {
        self.pump()?;
        // Servers hang up on whoever sends a global request before the login (RFC 4252 section 6).
        if !self.auth.is_authenticated() {
            return Poll::Ready(Ok(self.keepalive.interval()));
        }
        if self.keepalive.is_in_vain(&self.globals, self.now) {
            return Poll::Pending;
        }
        Poll::Ready(self.keepalive.send_if_due(&mut self.transport.tx, &mut self.globals, self.now))
    }

    /// Ready when all that was queued at `mark` has left. What others queue behind it is not waited for, or they would
    /// keep this one from ever getting ready.
    pub fn poll_left(&mut self, mark: Mark) -> Poll<Result<()>> {
        match self.pump() {
            Err(error) => Poll::Ready(Err(error)),
            Ok(()) if self.transport.tx.has_left_all(mark) => Poll::Ready(Ok(())),
            Ok(()) => {
                // The socket may take it all at once: then there is nothing to wait for.
                self.awaits = Some(mark);
                Poll::Pending
            }
        }
    }

    /// What is queued may wait for company, until somebody sends more or the next call begins.
    pub const fn linger(&mut self) {
        self.lingers = true;
    }

    /// Whether bulk data should be queued now. Where not, the operation is polled again once the socket has taken some.
    pub fn has_room(&mut self) -> bool {
        let has_room = self.transport.tx.has_room();
        self.has_more |= !has_room;
        has_room
    }

    /// Whether calls wait.
    pub const fn is_blocking(&self) -> bool {
        self.settings.blocking != 0
    }

    /// In which directions the socket has to move before the last call gets further, for the program's own waiting.
    pub fn block_directions(&self) -> Readiness {
        let read = self.starved && self.transport.failure().is_none();
        Readiness { read, write: self.transport.tx.wants_socket() }
    }

    /// Begins a call: not from within a function of the program that moves this session's bytes.
    pub(crate) fn begin_call(&mut self) -> Result<()> {
        self.has_looked = false;
        self.may_move()
    }

    /// Begins a poll at the time `now`.
    pub(crate) fn begin_poll(&mut self, now: Instant) {
        self.polls = self.polls.wrapping_add(1);
        self.now = now;
        self.wake_at = None;
        self.serves = Some(Owner::Session);
        self.has_more = false;
        self.awaits = None;
        self.is_impatient = false;
        self.lingers = false;
    }

    /// How many polls have begun.
    pub(crate) const fn polls(&self) -> u64 {
        self.polls
    }

    /// Whether the program is to be told of something, until [`Session::end_telling`]: not if it is being told already.
    pub(crate) fn begin_telling(&mut self) -> bool {
        let has_news = self.transport.has_events() || self.channels.has_opened();
        has_news && !std::mem::replace(&mut self.telling, true)
    }

    /// The program has been told.
    pub(crate) const fn end_telling(&mut self) {
        self.telling = false;
    }

    /// The socket has nothing: whether an operation wanted to know just that.
    pub(crate) fn found_nothing(&mut self) -> Result<bool> {
        self.has_looked = true;
        self.check_alive()?;
        Ok(self.is_impatient)
    }

    /// Ends the connection if the server is taken for dead: only now that all it has said is known.
    fn check_alive(&mut self) -> Result<()> {
        self.transport.check_silence(self.now)?;
        if self.keepalive.is_in_vain(&self.globals, self.now) {
            return Err(self.transport.fail(keepalive::dead()));
        }
        Ok(())
    }

    /// Servers cannot exchange keys anew in the middle of a login, and no login is that long.
    fn tend_keys(&mut self) -> Result<()> {
        if !self.auth.is_authenticated() {
            return Ok(());
        }
        self.transport.tend_keys(self.now, Duration::from_secs(self.settings.read_timeout.unsigned_abs()))
    }

    /// Before a wait: sends the keepalive and begins the key exchange that are due, and sees to it that the wait ends
    /// when the next ones are.
    pub(crate) fn keep_alive(&mut self) -> Result<()> {
        self.tend_keys()?;
        self.wake_at = self.wake_at.into_iter().chain(self.transport.keys_want_tending()).min();
        let Some(due) = self.keepalive.due().filter(|_| self.auth.is_authenticated()) else { return Ok(()) };
        if due <= self.now
            && let Poll::Ready(next) = self.poll_keepalive()
        {
            next?;
        }
        // Still the same if it is the answer to the last one that is due.
        self.wake_at = self.wake_at.into_iter().chain(self.keepalive.due()).min();
        Ok(())
    }

    /// When a call that begins at `now` has to end.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let milliseconds = u64::try_from(self.settings.timeout).ok().filter(|&set| set > 0)?;
        now.checked_add(Duration::from_millis(milliseconds))
    }

    /// Whether to wait before looking for bytes: hardly anything is there before the wait, and looking costs as much. A
    /// connection that cannot send any more is only looked at.
    pub(crate) const fn waits_first(&self) -> bool {
        self.is_blocking() && self.send_failure.is_none()
    }

    /// Whether the call is to end as soon as the socket has nothing more.
    pub(crate) const fn hurry(&self) -> Option<Hurry> {
        match (self.is_impatient, self.is_blocking()) {
            (true, _) => Some(Hurry::GiveUp),
            (false, false) => Some(Hurry::NoWait),
            (false, true) => None,
        }
    }

    /// The socket has had more for so long that the reply was not among what had come in time.
    pub(crate) const fn has_read_enough(&mut self) {
        self.has_looked = true;
    }

    /// Whether the operation gets further now that the socket has taken what there was.
    pub(crate) fn gets_further(&self) -> bool {
        let tx = &self.transport.tx;
        self.awaits.is_some_and(|mark| tx.has_left_all(mark)) || (self.has_more && tx.has_room() && !tx.wants_socket())
    }

    /// What to wait for; the peer must always be heard, or two full windows would wait for each other.
    pub(crate) fn interest(&self) -> Readiness {
        Readiness { read: true, write: self.transport.tx.wants_socket() }
    }

    pub(crate) const fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// Whom the current operation is for: who is told when it may get further. Nobody for what is told by itself, such
    /// as that there is something to read.
    pub fn serves(&mut self, owner: Option<Owner>) {
        self.serves = owner;
    }

    /// See [`Session::serves`].
    pub(crate) const fn served(&self) -> Option<Owner> {
        self.serves
    }

    pub(crate) fn would_block(&mut self) -> Error {
        self.starved = true;
        let is_clear = self.transport.tx.is_clear();
        match self.serves {
            None => {}
            Some(Owner::Channel(id)) => self.channels.is_unfinished(id, is_clear),
            Some(_) => self.channels.lines.unfinished.add(is_clear),
        }
        Error::new(Code::Eagain, "Would block")
    }

    /// The program is going to wait by itself: for which directions of the socket.
    pub(crate) fn wait_for_more(&mut self) -> Readiness {
        self.starved = self.transport.failure().is_none();
        if self.starved { self.block_directions() } else { Readiness::default() }
    }

    /// The next thing that the program is to be told. The end of the connection comes last.
    pub fn next_news(&mut self) -> Option<News> {
        let of_session = |events| Some(News { handle: None, events });
        let is_clear = self.transport.tx.is_clear();
        if let Some(news) = self.channels.listeners.next_news().or_else(|| self.channels.next_news(is_clear)) {
            return Some(news);
        }
        if self.channels.lines.unfinished.take() {
            return of_session(Events::AGAIN);
        }
        if self.transport.failure().is_some() && !std::mem::replace(&mut self.told_end, true) {
            return of_session(Events::ENDED);
        }
        None
    }

    /// Lends the outgoing bytes to the program's send function, if there are any.
    pub(crate) fn lend_outgoing(&mut self) -> Result<Option<Buffer>> {
        self.may_move()?;
        if self.lingers && !self.transport.tx.is_worth_sending() {
            return Ok(None);
        }
        if !self.lingers {
            // Where that is not possible, the next call for that file will tell.
            let _told_later = sftp::send_tail(self);
        }
        if !self.transport.tx.wants_socket() || self.send_failure.is_some() || self.transport.failure().is_some() {
            return Ok(None);
        }
        self.moving = true;
        Ok(Some(self.transport.lend_outgoing()))
    }

    /// Takes back what was lent. A connection that sends no more may still have been told why: the failure counts when
    /// there is nothing left to receive.
    pub(crate) fn return_outgoing(&mut self, queue: Buffer, transfer: Transfer) {
        self.moving = false;
        let taken = if let Transfer::Moved(count) = transfer { count } else { 0 };
        if taken > 0 {
            self.sent_at = self.now;
            if self.is_full {
                // Only the other end can have made room.
                self.keepalive.heard();
            }
        }
        self.is_full = taken < queue.len();
        self.transport.return_outgoing(queue, taken);
        if let Transfer::Failed(errno) = transfer {
            self.send_failure = Some(failure(Code::SocketSend, "Sending on the socket failed", errno));
        }
    }

    /// Lends room for incoming bytes to the program's receive function; none when the connection is over.
    pub(crate) fn lend_incoming(&mut self) -> Result<Option<Buffer>> {
        self.may_move()?;
        if self.transport.failure().is_some() {
            return Ok(None);
        }
        let queue = self.transport.lend_incoming()?;
        self.moving = true;
        Ok(Some(queue))
    }

    pub(crate) fn return_incoming(&mut self, queue: Buffer, transfer: Transfer) {
        self.moving = false;
        let came = if let Transfer::Moved(count) = transfer { count } else { 0 };
        if came > 0 {
            self.keepalive.heard();
        }
        self.transport.return_incoming(queue, came);
        // Calls that do not look at the socket leave it so: some other operation may wait for it.
        self.starved = transfer == Transfer::WouldBlock;
        match (transfer, self.send_failure.take()) {
            (Transfer::Moved(count), send_failure) if count > 0 => self.send_failure = send_failure,
            (_, Some(error)) => {
                self.transport.fail(error);
            }
            (Transfer::Moved(_), None) => {
                self.transport.lost();
            }
            (Transfer::Failed(errno), None) => {
                self.transport.fail(failure(Code::SocketRecv, "Receiving from the socket failed", errno));
            }
            (Transfer::WouldBlock, None) => {}
        }
    }

    /// Refuses what moves bytes, or ends what only that can end, within the program's own functions for it.
    pub(crate) fn may_move(&self) -> Result<()> {
        if self.moving {
            return Err(Error::new(Code::BadUse, "Session was called from within its own send or receive function"));
        }
        Ok(())
    }
}

fn failure(code: Code, text: &'static str, errno: i32) -> Error {
    Error::new(code, text).with_io(&std::io::Error::from_raw_os_error(errno))
}

/// `libssh2_session_handshake`: ready when both sides use the keys of the first key exchange.
pub struct Handshake {
    /// For the server's next step.
    patience: Patience,
    /// What had come before that, see `Transport::heard`.
    heard: u64,
}

impl Handshake {
    /// Queues all that can leave before the server has said anything. It is `time` now, in seconds since 1970.
    pub fn begin(session: &mut Session, time: u64) -> Result<Self> {
        if session.transport.is_established() && !session.is_blocking() {
            // COMPAT: one that is over begins anew there, and programs know that by its first result.
            session.serves(None);
            return Err(session.would_block());
        }
        if !session.transport.is_started() {
            session.transport.start(time)?;
            session.auth.request_service(&mut session.transport.tx)?;
        }
        Ok(Self { patience: session.patience(), heard: session.transport.heard() })
    }
}

impl Op for Handshake {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        if let Err(error) = session.pump() {
            return Poll::Ready(Err(error));
        }
        if session.transport.is_established() {
            return Poll::Ready(Ok(()));
        }
        if self.heard != session.transport.heard() {
            *self = Self { patience: session.patience(), heard: session.transport.heard() };
        }
        session.await_reply(&mut self.patience)
    }
}

/// `libssh2_session_disconnect_ex`: ready when the message has left, or nobody takes it.
pub struct Disconnect {
    mark: Mark,
    patience: Patience,
}

impl Disconnect {
    /// Queues `SSH_MSG_DISCONNECT`.
    pub fn begin(session: &mut Session, reason: u32, description: &[u8], language: &[u8]) -> Result<Self> {
        use crate::wire::Put;
        let mut packet = Vec::new();
        packet.put_u8(message::DISCONNECT)?;
        packet.put_u32(reason)?;
        packet.put_string(description)?;
        packet.put_string(language)?;
        session.transport.tx.send_now(&[&packet])?;
        session.said_goodbye = true;
        Ok(Self { mark: session.transport.tx.mark_of_sealed(), patience: session.patience() })
    }
}

impl Op for Disconnect {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        // What still arrives is of no interest, but it must not pile up.
        session.pump()?;
        if !session.transport.tx.has_left_all(self.mark) {
            session.awaits = Some(self.mark);
            return session.await_reply(&mut self.patience);
        }
        Poll::Ready(Ok(()))
    }
}

/// `libssh2_session_free`: ready when every channel is closed, or the connection is over.
pub struct CloseAll(Vec<Discard>);

impl CloseAll {
    /// Queues the end of each channel.
    pub fn begin(session: &mut Session) -> Result<Self> {
        let mut closing = Vec::new();
        if session.transport.is_established() && !session.said_goodbye {
            let ids = session.channels.ids()?;
            closing.room(ids.len())?;
            for id in ids {
                closing.add(Discard::begin(session, id)?)?;
            }
        }
        Ok(Self(closing))
    }
}

impl Op for CloseAll {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        while let Some(close) = self.0.last_mut() {
            ready!(close.poll(session))?;
            self.0.pop();
        }
        Poll::Ready(Ok(()))
    }
}
