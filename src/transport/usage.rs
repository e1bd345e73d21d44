//! How much one key may do: RFC 4253 section 9, RFC 4344 section 3.
#![forbid(unsafe_code)]

use std::time::Duration;

use crate::error::{Code, Error, Result};

/// Packets that one key may ever protect: the sequence number, which goes into each MAC, must not come again.
const MOST_PACKETS: u64 = 1 << 32;

/// When to exchange keys anew.
#[derive(Clone, Copy, Debug)]
pub struct RekeyLimits {
    /// Bytes in one direction. RFC 4253 says a gigabyte, which is also within what RFC 4344 section 3.2 allows ciphers
    /// with small blocks.
    pub bytes: u64,
    /// Packets in one direction.
    pub packets: u64,
    /// The time that a key is used.
    pub age: Duration,
}

impl Default for RekeyLimits {
    /// What the RFCs advise.
    fn default() -> Self {
        Self { bytes: 1 << 30, packets: 1 << 31, age: Duration::from_secs(60 * 60) }
    }
}

impl RekeyLimits {
    /// Whether one direction has been used enough.
    pub const fn are_reached(&self, usage: &Usage) -> bool {
        usage.bytes >= self.bytes || usage.packets >= self.packets
    }
}

/// What has gone over the key of one direction.
#[derive(Debug, Default)]
pub struct Usage {
    packets: u64,
    bytes: u64,
}

impl Usage {
    /// Whether nothing has.
    pub const fn is_unused(&self) -> bool {
        self.packets == 0
    }

    /// Counts a packet of so many bytes. An error if the peer has let the last chance for new keys go by.
    pub fn count(&mut self, bytes: usize) -> Result<()> {
        if self.packets >= MOST_PACKETS {
            return Err(Error::new(Code::Proto, "Server has let the keys wear out"));
        }
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_reached_by_itself() {
        let limits = RekeyLimits { bytes: 100, packets: 3, age: Duration::MAX };
        let mut usage = Usage::default();
        assert!(usage.is_unused() && !limits.are_reached(&usage));
        usage.count(99).unwrap();
        assert!(!usage.is_unused() && !limits.are_reached(&usage));
        usage.count(1).unwrap();
        assert!(limits.are_reached(&usage));
        let mut usage = Usage::default();
        (0..3).try_for_each(|_| usage.count(1)).unwrap();
        assert!(limits.are_reached(&usage));
    }

    #[test]
    fn a_sequence_number_never_comes_twice_under_one_key() {
        let mut usage = Usage { packets: MOST_PACKETS - 1, bytes: 0 };
        usage.count(1).unwrap();
        assert_eq!(usage.count(1).unwrap_err().code, Code::Proto);
    }
}
