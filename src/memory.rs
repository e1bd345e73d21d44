//! Memory, taken so that it can be refused: the one place where anything is allocated.
//!
//! Rust's own growing methods end the process when memory runs out, which no library may do to its host. So `clippy.toml`
//! forbids them, and everything that grows or is boxed goes through here and fails with `LIBSSH2_ERROR_ALLOC` instead.
//! What has to succeed once something has happened, such as noting a request that has left, is preceded by [`Add::room`].
#![allow(unsafe_code, reason = "a box that may be refused has no safe form in the standard library")]
#![allow(clippy::disallowed_methods, reason = "each growth follows a reservation that has succeeded")]

use std::collections::{HashMap, TryReserveError, VecDeque};
use std::ffi::CString;
use std::fmt::Arguments;
use std::hash::Hash;
use std::mem::MaybeUninit;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::wire::Put;

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Self {
        Self::alloc()
    }
}

/// What grows by one item at a time.
pub trait Add<T> {
    /// Makes room for so many items more, so that adding them cannot fail.
    fn room(&mut self, count: usize) -> Result<()>;

    /// Adds an item, behind those that are there if they have an order.
    fn add(&mut self, item: T) -> Result<()>;
}

impl<T> Add<T> for Vec<T> {
    fn room(&mut self, count: usize) -> Result<()> {
        Ok(self.try_reserve(count)?)
    }

    #[inline]
    fn add(&mut self, item: T) -> Result<()> {
        self.try_reserve(1)?;
        self.push(item);
        Ok(())
    }
}

impl<T> Add<T> for VecDeque<T> {
    fn room(&mut self, count: usize) -> Result<()> {
        Ok(self.try_reserve(count)?)
    }

    #[inline]
    fn add(&mut self, item: T) -> Result<()> {
        self.try_reserve(1)?;
        self.push_back(item);
        Ok(())
    }
}

impl<K: Eq + Hash, V> Add<(K, V)> for HashMap<K, V> {
    fn room(&mut self, count: usize) -> Result<()> {
        Ok(self.try_reserve(count)?)
    }

    /// A value that has the same key is replaced.
    #[inline]
    fn add(&mut self, (key, value): (K, V)) -> Result<()> {
        self.try_reserve(1)?;
        self.insert(key, value);
        Ok(())
    }
}

impl Put for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.try_reserve(bytes.len())?;
        self.extend_from_slice(bytes);
        Ok(())
    }
}

impl Put for VecDeque<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.try_reserve(bytes.len())?;
        self.extend(bytes);
        Ok(())
    }
}

/// A copy of `items`.
pub fn copy<T: Copy>(items: &[T]) -> Result<Vec<T>> {
    let mut owned = Vec::new();
    owned.try_reserve_exact(items.len())?;
    owned.extend_from_slice(items);
    Ok(owned)
}

/// A copy of `parts`, one after the other.
pub fn concat(parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut owned = Vec::new();
    owned.try_reserve_exact(parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len())))?;
    parts.iter().for_each(|part| owned.extend_from_slice(part));
    Ok(owned)
}

/// What `items` gives, one after the other.
pub fn collect<T>(items: impl IntoIterator<Item = T>) -> Result<Vec<T>> {
    try_collect(items.into_iter().map(Ok))
}

/// What `items` gives, one after the other, or the first failure.
pub fn try_collect<T>(items: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let items = items.into_iter();
    let mut owned = Vec::new();
    owned.try_reserve(items.size_hint().0)?;
    for item in items {
        owned.add(item?)?;
    }
    Ok(owned)
}

/// `count` times `item`.
pub fn filled<T: Copy>(count: usize, item: T) -> Result<Vec<T>> {
    let mut owned = Vec::new();
    owned.try_reserve_exact(count)?;
    owned.resize(count, item);
    Ok(owned)
}

/// Makes `owned` so long, with zeros behind what is there, and takes no more memory than that.
pub fn extend(owned: &mut Vec<u8>, length: usize) -> Result<()> {
    owned.try_reserve_exact(length.saturating_sub(owned.len()))?;
    owned.resize(length, 0);
    Ok(())
}

/// Room for `size` bytes, and none of them there.
pub fn sized(size: usize) -> Result<Vec<u8>> {
    let mut owned = Vec::new();
    owned.try_reserve_exact(size)?;
    Ok(owned)
}

/// Makes room for so many bytes more behind those of a secret. Where it has to move, nothing of it is left behind.
pub fn room_for_secret(secret: &mut Zeroizing<Vec<u8>>, count: usize) -> Result<()> {
    let needed = secret.len().saturating_add(count);
    if needed > secret.capacity() {
        let mut larger = Zeroizing::new(sized(needed.max(secret.capacity().saturating_mul(2)))?);
        larger.put(secret)?;
        *secret = larger;
    }
    Ok(())
}

/// Text as it is shown.
pub fn text(text: Arguments<'_>) -> Result<Vec<u8>> {
    let mut owned = Vec::new();
    owned.put_text(text)?;
    Ok(owned)
}

/// A copy of `text` for C; it ends at its first NUL.
pub fn c_string(text: &[u8]) -> Result<CString> {
    let length = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    // Exactly as much as is needed: else it would be moved once more.
    let owned = concat(&[text.get(..length).unwrap_or_default(), &[0]])?;
    CString::from_vec_with_nul(owned).map_err(|_| Error::alloc())
}

/// `value` in memory of its own.
pub fn boxed<T>(value: T) -> Result<Box<T>> {
    Ok(Box::write(place()?, value))
}

/// Memory for one value, which [`Box::write`] puts there.
pub fn place<T>() -> Result<Box<MaybeUninit<T>>> {
    let mut owned = Vec::new();
    owned.try_reserve_exact(1)?;
    owned.push(MaybeUninit::uninit());
    let one: *mut [MaybeUninit<T>] = Box::into_raw(owned.into_boxed_slice());
    // SAFETY: a slice of one value lies in memory as the value alone, and its pointer has just left a box.
    Ok(unsafe { Box::from_raw(one.cast()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_an_error() {
        assert_eq!(sized(usize::MAX).unwrap_err(), Error::alloc());
        assert_eq!(filled(usize::MAX, 0_u64).unwrap_err(), Error::alloc());
        assert_eq!(Add::<u8>::room(&mut Vec::new(), usize::MAX).unwrap_err(), Error::alloc());
    }

    #[test]
    fn text_for_c_ends_at_its_first_nul() {
        assert_eq!(c_string(b"").unwrap().as_c_str(), c"");
        assert_eq!(c_string(b"one\0two").unwrap().as_c_str(), c"one");
    }

    #[test]
    fn boxes_hold_what_was_put_in_and_drop_it_once() {
        let counted = std::rc::Rc::new(());
        let held: Box<dyn std::any::Any> = boxed(counted.clone()).unwrap();
        assert_eq!(std::rc::Rc::strong_count(&counted), 2);
        drop(held);
        assert_eq!(std::rc::Rc::strong_count(&counted), 1);
        assert_eq!(*boxed([7_u64; 9]).unwrap(), [7; 9]);
        boxed(()).unwrap();
    }

    #[test]
    fn a_secret_that_grows_keeps_its_bytes_and_moves_seldom() {
        let (mut secret, mut moves) = (Zeroizing::new(Vec::new()), 0);
        for round in 0..1000_usize {
            let before = secret.capacity();
            room_for_secret(&mut secret, 3).unwrap();
            moves += usize::from(secret.capacity() != before);
            let room = secret.capacity();
            secret.put(&[round as u8; 3]).unwrap();
            assert_eq!(secret.capacity(), room, "it must not move by itself");
        }
        assert!(secret.chunks(3).enumerate().all(|(round, three)| three == [round as u8; 3]) && moves < 12);
        assert_eq!(room_for_secret(&mut secret, usize::MAX).unwrap_err(), Error::alloc());
        assert_eq!(secret.len(), 3000);
    }

    #[test]
    fn the_first_failure_ends_a_collection() {
        assert_eq!(collect(0..3).unwrap(), [0, 1, 2]);
        let failing = (0..3).map(|n| if n < 2 { Ok(n) } else { Err(Error::alloc()) });
        assert_eq!(try_collect(failing).unwrap_err(), Error::alloc());
        assert_eq!(concat(&[b"one", b"", b" two"]).unwrap(), b"one two");
        assert_eq!(text(format_args!("{:03}", 7)).unwrap(), b"007");
    }
}
