//! Keepalives: global requests that show a silent connection to be in use. OpenSSH does the same under its own name.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::error::Result;
use crate::global::Globals;
use crate::transport::Tx;

/// When to send one.
#[derive(Debug, Default)]
pub struct Keepalive {
    want_reply: bool,
    interval: Duration,
    last: Option<Instant>,
    configured: Option<Instant>,
}

impl Keepalive {
    /// Sends one every `seconds`, none if that is 0. One second is too little for C callers that count in seconds, so
    /// it is two.
    pub fn configure(&mut self, want_reply: bool, seconds: u32, now: Instant) {
        let seconds = if seconds == 1 { 2 } else { seconds };
        *self =
            Self { want_reply, interval: Duration::from_secs(seconds.into()), last: self.last, configured: Some(now) };
    }

    /// Sends one if it is due; the first call always does. How long until the next one.
    pub fn send_if_due(&mut self, tx: &mut Tx, globals: &mut Globals, now: Instant) -> Result<Duration> {
        if self.interval.is_zero() {
            return Ok(Duration::ZERO);
        }
        if let Some(next) = self.last.and_then(|last| last.checked_add(self.interval))
            && next > now
        {
            return Ok(next.saturating_duration_since(now));
        }
        globals.send_keepalive(tx, b"keepalive@libssh2.org", self.want_reply)?;
        self.last = Some(now);
        Ok(self.interval)
    }

    /// When a call that waits has to send one.
    pub fn due(&self) -> Option<Instant> {
        if self.interval.is_zero() {
            return None;
        }
        self.last.max(self.configured)?.checked_add(self.interval)
    }
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
