//! How long an operation waits for its reply.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::transport::Tx;

/// The patience of one operation. It lasts from the moment at which everything up to its request has left, so that a
/// slow line does not count as a slow server; until then it lasts as long as something leaves.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How many bytes will have left when the request has.
    mark: u64,
    /// How many of them had left when that was last looked at.
    seen: u64,
    since: Instant,
}

impl Patience {
    /// Patience for the reply to what has just been queued.
    pub fn new(tx: &Tx, now: Instant) -> Self {
        Self { mark: tx.will_have_left(), seen: tx.has_left(), since: now }
    }

    /// When it ends, unless something moves before. Bytes left last at `sent_at`.
    pub fn until(&mut self, tx: &Tx, sent_at: Instant, limit: Duration) -> Option<Instant> {
        let left = tx.has_left().min(self.mark);
        if left != self.seen {
            self.seen = left;
            self.since = sent_at;
        }
        self.since.checked_add(limit)
    }
}
