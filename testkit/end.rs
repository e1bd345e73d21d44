//! Why a connection ended.

use std::fmt;

use ssh2::error::Error;
use ssh2::wire::Short;

pub type Result<T, E = End> = std::result::Result<T, E>;

/// Why a connection ended, in words for whoever looks at the server's standard error.
#[derive(Debug)]
pub struct End(String);

impl End {
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Short> for End {
    fn from(_: Short) -> Self {
        Self::new("the client sent a packet that is shorter than its fields")
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
