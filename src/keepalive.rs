//! Keepalives: global requests that show a silent connection to be in use, and a dead server to be dead. OpenSSH does
//! the same under its own name.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::global::Globals;
use crate::transport::Tx;

/// So many in a row without a sign of life are the end, as OpenSSH's `ServerAliveCountMax` has it.
const MOST_IN_VAIN: usize = 3;

/// When to send one.
#[derive(Debug, Default)]
pub struct Keepalive {
    want_reply: bool,
    interval: Duration,
    last: Option<Instant>,
    configured: Option<Instant>,
    /// How many were to be answered since the server last gave a sign of life.
    in_vain: usize,
}

impl Keepalive {
    /// Sends one every `seconds`, none if that is 0. One second is too little for C callers that count in seconds, so
    /// it is two.
    pub fn configure(&mut self, want_reply: bool, seconds: u32, now: Instant) {
        let seconds = if seconds == 1 { 2 } else { seconds };
        let interval = Duration::from_secs(seconds.into());
        *self = Self { want_reply, interval, last: self.last, configured: Some(now), in_vain: 0 };
    }

    /// The time between two, 0 for none.
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// Sends one if it is due; the first call always does. How long until the next one.
    pub fn send_if_due(&mut self, tx: &mut Tx, globals: &mut Globals, now: Instant) -> Result<Duration> {
        if self.interval.is_zero() {
            return Ok(Duration::ZERO);
        }
        if let Some(next) = self.next().filter(|next| *next > now) {
            return Ok(next.saturating_duration_since(now));
        }
        let asks = self.want_reply && !self.is_never_answered(globals);
        globals.send_keepalive(tx, b"keepalive@libssh2.org", asks)?;
        self.last = Some(now);
        self.in_vain = self.in_vain.saturating_add(usize::from(asks));
        Ok(self.interval)
    }

    /// When a call that waits has to send one.
    pub fn due(&self) -> Option<Instant> {
        if self.interval.is_zero() {
            return None;
        }
        self.last.max(self.configured)?.checked_add(self.interval)
    }

    /// The server has given a sign of life.
    pub const fn heard(&mut self) {
        self.in_vain = 0;
    }

    /// Whether the last ones have all been in vain, and each had an interval to be answered in.
    pub fn is_in_vain(&self, globals: &Globals, now: Instant) -> bool {
        self.in_vain >= MOST_IN_VAIN && self.due().is_some_and(|due| due <= now) && !self.is_never_answered(globals)
    }

    /// Some servers answer none, whatever RFC 4254 section 4 says: silence means nothing then. They are known by what
    /// they left unanswered while they spoke of other things. One answer may have crossed the last of those.
    fn is_never_answered(&self, globals: &Globals) -> bool {
        let (answered, unanswered) = globals.keepalives();
        !answered && unanswered > self.in_vain.saturating_add(1)
    }

    fn next(&self) -> Option<Instant> {
        self.last?.checked_add(self.interval)
    }
}

/// Why the connection has ended.
pub const fn dead() -> Error {
    Error::new(
        Code::SocketDisconnect,
        "Server is taken for dead: it has answered none of 3 keepalives, and said nothing else",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_sent_at_once_and_then_at_each_interval() {
        let (mut tx, mut globals) = (Tx::default(), Globals::default());
        let mut keepalive = Keepalive::default();
        let start = Instant::now();
        assert_eq!(keepalive.send_if_due(&mut tx, &mut globals, start), Ok(Duration::ZERO));
        assert!(tx.is_flushed() && keepalive.due().is_none());
        keepalive.configure(true, 1, start);
        assert_eq!(keepalive.due(), Some(start + Duration::from_secs(2)));
        assert_eq!(keepalive.send_if_due(&mut tx, &mut globals, start), Ok(Duration::from_secs(2)));
        assert!(!tx.is_flushed());
        let sent = tx.queue().len();
        let later = start + Duration::from_secs(1);
        assert_eq!(keepalive.send_if_due(&mut tx, &mut globals, later), Ok(Duration::from_secs(1)));
        assert_eq!(tx.queue().len(), sent);
        let due = start + Duration::from_secs(2);
        assert_eq!(keepalive.send_if_due(&mut tx, &mut globals, due), Ok(Duration::from_secs(2)));
        assert!(tx.queue().len() > sent);
    }
}
