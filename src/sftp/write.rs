//! The write engine: as many `SSH_FXP_WRITE` in flight as the data and the window allow.
//!
//! Three marks move along a file: *reported*, what calls have returned (the file's position); *acknowledged*, what the
//! server has carried out without a gap; *queued*, what has been handed to the transport. A call presents the bytes
//! from *reported* on. Those below *queued* are on their way and are not looked at again; the rest is cut into requests.
//! The call is over as soon as something beyond *reported* is acknowledged. After a refusal nothing more is sent; once
//! every reply has come the call fails, with all three marks where the program last knew them to be.
//!
//! With write-behind *reported* may run ahead of *acknowledged*: a call is over as soon as something is queued, and all
//! three marks fall back to *acknowledged* when the refusal is told, which the next call that can tell it does.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::task::Poll;

use super::file::{Kind, await_reply};
use super::reach::Reach;
use super::request::Purpose;
use super::status::Status;
use super::tail::Kept;
use super::{FileId, LAST_OFFSET, SftpId, check, message, put, set_length, tail};
use crate::error::{Error, Result};
use crate::memory::Add;
use crate::patience::Patience;
use crate::session::Session;
use crate::wire::Put;

/// Data in one request, unless the server takes less: so much that its reply is cheap beside it.
pub(super) const LEAST_REQUEST: usize = 32 * 1024;
/// A program's buffer is cut into at least so many requests, so that the server writes one while we send the next.
const REQUESTS_PER_CALL: usize = 4;
/// Handles up to this length fit beside the data that servers say they take; those of the draft have 256 bytes at most.
const HANDLE_LENGTH: usize = 900;
/// What is left of the window is used for a request of at least this size.
const LEAST_FRAGMENT: usize = 16 * 1024;

/// The writes of an open file that no call has reported.
#[derive(Default)]
pub struct Writes {
    /// The writes in the order of the file, the oldest one not yet part of *acknowledged* in front.
    flight: VecDeque<Write>,
    /// The number of the write in front.
    first: u64,
    /// How many bytes may be reported that are not acknowledged.
    pub behind: usize,
    /// How many bytes are: from *acknowledged* to *reported*.
    ahead: usize,
    /// Bytes have been reported that were not acknowledged, and replies to come may be those to them.
    is_unsure: bool,
    /// Bytes from *reported* to *acknowledged*.
    acknowledged: usize,
    /// Bytes from *reported* to *queued*.
    queued: usize,
    /// The last bytes before *queued*, if they have not been sent, see `tail.rs`.
    tail: Vec<u8>,
    /// Replies to come, those for writes that a seek has let go included.
    awaited: usize,
    /// How many bytes may be on their way.
    reach: Reach,
    /// The first refusal.
    failure: Option<Status>,
    /// For the next reply.
    pub(super) patience: Option<Patience>,
}

struct Write {
    length: usize,
    done: bool,
}

impl Writes {
    /// Bytes acknowledged that no call has reported.
    pub fn acknowledged(&self) -> u64 {
        u64::try_from(self.acknowledged).unwrap_or(u64::MAX)
    }

    /// Bytes reported that are not acknowledged.
    pub fn ahead(&self) -> u64 {
        u64::try_from(self.ahead).unwrap_or(u64::MAX)
    }

    /// Whether bytes are on their way that no call has reported.
    pub const fn is_unreported(&self) -> bool {
        self.queued > 0
    }

    /// Whether the program has been told of writes that may still fail, or have failed.
    pub const fn may_have_lied(&self) -> bool {
        !self.tail.is_empty() || ((self.is_unsure || self.behind > 0) && (self.awaited > 0 || self.failure.is_some()))
    }

    /// How many replies are to come.
    pub const fn awaited(&self) -> usize {
        self.awaited
    }

    /// Whether replies are to come.
    pub const fn is_waiting(&self) -> bool {
        self.awaited > 0
    }

    /// The refusal that no call has reported, if there is one.
    pub const fn take_failure(&mut self) -> Option<Status> {
        self.is_unsure &= self.awaited > 0 || !self.tail.is_empty();
        self.failure.take()
    }

    /// No call will report the writes under way.
    pub fn abandon(&mut self) {
        self.first = self.next();
        self.flight.clear();
        self.ahead = 0;
        self.acknowledged = 0;
        self.queued = 0;
        self.tail.clear();
    }

    /// The bytes that wait for more.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Whether `data` is too little for a request of its own while other writes are on their way, one of `most` bytes.
    pub fn is_for_tail(&self, data: &[u8], most: usize) -> bool {
        self.behind > 0 && self.is_waiting() && (data.len() < most || !self.tail.is_empty())
    }

    /// Lets the front of `data` wait, so that at most `most` bytes do: how much.
    pub fn keep(&mut self, data: &[u8], most: usize) -> Result<usize> {
        let room = most.saturating_sub(self.tail.len()).min(self.allowance());
        let kept = data.get(..room).unwrap_or(data);
        self.tail.put(kept)?;
        self.queued = self.queued.saturating_add(kept.len());
        Ok(kept.len())
    }

    /// Takes out what waits, and where in the file it belongs when that stands at `position`. After a refusal nothing is
    /// sent any more.
    pub fn take_tail(&mut self, position: u64) -> Option<(Vec<u8>, u64)> {
        if self.tail.is_empty() || self.failure.is_some() {
            return None;
        }
        let tail = std::mem::take(&mut self.tail);
        let of = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let offset = position.saturating_add(of(self.queued)).saturating_sub(of(tail.len()));
        Some((tail, offset))
    }

    /// Gives back what [`Writes::take_tail`] took. If it has been sent, its memory is for the next one.
    pub fn return_tail(&mut self, mut tail: Vec<u8>, is_sent: bool) {
        if is_sent {
            self.launch(tail.len());
            tail.clear();
        }
        self.tail = tail;
    }

    /// What waits will not be sent, for that reason, which counts as a refusal.
    pub fn lose_tail(&mut self, reason: &Error) {
        self.tail.clear();
        self.failure.get_or_insert_with(|| Status::not_sent(reason));
    }

    /// A write has to wait.
    pub const fn hold_back(&mut self) {
        self.reach.held_back();
    }

    /// Takes the server's reply to write number `index`.
    pub fn on_status(&mut self, index: u64, status: Status) {
        self.awaited = self.awaited.saturating_sub(1);
        self.patience = None;
        if !status.is_ok() {
            self.failure.get_or_insert(status);
            return;
        }
        self.is_unsure &= self.awaited > 0 || self.failure.is_some() || !self.tail.is_empty();
        // Let go by a seek, if it is not among those in flight.
        let place = index.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        if let Some(write) = place.and_then(|place| self.flight.get_mut(place)) {
            write.done = true;
        }
        while let Some(Write { length, done: true }) = self.flight.front() {
            let reported = self.ahead.min(*length);
            self.ahead = self.ahead.saturating_sub(reported);
            self.acknowledged = self.acknowledged.saturating_add(length.saturating_sub(reported));
            self.reach.answered(*length);
            self.flight.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }

    fn next(&self) -> u64 {
        self.first.wrapping_add(u64::try_from(self.flight.len()).unwrap_or_default())
    }

    /// A write has been sent; room for it has been made.
    fn queue(&mut self, length: usize) {
        self.queued = self.queued.saturating_add(length);
        self.launch(length);
    }

    fn launch(&mut self, length: usize) {
        let _ = self.flight.add(Write { length, done: false });
        self.awaited = self.awaited.saturating_add(1);
        self.patience = None;
        self.reach.sent();
    }

    /// Reports at most `count` acknowledged bytes.
    fn report(&mut self, count: usize) -> usize {
        let reported = self.acknowledged.min(count);
        self.acknowledged = self.acknowledged.saturating_sub(reported);
        self.queued = self.queued.saturating_sub(reported);
        reported
    }

    /// Reports at most `count` queued bytes, acknowledged or not.
    fn accept(&mut self, count: usize) -> usize {
        let accepted = self.queued.min(count);
        let known = self.report(accepted);
        let unknown = accepted.saturating_sub(known);
        self.queued = self.queued.saturating_sub(unknown);
        self.ahead = self.ahead.saturating_add(unknown);
        self.is_unsure |= unknown > 0;
        accepted
    }

    /// How many bytes may be queued before some are acknowledged.
    fn allowance(&self) -> usize {
        let unacknowledged = self.ahead.saturating_add(self.queued).saturating_sub(self.acknowledged);
        let may_lie = if self.behind == 0 { usize::MAX } else { self.behind.saturating_sub(unacknowledged) };
        may_lie.min(self.reach.room(unacknowledged))
    }
}

/// `libssh2_sftp_write`: ready with the number of bytes of `data` that the server has written, or that are on their way
/// where the file is written behind; at least 1 unless `data` is empty.
pub fn poll_write(session: &mut Session, id: FileId, data: &[u8]) -> Poll<Result<usize>> {
    let pumped = session.pump();
    let (now, round_trip) = (session.now(), session.round_trip);
    let file = session.sftps.file(id)?;
    file.must_be(Kind::File)?;
    if data.is_empty() {
        return Poll::Ready(Ok(0));
    }
    file.writes.reach.look(now, round_trip);
    let may_queue = pumped.is_ok() && file.writes.failure.is_none();
    let was_waiting = file.writes.is_waiting();
    let queued =
        if may_queue { cancel_read_ahead(session, id).and_then(|()| queue(session, id, data)) } else { pumped };
    let file = session.sftps.file(id)?;
    if file.writes.failure.is_none() {
        // What is known to be written is reported even when nothing more can be.
        let is_behind = file.writes.behind > 0;
        let reported = if is_behind { file.writes.accept(data.len()) } else { file.writes.report(data.len()) };
        if reported > 0 {
            file.position = file.position.saturating_add(u64::try_from(reported).unwrap_or_default());
            if is_behind && was_waiting {
                session.linger();
            }
            return Poll::Ready(Ok(reported));
        }
    }
    queued?;
    if !file.writes.is_waiting()
        && let Some(status) = file.writes.take_failure()
    {
        file.fall_back();
        return Poll::Ready(Err(session.sftps.get(id.sftp)?.refused(&status)));
    }
    await_reply(session, id, |file| &mut file.writes.patience)
}

/// Lets files that are opened from now on be written `behind` bytes ahead of the server's answers.
pub fn write_behind(session: &mut Session, id: SftpId, behind: usize) -> Result<()> {
    session.sftps.get(id)?.write_behind = behind;
    Ok(())
}

/// The same for an open file.
pub fn write_file_behind(session: &mut Session, id: FileId, behind: usize) -> Result<()> {
    let file = session.sftps.file(id)?;
    file.must_be(Kind::File)?;
    file.writes.behind = behind;
    Ok(())
}

/// Cuts what is not yet on its way into requests, as far as the window and the socket keep up.
fn queue(session: &mut Session, id: FileId, data: &[u8]) -> Result<()> {
    check(session, id.sftp)?;
    let sftp = session.sftps.get(id.sftp)?;
    sftp.last_status = message::FX_OK;
    let most = sftp.limits.write;
    let file = sftp.files.get(id.key).ok_or_else(Error::alloc)?;
    // Not even what is on its way already could be.
    let end = u64::try_from(data.len()).ok().and_then(|length| file.position.checked_add(length));
    if end.is_none_or(|end| end > LAST_OFFSET) {
        return Err(sftp.beyond_all_files());
    }
    let reach = file.writes.reach.bytes();
    // A long handle takes the place of data.
    let most = most.saturating_sub(file.handle.len().saturating_sub(HANDLE_LENGTH)).max(1);
    let per_request =
        data.len().min(reach).checked_div(REQUESTS_PER_CALL).unwrap_or_default().clamp(LEAST_REQUEST.min(most), most);
    loop {
        let Some(rest) = data.get(session.sftps.file(id)?.writes.queued..).filter(|rest| !rest.is_empty()) else {
            return Ok(());
        };
        if !session.has_room() {
            return Ok(());
        }
        match tail::keep(session, id, rest)? {
            Kept::No => {}
            Kept::Front => continue,
            Kept::Full => return Ok(()),
        }
        let sent = send_one(session, id, rest.get(..per_request).unwrap_or(rest))?;
        if sent == 0 {
            return Ok(());
        }
    }
}

/// Sends one request with the front of `data`: how much of it, which is nothing while the window has no use for it.
fn send_one(session: &mut Session, id: FileId, data: &[u8]) -> Result<usize> {
    let sftp = session.sftps.get(id.sftp)?;
    let window = session.channels.get(sftp.channel)?.room();
    let file = session.sftps.file(id)?;
    let offset = file.position.saturating_add(u64::try_from(file.writes.queued).unwrap_or(u64::MAX));
    let allowance = file.writes.allowance();
    let room = window.saturating_sub(around_data(&file.handle)).min(allowance);
    let fits = if room >= data.len() || room >= LEAST_FRAGMENT {
        room.min(data.len())
    } else if file.writes.is_waiting() {
        file.writes.hold_back();
        0
    } else {
        // Nobody would open the window for us: send, and let the rest of the request wait for it.
        data.len().min(allowance)
    };
    let data = data.get(..fits).unwrap_or_default();
    if fits > 0 {
        put_write(session, id, offset, data)?;
        session.sftps.file(id)?.writes.queue(fits);
    }
    Ok(fits)
}

/// Bytes of a WRITE that are not data.
pub(super) const fn around_data(handle: &[u8]) -> usize {
    /// Length, type, id, length of the handle, offset, and length of the data.
    const FIELDS: usize = 4 + 1 + 4 + 4 + 8 + 4;
    handle.len().saturating_add(FIELDS)
}

/// Queues one request, whatever the window; it is then to be noted among the file's writes, for which there is room.
pub(super) fn put_write(session: &mut Session, id: FileId, offset: u64, data: &[u8]) -> Result<()> {
    let sftp = session.sftps.get(id.sftp)?;
    let channel = session.channels.get(sftp.channel)?;
    let file = sftp.files.get_mut(id.key).ok_or_else(Error::alloc)?;
    sftp.requests.room()?;
    file.writes.flight.room(1)?;
    let mut packet = std::mem::take(&mut sftp.packet);
    packet.clear();
    packet.put_u32(0)?;
    packet.put_u8(message::WRITE)?;
    packet.put_u32(sftp.requests.next())?;
    packet.put_string(&file.handle)?;
    packet.put_u64(offset)?;
    packet.put_u32(u32::try_from(data.len()).map_err(|_| Error::alloc())?)?;
    set_length(&mut packet, data.len())?;
    put(channel, &mut session.transport.tx, &packet, data)?;
    sftp.requests.add(Purpose::Write { file: id.key, index: file.writes.next() });
    sftp.packet = packet;
    Ok(())
}

/// Reading ahead has not moved the position, but its data would be in the way of what is written now.
fn cancel_read_ahead(session: &mut Session, id: FileId) -> Result<()> {
    let sftp = session.sftps.get(id.sftp)?;
    if let Some(file) = sftp.files.get_mut(id.key)
        && !file.reads.is_idle()
    {
        file.reads.abandon();
        sftp.requests.abandon_reads(id.key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u32) -> Status {
        Status::read(message::STATUS, &code.to_be_bytes()).unwrap()
    }

    fn in_flight(lengths: &[usize]) -> Writes {
        let mut writes = Writes::default();
        lengths.iter().for_each(|length| writes.queue(*length));
        writes
    }

    #[test]
    fn only_what_is_acknowledged_without_a_gap_is_reported() {
        let mut writes = in_flight(&[10, 20, 30]);
        writes.on_status(1, status(message::FX_OK));
        assert_eq!(writes.report(100), 0);
        writes.on_status(0, status(message::FX_OK));
        assert_eq!(writes.acknowledged(), 30);
        assert_eq!(writes.report(25), 25);
        assert_eq!((writes.report(100), writes.report(100)), (5, 0));
        assert_eq!((writes.queued, writes.is_waiting()), (30, true));
        writes.on_status(2, status(message::FX_OK));
        assert_eq!((writes.report(100), writes.queued, writes.is_waiting()), (30, 0, false));
    }

    #[test]
    fn what_was_accepted_is_reported_once_and_acknowledged_later() {
        let mut writes = in_flight(&[10, 20]);
        writes.behind = 50;
        assert_eq!(writes.allowance(), 20);
        assert_eq!((writes.accept(25), writes.accept(25), writes.accept(25)), (25, 5, 0));
        assert_eq!((writes.ahead(), writes.is_unreported()), (30, false));
        writes.on_status(0, status(message::FX_OK));
        writes.queue(7);
        assert_eq!((writes.ahead(), writes.acknowledged(), writes.allowance()), (20, 0, 23));
        writes.on_status(2, status(message::FX_OK));
        writes.on_status(1, status(message::FX_OK));
        assert_eq!((writes.ahead(), writes.acknowledged(), writes.allowance()), (0, 7, 50));
        assert_eq!((writes.accept(100), writes.ahead()), (7, 0));
        assert!(!writes.may_have_lied());
    }

    #[test]
    fn a_tail_is_sent_from_where_it_was_accepted() {
        let mut writes = in_flight(&[10]);
        writes.behind = 100;
        assert!(writes.is_for_tail(&[0; 5], 8) && !writes.is_for_tail(&[0; 8], 8));
        assert_eq!((writes.keep(&[1; 5], 8).unwrap(), writes.keep(&[2; 5], 8).unwrap()), (5, 3));
        assert!(writes.is_for_tail(&[0; 8], 8), "nothing overtakes it");
        // 12 bytes of 18 are reported, so that the file stands at 12.
        assert_eq!(writes.accept(12), 12);
        let (tail, offset) = writes.take_tail(12).unwrap();
        assert_eq!((tail.as_slice(), offset), (&[1, 1, 1, 1, 1, 2, 2, 2][..], 10));
        writes.return_tail(tail, false);
        assert_eq!(writes.accept(100), 6);
        let (tail, offset) = writes.take_tail(18).unwrap();
        assert_eq!((tail.len(), offset), (8, 10));
        writes.return_tail(tail, true);
        assert!(writes.take_tail(18).is_none());
        writes.on_status(0, status(message::FX_OK));
        writes.on_status(1, status(message::FX_OK));
        assert_eq!((writes.ahead(), writes.acknowledged(), writes.is_waiting()), (0, 0, false));
        assert!(!writes.is_for_tail(&[0; 5], 8), "nobody would send it");
    }

    #[test]
    fn no_tail_is_sent_after_a_refusal() {
        let mut writes = in_flight(&[10]);
        writes.behind = 100;
        writes.keep(&[1; 5], 8).unwrap();
        assert_eq!(writes.accept(100), 15);
        writes.on_status(0, status(message::FX_FAILURE));
        assert!(writes.take_tail(15).is_none() && writes.may_have_lied());
        writes.abandon();
        assert!(writes.tail().is_empty() && writes.take_failure().is_some());
    }

    #[test]
    fn replies_to_writes_that_were_let_go_are_counted_and_their_failure_is_kept() {
        let mut writes = in_flight(&[10, 20]);
        writes.abandon();
        assert_eq!((writes.acknowledged(), writes.queued), (0, 0));
        writes.queue(5);
        writes.on_status(0, status(message::FX_OK));
        assert_eq!(writes.acknowledged(), 0);
        writes.on_status(2, status(message::FX_OK));
        assert_eq!(writes.acknowledged(), 5);
        writes.on_status(1, status(message::FX_FAILURE));
        assert!(!writes.is_waiting());
        assert_eq!(writes.take_failure().map(|status| status.code), Some(message::FX_FAILURE));
    }
}
