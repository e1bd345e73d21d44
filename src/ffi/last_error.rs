//! The error that a session remembers for `libssh2_session_last_error`.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::io::{self, Write};

use crate::error::Error;
use crate::memory::c_string;

/// Room for a text; what the words of somebody else have beyond it is not kept.
const ROOM: usize = 1280;

/// The number and the text of the last failure. A success does not clear it, waiting clears the number.
#[derive(Default)]
pub struct LastError(RefCell<Remembered>);

struct Remembered {
    number: c_int,
    /// The text. It has one place, since programs keep the pointer to it.
    place: [u8; ROOM],
    /// The program's own text, if it is too long for that place.
    long: Option<CString>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { number: 0, place: [0; ROOM], long: None }
    }
}

impl Remembered {
    fn text(&self) -> &CStr {
        match &self.long {
            _ if self.number == 0 => c"",
            Some(long) => long,
            None => CStr::from_bytes_until_nul(&self.place).unwrap_or_default(),
        }
    }

    /// Puts a text into its place: whether all of it fits. Where not, it is cut between characters.
    fn put(&mut self, put: impl FnOnce(&mut &mut [u8]) -> io::Result<()>) -> bool {
        let mut rest = self.place.get_mut(..ROOM.saturating_sub(1)).unwrap_or_default();
        let fits = put(&mut rest).is_ok();
        let end = ROOM.saturating_sub(1).saturating_sub(rest.len());
        let text = self.place.get(..end).unwrap_or_default();
        let end = if fits { end } else { text.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len()) };
        if let Some(terminator) = self.place.get_mut(end) {
            *terminator = 0;
        }
        fits
    }
}

impl LastError {
    /// Remembers a failure.
    pub fn store(&self, error: &Error) {
        let mut last = self.0.borrow_mut();
        last.number = error.code.number();
        last.put(|place| write!(place, "{error}"));
        last.long = None;
    }

    /// Remembers a number and a text; the text ends at its first NUL.
    pub fn set(&self, number: c_int, text: &[u8]) {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let mut last = self.0.borrow_mut();
        last.number = number;
        last.long = if last.put(|place| place.write_all(text)) { None } else { c_string(text).ok() };
    }

    /// There is no failure to tell of.
    pub fn clear(&self) {
        self.0.borrow_mut().number = 0;
    }

    /// The number.
    pub fn number(&self) -> c_int {
        self.0.borrow().number
    }

    /// How long the text is; one without a number does not count.
    pub fn len(&self) -> usize {
        self.0.borrow().text().count_bytes()
    }

    /// The text where it lies: valid until the next failure, and if it is not the program's own as long as this is there.
    pub fn text(&self) -> *const c_char {
        self.0.borrow().text().as_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_text_stays_where_it_is_and_is_cut_between_characters() {
        let last = LastError::default();
        last.store(&Error::new(Code::Proto, "short"));
        let place = last.text();
        for length in 1000..1024 {
            let words = format!("{}{}", "x".repeat(length), "\u{fffd}".repeat(10));
            last.store(
                &Error::new(Code::Proto, "long").with_parts(&[words.as_bytes()]).with_more(format_args!("{words}")),
            );
            assert_eq!(last.text(), place);
            let remembered = last.0.borrow();
            let text = remembered.text().to_str().unwrap();
            assert!(text.starts_with("long: xxx") && (500..ROOM).contains(&text.len()), "{}", text.len());
        }
        last.store(&Error::new(Code::Proto, "short"));
        assert_eq!((last.text(), last.len()), (place, 5));
        let long = "y".repeat(5000);
        last.set(-1, long.as_bytes());
        assert_eq!(last.len(), 5000);
        last.store(&Error::new(Code::Proto, "again"));
        assert_eq!((last.text(), last.len()), (place, 5));
    }
}
