//! A byte queue in one piece of memory: written at the end, read and dropped at the front.
//!
//! Its memory is zeroed once, when it grows, and then reused: appending costs no second pass over the bytes.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::memory;
use crate::wire::Put;

/// The outgoing and the incoming bytes of a connection each live in one of these.
#[derive(Debug, Default)]
pub struct Buffer {
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// The bytes queued.
    pub fn filled(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes queued, to be changed in place.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// How many bytes are queued.
    pub const fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether nothing is queued.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// At least `least` bytes of room behind the queued ones. They hold old bytes; [`Buffer::commit`] queues them.
    pub fn space(&mut self, least: usize) -> Result<&mut [u8]> {
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        }
        if self.memory.len().saturating_sub(self.end) < least {
            self.make_room(least)?;
        }
        Ok(self.memory.get_mut(self.end..).unwrap_or_default())
    }

    /// Queues the first `count` bytes of the space.
    pub fn commit(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.memory.len());
    }

    /// Drops the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Moves the queued bytes to the front if enough have been dropped there, and takes more memory only where that does
    /// not do.
    fn make_room(&mut self, least: usize) -> Result<()> {
        // A peer that takes a byte at a time must not have all the others moved for each: so every byte that is dropped
        // pays for four. What is left in front of them is less than a quarter, with which memory doubles at most.
        if self.start > self.len() / 4 {
            self.memory.copy_within(self.start..self.end, 0);
            self.end = self.len();
            self.start = 0;
        }
        let needed = self.end.checked_add(least).ok_or_else(Error::alloc)?;
        if needed > self.memory.len() {
            let size = needed.checked_next_power_of_two().unwrap_or(needed);
            memory::extend(&mut self.memory, size)?;
        }
        Ok(())
    }
}

impl Put for Buffer {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let space = self.space(bytes.len())?;
        if let Some((room, _)) = space.split_at_mut_checked(bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.commit(bytes.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for round in 0..1000_u32 {
            let bytes = vec![round as u8; (round % 37) as usize];
            buffer.put(&bytes).unwrap();
            expected.extend_from_slice(&bytes);
            let drop = (round as usize * 7 % 31).min(expected.len());
            assert_eq!(buffer.filled(), expected);
            buffer.consume(drop);
            expected.drain(..drop);
        }
        assert_eq!(buffer.len(), expected.len());
    }

    #[test]
    fn bytes_are_moved_only_for_those_that_have_been_dropped() {
        for (queued, piece) in [(4000, 1), (4000, 90), (4096, 1000), (5000, 4000)] {
            let mut buffer = Buffer::default();
            buffer.put(&vec![1; queued]).unwrap();
            let (mut moved, mut dropped) = (0, 0);
            for _ in 0..20_000 {
                buffer.consume(piece);
                dropped += piece;
                let start = buffer.start;
                buffer.put(&vec![2; piece]).unwrap();
                moved += if buffer.start < start { queued - piece } else { 0 };
            }
            assert!(moved <= 4 * dropped, "{moved} bytes for {dropped}");
            assert!(buffer.memory.len() <= 2 * (queued + piece).next_power_of_two());
            assert_eq!(buffer.len(), queued);
        }
    }

    #[test]
    fn an_emptied_buffer_does_not_grow() {
        let mut buffer = Buffer::default();
        for _ in 0..1000 {
            buffer.put(&[1; 100]).unwrap();
            buffer.consume(100);
        }
        assert_eq!(buffer.memory.len(), 128);
    }
}
