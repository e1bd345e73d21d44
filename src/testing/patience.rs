//! How long a call waits for a server that has fallen silent.

use std::cell::Cell;
use std::task::Poll;
use std::time::Duration;

use super::{Line, Ways, World};
use crate::channel::{Events, News};
use crate::error::Code;
use crate::io::Readiness;
use crate::op::{Call, Host, Op, Outlook, Owner, Transfer, drive, tend};
use crate::session::Session;
use crate::sftp::{Open, poll_read, poll_write};

fn silent() -> (World, crate::sftp::FileId) {
    let world = World::new(0, Ways::default());
    let file = world.open();
    world.line.server.borrow_mut().ways.is_silent = true;
    (world, file)
}

#[test]
fn a_reply_may_take_the_read_timeout() {
    let (world, file) = silent();
    world.session.borrow_mut().settings.set_read_timeout(7);
    let before = world.line.now();
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert_eq!(world.line.now() - before, Duration::from_secs(7));
    let error = world.call(|session| poll_read(session, file, &mut [0; 9])).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
}

#[test]
fn a_call_may_take_the_time_set_for_it() {
    let (world, file) = silent();
    world.session.borrow_mut().settings.timeout = 1500;
    let before = world.line.now();
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!((error.code, world.line.now() - before), (Code::Timeout, Duration::from_millis(1500)));
    // What was sent is not sent again when the server comes back.
    world.line.server.borrow_mut().ways.is_silent = false;
    assert_eq!(world.call(|session| poll_write(session, file, b"data")), Ok(4));
    assert_eq!(world.line.server.borrow().files.written, 4);
}

#[test]
fn a_call_that_may_not_wait_does_not() {
    let (world, file) = silent();
    world.set_blocking(false);
    let before = world.line.now();
    for _ in 0..3 {
        let error = drive(&world.session, &world.line, |session| poll_write(session, file, b"data")).unwrap_err();
        assert_eq!(error.code, Code::Eagain);
        let directions = world.session.borrow().block_directions();
        assert!(directions.read && !directions.write);
    }
    assert_eq!(world.line.now(), before);
}

#[test]
fn waiting_sends_keepalives_and_goes_on() {
    let (world, file) = silent();
    let now = world.line.now();
    world.session.borrow_mut().settings.set_read_timeout(100);
    world.session.borrow_mut().keepalive.configure(false, 30, now);
    let sends = world.line.sends.get();
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert_eq!(world.line.now() - now, Duration::from_secs(100));
    assert_eq!(world.line.sends.get() - sends, 4, "the write, and keepalives after 30, 60 and 90 seconds");
}

#[test]
fn a_reply_that_came_while_the_program_was_elsewhere_counts() {
    let (world, file) = silent();
    world.set_blocking(false);
    let error = drive(&world.session, &world.line, |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::Eagain);
    world.line.server.borrow_mut().ways.is_silent = false;
    world.line.pass(Duration::from_secs(61));
    assert_eq!(drive(&world.session, &world.line, |session| poll_write(session, file, b"data")), Ok(4));
}

#[test]
fn after_a_timeout_the_next_call_waits_anew() {
    let (world, file) = silent();
    assert_eq!(world.call(|session| poll_write(session, file, b"data")).unwrap_err().code, Code::Timeout);
    world.line.server.borrow_mut().ways.is_silent = false;
    assert_eq!(world.call(|session| poll_write(session, file, b"data")), Ok(4));
    assert_eq!(world.line.server.borrow().files.written, 4);
}

/// A line of 3000 bytes a second.
struct Slow<'a> {
    line: &'a Line,
    may_send: Cell<bool>,
    may_recv: Cell<bool>,
}

impl Host for Slow<'_> {
    fn send(&self, bytes: &[u8]) -> Transfer {
        if !self.may_send.replace(false) {
            return Transfer::WouldBlock;
        }
        self.line.send(&bytes[..bytes.len().min(3000)])
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        if !self.may_recv.replace(false) {
            return Transfer::WouldBlock;
        }
        let size = space.len().min(3000);
        self.line.recv(&mut space[..size])
    }

    fn wait(&self, _: Readiness, timeout: Option<Duration>) -> std::io::Result<Readiness> {
        let second = Duration::from_secs(1);
        self.line.pass(timeout.map_or(second, |timeout| timeout.min(second)));
        self.may_send.set(true);
        self.may_recv.set(true);
        Ok(Readiness { read: true, write: true })
    }

    fn now(&self) -> std::time::Instant {
        self.line.now()
    }

    fn hides_bytes(&self) -> bool {
        false
    }
}

#[test]
fn what_is_opened_when_nobody_waits_for_it_any_more_is_closed() {
    const CLOSE: usize = 4;
    let late = Ways { latency: Duration::from_secs(5), ..Ways::default() };
    let closes = |world: &World| world.line.server.borrow().files.requests[CLOSE];
    for directory in [false, true] {
        let world = World::new(0, late);
        let sftp = world.sftp;
        world.session.borrow_mut().settings.timeout = 1000;
        let begin = |session: &mut Session| match directory {
            true => Open::directory(session, sftp, b"name"),
            false => Open::file(session, sftp, b"name", 1, 0, None),
        };
        let error = world.finish(Owner::Sftp(sftp), Call::SftpOpen, begin).unwrap_err();
        assert_eq!((error.code, closes(&world)), (Code::Timeout, 0));
        world.line.pass(Duration::from_secs(5));
        tend(&world.session, &world.line).unwrap();
        assert_eq!(closes(&world), 1);
        assert_eq!(world.session.borrow_mut().sftps.get(sftp).unwrap().open_files(), 0);

        // It has come, and whoever waited for it has gone before looking.
        world.set_blocking(false);
        let mut open = drive(&world.session, &world.line, |session| Poll::Ready(begin(session))).unwrap();
        world.line.pass(Duration::from_secs(5));
        tend(&world.session, &world.line).unwrap();
        assert_eq!(closes(&world), 1);
        open.abandon(&mut world.session.borrow_mut());
        tend(&world.session, &world.line).unwrap();
        assert_eq!(closes(&world), 2);
    }
}

#[test]
fn a_slow_line_is_no_silent_server() {
    let world = World::new(0, Ways { limits: [0; 4], ..Ways::default() });
    let file = world.open();
    let slow = Slow { line: &world.line, may_send: Cell::new(false), may_recv: Cell::new(false) };
    let data = vec![1; 1 << 20];
    let mut written = 0;
    while written < data.len() {
        written += drive(&world.session, &slow, |session| poll_write(session, file, &data[written..])).unwrap();
    }
    let file = world.open();
    let mut space = vec![0; 1 << 20];
    let mut read = 0;
    while read < data.len() {
        read += drive(&world.session, &slow, |session| poll_read(session, file, &mut space)).unwrap();
    }
    assert!(world.line.server.borrow().files.content[0] == data);
}

/// A server that is asked for a sign of life every 10 seconds.
fn watched(ways: Ways) -> (World, crate::sftp::FileId) {
    let world = World::new(0, Ways::default());
    let file = world.open();
    world.line.server.borrow_mut().ways = ways;
    world.session.borrow_mut().settings.set_read_timeout(1000);
    world.session.borrow_mut().keepalive.configure(true, 10, world.line.now());
    (world, file)
}

const SILENT: fn() -> Ways = || Ways { is_silent: true, ..Ways::default() };

#[test]
fn a_server_that_leaves_three_keepalives_unanswered_is_dead() {
    let (world, file) = watched(SILENT());
    let before = world.line.now();
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::SocketDisconnect);
    assert!(error.to_string().contains("3 keepalives"));
    assert_eq!(world.line.now() - before, Duration::from_secs(40), "after 10, 20, 30 seconds, and 10 for the answer");
    assert_eq!(world.call(|session| poll_write(session, file, b"data")).unwrap_err(), error);
}

#[test]
fn a_server_that_answers_keepalives_alone_is_alive() {
    let (world, file) = watched(Ways { answers_globals: true, ..SILENT() });
    let before = world.line.now();
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!((error.code, world.line.now() - before), (Code::Timeout, Duration::from_secs(1000)));
    world.session.borrow_mut().transport.check().unwrap();
    // From then on its silence means something, whatever it has left unanswered for a while.
    world.line.server.borrow_mut().ways.answers_globals = false;
    let before = world.line.now();
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!((error.code, world.line.now() - before), (Code::SocketDisconnect, Duration::from_secs(30)));
}

#[test]
fn the_silence_of_a_server_that_never_answers_keepalives_means_nothing() {
    let (world, file) = watched(Ways::default());
    for _ in 0..20 {
        world.line.pass(Duration::from_secs(10));
        world.call(Session::poll_keepalive).unwrap();
        assert_eq!(world.call(|session| poll_write(session, file, b"data")), Ok(4));
    }
    assert!(world.line.server.borrow().asked_globals < 5, "it is not asked for ever");
    world.line.server.borrow_mut().ways.is_silent = true;
    let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    world.session.borrow_mut().transport.check().unwrap();
}

#[test]
fn keepalives_that_want_no_answer_prove_nothing() {
    let (world, file) = watched(SILENT());
    world.session.borrow_mut().keepalive.configure(false, 10, world.line.now());
    assert_eq!(world.call(|session| poll_write(session, file, b"data")).unwrap_err().code, Code::Timeout);
}

#[test]
fn a_program_that_only_sends_keepalives_hears_the_answers_before_it_judges() {
    for blocking in [true, false] {
        let (world, _) = watched(Ways { answers_globals: true, ..SILENT() });
        world.set_blocking(blocking);
        let send = || drive(&world.session, &world.line, Session::poll_keepalive);
        for _ in 0..20 {
            assert_eq!(send(), Ok(Duration::from_secs(10)));
            world.line.pass(Duration::from_secs(10));
        }
        world.line.server.borrow_mut().ways.answers_globals = false;
        // What had been answered before that is heard in the first of these.
        let sent = (0..).take_while(|_| {
            world.line.pass(Duration::from_secs(10));
            send().is_ok()
        });
        assert!((3..=6).contains(&sent.count()));
        assert_eq!(send().unwrap_err().code, Code::SocketDisconnect);
    }
}

#[test]
fn a_program_that_waits_by_itself_hears_of_a_dead_server() {
    let (world, _) = watched(SILENT());
    world.set_blocking(false);
    let before = world.line.now();
    let mut waits = Vec::new();
    while world.session.borrow().transport.failure().is_none() {
        assert!(waits.len() < 10, "it spins: {waits:?}");
        let outlook = tend(&world.session, &world.line).unwrap();
        let timeout = outlook.timeout.unwrap();
        world.line.pass(timeout);
        waits.push(timeout.as_secs());
    }
    assert_eq!(waits, [10, 10, 10, 10, 0], "until the next one, and then to hear of the end");
    assert_eq!(world.session.borrow().transport.check().unwrap_err().code, Code::SocketDisconnect);
    assert_eq!(world.line.now() - before, Duration::from_secs(40));
    let outlook = tend(&world.session, &world.line).unwrap();
    assert_eq!(outlook, Outlook { directions: Readiness::default(), timeout: Some(Duration::ZERO) });
    let news: Vec<_> = std::iter::from_fn(|| world.session.borrow_mut().next_news()).collect();
    assert_eq!(news, [News { handle: None, events: Events::ENDED }]);
}

#[test]
fn before_the_login_no_keepalive_is_sent() {
    let (world, _) = watched(Ways::default());
    world.session.borrow_mut().auth = crate::auth::Auth::default();
    let sends = world.line.sends.get();
    assert_eq!(world.call(Session::poll_keepalive), Ok(Duration::from_secs(10)));
    assert_eq!(world.line.sends.get(), sends);
}

/// A socket that is full, and takes a few bytes every now and then, if at all.
struct Crawling<'a> {
    line: &'a Line,
    every: Option<u32>,
    seconds: Cell<u32>,
    may_send: Cell<bool>,
}

impl Host for Crawling<'_> {
    fn send(&self, bytes: &[u8]) -> Transfer {
        if !self.may_send.replace(false) {
            return Transfer::WouldBlock;
        }
        self.line.send(&bytes[..bytes.len().min(100)])
    }

    fn recv(&self, _: &mut [u8]) -> Transfer {
        Transfer::WouldBlock
    }

    fn wait(&self, _: Readiness, _: Option<Duration>) -> std::io::Result<Readiness> {
        self.line.pass(Duration::from_secs(1));
        self.seconds.set(self.seconds.get() + 1);
        self.may_send.set(self.every.is_some_and(|every| self.seconds.get().is_multiple_of(every)));
        Ok(Readiness { read: false, write: self.may_send.get() })
    }

    fn now(&self) -> std::time::Instant {
        self.line.now()
    }

    fn hides_bytes(&self) -> bool {
        false
    }
}

#[test]
fn a_full_socket_that_takes_bytes_again_is_a_sign_of_life() {
    for (every, code) in [(Some(20), Code::Timeout), (None, Code::SocketDisconnect)] {
        let (world, file) = watched(SILENT());
        let host = Crawling { line: &world.line, every, seconds: Cell::new(0), may_send: Cell::new(false) };
        let error = drive(&world.session, &host, |session| poll_write(session, file, &[0; 3000])).unwrap_err();
        assert_eq!(error.code, code);
    }
}

#[test]
fn however_often_a_call_is_driven_its_time_counts_once() {
    struct Call<'a>(&'a Line, std::time::Instant);
    impl Host for Call<'_> {
        fn send(&self, bytes: &[u8]) -> Transfer {
            self.0.send(bytes)
        }
        fn recv(&self, space: &mut [u8]) -> Transfer {
            self.0.recv(space)
        }
        fn wait(&self, interest: Readiness, timeout: Option<Duration>) -> std::io::Result<Readiness> {
            self.0.wait(interest, timeout)
        }
        fn now(&self) -> std::time::Instant {
            self.0.now()
        }
        fn began(&self) -> std::time::Instant {
            self.1
        }
        fn hides_bytes(&self) -> bool {
            false
        }
    }
    let (world, file) = silent();
    world.session.borrow_mut().settings.timeout = 1500;
    let host = Call(&world.line, world.line.now());
    world.line.pass(Duration::from_secs(1));
    let before = world.line.now();
    let error = drive(&world.session, &host, |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!((error.code, world.line.now() - before), (Code::Timeout, Duration::from_millis(500)));
    // Too late altogether, but what is there is taken.
    world.line.server.borrow_mut().ways.is_silent = false;
    assert_eq!(drive(&world.session, &host, |session| poll_write(session, file, b"data")), Ok(4));
}

#[test]
fn a_flood_does_not_prolong_the_time_of_a_call() {
    struct Flood<'a>(&'a Line);
    impl Host for Flood<'_> {
        fn send(&self, bytes: &[u8]) -> Transfer {
            self.0.send(bytes)
        }
        fn recv(&self, space: &mut [u8]) -> Transfer {
            self.0.pass(Duration::from_millis(100));
            let mut tx = crate::transport::Tx::default();
            tx.send(&[&[crate::transport::message::IGNORE, 0, 0, 0, 0]]).unwrap();
            let packet = tx.queue().filled();
            space[..packet.len()].copy_from_slice(packet);
            Transfer::Moved(packet.len())
        }
        fn wait(&self, _: Readiness, _: Option<Duration>) -> std::io::Result<Readiness> {
            Ok(Readiness { read: true, write: true })
        }
        fn now(&self) -> std::time::Instant {
            self.0.now()
        }
        // Looked at before there is any wait.
        fn hides_bytes(&self) -> bool {
            true
        }
    }
    let (world, file) = silent();
    world.session.borrow_mut().settings.timeout = 1500;
    let before = world.line.now();
    let error = drive(&world.session, &Flood(&world.line), |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(world.line.now() - before <= Duration::from_millis(1700));
}
