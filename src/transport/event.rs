//! What the transport handles by itself and the program may still want to hear of. It is told between two polls, while
//! nothing of ours is borrowed, so that its functions may call back.
#![forbid(unsafe_code)]

use crate::error::Result;
use crate::memory::{Add, copy};
use crate::wire::{Reader, Short};

/// Most bytes of [`Event::Ignore`] and [`Event::Debug`] that wait to be told; a server that sends more at once is not
/// worth listening to.
const MOST_WAITING: usize = 256 * 1024;
/// What an event takes beside its texts, about.
const OVERHEAD: usize = 64;

/// Something that has happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// `SSH_MSG_IGNORE`: everything behind the message number.
    Ignore(Vec<u8>),
    /// `SSH_MSG_DEBUG`
    Debug {
        /// The user should see it.
        always_display: bool,
        /// What it says.
        message: Vec<u8>,
        /// In which language.
        language: Vec<u8>,
    },
    /// `SSH_MSG_DISCONNECT`: the connection is over.
    Disconnect {
        /// One of RFC 4253 section 11.1.
        reason: u32,
        /// What it says.
        message: Vec<u8>,
        /// In which language.
        language: Vec<u8>,
    },
    /// The MAC of a packet was wrong, and the connection is over: what the packet seemed to say.
    MacError(Vec<u8>),
}

impl Event {
    /// The event that `packet` is, for those that are made of one packet. Fields that are not there are empty.
    pub(super) fn debug(packet: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
        let always_display = reader.boolean().unwrap_or_default();
        let (message, language) = texts(reader)?;
        Ok(Self::Debug { always_display, message, language })
    }

    pub(super) fn disconnect(packet: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(packet.get(1..).unwrap_or_default());
        let reason = reader.u32().unwrap_or_default();
        let (message, language) = texts(reader)?;
        Ok(Self::Disconnect { reason, message, language })
    }

    fn size(&self) -> usize {
        let texts = match self {
            Self::Ignore(data) | Self::MacError(data) => data.len(),
            Self::Debug { message, language, .. } | Self::Disconnect { message, language, .. } => {
                message.len().saturating_add(language.len())
            }
        };
        texts.saturating_add(OVERHEAD)
    }
}

fn texts(mut reader: Reader<'_>) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut next = || copy(reader.string().or(Ok::<_, Short>(&[]))?);
    Ok((next()?, next()?))
}

/// The events that the program has not been told of.
#[derive(Debug, Default)]
pub(super) struct Events {
    waiting: Vec<Event>,
    bytes: usize,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) -> Result<()> {
        let bytes = self.bytes.saturating_add(event.size());
        if bytes > MOST_WAITING && matches!(event, Event::Ignore(_) | Event::Debug { .. }) {
            return Ok(());
        }
        self.waiting.add(event)?;
        self.bytes = bytes;
        Ok(())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Put;

    #[test]
    fn a_flood_is_bounded_and_the_end_is_heard_all_the_same() {
        let mut events = Events::default();
        for _ in 0..100_000 {
            events.push(Event::Ignore(vec![0; 100])).unwrap();
        }
        events.push(Event::MacError(vec![1])).unwrap();
        let heard = events.take();
        assert!(heard.len() < 10_000);
        assert_eq!(heard.last(), Some(&Event::MacError(vec![1])));
        assert!(events.take().is_empty());
    }

    #[test]
    fn messages_that_are_cut_short_have_empty_texts() {
        let mut packet = vec![4, 1];
        packet.put_string(b"text").unwrap();
        packet.put_string(b"en").unwrap();
        let debug = |message: &[u8], language: &[u8]| Event::Debug {
            always_display: true,
            message: message.to_vec(),
            language: language.to_vec(),
        };
        assert_eq!(Event::debug(&packet).unwrap(), debug(b"text", b"en"));
        assert_eq!(Event::debug(&packet[..packet.len() - 1]).unwrap(), debug(b"text", b""));
        assert_eq!(Event::debug(&packet[..5]).unwrap(), debug(b"", b""));
        let nothing = Event::Disconnect { reason: 0, message: vec![], language: vec![] };
        assert_eq!(Event::disconnect(&[1, 0, 0]).unwrap(), nothing);
    }
}
