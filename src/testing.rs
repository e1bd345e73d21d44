//! An SSH server with SFTP in memory, and the program that talks to it: every byte, refusal and tick of the clock comes
//! from a seed. Nothing is encrypted. What is tested with it is in the modules below.
#![forbid(unsafe_code)]

mod advisories;
mod engine;
mod faults;
mod files;
mod model;
mod nested;
mod patience;
mod server;

use std::cell::{Cell, RefCell};
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::auth::Auth;
use crate::error::{Code, Result};
use crate::io::Readiness;
use crate::op::{Call, Host, Op, Owner, Transfer, drive, resume};
use crate::session::Session;
use crate::sftp::{FileId, Init, Open, SftpId};

pub use self::server::{Harm, Server, Ways};

/// A generator of numbers that are the same each time (splitmix64).
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

/// The program's side: a line to the server, and a clock that only waiting moves.
pub struct Line {
    pub server: RefCell<Server>,
    dice: RefCell<Dice>,
    now: Cell<Instant>,
    pub sends: Cell<usize>,
}

impl Line {
    /// The program is elsewhere for so long.
    pub fn pass(&self, time: Duration) {
        let mut server = self.server.borrow_mut();
        server.answer();
        self.now.set(self.now.get() + time);
        server.now = self.now.get();
        server.answer();
    }

    fn piece(&self, length: usize) -> Option<usize> {
        if !self.server.borrow().ways.stutters {
            return Some(length);
        }
        let mut dice = self.dice.borrow_mut();
        if dice.below(2) == 0 { None } else { Some(length.min(1 + dice.below(5000))) }
    }
}

/// `EPIPE` and `ECONNRESET`
const BROKEN: i32 = 32;
const RESET: i32 = 104;

impl Host for Line {
    fn send(&self, bytes: &[u8]) -> Transfer {
        self.sends.set(self.sends.get() + 1);
        let Some(size) = self.piece(bytes.len()) else { return Transfer::WouldBlock };
        let mut server = self.server.borrow_mut();
        let size = size.min(server.ways.ends_up.unwrap_or(usize::MAX));
        if size == 0 || server.ways.ends_down == Some(0) {
            server.ways.ends_up = Some(0);
            return Transfer::Failed(BROKEN);
        }
        server.ways.ends_up = server.ways.ends_up.map(|left| left - size);
        server.take(&bytes[..size]);
        Transfer::Moved(size)
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        let mut server = self.server.borrow_mut();
        server.answer();
        let ready = server.output().len().min(space.len()).min(server.ways.ends_down.unwrap_or(usize::MAX));
        if ready == 0 && (server.ways.ends_down == Some(0) || server.ways.ends_up == Some(0)) {
            server.ways.ends_down = Some(0);
            return if self.dice.borrow_mut().below(2) == 0 { Transfer::Moved(0) } else { Transfer::Failed(RESET) };
        }
        drop(server);
        let Some(size) = self.piece(ready).filter(|size| *size > 0) else { return Transfer::WouldBlock };
        let mut server = self.server.borrow_mut();
        server.ways.ends_down = server.ways.ends_down.map(|left| left - size);
        let queue = server.output();
        space[..size].copy_from_slice(&queue.filled()[..size]);
        queue.consume(size);
        Transfer::Moved(size)
    }

    fn wait(&self, interest: Readiness, timeout: Option<Duration>) -> io::Result<Readiness> {
        let mut server = self.server.borrow_mut();
        server.answer();
        let has_ended = server.ways.ends_down == Some(0) || server.ways.ends_up == Some(0);
        let read = interest.read && (has_ended || !server.output().is_empty());
        let ready = Readiness { read, write: interest.write };
        if !ready.read && !ready.write {
            let now = self.now.get();
            let due = server.next_due().map(|due| due.saturating_duration_since(now));
            let pause = due.into_iter().chain(timeout).min().expect("waits for ever for nothing");
            drop(server);
            self.pass(pause);
        }
        Ok(ready)
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn hides_bytes(&self) -> bool {
        false
    }
}

/// A session that is logged in and has SFTP running.
pub struct World {
    pub session: RefCell<Session>,
    pub line: Line,
    pub sftp: SftpId,
}

impl World {
    pub fn new(seed: u64, ways: Ways) -> Self {
        let now = Instant::now();
        let mut session = Session::connected(now).unwrap();
        session.auth = Auth::logged_in();
        let server = Server::new(seed, ways, now);
        let line = Line {
            server: RefCell::new(server),
            dice: RefCell::new(Dice(seed ^ 2)),
            now: Cell::new(now),
            sends: Cell::new(0),
        };
        let session = RefCell::new(session);
        let sftp = resume(&session, &line, Owner::Session, Call::SftpInit, Init::begin).unwrap();
        Self { session, line, sftp }
    }

    pub fn set_blocking(&self, blocking: bool) {
        self.session.borrow_mut().settings.blocking = i32::from(blocking);
    }

    /// Runs one call until it does not return `EAGAIN`; each one must come with a direction.
    pub fn call<T>(&self, mut poll: impl FnMut(&mut Session) -> Poll<Result<T>>) -> Result<T> {
        for _ in 0..100_000 {
            match drive(&self.session, &self.line, &mut poll) {
                Err(error) if error.code == Code::Eagain => {
                    let directions = self.session.borrow().block_directions();
                    assert!(directions.read || directions.write);
                }
                result => return result,
            }
        }
        panic!("EAGAIN for ever");
    }

    /// [`World::call`] for operations that rest in slots.
    pub fn finish<O: Op>(&self, owner: Owner, call: Call, begin: impl Fn(&mut Session) -> Result<O>) -> Result<O::Out> {
        for _ in 0..100_000 {
            match resume(&self.session, &self.line, owner, call, &begin) {
                Err(error) if error.code == Code::Eagain => {}
                result => return result,
            }
        }
        panic!("EAGAIN for ever");
    }

    pub fn open(&self) -> FileId {
        let sftp = self.sftp;
        let begin = |session: &mut Session| Open::file(session, sftp, b"file", 0, 0, None);
        self.finish(Owner::Sftp(sftp), Call::SftpOpen, begin).unwrap()
    }
}
