//! Servers that end in the middle or flood, programs that come back from within, and what must not be lost or kept then.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use super::{Line, Ways, World};
use crate::error::Code;
use crate::io::Readiness;
use crate::op::{Call, Host, Owner, Transfer, drive, resume, turn};
use crate::session::Disconnect;
use crate::sftp::{Open, Settle, forget, poll_entry, poll_read, poll_write, stat, tell};
use crate::transport::{Tx, message};

fn stat_size(world: &World, host: &dyn Host, path: &'static [u8]) -> Result<u64, Code> {
    let sftp = world.sftp;
    resume(&world.session, host, Owner::Sftp(sftp), Call::SftpStat, |session| stat(session, sftp, path, true))
        .map(|attributes| attributes.size)
        .map_err(|error| error.code)
}

#[test]
fn data_that_came_before_the_end_of_the_channel_is_read() {
    let world = World::new(0, Ways { ends_after: Some(103), ..Ways::default() });
    let data: Vec<u8> = (0..3_500).map(|at| (at / 100) as u8).collect();
    world.line.server.borrow_mut().files.content[0] = data.clone();
    let file = world.open();
    let mut space = [0; 1000];
    assert_eq!(world.call(|session| poll_read(session, file, &mut space)), Ok(1000));
    assert!(space[..] == data[..1000]);
    assert_eq!(tell(&mut world.session.borrow_mut(), file), Ok(1000));
    let error = world.call(|session| poll_read(session, file, &mut space)).unwrap_err();
    assert_eq!(error.code, Code::SocketRecv);
    assert_eq!(tell(&mut world.session.borrow_mut(), file), Ok(1000));
}

#[test]
fn what_was_acknowledged_before_the_end_of_the_channel_is_reported() {
    let world = World::new(0, Ways { window: 140_000, ..Ways::default() });
    let file = world.open();
    world.line.server.borrow_mut().ways.ends_after = Some(101);
    let data = vec![1; 1_000_000];
    assert_eq!(world.call(|session| poll_write(session, file, &data)), Ok(32_768));
    let error = world.call(|session| poll_write(session, file, &data[32_768..])).unwrap_err();
    assert_eq!(error.code, Code::SocketRecv);
}

#[test]
fn a_closed_directory_leaves_nothing_behind() {
    let world = World::new(0, Ways::default());
    let sftp = world.sftp;
    for _ in 0..5 {
        let begin = |session: &mut _| Open::directory(session, sftp, b"directory");
        let directory = world.finish(Owner::Sftp(sftp), Call::SftpOpen, begin).unwrap();
        let end = world.call(|session| poll_entry(session, directory, &mut |_| Ok(())));
        assert_eq!(end, Ok(None));
        world.finish(Owner::File(directory), Call::SftpClose, |session| Settle::close(session, directory)).unwrap();
        forget(&mut world.session.borrow_mut(), directory);
    }
    assert_eq!(stat_size(&world, &world.line, b"name"), Ok(4));
    assert_eq!(world.session.borrow_mut().sftps.get(sftp).unwrap().requests_under_way(), 0);
}

#[test]
fn a_call_that_ran_out_of_its_time_does_not_answer_for_the_next() {
    let world = World::new(0, Ways::default());
    world.session.borrow_mut().settings.timeout = 1000;
    world.line.server.borrow_mut().ways.is_silent = true;
    assert_eq!(stat_size(&world, &world.line, b"a"), Err(Code::Timeout));
    world.line.server.borrow_mut().ways.is_silent = false;
    assert_eq!(stat_size(&world, &world.line, b"long name"), Ok(9));
}

/// A server that sends and never takes anything.
struct Flood<'a> {
    line: &'a Line,
    packet: Vec<u8>,
    left: Cell<usize>,
    /// The time that each packet takes.
    pace: Duration,
    is_hidden: bool,
}

impl<'a> Flood<'a> {
    fn of(line: &'a Line, kind: u8) -> Self {
        let mut tx = Tx::default();
        tx.send(&[&[kind], &[0; 100_000]]).unwrap();
        Self {
            line,
            packet: tx.queue().filled().to_vec(),
            left: Cell::new(500),
            pace: Duration::ZERO,
            is_hidden: false,
        }
    }

    /// One of so many tenths of a second.
    fn lasting(line: &'a Line, tenths: usize) -> Self {
        Self { left: Cell::new(tenths), pace: Duration::from_millis(100), ..Self::of(line, message::IGNORE) }
    }
}

impl Host for Flood<'_> {
    fn send(&self, _: &[u8]) -> Transfer {
        Transfer::WouldBlock
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        let Some(left) = self.left.get().checked_sub(1) else { return self.line.recv(space) };
        self.left.set(left);
        self.line.pass(self.pace);
        space[..self.packet.len()].copy_from_slice(&self.packet);
        Transfer::Moved(self.packet.len())
    }

    fn wait(&self, _: Readiness, timeout: Option<Duration>) -> io::Result<Readiness> {
        let read = self.left.get() > 0;
        if !read {
            self.line.pass(timeout.expect("waits for ever"));
        }
        Ok(Readiness { read, write: false })
    }

    fn now(&self) -> Instant {
        self.line.now()
    }

    fn hides_bytes(&self) -> bool {
        self.is_hidden
    }
}

#[test]
fn a_server_that_asks_and_does_not_listen_is_left() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    let flood = Flood::of(&world.line, message::PING);
    let error = drive(&world.session, &flood, |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::SocketSend);
    assert!(world.session.borrow_mut().transport.tx.queue().len() < 5_000_000);
}

#[test]
fn saying_goodbye_ends_in_time_and_keeps_nothing() {
    let world = World::new(0, Ways::default());
    let flood = Flood::of(&world.line, message::IGNORE);
    let goodbye = resume(&world.session, &flood, Owner::Session, Call::SessionDisconnect, |session| {
        Disconnect::begin(session, 11, b"bye", b"")
    });
    assert_eq!(goodbye.unwrap_err().code, Code::Timeout);
    assert!(world.session.borrow_mut().transport.lend_incoming().unwrap().len() < 1_000_000);
}

#[test]
fn a_server_that_never_stops_sending_does_not_keep_a_call_that_should_not_wait() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    world.set_blocking(false);
    let flood = Flood::lasting(&world.line, 10_000);
    let before = world.line.now();
    let error = drive(&world.session, &flood, |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!((error.code, world.line.now() - before), (Code::Eagain, Duration::from_secs(1)));
    assert!(world.session.borrow().block_directions().read);
    let before = world.line.now();
    turn(&world.session, &flood).unwrap();
    assert_eq!(world.line.now() - before, Duration::from_secs(1));
    // Nothing is lost by that.
    assert_eq!(world.call(|session| poll_write(session, file, b"data")), Ok(4));
    assert_eq!(world.line.server.borrow().files.written, 4);
}

#[test]
fn a_server_that_never_stops_sending_has_the_read_timeout_for_its_reply() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    world.session.borrow_mut().settings.set_read_timeout(7);
    let before = world.line.now();
    let flood = Flood::lasting(&world.line, 10_000);
    let error = drive(&world.session, &flood, |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert_eq!(world.line.now() - before, Duration::from_secs(8), "and a second, for what had come by then");
}

#[test]
fn a_reply_behind_what_came_while_the_program_was_elsewhere_counts() {
    for (tenths, result) in [(9, Ok(4)), (15, Err(Code::Timeout))] {
        let world = World::new(0, Ways::default());
        let file = world.open();
        world.set_blocking(false);
        world.line.server.borrow_mut().ways.is_silent = true;
        let asked = drive(&world.session, &world.line, |session| poll_write(session, file, b"data"));
        assert_eq!(asked.unwrap_err().code, Code::Eagain);
        world.line.server.borrow_mut().ways.is_silent = false;
        world.line.pass(Duration::from_secs(61));
        let flood = Flood::lasting(&world.line, tenths);
        let answered = drive(&world.session, &flood, |session| poll_write(session, file, b"data"));
        assert_eq!(answered.map_err(|error| error.code), result);
    }
}

#[test]
fn what_the_receive_function_holds_back_is_read_to_its_end() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    world.set_blocking(false);
    let flood = Flood { is_hidden: true, ..Flood::lasting(&world.line, 55) };
    let before = world.line.now();
    let error = drive(&world.session, &flood, |session| poll_write(session, file, b"data")).unwrap_err();
    assert_eq!((error.code, world.line.now() - before), (Code::Eagain, Duration::from_millis(5500)));
    let before = world.line.now();
    assert_eq!(turn(&world.session, &Flood::lasting(&world.line, 55)), Ok(true));
    assert_eq!(turn(&world.session, &Flood { is_hidden: true, ..Flood::lasting(&world.line, 55) }), Ok(false));
    assert_eq!(world.line.now() - before, Duration::from_millis(6500));
}

/// A program whose send function calls back into the session.
struct Nosy<'a> {
    world: &'a World,
    inner: Cell<Option<Result<u64, Code>>>,
}

impl Host for Nosy<'_> {
    fn send(&self, bytes: &[u8]) -> Transfer {
        self.inner.set(Some(stat_size(self.world, self, b"nosy")));
        self.world.line.send(bytes)
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        self.world.line.recv(space)
    }

    fn wait(&self, interest: Readiness, timeout: Option<Duration>) -> io::Result<Readiness> {
        self.world.line.wait(interest, timeout)
    }

    fn now(&self) -> Instant {
        self.world.line.now()
    }

    fn hides_bytes(&self) -> bool {
        false
    }
}

#[test]
fn a_call_from_within_the_send_function_is_refused_and_harms_nothing() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    let nosy = Nosy { world: &world, inner: Cell::new(None) };
    assert_eq!(drive(&world.session, &nosy, |session| poll_write(session, file, b"data")), Ok(4));
    assert_eq!(nosy.inner.get(), Some(Err(Code::BadUse)));
    assert_eq!(stat_size(&world, &world.line, b"name"), Ok(4));
}
