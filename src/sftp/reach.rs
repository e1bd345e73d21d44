//! How much of a file is on its way at a time: as much as speeds it up, and not all that the window allows.
//!
//! OpenSSH's server takes in whatever has come before it carries out the next request, and moves that queue about in its
//! memory: behind a full window of 2 MiB it writes at a fifth of the speed that it has behind 256 KiB. So what is on
//! its way begins with what a line of that length can hold. It is doubled as long as that makes the writes faster, for
//! lines that are faster still and for servers that carry out many writes at a time, and halved as long as that does not
//! make them slower.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// So much may be on its way whatever the line: with less, either side waits for the other.
const LEAST: usize = 256 * 1024;
/// And so much for each millisecond of the round trip, which is 2 Gbit/s.
const PER_MILLISECOND: usize = 256 * 1024;
/// No window is larger.
const MOST: usize = 1 << 30;
/// The speed is taken over so many times the reach.
const STAGE: u64 = 4;
/// After so many stages a longer reach is tried again.
const REST: u32 = 64;

/// How far the writes of a file may be ahead of the server's answers.
#[derive(Debug, Default)]
pub struct Reach {
    /// The bytes that may be on their way; 0 until it is known how long the line is.
    bytes: usize,
    /// A write was kept back; until a good part of the reach is free again, all are.
    is_held: bool,
    /// Bytes that the server has answered.
    answered: u64,
    /// Since when the speed is measured, and how much had been answered by then.
    stage: Option<(Instant, u64)>,
    trial: Trial,
}

/// What is being tried, with the speed before that in bytes per second.
#[derive(Clone, Copy, Debug, Default)]
enum Trial {
    /// Nothing: this is the speed to compare with.
    #[default]
    First,
    /// Twice the reach.
    Longer(u64),
    /// Half the reach.
    Shorter(u64),
    /// Nothing for so many stages.
    Rest(u32),
}

impl Reach {
    /// How many bytes may be on their way.
    pub const fn bytes(&self) -> usize {
        if self.bytes == 0 { MOST } else { self.bytes }
    }

    /// How many bytes may be sent while `under_way` are on their way.
    pub fn room(&self, under_way: usize) -> usize {
        let free = self.bytes().saturating_sub(under_way);
        // A wake-up for each reply would cost more than what it lets through.
        if self.is_held && free < self.bytes().checked_div(4).unwrap_or_default() { 0 } else { free }
    }

    /// A write had to wait, for this or for the window.
    pub const fn held_back(&mut self) {
        self.is_held = true;
    }

    /// A write has been sent.
    pub const fn sent(&mut self) {
        self.is_held = false;
    }

    /// The server has written `bytes` more.
    pub fn answered(&mut self, bytes: usize) {
        self.answered = self.answered.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Draws conclusions from what has been answered until `now`. The server takes `round_trip` to answer anything.
    pub fn look(&mut self, now: Instant, round_trip: Option<Duration>) {
        if self.bytes == 0 {
            let Some(round_trip) = round_trip else { return };
            let microseconds = usize::try_from(round_trip.as_micros()).unwrap_or(usize::MAX);
            let more = microseconds.saturating_mul(PER_MILLISECOND.checked_div(1000).unwrap_or_default());
            self.bytes = LEAST.saturating_add(more).min(MOST);
        }
        let Some((since, before)) = self.stage else {
            self.stage = self.is_held.then_some((now, self.answered));
            return;
        };
        let moved = self.answered.saturating_sub(before);
        if moved >= u64::try_from(self.bytes).unwrap_or(u64::MAX).saturating_mul(STAGE) {
            let took = u64::try_from(now.saturating_duration_since(since).as_micros()).unwrap_or(u64::MAX);
            self.stage = None;
            self.judge(moved.saturating_mul(1_000_000).checked_div(took.max(1)).unwrap_or_default());
        }
    }

    /// The file has been written with that many bytes per second.
    fn judge(&mut self, speed: u64) {
        self.trial = match self.trial {
            Trial::First => self.lengthen(speed),
            Trial::Longer(before) if speed > scaled(before, 5, 4) => self.lengthen(speed),
            Trial::Longer(before) => {
                self.halve();
                self.shorten(before)
            }
            Trial::Shorter(before) if speed > scaled(before, 19, 20) => self.shorten(speed.max(before)),
            Trial::Shorter(_) => {
                self.double();
                Trial::Rest(REST)
            }
            Trial::Rest(stages) => stages.checked_sub(1).map_or(Trial::First, Trial::Rest),
        };
    }

    fn lengthen(&mut self, speed: u64) -> Trial {
        self.double();
        Trial::Longer(speed)
    }

    fn shorten(&mut self, speed: u64) -> Trial {
        if self.bytes <= LEAST {
            return Trial::Rest(REST);
        }
        self.halve();
        Trial::Shorter(speed)
    }

    fn double(&mut self) {
        self.bytes = self.bytes.saturating_mul(2).min(MOST);
    }

    fn halve(&mut self) {
        self.bytes = self.bytes.checked_div(2).unwrap_or_default().max(LEAST);
    }
}

fn scaled(speed: u64, times: u64, parts: u64) -> u64 {
    speed.saturating_mul(times).checked_div(parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Writes for a while to a server whose speed depends on what is on its way; the reach in the end, and how often
    /// it was a longer one than that.
    fn settle(round_trip: Duration, speed: impl Fn(usize) -> u64) -> (usize, usize) {
        let (mut reach, mut now, mut seen) = (Reach::default(), Instant::now(), Vec::new());
        for _ in 0..2000 {
            reach.look(now, Some(round_trip));
            let room = reach.room(0);
            reach.held_back();
            now += Duration::from_micros(room as u64 * 1_000_000 / speed(room));
            reach.answered(room);
            seen.push(room);
        }
        let last = *seen.last().unwrap();
        (last, seen.iter().filter(|room| **room > last).count())
    }

    #[test]
    fn it_is_as_long_as_makes_the_writes_fast() {
        // A server that is no faster for it, and one that gets slower.
        for speed in [(|_| 100_000_000) as fn(usize) -> u64, |room| 20_000_000_000_000 / room as u64] {
            for round_trip in [Duration::ZERO, 10 * MILLISECOND] {
                let (reach, longer) = settle(round_trip, speed);
                assert!(reach < 2 * LEAST && longer < 100, "{reach}, {longer} of 2000");
            }
        }
        // One that carries out everything within 20 ms, up to 8 MiB.
        let (reach, _) = settle(MILLISECOND, |room| room.min(8 << 20) as u64 * 50);
        assert!((8_000_000..17_000_000).contains(&reach), "{reach}");
    }

    fn over(round_trip: Duration) -> Reach {
        let mut reach = Reach::default();
        reach.look(Instant::now(), Some(round_trip));
        reach
    }

    #[test]
    fn a_long_line_is_filled_from_the_beginning() {
        assert_eq!(Reach::default().room(0), MOST);
        assert!(over(8 * MILLISECOND).room(0) > 2 << 20);
        assert_eq!(over(Duration::MAX).room(0), MOST);
        assert_eq!(over(Duration::ZERO).room(MOST), 0);
    }

    #[test]
    fn whoever_was_held_back_waits_for_a_good_part_of_it() {
        let mut reach = over(Duration::ZERO);
        assert_eq!(reach.room(LEAST - 1), 1);
        reach.held_back();
        assert_eq!(reach.room(LEAST - 1), 0);
        assert_eq!(reach.room(LEAST * 3 / 4), LEAST / 4);
        reach.sent();
        assert_eq!(reach.room(LEAST - 1), 1);
    }
}
