//! Packets as the trace shows them: their names, and what can be said of them without giving secrets away.
#![forbid(unsafe_code)]

use std::fmt::{self, Display, Formatter};

use zeroize::Zeroizing;

use super::message;
use crate::error::Result;
use crate::memory;
use crate::trace::{Topic, Trace};
use crate::wire::{Put, Reader, Short};

/// What is looked at of a packet.
const HEAD: usize = 512;

/// Traces a packet: `how` it went, and its payload in parts.
pub(super) fn show(trace: &mut Trace, how: &str, parts: &[&[u8]]) {
    if !trace.is_on() {
        return;
    }
    // It may hold a password. Room for all of it, so that no growing leaves a copy behind.
    let Ok(mut head) = memory::sized(HEAD).map(Zeroizing::new) else { return };
    let size = parts.iter().fold(0_usize, |size, part| size.saturating_add(part.len()));
    let Ok(()) = gather(&mut head, parts) else { return };
    let Some((number, fields)) = head.split_first() else { return };
    trace.say(topic(*number), format_args!("{how} {}, {size} bytes", Packet(*number, fields)));
}

/// The front of the packet in one piece.
fn gather(head: &mut Vec<u8>, parts: &[&[u8]]) -> Result<()> {
    parts.iter().try_for_each(|part| {
        let room = HEAD.saturating_sub(head.len());
        head.put(part.get(..room).unwrap_or(part))
    })
}

const fn topic(number: u8) -> Topic {
    match number {
        message::KEXINIT..=message::KEX_LAST => Topic::Kex,
        message::USERAUTH_REQUEST..=message::USERAUTH_LAST => Topic::Auth,
        message::GLOBAL_REQUEST..=message::CHANNEL_FAILURE => Topic::Connection,
        _ => Topic::Transport,
    }
}

/// A packet by its number, and the fields behind that.
struct Packet<'a>(u8, &'a [u8]);

impl Display for Packet<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match message::name(self.0) {
            Some(name) => out.write_str(name)?,
            None => write!(out, "message {}", self.0)?,
        }
        // A packet that is cut short is told as far as it goes.
        self.fields(&mut Reader::new(self.1), out).unwrap_or(Ok(()))
    }
}

impl Packet<'_> {
    fn fields(&self, reader: &mut Reader<'_>, out: &mut Formatter<'_>) -> Result<fmt::Result, Short> {
        Ok(match self.0 {
            message::DISCONNECT => write!(out, " for reason {} \"{}\"", reader.u32()?, text(reader)?),
            message::SERVICE_REQUEST | message::SERVICE_ACCEPT | message::GLOBAL_REQUEST => {
                write!(out, " \"{}\"", text(reader)?)
            }
            message::USERAUTH_REQUEST => {
                let (user, service, method) = (text(reader)?, text(reader)?, text(reader)?);
                write!(out, " of \"{user}\" for \"{service}\" by \"{method}\"")
            }
            message::USERAUTH_FAILURE => write!(out, ", left is \"{}\"", text(reader)?),
            message::CHANNEL_OPEN => {
                let (kind, number) = (text(reader)?, reader.u32()?);
                write!(out, " \"{kind}\" as {number}, window {}, packets of {}", reader.u32()?, reader.u32()?)
            }
            message::CHANNEL_OPEN_CONFIRMATION => {
                let (ours, theirs) = (reader.u32()?, reader.u32()?);
                write!(out, " of {ours} as {theirs}, window {}, packets of {}", reader.u32()?, reader.u32()?)
            }
            message::CHANNEL_OPEN_FAILURE => {
                let (ours, reason) = (reader.u32()?, reader.u32()?);
                write!(out, " of {ours} for reason {reason} \"{}\"", text(reader)?)
            }
            message::CHANNEL_WINDOW_ADJUST => write!(out, " of {} by {}", reader.u32()?, reader.u32()?),
            message::CHANNEL_EXTENDED_DATA => write!(out, " to {} on stream {}", reader.u32()?, reader.u32()?),
            message::CHANNEL_REQUEST => write!(out, " to {} \"{}\"", reader.u32()?, text(reader)?),
            message::CHANNEL_DATA..=message::CHANNEL_FAILURE => write!(out, " to {}", reader.u32()?),
            _ => Ok(()),
        })
    }
}

/// A text of either side, fit for a terminal.
fn text<'a>(reader: &mut Reader<'a>) -> Result<impl Display + use<'a>, Short> {
    reader.string().map(<[u8]>::escape_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(payload: &[u8]) -> String {
        let mut trace = Trace::default();
        trace.set(u32::MAX);
        let (front, back) = payload.split_at(payload.len() / 2);
        show(&mut trace, "sent", &[front, back]);
        let mut lines = trace.take();
        assert_eq!(lines.len(), 1);
        String::from_utf8(lines.remove(0).text).unwrap()
    }

    #[test]
    fn a_login_shows_no_secret() {
        let mut packet = vec![message::USERAUTH_REQUEST];
        for field in ["me\x1b[2J", "ssh-connection", "password"] {
            packet.put_string(field.as_bytes()).unwrap();
        }
        packet.put_boolean(false).unwrap();
        packet.put_string(b"geheim").unwrap();
        assert_eq!(
            told(&packet),
            "sent USERAUTH_REQUEST of \"me\\x1b[2J\" for \"ssh-connection\" by \"password\", 52 bytes"
        );
    }

    #[test]
    fn packets_cut_anywhere_are_told_as_far_as_they_go() {
        let mut packet = vec![message::CHANNEL_OPEN];
        packet.put_string(b"session").unwrap();
        [7, 2, 3].into_iter().for_each(|number| packet.put_u32(number).unwrap());
        assert_eq!(told(&packet), "sent CHANNEL_OPEN \"session\" as 7, window 2, packets of 3, 24 bytes");
        for length in 1..packet.len() {
            assert!(told(&packet[..length]).starts_with("sent CHANNEL_OPEN"), "{length}");
        }
        assert_eq!(told(&[66]), "sent message 66, 1 bytes");
    }
}
