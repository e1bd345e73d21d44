//! Which hosts have which keys: a collection of entries, and OpenSSH's known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE
//! FORMAT).
//!
//! A line of the file becomes one entry for each name in it. What is no entry, such as a comment, is kept as it is, so
//! that a file that is read and written again loses nothing.
#![forbid(unsafe_code)]

mod certified;
mod check;
mod entry;
mod line;
mod pattern;

pub use self::check::{Query, Verdict};
pub use self::entry::{Entry, Host, KeyKind, Marker};
pub use self::line::decode;
use crate::error::{Code, Error, Result};
use crate::memory::Add;

/// The most memory that the items of a collection may take. Without a bound a short line would take thousands of times
/// its size: the key of a line is copied for each name in it.
const MOST_MEMORY: usize = 256 * 1024 * 1024;
/// What an item takes besides its bytes.
const ITEM: usize = size_of::<(EntryId, Option<Item>)>();

/// The number of an entry. Entries stand in the order of their numbers; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(u64);

/// A collection of known hosts.
#[derive(Default)]
pub struct Hosts {
    /// In the order of their numbers. What has been removed keeps its place for a while.
    items: Vec<(EntryId, Option<Item>)>,
    removed: usize,
    next: u64,
    /// The memory that the items take.
    taken: usize,
}

enum Item {
    Entry(Entry),
    /// A line that is no entry.
    Other(Vec<u8>),
}

impl Item {
    /// The memory that it takes.
    fn size(&self) -> usize {
        let bytes = match self {
            Self::Entry(entry) => entry.bytes(),
            Self::Other(line) => line.len(),
        };
        bytes.saturating_add(ITEM)
    }
}

impl Hosts {
    /// Adds an entry at the end.
    pub fn add(&mut self, entry: Entry) -> Result<EntryId> {
        self.push(Item::Entry(entry))
    }

    /// Adds what a line says; it ends at the first line end or NUL.
    ///
    /// # Errors
    ///
    /// [`Code::MethodNotSupported`] if it is neither empty nor a comment, and makes no sense.
    pub fn read_line(&mut self, line: &[u8]) -> Result<()> {
        match line::read(line, self.left())? {
            line::Line::Entries(entries) => {
                self.items.room(entries.len())?;
                entries.into_iter().try_for_each(|entry| self.add(entry).map(|_| ()))
            }
            line::Line::Other(text) => self.push(Item::Other(crate::memory::copy(text)?)).map(|_| ()),
        }
    }

    /// Adds what all lines of a file say, up to the first that makes no sense: how many lines there were.
    ///
    /// # Errors
    ///
    /// [`Code::KnownHosts`] with the number of the line that makes no sense.
    pub fn read_file(&mut self, text: &[u8]) -> Result<usize> {
        let mut count = 0_usize;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            count = count.saturating_add(1);
            self.read_line(line).map_err(|error| match error.code {
                Code::Alloc => error,
                _ => Error::new(Code::KnownHosts, "Known hosts file makes no sense")
                    .with_text(format_args!("line {count}")),
            })?;
        }
        Ok(count)
    }

    /// The whole collection as a file.
    pub fn to_file(&self) -> Result<Vec<u8>> {
        use crate::wire::Put;
        let mut text = Vec::new();
        for item in self.items.iter().filter_map(|(_, item)| item.as_ref()) {
            match item {
                Item::Entry(entry) => text.put(&line::write(entry)?)?,
                Item::Other(line) => {
                    text.put(line)?;
                    text.put(b"\n")?;
                }
            }
        }
        Ok(text)
    }

    /// One entry as a line of a file, its line end included.
    pub fn to_line(&self, id: EntryId) -> Result<Vec<u8>> {
        line::write(self.get(id).ok_or_else(gone)?)
    }

    /// The entry of that number, if it has not been removed.
    pub fn get(&self, id: EntryId) -> Option<&Entry> {
        match self.items.get(self.place(id)?)? {
            (_, Some(Item::Entry(entry))) => Some(entry),
            _ => None,
        }
    }

    /// The number of the entry behind `id`, or of the first one.
    pub fn next(&self, id: Option<EntryId>) -> Option<EntryId> {
        let start = id.map_or(0, |id| self.items.partition_point(|(other, _)| *other <= id));
        let mut behind = self.items.get(start..).unwrap_or_default().iter();
        behind.find_map(|(id, item)| matches!(item, Some(Item::Entry(_))).then_some(*id))
    }

    /// Removes an entry.
    pub fn remove(&mut self, id: EntryId) {
        let Some((_, item)) = self.place(id).and_then(|place| self.items.get_mut(place)) else { return };
        if let Some(item) = item.take() {
            self.removed = self.removed.saturating_add(1);
            self.taken = self.taken.saturating_sub(item.size());
        }
        if self.removed > self.items.len().saturating_sub(self.removed) {
            self.items.retain(|(_, item)| item.is_some());
            self.removed = 0;
        }
    }

    fn place(&self, id: EntryId) -> Option<usize> {
        self.items.binary_search_by_key(&id, |(id, _)| *id).ok()
    }

    /// All entries with their numbers, in order.
    fn entries(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        self.items.iter().filter_map(|(id, item)| match item {
            Some(Item::Entry(entry)) => Some((*id, entry)),
            _ => None,
        })
    }

    fn push(&mut self, item: Item) -> Result<EntryId> {
        let (id, size) = (EntryId(self.next), item.size());
        check_size(size, self.left())?;
        self.items.add((id, Some(item)))?;
        self.next = self.next.wrapping_add(1);
        self.taken = self.taken.saturating_add(size);
        Ok(id)
    }

    /// The memory that more items may take.
    const fn left(&self) -> usize {
        MOST_MEMORY.saturating_sub(self.taken)
    }
}

/// Refuses what takes more memory than there is `left`.
const fn check_size(size: usize, left: usize) -> Result<()> {
    if size > left { Err(Error::new(Code::Alloc, "Known hosts take too much memory")) } else { Ok(()) }
}

/// The entry has been removed.
pub const fn gone() -> Error {
    Error::new(Code::Inval, "There is no such known host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_what_is_no_entry() {
        let key = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        let file = format!(
            "# a comment\n\none ssh-ed25519 {key} some  comment \n|1|no-separator ssh-ed25519 {key}\n\
             *.net,!two.net ssh-ed25519 {key}\n@revoked * ssh-rsa {key}\n\t# the end\nthree x-type {key}\n"
        );
        let mut hosts = Hosts::default();
        assert_eq!(hosts.read_file(file.as_bytes()).unwrap(), 8);
        assert_eq!(String::from_utf8(hosts.to_file().unwrap()).unwrap(), file);
        let first = hosts.next(None).unwrap();
        assert_eq!(hosts.get(first).unwrap().comment.as_deref(), Some(&b"some  comment "[..]));
        hosts.remove(first);
        assert!(hosts.get(first).is_none() && hosts.next(None) > Some(first));
        assert_eq!(hosts.to_line(first).unwrap_err().code, Code::Inval);
    }

    #[test]
    fn a_line_that_makes_no_sense_ends_the_reading() {
        let mut hosts = Hosts::default();
        let error = hosts.read_file(b"# one\nhost\n# three\n").unwrap_err();
        assert_eq!(
            (error.code, error.to_string()),
            (Code::KnownHosts, "Known hosts file makes no sense: line 2".into())
        );
        assert_eq!(hosts.to_file().unwrap(), b"# one\n");
    }

    /// What its items take, counted anew.
    fn taken(hosts: &Hosts) -> usize {
        hosts.items.iter().filter_map(|(_, item)| item.as_ref()).map(Item::size).sum()
    }

    #[test]
    fn a_long_key_is_not_copied_for_many_names() {
        let (names, key) = ("a,".repeat(75_000), "A".repeat(150_000));
        let line = format!("{names} ssh-rsa {key}\n");
        let mut hosts = Hosts::default();
        let begun = std::time::Instant::now();
        let error = hosts.read_file(line.as_bytes()).unwrap_err();
        assert_eq!((error.code, error.to_string()), (Code::Alloc, "Known hosts take too much memory".into()));
        assert!(begun.elapsed().as_secs() < 5 && hosts.items.capacity() == 0);
        // One entry, whatever its names are.
        hosts.read_file(format!("@revoked {line}{names}!b ssh-rsa {key}\n").as_bytes()).unwrap();
        assert_eq!((hosts.items.len(), hosts.taken), (2, taken(&hosts)));
    }

    #[test]
    fn a_million_empty_lines_are_kept_within_the_bound() {
        let mut hosts = Hosts::default();
        assert_eq!(hosts.read_file(&[b'\n'; 1_000_000]).unwrap(), 1_000_000);
        assert_eq!(hosts.taken, ITEM * 1_000_000);
        hosts.taken = MOST_MEMORY - ITEM;
        assert_eq!(hosts.read_file(b"\n\n").unwrap_err().code, Code::Alloc);
        assert_eq!((hosts.items.len(), hosts.left()), (1_000_001, 0));
    }

    #[test]
    fn what_is_removed_gives_its_room_back() {
        let mut hosts = Hosts::default();
        let line = format!("one,two ssh-rsa {} comment\n# three\n", "A".repeat(100));
        hosts.read_file(line.as_bytes()).unwrap();
        assert_eq!(hosts.taken, taken(&hosts));
        assert_eq!(hosts.taken, 3 * ITEM + 2 * (3 + 7 + 100 + 7) + 7);
        let first = hosts.next(None).unwrap();
        // As full as it can be: there is no room for another one, be it added or read, until one has gone.
        let fill = MOST_MEMORY - hosts.taken;
        hosts.taken = MOST_MEMORY;
        let entry = || match line::read(line.as_bytes(), usize::MAX).unwrap() {
            line::Line::Entries(mut entries) => entries.pop().unwrap(),
            line::Line::Other(_) => panic!(),
        };
        assert_eq!(hosts.add(entry()).unwrap_err().code, Code::Alloc);
        assert_eq!(hosts.read_line(b"").unwrap_err().code, Code::Alloc);
        hosts.remove(first);
        hosts.remove(first);
        hosts.add(entry()).unwrap();
        assert_eq!(hosts.add(entry()).unwrap_err().code, Code::Alloc);
        assert_eq!(hosts.taken - fill, taken(&hosts));
    }
}
