//! Things found by a key that is stale once they are gone.
#![forbid(unsafe_code)]

use crate::error::{Error, Result};
use crate::memory::Add;

/// Names a thing in one [`Table`]. None is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    place: usize,
    generation: u64,
}

/// Things found by their keys. An empty one takes no memory.
#[derive(Debug)]
pub struct Table<T> {
    places: Vec<Option<(u64, T)>>,
    /// Which places are free; it has room for all of them.
    free: Vec<usize>,
    generation: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), generation: 0 }
    }
}

impl<T> Table<T> {
    /// Adds a thing.
    pub fn add(&mut self, thing: T) -> Result<Key> {
        self.room()?;
        let place = self.free.pop().ok_or_else(Error::alloc)?;
        self.generation = self.generation.wrapping_add(1);
        let key = Key { place, generation: self.generation };
        *self.places.get_mut(place).ok_or_else(Error::alloc)? = Some((key.generation, thing));
        Ok(key)
    }

    /// Makes room for one thing more, so that adding it cannot fail.
    pub fn room(&mut self) -> Result<()> {
        if self.free.is_empty() {
            self.free.room(self.places.len().saturating_add(1))?;
            self.places.add(None)?;
            self.free.add(self.places.len().saturating_sub(1))?;
        }
        Ok(())
    }

    /// The thing, if it is still there.
    pub fn get(&self, key: Key) -> Option<&T> {
        let (generation, thing) = self.places.get(key.place)?.as_ref()?;
        (*generation == key.generation).then_some(thing)
    }

    /// The thing, if it is still there.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (generation, thing) = self.places.get_mut(key.place)?.as_mut()?;
        (*generation == key.generation).then_some(thing)
    }

    /// Takes the thing out, if it is still there.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let (_, thing) = self.places.get_mut(key.place)?.take()?;
        // There is room for every place.
        let _ = self.free.add(key.place);
        Some(thing)
    }

    /// All that are there.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(place, slot)| {
            slot.as_ref().map(|(generation, thing)| (Key { place, generation: *generation }, thing))
        })
    }

    /// How many are there.
    pub const fn len(&self) -> usize {
        self.places.len().saturating_sub(self.free.len())
    }

    /// All that are there, without their keys.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten().map(|(_, thing)| thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_stale_once_their_things_are_gone() {
        let mut table = Table::default();
        let a = table.add('a').unwrap();
        let b = table.add('b').unwrap();
        assert_eq!((table.get(a), table.get(b)), (Some(&'a'), Some(&'b')));
        assert_eq!(table.remove(a), Some('a'));
        assert_eq!((table.remove(a), table.get(a)), (None, None));
        let c = table.add('c').unwrap();
        assert_eq!(table.get(a), None);
        assert_eq!(table.get_mut(c), Some(&mut 'c'));
        assert_eq!(table.values().collect::<String>(), "cb");
        assert_eq!(table.places.len(), 2, "places are used again");
    }
}
