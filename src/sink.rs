//! The buffer of a read that is waiting: what arrives for it goes there without a stop in between.
#![forbid(unsafe_code)]

use crate::channel::{ChannelId, Wanted};
use crate::sftp::FileId;

/// Where a call wants its data, and what it waits for.
pub struct Sink<'a> {
    reader: Reader,
    space: &'a mut [u8],
    filled: usize,
}

/// Who is waiting.
enum Reader {
    Nobody,
    File(FileId),
    Channel(ChannelId, Wanted),
}

impl<'a> Sink<'a> {
    /// Nobody is waiting.
    pub const fn none() -> Sink<'static> {
        Sink { reader: Reader::Nobody, space: &mut [], filled: 0 }
    }

    /// A read of an open file.
    pub const fn of_file(file: FileId, space: &'a mut [u8]) -> Self {
        Self { reader: Reader::File(file), space, filled: 0 }
    }

    /// A read of a channel.
    pub const fn of_channel(channel: ChannelId, wanted: Wanted, space: &'a mut [u8]) -> Self {
        Self { reader: Reader::Channel(channel, wanted), space, filled: 0 }
    }

    /// Itself, if it waits for data of that file.
    pub fn for_file(&mut self, file: FileId) -> Option<&mut Self> {
        matches!(self.reader, Reader::File(reader) if reader == file).then_some(self)
    }

    /// Itself, if it waits for data of that channel, and which.
    pub fn for_channel(&mut self, channel: ChannelId) -> Option<(&mut Self, Wanted)> {
        match self.reader {
            Reader::Channel(reader, wanted) if reader == channel => Some((self, wanted)),
            _ => None,
        }
    }

    /// Takes the front of `bytes`: how much.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let space = self.space.get_mut(self.filled..).unwrap_or_default();
        let size = space.len().min(bytes.len());
        if let (Some(to), Some(from)) = (space.get_mut(..size), bytes.get(..size)) {
            to.copy_from_slice(from);
        }
        self.filled = self.filled.saturating_add(size);
        size
    }

    /// How much it has taken.
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// Whether it takes no more.
    pub const fn is_full(&self) -> bool {
        self.filled >= self.space.len()
    }
}
