//! An SSH server with SFTP in memory, and the program that talks to it: every byte, refusal and tick of the clock comes
//! from a seed. Nothing is encrypted. What is tested with it is in the modules below.
#![forbid(unsafe_code)]

mod advisories;
mod engine;
mod faults;
mod patience;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::auth::Auth;
use crate::error::{Code, Result};
use crate::io::Readiness;
use crate::op::{Call, Host, Op, Owner, Transfer, drive, resume};
use crate::session::Session;
use crate::sftp::{FileId, Init, Open, SftpId};
use crate::transport::{Rx, Transport, Tx, message};
use crate::wire::{Put, Reader};

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

/// How the server and the line behave.
#[derive(Clone, Copy)]
pub struct Ways {
    /// The window of the channel, and how much of it comes back at a time.
    pub window: u32,
    pub packet: u32,
    /// Replies may overtake one another.
    pub shuffles: bool,
    /// Reads in mid-file may be answered short.
    pub answers_short: bool,
    /// The line takes and gives a few bytes at a time, and refuses every now and then.
    pub stutters: bool,
    /// The n-th write from now on fails, and with it every one of which the number is given.
    pub fails_write: Option<usize>,
    /// What `limits@openssh.com` says of packets, reads, writes and open handles; 0 is no limit.
    pub limits: [u64; 4],
    /// Nothing is answered any more.
    pub is_silent: bool,
    /// Global requests are answered, also when nothing else is.
    pub answers_globals: bool,
    /// The channel ends behind the first reply of this type.
    pub ends_after: Option<u8>,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            window: 2 * 1024 * 1024,
            packet: 32 * 1024,
            shuffles: false,
            answers_short: false,
            stutters: false,
            fails_write: None,
            limits: [34_000, 32_768, 32_768, 0],
            is_silent: false,
            answers_globals: false,
            ends_after: None,
        }
    }
}

/// The server.
pub struct Server {
    pub ways: Ways,
    pub file: Vec<u8>,
    /// Bytes of file data that WRITE requests have brought.
    pub written: usize,
    /// Global requests that were to be answered.
    pub asked_globals: usize,
    tx: Tx,
    rx: Rx,
    dice: Dice,
    stream: Vec<u8>,
    replies: VecDeque<Vec<u8>>,
    window_left: u32,
    owed: u32,
}

impl Server {
    fn take(&mut self, bytes: &[u8]) {
        self.rx.queue().put(bytes).unwrap();
        while let Some(range) = self.rx.packet().unwrap() {
            let packet = self.rx.payload(range).to_vec();
            self.handle(&packet);
        }
        self.answer();
    }

    fn handle(&mut self, packet: &[u8]) {
        let mut reader = Reader::new(packet);
        match reader.u8().unwrap() {
            message::CHANNEL_OPEN => {
                let mut reply = vec![message::CHANNEL_OPEN_CONFIRMATION];
                [0, 7, self.ways.window, self.ways.packet].iter().for_each(|field| reply.put_u32(*field).unwrap());
                self.window_left = self.ways.window;
                self.tx.send(&[&reply]).unwrap();
            }
            message::CHANNEL_REQUEST => self.tx.send(&[&[message::CHANNEL_SUCCESS, 0, 0, 0, 0]]).unwrap(),
            message::CHANNEL_DATA => {
                assert_eq!(reader.u32().unwrap(), 7);
                let data = reader.string().unwrap();
                let length = u32::try_from(data.len()).unwrap();
                assert!(length <= self.ways.packet, "packet of {length} bytes");
                self.window_left = self.window_left.checked_sub(length).expect("window is overrun");
                self.owed += length;
                self.stream.extend_from_slice(data);
                self.cut();
            }
            message::CHANNEL_WINDOW_ADJUST | message::CHANNEL_EOF | message::CHANNEL_CLOSE => {}
            message::GLOBAL_REQUEST => {
                reader.string().unwrap();
                let wants_reply = reader.boolean().unwrap();
                self.asked_globals += usize::from(wants_reply);
                if wants_reply && self.ways.answers_globals {
                    self.tx.send(&[&[message::REQUEST_FAILURE]]).unwrap();
                }
            }
            other => panic!("message {other}"),
        }
    }

    /// Handles the SFTP packets that have come whole.
    fn cut(&mut self) {
        while let Some(head) = self.stream.first_chunk::<4>() {
            let size = 4 + u32::from_be_bytes(*head) as usize;
            if self.stream.len() < size {
                return;
            }
            let packet: Vec<u8> = self.stream.drain(..size).skip(4).collect();
            if let Some(reply) = self.sftp(&packet) {
                self.replies.push_back(reply);
            }
        }
    }

    fn sftp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut reader = Reader::new(packet);
        let kind = reader.u8().unwrap();
        let id = reader.u32().unwrap();
        if kind == 1 {
            let mut version = vec![2, 0, 0, 0, 3];
            version.put_string(b"limits@openssh.com").unwrap();
            version.put_string(b"1").unwrap();
            return Some(version);
        }
        let status = |code: u32, text: &[u8]| {
            let mut reply = vec![101];
            reply.put_u32(id).unwrap();
            reply.put_u32(code).unwrap();
            reply.put_string(text).unwrap();
            reply.put_string(b"en").unwrap();
            Some(reply)
        };
        match kind {
            3 => {
                let mut reply = vec![102];
                reply.put_u32(id).unwrap();
                reply.put_string(b"handle").unwrap();
                Some(reply)
            }
            5 => {
                reader.string().unwrap();
                let offset = reader.u64().unwrap() as usize;
                let length = reader.u32().unwrap() as usize;
                let Some(rest) = self.file.get(offset..).filter(|rest| !rest.is_empty()) else {
                    return status(1, b"");
                };
                let whole = length.min(rest.len());
                let length = if self.ways.answers_short { 1 + self.dice.below(whole) } else { whole };
                let mut reply = vec![103];
                reply.put_u32(id).unwrap();
                reply.put_string(&rest[..length]).unwrap();
                Some(reply)
            }
            6 => {
                reader.string().unwrap();
                let offset = reader.u64().unwrap() as usize;
                let data = reader.string().unwrap();
                match &mut self.ways.fails_write {
                    Some(0) => {
                        self.ways.fails_write = None;
                        return status(4, b"No room for that");
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
                self.written += data.len();
                let end = offset + data.len();
                self.file.resize(self.file.len().max(end), 0);
                self.file[offset..end].copy_from_slice(data);
                status(0, b"")
            }
            4 => status(0, b""),
            11 => {
                let mut reply = vec![102];
                reply.put_u32(id).unwrap();
                reply.put_string(b"directory").unwrap();
                Some(reply)
            }
            12 => status(1, b""),
            // The size of a file is the length of its name.
            17 => {
                let path = reader.string().unwrap();
                let mut reply = vec![105];
                reply.put_u32(id).unwrap();
                reply.put_u32(1).unwrap();
                reply.put_u64(path.len() as u64).unwrap();
                Some(reply)
            }
            200 => {
                assert_eq!(reader.string().unwrap(), b"limits@openssh.com");
                let mut reply = vec![201];
                reply.put_u32(id).unwrap();
                self.ways.limits.iter().for_each(|limit| reply.put_u64(*limit).unwrap());
                Some(reply)
            }
            other => panic!("request {other}"),
        }
    }

    /// Sends what is due: window, and replies in whatever order.
    fn answer(&mut self) {
        if self.ways.is_silent {
            return;
        }
        if self.owed > 0 && (self.owed >= self.ways.window / 4 || self.dice.below(3) == 0) {
            let grant = std::mem::take(&mut self.owed);
            self.window_left += grant;
            let mut adjust = vec![message::CHANNEL_WINDOW_ADJUST, 0, 0, 0, 0];
            adjust.put_u32(grant).unwrap();
            self.tx.send(&[&adjust]).unwrap();
        }
        while !self.replies.is_empty() {
            let index = if self.ways.shuffles { self.dice.below(self.replies.len()) } else { 0 };
            let reply = self.replies.remove(index).unwrap();
            let mut stream = Vec::new();
            stream.put_string(&reply).unwrap();
            for piece in stream.chunks(30_000) {
                let mut packet = vec![message::CHANNEL_DATA, 0, 0, 0, 0];
                packet.put_string(piece).unwrap();
                self.tx.send(&[&packet]).unwrap();
            }
            if reply.first() == self.ways.ends_after.as_ref() {
                self.tx.send(&[&[message::CHANNEL_EOF, 0, 0, 0, 0]]).unwrap();
                self.replies.clear();
                self.ways.is_silent = true;
                return;
            }
            if self.ways.shuffles && self.dice.below(4) == 0 {
                return;
            }
        }
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
        self.server.borrow_mut().answer();
        self.now.set(self.now.get() + time);
    }

    fn piece(&self, length: usize) -> Option<usize> {
        if !self.server.borrow().ways.stutters {
            return Some(length);
        }
        let mut dice = self.dice.borrow_mut();
        if dice.below(2) == 0 { None } else { Some(length.min(1 + dice.below(5000))) }
    }
}

impl Host for Line {
    fn send(&self, bytes: &[u8]) -> Transfer {
        self.sends.set(self.sends.get() + 1);
        let Some(size) = self.piece(bytes.len()) else { return Transfer::WouldBlock };
        self.server.borrow_mut().take(&bytes[..size]);
        Transfer::Moved(size)
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        let mut server = self.server.borrow_mut();
        server.answer();
        let ready = server.tx.queue().len().min(space.len());
        drop(server);
        let Some(size) = self.piece(ready).filter(|size| *size > 0) else { return Transfer::WouldBlock };
        let mut server = self.server.borrow_mut();
        let queue = server.tx.queue();
        space[..size].copy_from_slice(&queue.filled()[..size]);
        queue.consume(size);
        Transfer::Moved(size)
    }

    fn wait(&self, interest: Readiness, timeout: Option<Duration>) -> io::Result<Readiness> {
        let mut server = self.server.borrow_mut();
        server.answer();
        let ready = Readiness { read: interest.read && !server.tx.queue().is_empty(), write: interest.write };
        if !ready.read && !ready.write {
            let timeout = timeout.expect("waits for ever for nothing");
            self.now.set(self.now.get() + timeout);
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
        let mut session = Session::new(now).unwrap();
        session.transport = Transport::connected().unwrap();
        session.auth = Auth::logged_in();
        let server = Server {
            ways,
            file: Vec::new(),
            written: 0,
            asked_globals: 0,
            tx: Tx::default(),
            rx: Rx::default(),
            dice: Dice(seed ^ 1),
            stream: Vec::new(),
            replies: VecDeque::new(),
            window_left: 0,
            owed: 0,
        };
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
