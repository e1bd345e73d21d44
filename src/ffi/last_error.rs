//! The error that a session remembers for `libssh2_session_last_error`.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::io::{self, Write};

use crate::error::Error;
use crate::memory::{self, c_string};

/// Texts shorter than this take no memory; it is more than any of ours takes without the words of somebody else.
const SHORT: usize = 160;

/// The number and the text of the last failure. A success does not clear it, waiting clears the number.
#[derive(Default)]
pub struct LastError(RefCell<Remembered>);

struct Remembered {
    number: c_int,
    short: [u8; SHORT],
    /// The text, if it is too long for the other place.
    long: Option<CString>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { number: 0, short: [0; SHORT], long: None }
    }
}

impl Remembered {
    fn text(&self) -> &CStr {
        let short = || CStr::from_bytes_until_nul(&self.short).unwrap_or_default();
        match &self.long {
            _ if self.number == 0 => c"",
            Some(long) => long,
            None => short(),
        }
    }

    /// Puts a text into the place for short ones: whether all of it fits.
    fn put_short(&mut self, put: impl FnOnce(&mut &mut [u8]) -> io::Result<()>) -> bool {
        self.short = [0; SHORT];
        // The last byte stays 0.
        let mut place = self.short.get_mut(..SHORT.saturating_sub(1)).unwrap_or_default();
        put(&mut place).is_ok()
    }
}

impl LastError {
    /// Remembers a failure. Where there is no memory for a long text its beginning is remembered.
    pub fn store(&self, error: &Error) {
        let mut last = self.0.borrow_mut();
        last.number = error.code.number();
        let fits = last.put_short(|place| write!(place, "{error}"));
        last.long =
            if fits { None } else { memory::text(format_args!("{error}")).and_then(|text| c_string(&text)).ok() };
    }

    /// Remembers a number and a text; the text ends at its first NUL.
    pub fn set(&self, number: c_int, text: &[u8]) {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        let mut last = self.0.borrow_mut();
        last.number = number;
        last.long = if last.put_short(|place| place.write_all(text)) { None } else { c_string(text).ok() };
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

    /// The text where it lies: valid until the next failure.
    pub fn text(&self) -> *const c_char {
        self.0.borrow().text().as_ptr()
    }
}
