//! Calls that a program makes from within its callbacks.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::auth::{Answer, Offer, Outcome, Password, Signer};
use crate::error::Code;
use crate::io::Readiness;
use crate::op::{Call, Host, Op, Owner, Transfer, drive, glance, park, resume, turn};
use crate::session::{Handshake, Session};
use crate::transport::{Event, Tx, message};
use crate::wire::Put;

/// A server that says one thing after the other, each when the one before it has been heard.
struct Script<'a> {
    session: &'a RefCell<Session>,
    says: RefCell<VecDeque<Vec<u8>>>,
    now: Cell<Instant>,
    /// The program's callback calls the session.
    calls_back: bool,
    /// So does its trace handler, each time for so long.
    traces: Option<Duration>,
    is_telling: Cell<bool>,
    /// How many callbacks are under way, and were at most, and how many there have been.
    depth: Cell<usize>,
    deepest: Cell<usize>,
    told: Cell<usize>,
    /// What the server says again and again when it has nothing else to say, and how often.
    repeats: Option<(Duration, Vec<u8>)>,
}

/// A packet as it goes without encryption.
fn packet(payload: &[u8]) -> Vec<u8> {
    let mut tx = Tx::default();
    tx.send(&[payload]).unwrap();
    tx.queue().filled().to_vec()
}

impl<'a> Script<'a> {
    fn new(session: &'a RefCell<Session>, says: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let says = RefCell::new(says.into_iter().collect());
        Self {
            session,
            says,
            now: Cell::new(Instant::now()),
            calls_back: false,
            traces: None,
            is_telling: Cell::new(false),
            depth: Cell::new(0),
            deepest: Cell::new(0),
            told: Cell::new(0),
            repeats: None,
        }
    }
}

impl Host for Script<'_> {
    fn send(&self, bytes: &[u8]) -> Transfer {
        Transfer::Moved(bytes.len())
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        let Some(bytes) = self.says.borrow_mut().pop_front() else { return Transfer::WouldBlock };
        space[..bytes.len()].copy_from_slice(&bytes);
        Transfer::Moved(bytes.len())
    }

    fn wait(&self, _: Readiness, timeout: Option<Duration>) -> std::io::Result<Readiness> {
        if self.says.borrow().is_empty() {
            let (pause, again) = match &self.repeats {
                Some((every, bytes)) if timeout.is_none_or(|timeout| *every <= timeout) => (*every, Some(bytes)),
                _ => (timeout.expect("waits for ever for nothing"), None),
            };
            self.now.set(self.now.get() + pause);
            self.says.borrow_mut().extend(again.cloned());
        }
        Ok(Readiness { read: true, write: true })
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn hear(&self, _: &Event) {
        self.depth.set(self.depth.get() + 1);
        self.deepest.set(self.deepest.get().max(self.depth.get()));
        self.told.set(self.told.get() + 1);
        if self.calls_back {
            turn(self.session, self).unwrap();
        }
        self.depth.set(self.depth.get() - 1);
    }

    fn look_at_trace(&self) {
        if let Some(time) = self.traces.filter(|_| !self.is_telling.replace(true)) {
            self.now.set(self.now.get() + time);
            // A call that needs nothing of the socket.
            drive(self.session, self, |_| Poll::Ready(Ok(()))).unwrap();
            self.is_telling.set(false);
        }
    }

    fn hides_bytes(&self) -> bool {
        false
    }
}

fn connected() -> RefCell<Session> {
    RefCell::new(Session::connected(Instant::now()).unwrap())
}

/// The answer comes while the program's callback moves bytes: nothing is left to wait for.
#[test]
fn what_a_call_within_a_callback_takes_in_counts_for_the_call_around_it() {
    let debug = packet(&[message::DEBUG, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for blocking in [1, 0] {
        let session = connected();
        session.borrow_mut().settings.blocking = blocking;
        let says = [debug.clone(), packet(&[message::USERAUTH_SUCCESS])];
        let host = Script { calls_back: true, ..Script::new(&session, says) };
        let begin = |session: &mut Session| Password::begin(session, b"user", b"password");
        let answer = resume(&session, &host, Owner::Session, Call::UserauthPassword, begin).unwrap();
        assert!(matches!(answer, Answer::Accepted));
    }
}

#[test]
fn a_server_cannot_have_callbacks_called_within_callbacks() {
    let debug = packet(&[message::DEBUG, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let session = connected();
    session.borrow_mut().settings.blocking = 0;
    let host = Script { calls_back: true, ..Script::new(&session, std::iter::repeat_n(debug, 1000)) };
    let error = drive(&session, &host, |session| {
        let pumped = session.pump();
        pumped.map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::<crate::error::Result<()>>::Pending)
    });
    assert_eq!(error.unwrap_err().code, Code::Eagain);
    assert_eq!((host.deepest.get(), host.told.get()), (1, 1000));
}

/// The call around it is over with the first packet: what comes meanwhile is told all the same.
#[test]
fn what_a_callback_takes_in_is_told_before_the_call_is_over() {
    let debug = packet(&[message::DEBUG, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let session = connected();
    let host = Script { calls_back: true, ..Script::new(&session, std::iter::repeat_n(debug, 3)) };
    let mut first = true;
    let ended = drive(&session, &host, |session| match (session.pump(), std::mem::take(&mut first)) {
        (Err(error), _) => Poll::Ready(Err(error)),
        (Ok(()), true) => Poll::Pending,
        (Ok(()), false) => Poll::Ready(Ok(())),
    });
    assert_eq!((ended, host.deepest.get(), host.told.get()), (Ok(()), 1, 3));
}

/// An operation that never ends, and tells when it is given up.
struct Endless(std::rc::Rc<Cell<usize>>);

impl Op for Endless {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<crate::error::Result<()>> {
        session.pump().map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
    }

    fn abandon(&mut self, _: &mut Session) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn the_same_call_from_within_a_callback_is_given_up_for_the_one_around_it() {
    let session = connected();
    session.borrow_mut().settings.blocking = 0;
    let host = Script::new(&session, []);
    let given_up = std::rc::Rc::new(Cell::new(0));
    let within = resume(&session, &host, Owner::Session, Call::SftpInit, |_| Ok(Endless(given_up.clone())));
    assert_eq!(within.unwrap_err().code, Code::Eagain);
    park(&session, Owner::Session, Call::SftpInit, Endless(given_up.clone())).unwrap();
    assert_eq!(given_up.get(), 1);
}

#[test]
fn a_program_that_always_calls_back_does_not_keep_a_call_for_ever() {
    let session = connected();
    let traces = Some(Duration::from_millis(100));
    let host = Script { traces, ..Script::new(&session, []) };
    let end = |blocking, timeout| {
        let before = host.now();
        session.borrow_mut().settings.blocking = blocking;
        session.borrow_mut().settings.timeout = timeout;
        let error = drive(&session, &host, |_| Poll::<crate::error::Result<()>>::Pending).unwrap_err();
        (error.code, host.now() - before)
    };
    let (code, took) = end(0, 0);
    assert!(code == Code::Eagain && (900..1300).contains(&took.as_millis()), "{took:?}");
    let (code, took) = end(1, 500);
    assert!(code == Code::Timeout && (500..800).contains(&took.as_millis()), "{took:?}");
    // And what has come is taken in.
    session.borrow_mut().settings.timeout = 0;
    for blocking in [1, 0] {
        session.borrow_mut().settings.blocking = blocking;
        host.says.borrow_mut().push_back(packet(&[message::USERAUTH_SUCCESS]));
        session.borrow_mut().auth = crate::auth::Auth::default();
        let begin = |session: &mut Session| Password::begin(session, b"user", b"password");
        let answer = resume(&session, &host, Owner::Session, Call::UserauthPassword, begin).unwrap();
        assert!(matches!(answer, Answer::Accepted));
    }
}

#[test]
fn a_glance_does_not_last_as_long_as_the_server_sends() {
    let session = connected();
    let host = Script::new(&session, std::iter::repeat_n(packet(&[message::IGNORE, 0, 0, 0, 0]), 100));
    glance(&session, &host).unwrap();
    assert_eq!((host.says.borrow().len(), host.told.get()), (96, 4));
}

/// Such packets may come at any time, and as often as the server likes.
#[test]
fn packets_that_mean_nothing_do_not_keep_a_handshake_alive() {
    let session = RefCell::new(Session::new(Instant::now()).unwrap());
    let ignore = packet(&[message::IGNORE, 0, 0, 0, 0]);
    let repeats = Some((Duration::from_secs(25), ignore));
    let host = Script { repeats, ..Script::new(&session, [b"SSH-2.0-server\r\n".to_vec()]) };
    let before = host.now();
    let begin = |session: &mut Session| Handshake::begin(session, 0);
    let error = resume(&session, &host, Owner::Session, Call::SessionHandshake, begin).unwrap_err();
    assert_eq!((error.code, host.now() - before), (Code::Timeout, Duration::from_secs(60)));
}

/// Whoever holds the key takes his time, and the server talks meanwhile.
#[test]
fn what_the_server_says_while_nobody_signs_does_not_pile_up() {
    const KEY: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x04blob";
    let session = connected();
    let mut consent = vec![message::USERAUTH_PK_OK];
    consent.put_string(b"ssh-ed25519").unwrap();
    consent.put_string(KEY).unwrap();
    let host = Script::new(&session, [packet(&consent)]);
    let begin = |session: &mut Session| Signer::begin(session, Offer::from_blob(b"user", KEY)?);
    let asked = resume(&session, &host, Owner::Session, Call::UserauthSigner, begin).unwrap();
    let Outcome::Sign(request) = asked else { panic!("it is over") };
    let mut signer = Signer::again(&session.borrow(), request).unwrap();

    let ignore = packet(&[&[message::IGNORE, 0, 0, 0x40, 0][..], &[0; 0x4000]].concat());
    host.says.borrow_mut().extend(std::iter::repeat_n(ignore.clone(), 1000));
    let mut most = 0;
    let again = drive(&session, &host, |session| {
        let polled = signer.poll(session);
        let queue = session.transport.lend_incoming().unwrap();
        most = most.max(queue.len());
        session.transport.return_incoming(queue, 0);
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(polled) => Poll::Ready(polled.map(|outcome| matches!(outcome, Outcome::Sign(_)))),
        }
    });
    assert_eq!((again, host.says.borrow().len()), (Ok(true), 0));
    assert!(most < ignore.len(), "{most}");
}
