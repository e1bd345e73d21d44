//! Operations, and the one place that waits.
//!
//! An operation is a value that is polled until it is ready. It only ever waits for two things: that what it queued has
//! left, or that a reply has come. So [`drive`] can serve both modes: it polls, moves bytes, and where nothing moves it
//! waits on the socket (blocking mode) or reports `EAGAIN` (non-blocking mode). There is no waker: the C caller is the
//! waker, and until it calls again an unfinished operation rests in a slot of the handle that it belongs to. A socket
//! that always has more keeps nobody who is in a [`Hurry`] for longer than a second.
#![forbid(unsafe_code)]

use std::any::Any;
use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::channel::{ChannelId, ListenerId, Opened};
use crate::error::{Code, Error, Result};
use crate::io::Readiness;
use crate::memory::{self, Add};
use crate::publickey::PublickeyId;
use crate::session::Session;
use crate::sftp::{FileId, SftpId};
use crate::transport::Event;

/// How often [`tend`] and [`glance`] receive: what has come should be acted on before more is taken in.
const MOST_RECEIVED: usize = 4;
/// How often the program is told in one go what its functions have taken in while it was told.
const MOST_TELLINGS: usize = 16;
/// How long a call that is in a hurry goes on only because the socket always has more: a server that sends as fast as we
/// read must not keep the program. Long enough for all that can have come while the program was elsewhere.
const LONGEST_STRETCH: Duration = Duration::from_secs(1);

/// Why a call ends as soon as the socket has nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hurry {
    /// Nothing is waited for in non-blocking mode.
    NoWait,
    /// The patience of the operation is over.
    GiveUp,
}

/// Something that takes more than one look at the connection.
pub trait Op: 'static {
    /// What it ends with.
    type Out;

    /// Goes as far as it can. `Pending` only when the socket has to move first.
    fn poll(&mut self, session: &mut Session) -> Poll<Result<Self::Out>>;

    /// It will not be polled again: whoever brings its reply need not keep it.
    fn abandon(&mut self, _session: &mut Session) {}
}

/// An operation at rest, whatever it ends with.
trait Resting: Any {
    fn abandon(&mut self, session: &mut Session);
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<O: Op> Resting for O {
    fn abandon(&mut self, session: &mut Session) {
        Op::abandon(self, session);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// The program around the session: its socket, its callbacks, its clock. No borrow of the session is alive while one of
/// these runs, so a callback may call back into it.
pub trait Host {
    /// Sends some of `bytes`.
    fn send(&self, bytes: &[u8]) -> Transfer;
    /// Fills some of `space`.
    fn recv(&self, space: &mut [u8]) -> Transfer;
    /// Waits for the socket.
    fn wait(&self, interest: Readiness, timeout: Option<Duration>) -> io::Result<Readiness>;
    /// The time.
    fn now(&self) -> Instant;
    /// When the program made the call that is inside: the time set for one call counts from then, however often the call
    /// has to be driven.
    fn began(&self) -> Instant {
        self.now()
    }
    /// Hears of what the transport has met.
    fn hear(&self, event: &Event) {
        let _ = event;
    }
    /// Tells the program what has been traced.
    fn look_at_trace(&self) {}
    /// Hands a channel that the server has opened to the program. None comes to a host that accepts none.
    fn opened(&self, opened: Opened) {
        let _ = opened;
    }
    /// Whether bytes may have arrived that waiting for the socket does not show.
    fn hides_bytes(&self) -> bool;
}

/// How one `send` or `recv` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// So many bytes were moved; 0 from `recv` is the end of the stream.
    Moved(usize),
    /// Nothing can be moved now.
    WouldBlock,
    /// The socket failed with this errno.
    Failed(i32),
}

/// Polls until the result is there, or until it would have to wait in non-blocking mode.
pub fn drive<T>(
    session: &RefCell<Session>,
    host: &dyn Host,
    mut poll: impl FnMut(&mut Session) -> Poll<Result<T>>,
) -> Result<T> {
    let began = host.began();
    let (mut is_late, mut stretch, mut called_since) = (false, None, None);
    lend(session)?.begin_call()?;
    loop {
        let now = host.now();
        let (polled, polls, served) = {
            let mut session = lend(session)?;
            session.begin_poll(now);
            (poll(&mut session), session.polls(), session.served())
        };
        announce(session, host)?;
        let sent = flush(session, host)?;
        if let Poll::Ready(result) = polled {
            return result;
        }
        let (blocking, waits_first, hurry, gets_further, deadline, called_back) = {
            let session = lend(session)?;
            let called_back = session.polls() != polls;
            let further = session.gets_further() && !called_back;
            let (blocking, deadline) = (session.is_blocking(), session.deadline(began));
            (blocking, session.waits_first(), session.hurry(), further, deadline, called_back)
        };
        if gets_further {
            continue;
        }
        // Late, and what the socket had since then has not helped.
        if is_late {
            return Err(Error::new(Code::Timeout, "Time set for the call is over"));
        }
        is_late = blocking && deadline.is_some_and(|deadline| deadline <= now);
        if called_back {
            // A callback has called the session: what this call waits for may have come, and what it said of its wait is
            // forgotten. Where callbacks do that each time, bytes have to be moved all the same.
            let since = *called_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= LONGEST_STRETCH && !receive(session, host)? && !blocking {
                let mut session = lend(session)?;
                session.serves(served);
                return Err(session.would_block());
            }
            continue;
        }
        called_since = None;
        let waits_first = waits_first && !host.hides_bytes();
        let unbroken = stretch.filter(|(before, _)| Some(*before) == hurry);
        stretch = unbroken.or(hurry.map(|hurry| (hurry, now)));
        if let Some((hurry, since)) = unbroken
            && is_over_long(host, since, now)
        {
            let mut session = lend(session)?;
            if hurry == Hurry::NoWait {
                return Err(session.would_block());
            }
            session.has_read_enough();
            continue;
        }
        if waits_first {
            wait(session, host, deadline)?;
        }
        if receive(session, host)? {
            continue;
        }
        // The connection is over, and the operation has seen all that came before its end.
        lend(session)?.transport.check()?;
        // Whoever refuses every second call must not meet the same two calls for ever.
        if !sent && flush(session, host)? {
            continue;
        }
        if lend(session)?.found_nothing()? {
            continue;
        }
        if !blocking {
            return Err(lend(session)?.would_block());
        }
        if !waits_first {
            wait(session, host, deadline)?;
        }
    }
}

/// Whether the socket has had more for too long. What the program's own functions hold back it cannot wait for, so that
/// is read to its end.
fn is_over_long(host: &dyn Host, since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) >= LONGEST_STRETCH && !host.hides_bytes()
}

/// Moves what bytes can be moved without waiting, and takes in what has arrived: whether there may be more. An error is
/// the end of the connection.
pub fn turn(session: &RefCell<Session>, host: &dyn Host) -> Result<bool> {
    lend(session)?.begin_call()?;
    turn_for(session, host, usize::MAX)
}

/// Receives at most so often: whether there may be more.
fn turn_for(session: &RefCell<Session>, host: &dyn Host, receives: usize) -> Result<bool> {
    digest(session, host)?;
    let began = lend(session)?.now();
    for _ in 0..receives {
        if !receive(session, host)? {
            return lend(session)?.found_nothing().map(|_| false);
        }
        digest(session, host)?;
        if is_over_long(host, began, lend(session)?.now()) {
            break;
        }
    }
    Ok(true)
}

/// Handles what has been received.
fn digest(session: &RefCell<Session>, host: &dyn Host) -> Result<()> {
    let pumped = {
        let mut session = lend(session)?;
        session.begin_poll(host.now());
        session.pump()
    };
    announce(session, host)?;
    pumped?;
    flush(session, host).map(|_| ())
}

/// Takes in what has come, for a call that would not look; not for long, however much there is. The end of the connection
/// shows in the session.
pub fn glance(session: &RefCell<Session>, host: &dyn Host) -> Result<()> {
    lend(session)?.begin_call()?;
    let _ended = turn_for(session, host, MOST_RECEIVED);
    Ok(())
}

/// What a program that waits by itself has to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The directions of the socket.
    pub directions: Readiness,
    /// How long at most.
    pub timeout: Option<Duration>,
}

/// [`turn`] for such a program: sends what is due by the clock as well, and does not let a fast server keep it. The end
/// of the connection shows in the session.
pub fn tend(session: &RefCell<Session>, host: &dyn Host) -> Result<Outlook> {
    lend(session)?.begin_call()?;
    let has_more = turn_for(session, host, MOST_RECEIVED).unwrap_or(true);
    let kept = lend(session)?.keep_alive();
    kept.and_then(|()| flush(session, host)).ok();
    let mut session = lend(session)?;
    let wake_at = if has_more { Some(session.now()) } else { session.wake_at() };
    let timeout = wake_at.map(|wake_at| wake_at.saturating_duration_since(host.now()));
    Ok(Outlook { directions: session.wait_for_more(), timeout })
}

/// Takes the operation `call` of `owner` out of its slot, or begins it with `begin`, and drives it. Where it would
/// block it goes into the slot, for the program to come back to.
pub fn resume<O: Op>(
    session: &RefCell<Session>,
    host: &dyn Host,
    owner: Owner,
    call: Call,
    begin: impl FnOnce(&mut Session) -> Result<O>,
) -> Result<O::Out> {
    resume_one(session, host, owner, (call, 0), begin)
}

/// [`resume`] for calls of which several may be under way on one handle, see [`one_of`].
pub fn resume_one<O: Op>(
    session: &RefCell<Session>,
    host: &dyn Host,
    owner: Owner,
    which: (Call, u64),
    begin: impl FnOnce(&mut Session) -> Result<O>,
) -> Result<O::Out> {
    let mut op: Option<Held<O>> = {
        let mut session = lend(session)?;
        // Otherwise it would be lost to a call that cannot go on with it.
        session.may_move()?;
        owner.slots(&mut session)?.take(which).map(Held::Rested)
    };
    let mut begin = Some(begin);
    let mut over = false;
    let result = drive(session, host, |session| {
        session.serves(Some(owner));
        if op.is_none()
            && let Some(begin) = begin.take()
        {
            session.transport.check()?;
            op = Some(Held::Begun(begin(session)?));
        }
        let polled = match &mut op {
            Some(op) => op.get().poll(session),
            None => Poll::Ready(Err(is_over())),
        };
        over = polled.is_ready();
        polled
    });
    if let (false, Some(mut op)) = (over, op) {
        let mut session = lend(session)?;
        let comes_back = matches!(&result, Err(error) if error.code == Code::Eagain) || which.0.ends_something();
        if comes_back {
            op.rest(&mut session, owner, which)?;
        } else {
            // A call that ran out of its time: the next one may have other arguments.
            op.get().abandon(&mut session);
        }
    }
    result
}

/// An operation out of its slot. It has memory of its own once it has rested, and keeps it from then on.
enum Held<O> {
    Begun(O),
    Rested(Box<O>),
}

impl<O: Op> Held<O> {
    fn get(&mut self) -> &mut O {
        match self {
            Self::Begun(op) => op,
            Self::Rested(op) => op,
        }
    }

    /// Puts it into its slot, or gives it up where that cannot be.
    fn rest(self, session: &mut Session, owner: Owner, which: (Call, u64)) -> Result<()> {
        let has_slot = owner.slots(session).and_then(|slots| slots.0.room(1));
        let rested = match (self, has_slot) {
            (Self::Rested(op), Ok(())) => Ok(op),
            (Self::Begun(op), Ok(())) => match memory::place() {
                Ok(place) => Ok(Box::write(place, op)),
                Err(error) => Err((Self::Begun(op), error)),
            },
            (held, Err(error)) => Err((held, error)),
        };
        match rested {
            Ok(op) => {
                let slots = &mut owner.slots(session)?.0;
                // Of a call that a callback has made meanwhile. Nobody can tell the two apart.
                let other = slots.remove(&which);
                let added = slots.add((which, op));
                other.into_iter().for_each(|mut other| other.abandon(session));
                added
            }
            Err((mut held, error)) => {
                held.get().abandon(session);
                Err(error)
            }
        }
    }
}

/// Tells apart calls of which several may be under way on one handle: by their arguments, which are the same each time
/// that the program comes back to one.
pub fn one_of(call: Call, arguments: impl Hash) -> (Call, u64) {
    let mut hasher = DefaultHasher::new();
    arguments.hash(&mut hasher);
    (call, hasher.finish())
}

/// Leaves `op` for the next time that `call` of `owner` is resumed.
pub fn park<O: Op>(session: &RefCell<Session>, owner: Owner, call: Call, op: O) -> Result<()> {
    Held::Begun(op).rest(&mut *lend(session)?, owner, (call, 0))
}

/// Runs `look` with the session borrowed, for calls that move no bytes.
pub fn with<T>(session: &RefCell<Session>, look: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
    look(&mut *lend(session)?)
}

fn lend(session: &RefCell<Session>) -> Result<RefMut<'_, Session>> {
    session.try_borrow_mut().map_err(|_| reentered())
}

/// The session is in use further up.
pub const fn reentered() -> Error {
    Error::new(Code::BadUse, "Session was called from within one of its own callbacks")
}

/// The operation has been polled after its end.
pub const fn is_over() -> Error {
    Error::new(Code::BadUse, "Operation is over")
}

/// Tells the program what the transport has met, what has been traced, and which channels the server has opened.
///
/// What a call from within such a function meets is told when that has returned: otherwise a server could have it called
/// from within itself as often as it likes.
fn announce(session: &RefCell<Session>, host: &dyn Host) -> Result<()> {
    let tells = lend(session)?.begin_telling();
    host.look_at_trace();
    if !tells {
        return Ok(());
    }
    for _ in 0..MOST_TELLINGS {
        let events = lend(session)?.transport.take_events();
        events.iter().for_each(|event| host.hear(event));
        while let Some(opened) = next_opened(session)? {
            host.opened(opened);
        }
        if events.is_empty() {
            break;
        }
        host.look_at_trace();
    }
    lend(session)?.end_telling();
    Ok(())
}

fn next_opened(session: &RefCell<Session>) -> Result<Option<Opened>> {
    Ok(lend(session)?.channels.next_opened())
}

/// Gives the socket what it takes of the queued bytes: whether it took any. What is left is what it refused.
fn flush(session: &RefCell<Session>, host: &dyn Host) -> Result<bool> {
    let mut any = false;
    loop {
        let Some(queue) = lend(session)?.lend_outgoing()? else { return Ok(any) };
        let offered = queue.len();
        let transfer = host.send(queue.filled());
        let mut session = lend(session)?;
        session.return_outgoing(queue, transfer);
        match transfer {
            Transfer::Moved(count) if count > 0 => {
                any = true;
                // The socket is full; in blocking mode the wait will tell when it is not.
                if count < offered && session.is_blocking() {
                    return Ok(any);
                }
            }
            _ => return Ok(any),
        }
    }
}

/// Takes in what the socket has, once: whether anything came, the end of the stream included.
fn receive(session: &RefCell<Session>, host: &dyn Host) -> Result<bool> {
    let Some(mut queue) = lend(session)?.lend_incoming()? else { return Ok(false) };
    let transfer = match queue.space(0) {
        Ok(space) => host.recv(space),
        Err(_) => Transfer::WouldBlock,
    };
    lend(session)?.return_incoming(queue, transfer);
    Ok(transfer != Transfer::WouldBlock)
}

/// Waits until the socket can move bytes, or until `deadline`, or until the operation wants to be polled again.
fn wait(session: &RefCell<Session>, host: &dyn Host, deadline: Option<Instant>) -> Result<()> {
    let (interest, wake_at) = {
        let mut session = lend(session)?;
        session.keep_alive()?;
        (session.interest(), session.wake_at())
    };
    let until = deadline.into_iter().chain(wake_at).min();
    let timeout = until.map(|until| until.saturating_duration_since(host.now()));
    host.wait(interest, timeout)
        .map(|_| ())
        .map_err(|error| Error::new(Code::Timeout, "Waiting for the socket failed").with_io(&error))
}

/// The C calls that may have to be called again to be finished. Each handle keeps one unfinished operation per call.
#[allow(missing_docs, reason = "each is named after its C function")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    SessionHandshake,
    SessionDisconnect,
    SessionFree,
    UserauthList,
    UserauthPassword,
    UserauthPublickey,
    ChannelOpen,
    ChannelStartup,
    ChannelSetenv,
    ChannelRequestPty,
    ChannelRequestPtySize,
    ChannelRequestAuthAgent,
    ChannelX11Req,
    ChannelSignal,
    ChannelSendEof,
    ChannelClose,
    ChannelFree,
    ForwardListen,
    ForwardCancel,
    ScpRecv,
    ScpSend,
    PublickeyInit,
    PublickeyAdd,
    PublickeyRemove,
    PublickeyList,
    PublickeyShutdown,
    UserauthKeyboard,
    UserauthSigner,
    UserauthSecurityKey,
    UserauthHostbased,
    AgentUserauth,
    SftpInit,
    SftpShutdown,
    SftpOpen,
    SftpClose,
    SftpReaddir,
    SftpFsync,
    SftpFlush,
    SftpFstat,
    SftpFsetstat,
    SftpStat,
    SftpSetstat,
    SftpRename,
    SftpPosixRename,
    SftpStatvfs,
    SftpFstatvfs,
    SftpUnlink,
    SftpMkdir,
    SftpRmdir,
    SftpSymlink,
    SftpReadlink,
    SftpRealpath,
}

impl Call {
    /// Calls that begin or end a handle go on where they were, also after they ran out of the time set for them.
    const fn ends_something(self) -> bool {
        matches!(self, Self::SessionHandshake | Self::SessionDisconnect | Self::SessionFree)
    }

    /// Whether it is a way to log in; only one of them can be under way.
    pub const fn is_login(self) -> bool {
        matches!(
            self,
            Self::UserauthList
                | Self::UserauthPassword
                | Self::UserauthPublickey
                | Self::UserauthKeyboard
                | Self::UserauthSigner
                | Self::UserauthSecurityKey
                | Self::UserauthHostbased
                | Self::AgentUserauth
        )
    }
}

/// The handle that an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The session itself.
    Session,
    /// One of its channels.
    Channel(ChannelId),
    /// One of its listeners.
    Listener(ListenerId),
    /// One of its SFTP subsystems.
    Sftp(SftpId),
    /// An open file or directory.
    File(FileId),
    /// One of its publickey subsystems.
    Publickey(PublickeyId),
}

impl Owner {
    fn slots(self, session: &mut Session) -> Result<&mut Slots> {
        Ok(match self {
            Self::Session => &mut session.slots,
            Self::Channel(id) => &mut session.channels.get(id)?.slots,
            Self::Listener(id) => &mut session.channels.listeners.get(id)?.slots,
            Self::Sftp(id) => &mut session.sftps.get(id)?.slots,
            Self::File(id) => &mut session.sftps.file(id)?.slots,
            Self::Publickey(id) => &mut session.publickeys.get(id)?.slots,
        })
    }
}

/// The unfinished operations of one handle.
#[derive(Default)]
pub struct Slots(HashMap<(Call, u64), Box<dyn Resting>>);

impl Slots {
    /// Whether that call is to be finished.
    pub fn has(&self, call: Call) -> bool {
        self.0.keys().any(|(of, _)| *of == call)
    }

    fn take<O: Op>(&mut self, which: (Call, u64)) -> Option<Box<O>> {
        let op = self.0.remove(&which)?;
        op.into_any().downcast().ok()
    }

    /// Nobody will come back to them.
    pub fn abandon(self, session: &mut Session) {
        for mut op in self.0.into_values() {
            op.abandon(session);
        }
    }

    /// Drops the operations of those calls.
    pub fn discard(&mut self, which: impl Fn(Call) -> bool) {
        self.0.retain(|(of, _), _| !which(*of));
    }
}
