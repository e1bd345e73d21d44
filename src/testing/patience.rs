//! How long a call waits for a server that has fallen silent.

use std::cell::Cell;
use std::time::Duration;

use super::{Line, Ways, World};
use crate::error::Code;
use crate::io::Readiness;
use crate::op::{Host, Transfer, drive};
use crate::sftp::{poll_read, poll_write};

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
    assert_eq!(world.line.server.borrow().written, 4);
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
    assert_eq!(world.line.server.borrow().written, 4);
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
    assert!(world.line.server.borrow().file == data);
}
