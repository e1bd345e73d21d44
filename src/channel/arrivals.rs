//! What has arrived on a program's channel and has not been read yet: a queue for each of its streams.
//!
//! The order in which the streams took turns is kept too, for programs that read all of them as one.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::error::Result;
use crate::memory::Add;
use crate::sink::Sink;
use crate::wire::Put;

/// The stream of `SSH_MSG_CHANNEL_DATA`; every other number is a type of extended data (RFC 4254 section 5.2).
pub const MAIN: u32 = 0;
/// Streams with something to read at a time. The RFC knows two; each costs memory that no window counts.
const MOST_STREAMS: usize = 8;
/// Turns that are told apart in a stream, each of which costs memory as well: those behind them count as one.
const MOST_TURNS: usize = 4096;
/// A queue that has been emptied keeps so much memory, for what comes next.
const KEPT: usize = 256 * 1024;

/// Which streams a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// That one.
    Stream(u32),
    /// All but the main one.
    Extended,
    /// All, as they took turns.
    All,
}

impl Wanted {
    /// Whether it is about that stream.
    pub const fn includes(self, stream: u32) -> bool {
        match self {
            Self::Stream(number) => stream == number,
            Self::Extended => stream != MAIN,
            Self::All => true,
        }
    }
}

/// The streams of a channel.
#[derive(Debug, Default)]
pub struct Arrivals {
    streams: Vec<Stream>,
    /// How often another stream has had its turn.
    turn: u64,
    /// The stream whose turn it is.
    current: u32,
    queued: usize,
}

#[derive(Debug)]
struct Stream {
    number: u32,
    bytes: VecDeque<u8>,
    /// What arrived in each turn of the stream, the oldest in front: turn and bytes.
    turns: VecDeque<(u64, usize)>,
}

impl Arrivals {
    /// Appends to a stream. `false` if there are too many streams, so that the bytes are dropped.
    pub fn put(&mut self, stream: u32, bytes: &[u8]) -> Result<bool> {
        if bytes.is_empty() {
            return Ok(true);
        }
        if stream != self.current {
            self.current = stream;
            self.turn = self.turn.wrapping_add(1);
        }
        let turn = self.turn;
        let Some(queue) = self.stream(stream)? else { return Ok(false) };
        queue.bytes.put(bytes)?;
        let is_last = queue.turns.len() >= MOST_TURNS;
        match queue.turns.back_mut() {
            Some((latest, length)) if *latest == turn || is_last => *length = length.saturating_add(bytes.len()),
            _ => queue.turns.add((turn, bytes.len()))?,
        }
        self.queued = self.queued.saturating_add(bytes.len());
        Ok(true)
    }

    /// Moves what is wanted into the waiting buffer.
    pub fn deliver(&mut self, wanted: Wanted, sink: &mut Sink<'_>) {
        while !sink.is_full()
            && let Some(stream) = self.next(wanted)
        {
            let most = if let Wanted::Stream(_) = wanted { usize::MAX } else { stream.first_turn() };
            let (front, _) = stream.bytes.as_slices();
            let taken = sink.put(front.get(..most).unwrap_or(front));
            stream.consume(taken);
            self.queued = self.queued.saturating_sub(taken);
        }
    }

    /// Forgets what is wanted no more: how many bytes that was.
    pub fn discard(&mut self, wanted: Wanted) -> usize {
        let mut dropped = 0_usize;
        self.streams.retain(|stream| {
            let goes = wanted.includes(stream.number);
            dropped = dropped.saturating_add(if goes { stream.bytes.len() } else { 0 });
            !goes
        });
        self.queued = self.queued.saturating_sub(dropped);
        dropped
    }

    /// How many bytes can be read.
    pub fn len(&self, wanted: Wanted) -> usize {
        match wanted {
            Wanted::All => self.queued,
            _ => self.wanted(wanted).map(|stream| stream.bytes.len()).sum(),
        }
    }

    /// The bytes of the main stream.
    pub fn main(&self) -> impl Iterator<Item = u8> {
        self.wanted(Wanted::Stream(MAIN)).flat_map(|stream| stream.bytes.iter().copied())
    }

    /// Whether there is nothing to read at all.
    pub const fn is_empty(&self) -> bool {
        self.queued == 0
    }

    fn wanted(&self, wanted: Wanted) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(move |stream| wanted.includes(stream.number))
    }

    /// The stream whose bytes come next among those wanted.
    fn next(&mut self, wanted: Wanted) -> Option<&mut Stream> {
        self.streams
            .iter_mut()
            .filter(|stream| wanted.includes(stream.number) && !stream.bytes.is_empty())
            .min_by_key(|stream| stream.turns.front().map(|(turn, _)| *turn))
    }

    fn stream(&mut self, number: u32) -> Result<Option<&mut Stream>> {
        let index = match self.streams.iter().position(|stream| stream.number == number) {
            Some(index) => index,
            None => {
                if self.streams.len() >= MOST_STREAMS {
                    self.streams.retain(|stream| !stream.bytes.is_empty());
                }
                if self.streams.len() >= MOST_STREAMS {
                    return Ok(None);
                }
                self.streams.add(Stream { number, bytes: VecDeque::new(), turns: VecDeque::new() })?;
                self.streams.len().saturating_sub(1)
            }
        };
        Ok(self.streams.get_mut(index))
    }
}

impl Stream {
    /// How many of the bytes in front came in one turn.
    fn first_turn(&self) -> usize {
        self.turns.front().map(|(_, length)| *length).unwrap_or_default()
    }

    fn consume(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
        let mut left = count;
        while left > 0
            && let Some((_, length)) = self.turns.front_mut()
        {
            let gone = left.min(*length);
            left = left.saturating_sub(gone);
            *length = length.saturating_sub(gone);
            if *length == 0 {
                self.turns.pop_front();
            }
        }
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT {
            self.bytes = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelId;

    fn read(arrivals: &mut Arrivals, wanted: Wanted, size: usize) -> String {
        let mut space = vec![0; size];
        let mut sink = Sink::of_channel(ChannelId { number: 0, generation: 0 }, wanted, &mut space);
        arrivals.deliver(wanted, &mut sink);
        let filled = sink.filled();
        space.truncate(filled);
        String::from_utf8(space).unwrap()
    }

    #[test]
    fn turns_without_end_take_no_memory() {
        let mut arrivals = Arrivals::default();
        for _ in 0..3 * MOST_TURNS {
            assert!(arrivals.put(MAIN, b"o").unwrap() && arrivals.put(1, b"e").unwrap());
        }
        assert!(arrivals.streams.iter().all(|stream| stream.turns.len() == MOST_TURNS));
        let all = read(&mut arrivals, Wanted::All, 10 * MOST_TURNS);
        assert_eq!(all.len(), 6 * MOST_TURNS);
        assert!(all.starts_with(&"oe".repeat(MOST_TURNS - 1)));
        assert_eq!(all.matches('e').count(), 3 * MOST_TURNS);
        assert!(arrivals.streams.iter().all(|stream| stream.turns.is_empty()));
    }

    fn talk() -> Arrivals {
        let mut arrivals = Arrivals::default();
        for (stream, text) in [(0, "one "), (0, "two "), (1, "ERR1 "), (0, "three "), (1, "ERR2 "), (7, "?"), (0, "")] {
            assert!(arrivals.put(stream, text.as_bytes()).unwrap());
        }
        arrivals
    }

    #[test]
    fn each_stream_is_read_by_itself() {
        let mut arrivals = talk();
        assert_eq!(arrivals.len(Wanted::Extended), 11);
        assert_eq!(read(&mut arrivals, Wanted::Stream(1), 100), "ERR1 ERR2 ");
        assert_eq!(read(&mut arrivals, Wanted::Stream(MAIN), 5), "one t");
        assert_eq!(read(&mut arrivals, Wanted::Stream(MAIN), 100), "wo three ");
        assert_eq!(read(&mut arrivals, Wanted::Stream(7), 100), "?");
        assert!(arrivals.is_empty());
    }

    #[test]
    fn all_streams_are_read_as_they_took_turns() {
        assert_eq!(read(&mut talk(), Wanted::All, 100), "one two ERR1 three ERR2 ?");
        let mut arrivals = talk();
        let pieces: Vec<String> = (0..9).map(|_| read(&mut arrivals, Wanted::All, 3)).collect();
        assert_eq!(pieces.concat(), "one two ERR1 three ERR2 ?");
        let mut arrivals = talk();
        assert_eq!(read(&mut arrivals, Wanted::Stream(1), 7), "ERR1 ER");
        assert_eq!(read(&mut arrivals, Wanted::All, 100), "one two three R2 ?");
        assert!(arrivals.is_empty());
        assert!(arrivals.put(1, b"new").unwrap() && arrivals.put(0, b" turn").unwrap());
        assert_eq!(read(&mut arrivals, Wanted::All, 100), "new turn");
    }

    #[test]
    fn what_is_discarded_is_counted_and_streams_are_bounded() {
        let mut arrivals = talk();
        assert_eq!(arrivals.discard(Wanted::Extended), 11);
        assert_eq!(arrivals.len(Wanted::All), 14);
        assert_eq!(read(&mut arrivals, Wanted::All, 100), "one two three ");
        for stream in 10..17 {
            assert!(arrivals.put(stream, b"x").unwrap());
        }
        assert!(arrivals.put(17, b"x").unwrap(), "the main stream is empty and makes way");
        assert!(!arrivals.put(18, b"x").unwrap());
        assert_eq!(read(&mut arrivals, Wanted::Stream(12), 1), "x");
        assert!(arrivals.put(18, b"x").unwrap());
        assert_eq!(arrivals.discard(Wanted::All), 8);
        assert!(arrivals.is_empty());
    }
}
