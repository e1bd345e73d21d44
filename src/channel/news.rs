//! What there is to tell a program that watches many channels at a time: `libssh2_ext_session_ready`.
//!
//! Whoever changes a channel puts its number in line, and whoever wants to know takes numbers off the front: the cost is
//! that of what has happened, however many channels there are. A channel has news when something holds of it that the
//! program has not been told, or has acted on since.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use super::{Channel, ChannelId, Channels, Consumer, ExtendedData, MAIN, OpenState, Wanted};
use crate::error::Result;
use crate::memory::Add;
use crate::transport::message;

/// What holds of a channel, a listener or a session, one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events(u32);

impl Events {
    /// The main stream has something to read.
    pub const READ: Self = Self(0x0001);
    /// Another stream has.
    pub const EXTENDED: Self = Self(0x0002);
    /// The server and the socket take something.
    pub const WRITE: Self = Self(0x0004);
    /// The server sends nothing more.
    pub const EOF: Self = Self(0x0008);
    /// The server has closed the channel.
    pub const CLOSED: Self = Self(0x0010);
    /// It is known how the command on the other side ended.
    pub const EXIT: Self = Self(0x0020);
    /// A connection waits to be accepted.
    pub const ACCEPT: Self = Self(0x0040);
    /// A call that would have had to wait may get further.
    pub const AGAIN: Self = Self(0x0080);
    /// The connection is over.
    pub const ENDED: Self = Self(0x0100);

    /// Itself if that is so, else none.
    pub const fn when(self, holds: bool) -> Self {
        if holds { self } else { Self(0) }
    }

    /// Those of both.
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those that are not among `others`.
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether `other` is among them.
    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As C has them.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// Something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The number of the handle that it is about; `None` for the session itself.
    pub handle: Option<usize>,
    /// What holds.
    pub events: Events,
}

/// Calls that returned `EAGAIN`, and whether it is worth calling them again.
#[derive(Debug, Default)]
pub struct Unfinished {
    any: bool,
    wants_socket: bool,
    stirred: bool,
}

impl Unfinished {
    /// A call has returned `EAGAIN`. It has seen what there is, but the ones before it may have not.
    pub const fn add(&mut self, is_clear: bool) {
        self.stirred &= self.any;
        self.any = true;
        self.wants_socket |= !is_clear;
    }

    /// Something has come that may be what one of them waits for.
    pub const fn stir(&mut self) {
        self.stirred = true;
    }

    /// The way is clear.
    pub const fn cleared(&mut self) {
        self.stirred |= std::mem::replace(&mut self.wants_socket, false);
    }

    const fn are_stirred(&self) -> bool {
        self.any && self.stirred
    }

    /// Whether they are worth it. That is said once.
    pub fn take(&mut self) -> bool {
        let worth = self.are_stirred();
        if worth {
            *self = Self::default();
        }
        worth
    }
}

/// Numbers in the order in which they came, each at most once.
#[derive(Debug, Default)]
struct Line {
    order: VecDeque<u32>,
    waiting: Vec<bool>,
}

impl Line {
    /// Makes room for every number below `count`, so that joining needs no memory.
    fn reserve(&mut self, count: usize) -> Result<()> {
        let more = count.saturating_sub(self.waiting.len());
        self.order.room(count.saturating_sub(self.order.len()))?;
        (0..more).try_for_each(|_| self.waiting.add(false))
    }

    fn join(&mut self, number: u32) {
        if let Some(waits @ false) = usize::try_from(number).ok().and_then(|index| self.waiting.get_mut(index)) {
            // There is room for every number.
            *waits = self.order.add(number).is_ok();
        }
    }

    fn next(&mut self) -> Option<u32> {
        let number = self.order.pop_front()?;
        if let Some(waits) = usize::try_from(number).ok().and_then(|index| self.waiting.get_mut(index)) {
            *waits = false;
        }
        Some(number)
    }
}

/// Which channels to look at.
#[derive(Debug, Default)]
pub struct Lines {
    /// Those that have news.
    news: Line,
    /// Those that could not send anything because of the socket. They go before those that could, so that each has its
    /// turn.
    refused: Line,
    /// Those that have sent something that has not left yet.
    served: Line,
    /// Calls that belong to no channel of the program.
    pub unfinished: Unfinished,
}

impl Lines {
    /// Makes room for so many channels.
    pub fn reserve(&mut self, count: usize) -> Result<()> {
        [&mut self.news, &mut self.refused, &mut self.served].into_iter().try_for_each(|line| line.reserve(count))
    }

    /// The next channel that had to wait for the socket.
    fn next_blocked(&mut self) -> Option<u32> {
        self.refused.next().or_else(|| self.served.next())
    }
}

impl Channels {
    /// The server has sent a message of this kind on a channel.
    pub(super) fn hear(&mut self, number: u32, kind: u8) {
        let is_stream =
            matches!(kind, message::CHANNEL_DATA | message::CHANNEL_EXTENDED_DATA | message::CHANNEL_WINDOW_ADJUST);
        let watched = self.at(number).filter(|channel| channel.is_watched());
        let is_watched = watched.is_some();
        if let Some(channel) = watched
            && !is_stream
        {
            channel.unfinished.stir();
        }
        // The end of a session waits for the end of every channel.
        if !is_watched || kind == message::CHANNEL_CLOSE {
            self.lines.unfinished.stir();
        }
        self.note(number);
    }

    /// Something about a channel has changed.
    fn note(&mut self, number: u32) {
        if self.at(number).is_some_and(|channel| channel.has_news()) {
            self.lines.news.join(number);
        }
    }

    /// The program has acted on `events`, which are to be told anew if they hold.
    pub fn acted(&mut self, id: ChannelId, events: Events) {
        if let Ok(channel) = self.get(id) {
            channel.told = channel.told.without(events);
            self.note(id.number);
        }
    }

    /// The program has written all that it wanted to, unless another call has something to return.
    pub fn has_written(&mut self, id: ChannelId) {
        if let Ok(channel) = self.get(id)
            && channel.written.is_empty()
        {
            channel.told = channel.told.and(Events::WRITE);
        }
    }

    /// The program wants to write more than could be sent.
    pub fn wants_to_write(&mut self, id: ChannelId, is_clear: bool) {
        self.acted(id, Events::WRITE);
        if !is_clear && let Ok(channel) = self.get(id) {
            let has_sent = !channel.written.is_empty();
            let line = if has_sent { &mut self.lines.served } else { &mut self.lines.refused };
            line.join(id.number);
        }
    }

    /// A call on that channel has returned `EAGAIN`.
    pub fn is_unfinished(&mut self, id: ChannelId, is_clear: bool) {
        match self.get(id) {
            Ok(channel) if channel.is_watched() => {
                channel.unfinished.add(is_clear);
                if !is_clear {
                    self.lines.refused.join(id.number);
                }
            }
            _ => self.lines.unfinished.add(is_clear),
        }
    }

    /// The program has that channel by the handle of this number; `None` when it has it no more.
    pub fn set_handle(&mut self, id: ChannelId, handle: Option<usize>) -> Result<()> {
        self.get(id)?.handle = handle;
        self.note(id.number);
        Ok(())
    }

    /// The next channel with news. `is_clear` as [`crate::transport::Tx::is_clear`] says it.
    pub fn next_news(&mut self, is_clear: bool) -> Option<News> {
        if is_clear {
            self.lines.unfinished.cleared();
            while let Some(number) = self.lines.next_blocked() {
                if let Some(channel) = self.at(number) {
                    channel.unfinished.cleared();
                }
                self.note(number);
            }
        }
        while let Some(number) = self.lines.news.next() {
            let Some(channel) = self.at(number) else { continue };
            let (news, is_blocked) = channel.tell(is_clear);
            if is_blocked {
                self.lines.refused.join(number);
            }
            if news.is_some() {
                return news;
            }
        }
        None
    }
}

impl Channel {
    /// Whether the program has it, and hears of it.
    pub(super) fn is_watched(&self) -> bool {
        self.handle.is_some() && self.consumer == Consumer::Program && !self.abandoned
    }

    /// What holds.
    fn standing(&self) -> Events {
        let merged = self.extended_data == ExtendedData::Merge;
        let main = if merged { Wanted::All } else { Wanted::Stream(MAIN) };
        let is_open = matches!(self.state, OpenState::Open);
        let takes_data = is_open && !self.eof_wanted && !self.close_sent && !self.close_received;
        Events::READ
            .when(self.unread(main) > 0)
            .and(Events::EXTENDED.when(!merged && self.unread(Wanted::Extended) > 0))
            .and(Events::WRITE.when(!self.written.is_empty() || (takes_data && self.room() > 0)))
            .and(Events::EOF.when(self.has_ended()))
            .and(Events::CLOSED.when(self.close_received))
            .and(Events::EXIT.when(self.exit_status.is_some() || self.exit_signal.is_some()))
    }

    fn has_news(&self) -> bool {
        self.is_watched() && (self.unfinished.are_stirred() || !self.standing().without(self.told).is_empty())
    }

    /// What is to be told, which counts as told from now on; and whether it could also be written to were it not for the
    /// socket.
    fn tell(&mut self, is_clear: bool) -> (Option<News>, bool) {
        if !self.is_watched() {
            return (None, false);
        }
        let standing = self.standing();
        let is_blocked = !is_clear && standing.without(self.told).has(Events::WRITE);
        let standing = standing.without(Events::WRITE.when(!is_clear));
        let again = Events::AGAIN.when(self.unfinished.take());
        let new = standing.without(self.told).and(again);
        self.told = self.told.and(standing);
        let news = News { handle: self.handle, events: standing.and(again) };
        (Some(news).filter(|_| !new.is_empty()), is_blocked)
    }
}
