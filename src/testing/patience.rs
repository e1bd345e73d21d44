//! How long a call waits for a server that has fallen silent.

use std::time::Duration;

use super::{Ways, World};
use crate::error::Code;
use crate::op::{Host, drive};
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
