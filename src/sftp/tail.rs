//! The end of what a file that is written behind has accepted: too little for a request of its own, it waits for more
//! while other writes are on their way. Small requests cost the server as much as large ones.
//!
//! Only one file of a connection has such a tail at a time. It leaves when it is long enough for a request, ahead of any
//! other request that the program makes of its subsystem, and with any bytes that leave but those of the next write.
#![forbid(unsafe_code)]

use super::write::{LEAST_REQUEST, around_data, put_write};
use super::{FileId, check};
use crate::error::Result;
use crate::session::Session;

/// What has become of data that is to be queued.
pub enum Kept {
    /// It should be sent at once.
    No,
    /// Its front waits for more, or there is room for that now.
    Front,
    /// So much waits already that it has to wait itself.
    Full,
}

/// Lets the front of `data` wait, if it is too little for a request. Where not, nothing is left that waits for more.
pub fn keep(session: &mut Session, id: FileId, data: &[u8]) -> Result<Kept> {
    if session.sftps.tail.is_some_and(|other| other != id) {
        // Where that is not possible, the other file's next call tells.
        let _told_later = part(session);
    }
    let most = LEAST_REQUEST.min(session.sftps.get(id.sftp)?.limits.write);
    let writes = &mut session.sftps.file(id)?.writes;
    if !writes.is_for_tail(data, most) {
        return send(session).map(|()| Kept::No);
    }
    let kept = writes.keep(data, most)?;
    let is_full = writes.tail().len() >= most;
    session.sftps.tail = Some(id);
    if is_full {
        send_if_it_fits(session)?;
    }
    let writes = &mut session.sftps.file(id)?.writes;
    if kept > 0 || (is_full && writes.tail().is_empty()) {
        return Ok(Kept::Front);
    }
    writes.hold_back();
    Ok(Kept::Full)
}

/// Sends what waits, unless the window has no room for it and answers are to come, which bring more.
pub fn send_if_it_fits(session: &mut Session) -> Result<()> {
    let Some(id) = session.sftps.tail else { return Ok(()) };
    let Ok(sftp) = session.sftps.get(id.sftp) else { return send(session) };
    let channel = sftp.channel;
    let room = session.channels.get(channel).map_or(0, |channel| channel.room());
    let waits = session.sftps.file(id).is_ok_and(|file| {
        let size = file.writes.tail().len().saturating_add(around_data(&file.handle));
        file.writes.is_waiting() && room < size
    });
    if waits { Ok(()) } else { send(session) }
}

/// Sends what waits, whatever the window: what is about to be queued must not overtake it.
pub fn send(session: &mut Session) -> Result<()> {
    let Some(id) = session.sftps.tail.take() else { return Ok(()) };
    let Ok(file) = session.sftps.file(id) else { return Ok(()) };
    let position = file.position;
    let Some((data, offset)) = file.writes.take_tail(position) else { return Ok(()) };
    let sent = check(session, id.sftp).and_then(|()| put_write(session, id, offset, &data));
    session.sftps.file(id)?.writes.return_tail(data, sent.is_ok());
    if sent.is_err() {
        session.sftps.tail = Some(id);
    }
    sent
}

/// [`send`] before the file goes on elsewhere. What cannot be sent is lost, and the next call that answers for writes
/// tells that.
pub fn part(session: &mut Session) -> Result<()> {
    let sent = send(session);
    if let Err(error) = &sent
        && let Some(id) = session.sftps.tail.take()
    {
        session.sftps.file(id)?.writes.lose_tail(error);
    }
    sent
}
