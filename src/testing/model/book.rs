//! What a program knows of one file, by what its calls have returned.
#![forbid(unsafe_code)]

use std::collections::HashSet;

use crate::testing::files::Written;

/// The byte that epoch number `epoch` has for `offset`. Those of two epochs differ in every place.
fn byte(epoch: usize, offset: u64) -> u8 {
    fixed(offset).wrapping_add(epoch as u8)
}

fn fixed(offset: u64) -> u8 {
    (offset.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// As many as one byte can tell apart.
const MOST_EPOCHS: usize = 250;

/// Writes in sequence, with no other place or failure in between: the library may send each byte of it once.
struct Epoch {
    start: u64,
    /// The end of what calls have presented, of what they have returned, and of what is known to be written.
    offered: u64,
    accepted: u64,
    known: u64,
    /// What the server has met: where each write ends, its request, and its status.
    writes: Vec<(u64, u32, u32)>,
}

impl Epoch {
    fn sent(&self) -> u64 {
        self.writes.last().map_or(self.start, |(end, ..)| *end)
    }

    /// The end of what the server has written without a gap, and has said so.
    fn sound(&self, answered: &HashSet<u32>) -> u64 {
        let sound = self.writes.iter().take_while(|(_, id, status)| *status == 0 && answered.contains(id));
        sound.last().map_or(self.start, |(end, ..)| *end)
    }
}

/// What a call answers for that has begun.
pub struct Pledge {
    accepted: Vec<u64>,
    shortest: usize,
    offers: usize,
}

/// One file, across all the times that it is open.
#[derive(Default)]
pub struct Book {
    /// Where the program stands.
    pub position: u64,
    /// The statuses of refused writes that no call has told of.
    pub refused: Vec<u32>,
    /// The bytes that are known, as long as the file may be at most, and how long it is at least.
    bytes: Vec<Option<u8>>,
    shortest: usize,
    epochs: Vec<Epoch>,
    current: Option<usize>,
    /// How often writes have been presented.
    offers: usize,
    /// The last epoch that the server has heard of.
    latest: usize,
    /// The epochs before the last close, and whether one of those closes has failed, so that some may be under way.
    buried: usize,
    is_haunted: bool,
    /// The replies that have left the server.
    pub answered: HashSet<u32>,
}

impl Book {
    /// Whether the program may go on writing.
    pub fn has_room(&self) -> bool {
        self.epochs.len() < MOST_EPOCHS
    }

    /// The next `count` bytes for the server.
    pub fn offer(&mut self, count: usize) -> Vec<u8> {
        let start = self.position;
        self.offers += 1;
        let number = *self.current.get_or_insert_with(|| {
            self.epochs.push(Epoch { start, offered: start, accepted: start, known: start, writes: Vec::new() });
            self.epochs.len() - 1
        });
        let end = start + count as u64;
        let epoch = &mut self.epochs[number];
        epoch.offered = epoch.offered.max(end);
        self.reach(end);
        (start..end).map(|offset| byte(number, offset)).collect()
    }

    /// A call has returned so many of them.
    pub fn accepted(&mut self, count: usize) {
        self.position += count as u64;
        let epoch = &mut self.epochs[self.current.unwrap()];
        epoch.accepted = epoch.accepted.max(self.position);
    }

    /// The server has met a write: it must be the next one of its epoch, with the bytes that are for that place.
    pub fn met(&mut self, written: &Written) {
        let Written { offset, data, id, status, .. } = written;
        let number = usize::from(data[0].wrapping_sub(fixed(*offset)));
        assert!(number < self.epochs.len() && number >= self.latest, "write at {offset} of bytes for another place");
        self.latest = number;
        let epoch = &mut self.epochs[number];
        let end = offset + data.len() as u64;
        assert!((*offset..end).zip(data).all(|(at, had)| *had == byte(number, at)), "bytes for another place");
        assert_eq!(*offset, epoch.sent(), "epoch {number} is not written in sequence");
        assert!(end <= epoch.offered, "bytes that nobody presented");
        epoch.writes.push((end, *id, *status));
        if *status != 0 && number >= self.buried {
            self.refused.push(*status);
        }
    }

    /// `libssh2_sftp_tell64` says this.
    pub fn told(&mut self, place: u64) {
        let Some(number) = self.current else {
            assert_eq!(place, self.position, "tell");
            return;
        };
        let epoch = &mut self.epochs[number];
        let sound = epoch.sound(&self.answered);
        assert!(place >= epoch.known, "tell goes back from {} to {place}", epoch.known);
        assert!(place <= sound.max(epoch.start), "told {place} of {sound} bytes");
        for offset in epoch.known..place {
            self.bytes[offset as usize] = Some(byte(number, offset));
        }
        if place > epoch.known {
            self.shortest = self.shortest.max(place as usize);
        }
        epoch.known = place;
    }

    /// The program turns to another place, or to something else than writing: what is not known to be written may be, or
    /// not.
    pub fn leave(&mut self, place: u64) {
        if let Some(number) = self.current.take() {
            self.blur(number);
        }
        self.position = place;
    }

    /// The file may be so long.
    fn reach(&mut self, end: u64) {
        self.bytes.resize(self.bytes.len().max(end as usize), Some(0));
    }

    /// Nobody knows what of an epoch has been written beyond what is known.
    fn blur(&mut self, number: usize) {
        let (known, offered) = (self.epochs[number].known, self.epochs[number].offered);
        self.reach(offered);
        self.bytes[known as usize..offered as usize].fill(None);
    }

    /// A call has told of a refusal, when all writes had been answered.
    pub fn told_of_refusal(&mut self, place: u64) {
        if let Some(number) = self.current {
            let epoch = &self.epochs[number];
            let sound = epoch.sound(&self.answered);
            assert!(place <= self.position, "goes on at {place}, behind {}", self.position);
            assert!(place <= sound, "goes on at {place}, behind what is written up to {sound}");
            assert!(place >= self.position || place >= sound, "goes back to {place} of {sound}");
        }
        self.forgive();
        self.leave(place);
    }

    /// The program knows that not everything is written that was accepted.
    pub fn forgive(&mut self) {
        self.refused.clear();
        for epoch in &mut self.epochs {
            epoch.accepted = epoch.accepted.min(epoch.sound(&self.answered));
        }
    }

    /// The file is closed.
    pub fn bury(&mut self, is_sound: bool) {
        self.forgive();
        self.buried = self.epochs.len();
        self.is_haunted |= !is_sound;
    }

    /// Whether more has been presented than calls have returned.
    pub fn may_be_under_way(&self) -> bool {
        self.current.is_some_and(|number| self.epochs[number].offered > self.position)
    }

    /// What a call answers for that begins now.
    pub fn pledge(&self) -> Pledge {
        let accepted = self.epochs.iter().map(|epoch| epoch.accepted).collect();
        Pledge { accepted, shortest: self.shortest, offers: self.offers }
    }

    /// A call that answers for what had been accepted has succeeded.
    pub fn keeps(&self, pledge: &Pledge) {
        for (number, (epoch, accepted)) in self.epochs.iter().zip(&pledge.accepted).enumerate() {
            // What has been told of since is not owed any more.
            let (owed, sound) = (epoch.accepted.min(*accepted), epoch.sound(&self.answered));
            assert!(owed <= sound, "epoch {number}: {owed} bytes were accepted, {sound} are written");
        }
    }

    /// A read at the position has given these bytes.
    pub fn read(&mut self, data: &[u8]) {
        let start = self.position as usize;
        if data.is_empty() {
            assert!(start >= self.shortest, "end of file at {start} of at least {}", self.shortest);
        }
        assert!(data.is_empty() || start + data.len() <= self.bytes.len(), "read beyond the end");
        for (at, had) in (start..).zip(data) {
            assert!(self.bytes[at].is_none_or(|known| known == *had), "byte {at} is not what was written");
        }
        self.position += data.len() as u64;
    }

    /// The server says that the file is so long, or was after `pledge`.
    pub fn measured(&self, size: u64, pledge: &Pledge) {
        assert!((pledge.shortest..=self.bytes.len()).contains(&(size as usize)), "{size} bytes long");
    }

    /// What the program knows is so.
    pub fn compare(&self, content: &[u8]) {
        self.measured(content.len() as u64, &self.pledge());
        for (at, had) in content.iter().enumerate() {
            assert!(self.bytes[at].is_none_or(|known| known == *had), "byte {at} of the file is wrong");
        }
    }

    /// Everything that had been sent before `pledge` has been carried out or refused.
    pub fn settle(&mut self, pledge: &Pledge, content: &[u8]) {
        if pledge.offers != self.offers || self.is_haunted {
            return;
        }
        // What is under way may have been carried out already.
        if let Some(number) = self.current {
            self.blur(number);
        }
        self.compare(content);
        self.bytes = content.iter().copied().map(Some).collect();
        self.shortest = content.len();
        if let Some(number) = self.current {
            self.blur(number);
        }
    }
}
