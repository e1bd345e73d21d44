//! The error that a session remembers for `libssh2_session_last_error`.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};

use crate::error::{Error, Result};

/// The number and the text of the last failure. A success does not clear it, waiting clears the number.
#[derive(Default)]
pub struct LastError(RefCell<(c_int, CString)>);

impl LastError {
    /// Remembers a failure.
    pub fn store(&self, error: &Error) {
        self.set(error.code.number(), error.to_string().into_bytes());
    }

    /// Remembers a number and a text; the text ends at its first NUL.
    pub fn set(&self, number: c_int, mut text: Vec<u8>) {
        let length = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        text.truncate(length);
        *self.0.borrow_mut() = (number, CString::new(text).unwrap_or_default());
    }

    /// There is no failure to tell of.
    pub fn clear(&self) {
        self.0.borrow_mut().0 = 0;
    }

    /// The number.
    pub fn number(&self) -> c_int {
        self.0.borrow().0
    }

    /// A copy of the number and the text; a text without a number does not count.
    pub fn copy(&self) -> Result<(c_int, CString)> {
        let error = self.0.borrow();
        let text = if error.0 == 0 { c"" } else { error.1.as_c_str() };
        Ok((error.0, CString::new(crate::wire::copy(text.to_bytes())?).unwrap_or_default()))
    }

    /// The text where it lies: valid until the next failure.
    pub fn text(&self) -> *const c_char {
        let error = self.0.borrow();
        if error.0 == 0 { c"".as_ptr() } else { error.1.as_ptr() }
    }
}
