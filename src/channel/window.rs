//! Flow control, RFC 4254 section 5.2.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};

/// The window of a program's channel unless it says otherwise: `LIBSSH2_CHANNEL_WINDOW_DEFAULT`.
pub const DEFAULT_WINDOW: u32 = 2 * 1024 * 1024;
/// Such a window grows up to here: 100 ms at 1.3 Gbit/s.
pub const LARGEST_WINDOW: u32 = 16 * 1024 * 1024;
/// All windows of a session together grow by so much: the line is as long for many channels as for one.
pub const LARGEST_GROWTH: u32 = 64 * 1024 * 1024;
/// The program's own grants below this are put off: `LIBSSH2_CHANNEL_MINADJUST`.
const LEAST_GRANT: u32 = 1024;
/// Largest piece of a stream in one packet, whatever the server would take.
const LARGEST_PACKET: u32 = 128 * 1024;

/// What the server lets us send.
#[derive(Debug, Default)]
pub struct SendWindow {
    /// What the server granted at first.
    pub initial: u32,
    left: u32,
    /// What has been sent ahead of the grant that pays for it.
    owed: u32,
    largest_packet: u32,
}

impl SendWindow {
    /// The window that the confirmation grants.
    pub fn new(window: u32, largest_packet: u32) -> Self {
        Self { initial: window, left: window, owed: 0, largest_packet: largest_packet.min(LARGEST_PACKET) }
    }

    /// The server grants `bytes` more.
    pub fn add(&mut self, bytes: u32) -> Result<()> {
        let repaid = self.owed.min(bytes);
        self.owed = self.owed.saturating_sub(repaid);
        self.left = self
            .left
            .checked_add(bytes.saturating_sub(repaid))
            .ok_or_else(|| Error::new(Code::Proto, "Server granted a window of more than 2^32 - 1 bytes"))?;
        Ok(())
    }

    /// Lets `bytes` be taken out, ahead of a grant that is sure to come.
    pub fn overdraw(&mut self, bytes: u32) {
        let missing = bytes.saturating_sub(self.left);
        self.owed = self.owed.saturating_add(missing);
        self.left = self.left.saturating_add(missing);
    }

    /// Takes out what one packet may carry of `wanted` bytes.
    pub fn take(&mut self, wanted: usize) -> usize {
        let allowed = self.left.min(self.largest_packet);
        let size = u32::try_from(wanted).map_or(allowed, |wanted| wanted.min(allowed));
        self.left = self.left.saturating_sub(size);
        usize::try_from(size).unwrap_or_default()
    }

    /// How much may be sent.
    pub fn left(&self) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }
}

/// What we let the server send.
#[derive(Debug)]
pub struct ReceiveWindow {
    /// What the window was at first.
    initial: u32,
    /// What the window is filled up to.
    size: u32,
    /// How large it may grow.
    limit: u32,
    left: u32,
    /// Bytes that have been consumed and are to be granted again.
    consumed: u32,
    /// Bytes that the program wants granted, too few for a packet.
    put_off: u32,
    /// Bytes that came beyond the window.
    excess: u32,
    pace: Option<Pace>,
}

/// How fast the program consumes.
#[derive(Clone, Copy, Debug)]
struct Pace {
    since: Instant,
    consumed: u32,
}

impl ReceiveWindow {
    /// A window of `size` bytes, all of them granted.
    pub const fn new(size: u32) -> Self {
        Self { initial: size, size, limit: size, left: size, consumed: 0, put_off: 0, excess: 0, pace: None }
    }

    /// The same, for a program that left the choice to us: it grows while the program keeps up.
    pub const fn growing(size: u32) -> Self {
        let mut window = Self::new(size);
        window.limit = if size > LARGEST_WINDOW { size } else { LARGEST_WINDOW };
        window
    }

    /// `count` bytes have come. A tenth beyond the window is let pass, as OpenSSH does: some servers miscount.
    pub fn arrived(&mut self, count: usize) -> Result<()> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.excess = self.excess.saturating_add(count.saturating_sub(self.left));
        self.left = self.left.saturating_sub(count);
        if self.excess > self.size.checked_div(10).unwrap_or_default() {
            return Err(Error::new(Code::ChannelWindowExceeded, "Server sent more than the window of the channel"));
        }
        Ok(())
    }

    /// `count` bytes have been consumed: what to grant now, once it is worth a packet.
    pub fn consumed(&mut self, count: usize) -> Option<u32> {
        self.consumed = self.consumed.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if self.consumed < self.size.checked_div(8).unwrap_or_default() {
            return None;
        }
        self.grant_consumed()
    }

    /// Before [`ReceiveWindow::consumed`], of what a program reads: whoever reads a window's worth in less than two
    /// round trips may be held up by the window alone, so that it is doubled, but grows by `most` at most. By how much it
    /// has grown.
    pub fn keeps_up(&mut self, count: usize, now: Instant, round_trip: Option<Duration>, most: u32) -> u32 {
        let most = most.min(self.limit.saturating_sub(self.size));
        if most == 0 {
            return 0;
        }
        let pace = self.pace.get_or_insert(Pace { since: now, consumed: 0 });
        pace.consumed = pace.consumed.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if pace.consumed < self.size {
            return 0;
        }
        let took = now.saturating_duration_since(pace.since);
        self.pace = Some(Pace { since: now, consumed: 0 });
        if round_trip.is_none_or(|round_trip| took >= round_trip.saturating_mul(2)) {
            return 0;
        }
        self.grow(self.size.min(most))
    }

    /// A program reads up to `wanted` bytes at a time: a window smaller than that would hold it up, so that it grows to
    /// that size, but by `most` at most. By how much it has grown.
    pub fn follow(&mut self, wanted: usize, most: u32) -> u32 {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(self.limit);
        self.grow(wanted.saturating_sub(self.size).min(most))
    }

    /// What it grows by is granted with what is consumed next.
    const fn grow(&mut self, growth: u32) -> u32 {
        self.size = self.size.saturating_add(growth);
        self.consumed = self.consumed.saturating_add(growth);
        growth
    }

    /// By how much it has grown in all.
    pub const fn growth(&self) -> u32 {
        self.size.saturating_sub(self.initial)
    }

    /// A program waits for `wanted` bytes while nothing is queued: what to grant if the server has no window at all, as
    /// with a channel opened with a window of 0.
    pub fn starving(&mut self, wanted: usize) -> Option<u32> {
        if self.left > 0 {
            return None;
        }
        if self.consumed == 0 {
            self.consumed = u32::try_from(wanted).unwrap_or(u32::MAX).min(LARGEST_WINDOW);
        }
        self.grant_consumed()
    }

    /// A program waits for the end of the stream, and does not read meanwhile: what to grant if the server has no window
    /// left to send it in, however little.
    pub fn ending(&mut self) -> Option<u32> {
        if self.left > 0 { None } else { self.grant_consumed() }
    }

    /// The program grants `bytes` more: what to tell the server, which is nothing while they are few, unless `force`.
    pub fn grant(&mut self, bytes: u32, force: bool) -> Result<Option<u32>> {
        let bytes = self.put_off.saturating_add(bytes);
        let too_much = || Error::new(Code::Proto, "Window of the channel would be more than 2^32 - 1 bytes");
        let left = self.left.checked_add(bytes).ok_or_else(too_much)?;
        if bytes == 0 || (!force && bytes < LEAST_GRANT) {
            self.put_off = bytes;
            return Ok(None);
        }
        self.put_off = 0;
        self.left = left;
        Ok(Some(bytes))
    }

    /// How much the server may send.
    pub const fn left(&self) -> u32 {
        self.left
    }

    /// Whether the server cannot send until more is granted, and nothing is to be granted.
    pub const fn is_exhausted(&self) -> bool {
        self.left == 0 && self.consumed == 0
    }

    /// What the window was at first.
    pub const fn initial(&self) -> u32 {
        self.initial
    }

    fn grant_consumed(&mut self) -> Option<u32> {
        let adjust = std::mem::take(&mut self.consumed).min(u32::MAX.saturating_sub(self.left));
        self.left = self.left.saturating_add(adjust);
        (adjust > 0).then_some(adjust)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_takes_what_window_and_size_allow() {
        let mut window = SendWindow::new(100, 30);
        assert_eq!(window.take(1000), 30);
        assert_eq!(window.take(5), 5);
        assert_eq!(window.left(), 65);
        assert!(window.add(u32::MAX - 64).is_err());
        window.add(u32::MAX - 65).unwrap();
        assert_eq!(window.left(), u32::MAX as usize);
    }

    #[test]
    fn what_was_sent_ahead_is_taken_out_of_the_next_grants() {
        let mut window = SendWindow::new(0, 30);
        window.overdraw(9);
        assert_eq!(window.take(9), 9);
        window.add(5).unwrap();
        assert_eq!(window.left(), 0);
        window.add(10).unwrap();
        assert_eq!(window.left(), 6);
        window.overdraw(5);
        assert_eq!(window.left(), 6);
    }

    #[test]
    fn grants_come_in_useful_portions_and_overruns_are_noticed() {
        let mut window = ReceiveWindow::new(800);
        window.arrived(99).unwrap();
        assert_eq!(window.consumed(99), None);
        window.arrived(1).unwrap();
        assert_eq!(window.consumed(1), Some(100));
        window.arrived(880).unwrap();
        assert!(window.arrived(1).is_err());
    }

    #[test]
    fn a_window_grows_for_a_program_that_keeps_up_and_only_up_to_the_cap() {
        let start = Instant::now();
        let rtt = Some(Duration::from_millis(100));
        let mut window = ReceiveWindow::growing(DEFAULT_WINDOW);
        let mut now = start;
        let mut granted = 0;
        for _ in 0..6 {
            let size = window.size as usize;
            window.arrived(size).unwrap();
            window.keeps_up(1, now, rtt, u32::MAX);
            now += Duration::from_millis(150);
            let grown = window.keeps_up(size - 1, now, rtt, u32::MAX);
            assert_eq!(window.size as usize, size + grown as usize);
            granted = window.consumed(size).unwrap();
        }
        assert_eq!(window.size, LARGEST_WINDOW);
        assert_eq!((granted, window.left()), (LARGEST_WINDOW, LARGEST_WINDOW));
        assert_eq!(window.growth(), LARGEST_WINDOW - DEFAULT_WINDOW);

        for (mut window, pause, rtt, most, grown) in [
            (ReceiveWindow::growing(DEFAULT_WINDOW), 1, rtt, u32::MAX, DEFAULT_WINDOW),
            (ReceiveWindow::growing(DEFAULT_WINDOW), 1, rtt, 1000, 1000),
            (ReceiveWindow::growing(DEFAULT_WINDOW), 1, rtt, 0, 0),
            (ReceiveWindow::growing(DEFAULT_WINDOW), 250, rtt, u32::MAX, 0),
            (ReceiveWindow::growing(DEFAULT_WINDOW), 1, None, u32::MAX, 0),
            (ReceiveWindow::new(DEFAULT_WINDOW), 1, rtt, u32::MAX, 0),
        ] {
            window.keeps_up(1, start, rtt, most);
            window.keeps_up(DEFAULT_WINDOW as usize, start + Duration::from_millis(pause), rtt, most);
            assert_eq!(window.growth(), grown, "after {pause} ms, at most {most}");
        }
    }

    #[test]
    fn a_window_follows_the_program_s_buffer() {
        for (mut window, wanted, most, grown) in [
            (ReceiveWindow::growing(DEFAULT_WINDOW), 100, u32::MAX, 0),
            (ReceiveWindow::growing(DEFAULT_WINDOW), DEFAULT_WINDOW as usize + 5, u32::MAX, 5),
            (ReceiveWindow::growing(DEFAULT_WINDOW), usize::MAX, u32::MAX, LARGEST_WINDOW - DEFAULT_WINDOW),
            (ReceiveWindow::growing(DEFAULT_WINDOW), usize::MAX, 7, 7),
            (ReceiveWindow::new(DEFAULT_WINDOW), usize::MAX, u32::MAX, 0),
        ] {
            assert_eq!((window.follow(wanted, most), window.growth()), (grown, grown));
            assert_eq!(window.grant_consumed().unwrap_or_default(), grown);
        }
    }

    #[test]
    fn small_grants_of_the_program_wait_and_none_overflows() {
        let mut window = ReceiveWindow::new(0);
        assert_eq!(window.grant(1000, false), Ok(None));
        assert_eq!(window.grant(24, false), Ok(Some(1024)));
        assert_eq!(window.grant(1, true), Ok(Some(1)));
        assert_eq!(window.grant(0, true), Ok(None));
        assert_eq!(window.left(), 1025);
        assert!(window.grant(u32::MAX, true).is_err());
        assert_eq!(window.starving(10), None);
        window.arrived(1025).unwrap();
        assert!(window.is_exhausted());
        assert_eq!(window.starving(10), Some(10));
    }
}
