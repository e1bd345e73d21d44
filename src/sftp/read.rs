//! The read engine: requests run ahead of the program, further each time that it comes back in sequence.
//!
//! The segments in flight cover the file from the program's position without a gap, each with one `SSH_FXP_READ` under
//! way or its data here. Data of the first segment goes straight into the buffer of a call that waits for it. A segment
//! that is answered short is asked again for what is missing; end of file and refusals count only when everything
//! before them has been delivered.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::file::{Kind, await_reply};
use super::request::Purpose;
use super::status::{Status, unexpected};
use super::{FileId, LAST_OFFSET, message, send, tail};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add};
use crate::patience::Patience;
use crate::session::Session;
use crate::sink::Sink;
use crate::wire::Put;

/// What is asked for beyond the program's position grows up to here: what the channel's window lets come, with the heads.
const MOST_AHEAD: usize = 15 * 1024 * 1024;
/// What data may take beyond two round trips before reaching further stops to pay: clocks, disks and schedulers are not
/// even.
const SLACK: Duration = Duration::from_millis(5);
/// What is asked for ahead is cut into at least so many requests.
const REQUESTS_AHEAD: usize = 4;
/// Data in one request that reads ahead, at least.
const LEAST_REQUEST: usize = 32 * 1024;

/// The reads of an open file.
#[derive(Default)]
pub struct Reads {
    /// The segments in the order of the file; the first one begins at the position.
    flight: VecDeque<Segment>,
    /// The number of the first segment.
    first: u64,
    /// How many bytes the segments cover.
    covered: usize,
    /// How many they should cover while the program reads in sequence.
    ahead: usize,
    /// The server has said that the file ends.
    ended: bool,
    /// What tells whether reaching further pays.
    probe: Probe,
    pub(super) patience: Option<Patience>,
}

/// A piece of the file that has been asked for.
struct Segment {
    offset: u64,
    /// Bytes that have not been delivered.
    left: usize,
    /// Those of them that are here, from `start` on.
    data: Vec<u8>,
    start: usize,
    answer: Answer,
}

/// How long data takes from its request to the program. That is a round trip as long as the line has room for more; more
/// in flight than the line holds only waits, there or with us.
#[derive(Clone, Copy, Debug, Default)]
struct Probe {
    /// The offset of a request under way, when it was made, and how much was to be in flight then.
    sent: Option<(u64, Instant, usize)>,
    /// The shortest time so far.
    least: Option<Duration>,
    /// How much may be in flight, by what is known of the line.
    most: usize,
}

impl Probe {
    /// Data is asked for from `offset` on, as a part of `ahead` bytes.
    fn asked(&mut self, offset: u64, now: Instant, ahead: usize) {
        self.sent.get_or_insert((offset, now, ahead));
    }

    /// Data has reached the program up to `offset`.
    fn delivered(&mut self, offset: u64, now: Instant) {
        let Some((_, since, ahead)) = self.sent.take_if(|(sent, ..)| *sent < offset) else { return };
        let took = now.saturating_duration_since(since);
        let least = self.least.map_or(took, |least| least.min(took));
        self.least = Some(least);
        if took <= least.saturating_mul(2).saturating_add(SLACK) {
            self.most = self.most.max(ahead.saturating_mul(3));
        }
    }
}

/// How a segment has been answered.
enum Answer {
    Awaited,
    /// The data of the reply is coming in.
    Arriving,
    /// The reply had less than was asked for: the rest is to be asked for again.
    Short,
    /// All data is here, or has been delivered.
    Whole,
    EndOfFile,
    /// A data reply without data, which says nothing at all.
    Empty,
    Refused(Status),
}

impl Segment {
    /// The data that is here and has not been delivered.
    fn here(&self) -> &[u8] {
        self.data.get(self.start..).unwrap_or_default()
    }

    /// The first `count` bytes have been delivered.
    fn delivered(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or_default());
    }
}

impl Reads {
    /// Whether nothing has been asked for or is kept.
    pub fn is_idle(&self) -> bool {
        self.flight.is_empty() && !self.ended
    }

    /// Forgets what has been asked for; the next read begins anew. The requests are the caller's to abandon.
    pub fn abandon(&mut self) {
        let next = self.next();
        // The line stays what it is; how far to reach is found anew.
        let probe = Probe { least: self.probe.least, ..Probe::default() };
        *self = Self { first: next, probe, ..Self::default() };
    }

    /// A data reply to read number `index` begins.
    pub fn on_data_begin(&mut self, index: u64, length: usize) -> Result<()> {
        self.patience = None;
        let Some(segment) = self.segment(index) else { return Ok(()) };
        let missing = segment.left.saturating_sub(segment.here().len());
        if length > missing {
            return Err(Error::new(Code::SftpProtocol, "SFTP server sent more data than was asked for"));
        }
        segment.answer = if length == 0 { Answer::Empty } else { Answer::Arriving };
        Ok(())
    }

    /// The next bytes of that reply.
    pub fn on_data(&mut self, index: u64, bytes: &[u8], sink: Option<&mut Sink<'_>>) -> Result<()> {
        self.patience = None;
        let is_first = index == self.first;
        let mut bytes = bytes;
        let mut delivered = 0;
        let Some(segment) = self.segment(index) else { return Ok(()) };
        if let Some(sink) = sink
            && is_first
            && segment.here().is_empty()
        {
            delivered = sink.put(bytes);
            segment.delivered(delivered);
            bytes = bytes.get(delivered..).unwrap_or_default();
        }
        if !bytes.is_empty() {
            if segment.data.capacity() == 0 {
                segment.data = memory::sized(segment.left)?;
            }
            segment.data.put(bytes)?;
        }
        self.covered = self.covered.saturating_sub(delivered);
        Ok(())
    }

    /// All bytes of that reply have come.
    pub fn on_data_end(&mut self, index: u64, sink: Option<&mut Sink<'_>>) {
        if let Some(segment) = self.segment(index)
            && matches!(segment.answer, Answer::Arriving)
        {
            let is_whole = segment.here().len() == segment.left;
            segment.answer = if is_whole { Answer::Whole } else { Answer::Short };
        }
        if let Some(sink) = sink {
            self.deliver(sink);
        }
    }

    /// Takes a reply without data to read number `index`.
    pub fn on_status(&mut self, index: u64, status: Status) {
        self.patience = None;
        let end = status.code == message::FX_EOF;
        self.ended |= end;
        if let Some(segment) = self.segment(index) {
            segment.answer = if end { Answer::EndOfFile } else { Answer::Refused(status) };
        }
    }

    /// Moves what is here and comes next into the waiting buffer.
    fn deliver(&mut self, sink: &mut Sink<'_>) {
        while let Some(segment) = self.flight.front_mut() {
            let taken = sink.put(segment.here());
            segment.start = segment.start.saturating_add(taken);
            segment.delivered(taken);
            self.covered = self.covered.saturating_sub(taken);
            if segment.here().is_empty() {
                segment.data.clear();
                segment.start = 0;
            }
            if segment.left > 0 || !matches!(segment.answer, Answer::Whole) {
                return;
            }
            self.flight.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }

    fn segment(&mut self, index: u64) -> Option<&mut Segment> {
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.flight.get_mut(place)
    }

    /// What was answered short and has not been asked for again: number, offset and length of the first such piece.
    fn missing(&self) -> Option<(u64, u64, usize)> {
        let mut numbered = self.flight.iter().zip(self.first..);
        let (segment, index) = numbered.find(|(segment, _)| matches!(segment.answer, Answer::Short))?;
        let here = segment.here().len();
        let offset = segment.offset.saturating_add(u64::try_from(here).unwrap_or_default());
        Some((index, offset, segment.left.saturating_sub(here)))
    }

    fn next(&self) -> u64 {
        self.first.wrapping_add(u64::try_from(self.flight.len()).unwrap_or_default())
    }
}

/// `libssh2_sftp_read`: ready with the number of bytes put into `space`; 0 at the end of the file.
pub fn poll_read(session: &mut Session, id: FileId, space: &mut [u8]) -> Poll<Result<usize>> {
    let sftp = session.sftps.get(id.sftp)?;
    sftp.last_status = message::FX_OK;
    let file = session.sftps.file(id)?;
    file.must_be(Kind::File)?;
    if space.is_empty() {
        return Poll::Ready(Ok(0));
    }
    if file.position >= LAST_OFFSET {
        return Poll::Ready(Err(session.sftps.get(id.sftp)?.beyond_all_files()));
    }
    let sent = if file.writes.tail().is_empty() { Ok(()) } else { tail::part(session) };
    // The reads follow the writes on the wire, and begin where those end, also where one of them has failed: that is told
    // by the calls that answer for writes.
    let file = session.sftps.file(id)?;
    file.let_go();
    sent?;
    let file = session.sftps.file(id)?;
    let asked = space.len();
    let mut sink = Sink::of_file(id, space);
    file.reads.deliver(&mut sink);
    let pumped = session.pump_into(&mut sink);
    let filled = sink.filled();
    let asked = pumped.and_then(|()| ask(session, id, asked, filled));
    let file = session.sftps.file(id)?;
    if filled > 0 {
        file.position = file.position.saturating_add(u64::try_from(filled).unwrap_or_default());
        return Poll::Ready(Ok(filled));
    }
    asked?;
    let refusal = match file.reads.end() {
        None => return await_reply(session, id, |file| &mut file.reads.patience),
        Some(End::OfFile) => return Poll::Ready(Ok(0)),
        Some(End::Empty) => Error::new(Code::SftpProtocol, "SFTP server answered a read without data"),
        // OK is no answer to a read.
        Some(End::Refused(status)) if status.is_ok() => unexpected(message::STATUS),
        Some(End::Refused(status)) => session.sftps.get(id.sftp)?.refused(&status),
    };
    let sftp = session.sftps.get(id.sftp)?;
    sftp.requests.abandon_reads(id.key);
    if let Some(file) = sftp.files.get_mut(id.key) {
        file.reads.abandon();
    }
    Poll::Ready(Err(refusal))
}

/// Why there is no more data for now.
enum End {
    OfFile,
    Empty,
    Refused(Status),
}

impl Reads {
    fn end(&mut self) -> Option<End> {
        match self.flight.front_mut() {
            None if self.ended => Some(End::OfFile),
            None => None,
            Some(segment) => match std::mem::replace(&mut segment.answer, Answer::Empty) {
                Answer::EndOfFile => {
                    segment.answer = Answer::EndOfFile;
                    Some(End::OfFile)
                }
                Answer::Empty => Some(End::Empty),
                // It is told once.
                Answer::Refused(status) => Some(End::Refused(status)),
                answer @ (Answer::Awaited | Answer::Arriving | Answer::Short | Answer::Whole) => {
                    segment.answer = answer;
                    None
                }
            },
        }
    }
}

/// Asks for what is missing, and for what comes behind it.
fn ask(session: &mut Session, id: FileId, asked: usize, delivered: usize) -> Result<()> {
    let file = session.sftps.file(id)?;
    let position = file.position.saturating_add(u64::try_from(delivered).unwrap_or_default());
    while let Some((index, offset, length)) = session.sftps.file(id)?.reads.missing() {
        send_read(session, id, index, offset, length)?;
        if let Some(segment) = session.sftps.file(id)?.reads.segment(index) {
            segment.answer = Answer::Awaited;
        }
    }
    let now = session.now();
    let most = session.sftps.get(id.sftp)?.limits.read;
    let reads = &mut session.sftps.file(id)?.reads;
    if delivered > 0 {
        reads.probe.delivered(position, now);
        // In sequence: reach further the next time, unless that has been seen not to pay.
        let further = reads.ahead.saturating_add(delivered.saturating_mul(2));
        reads.ahead = reads.ahead.max(further.min(reads.probe.most));
    }
    let left = usize::try_from(LAST_OFFSET.saturating_sub(position)).unwrap_or(usize::MAX);
    reads.ahead = reads.ahead.max(asked).min(MOST_AHEAD).min(left);
    if reads.ended {
        return Ok(());
    }
    let per_request = if reads.ahead > asked {
        reads.ahead.checked_div(REQUESTS_AHEAD).unwrap_or_default().clamp(LEAST_REQUEST.min(most), most)
    } else {
        asked.min(most)
    };
    loop {
        let reads = &mut session.sftps.file(id)?.reads;
        let lacking = reads.ahead.saturating_sub(reads.covered);
        // Whole requests only, but for the first ones.
        if lacking == 0 || (lacking < per_request && !reads.flight.is_empty()) || !session.has_room() {
            return Ok(());
        }
        let reads = &mut session.sftps.file(id)?.reads;
        let length = lacking.min(per_request);
        let offset = position.saturating_add(u64::try_from(reads.covered).unwrap_or_default());
        let index = reads.next();
        reads.flight.room(1)?;
        send_read(session, id, index, offset, length)?;
        let reads = &mut session.sftps.file(id)?.reads;
        reads.probe.asked(offset, now, reads.ahead);
        reads.flight.add(Segment { offset, left: length, data: Vec::new(), start: 0, answer: Answer::Awaited })?;
        reads.covered = reads.covered.saturating_add(length);
    }
}

fn send_read(session: &mut Session, id: FileId, index: u64, offset: u64, length: usize) -> Result<()> {
    let handle = std::mem::take(&mut session.sftps.file(id)?.handle);
    let sent = send(session, id.sftp, message::READ, Purpose::Read { file: id.key, index }, |packet| {
        packet.put_string(&handle)?;
        packet.put_u64(offset)?;
        packet.put_u32(u32::try_from(length).unwrap_or(u32::MAX))
    });
    session.sftps.file(id)?.handle = handle;
    sent.map(|_| ())
}
