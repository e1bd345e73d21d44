//! Flow control, RFC 4254 section 5.2.
#![forbid(unsafe_code)]

use crate::error::{Code, Error, Result};

/// Largest piece of a stream in one packet, whatever the server would take.
const LARGEST_PACKET: u32 = 128 * 1024;

/// What the server lets us send.
#[derive(Debug, Default)]
pub struct SendWindow {
    left: u32,
    largest_packet: u32,
}

impl SendWindow {
    /// The window that the confirmation grants.
    pub fn new(window: u32, largest_packet: u32) -> Self {
        Self { left: window, largest_packet: largest_packet.min(LARGEST_PACKET) }
    }

    /// The server grants `bytes` more.
    pub fn add(&mut self, bytes: u32) -> Result<()> {
        self.left = self
            .left
            .checked_add(bytes)
            .ok_or_else(|| Error::new(Code::Proto, "Server granted a window of more than 2^32 - 1 bytes"))?;
        Ok(())
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
    /// What the window is filled up to.
    size: u32,
    left: u32,
    consumed: u32,
    /// Bytes that came beyond the window.
    excess: u32,
}

impl ReceiveWindow {
    /// A window of `size` bytes, all of them granted.
    pub const fn new(size: u32) -> Self {
        Self { size, left: size, consumed: 0, excess: 0 }
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
        let adjust = std::mem::take(&mut self.consumed);
        self.left = self.left.saturating_add(adjust);
        Some(adjust)
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
    fn grants_come_in_useful_portions_and_overruns_are_noticed() {
        let mut window = ReceiveWindow::new(800);
        window.arrived(99).unwrap();
        assert_eq!(window.consumed(99), None);
        window.arrived(1).unwrap();
        assert_eq!(window.consumed(1), Some(100));
        window.arrived(880).unwrap();
        assert!(window.arrived(1).is_err());
    }
}
