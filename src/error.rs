//! The one error type: a code with libssh2's number, a text of ours, and the peer's own words when it sent some.
#![forbid(unsafe_code)]

use std::fmt::{self, Arguments, Write};

use crate::memory;
use crate::wire::Put;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every error number of the C interface, under the name it has there less `LIBSSH2_ERROR_`.
#[allow(missing_docs, reason = "each name is the documentation: it is the C name")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    SocketNone = -1,
    BannerRecv = -2,
    BannerSend = -3,
    InvalidMac = -4,
    KexFailure = -5,
    Alloc = -6,
    SocketSend = -7,
    KeyExchangeFailure = -8,
    Timeout = -9,
    HostkeyInit = -10,
    HostkeySign = -11,
    Decrypt = -12,
    SocketDisconnect = -13,
    Proto = -14,
    PasswordExpired = -15,
    File = -16,
    MethodNone = -17,
    AuthenticationFailed = -18,
    PublickeyUnverified = -19,
    ChannelOutoforder = -20,
    ChannelFailure = -21,
    ChannelRequestDenied = -22,
    ChannelUnknown = -23,
    ChannelWindowExceeded = -24,
    ChannelPacketExceeded = -25,
    ChannelClosed = -26,
    ChannelEofSent = -27,
    ScpProtocol = -28,
    Zlib = -29,
    SocketTimeout = -30,
    SftpProtocol = -31,
    RequestDenied = -32,
    MethodNotSupported = -33,
    Inval = -34,
    InvalidPollType = -35,
    PublickeyProtocol = -36,
    Eagain = -37,
    BufferTooSmall = -38,
    BadUse = -39,
    Compress = -40,
    OutOfBoundary = -41,
    AgentProtocol = -42,
    SocketRecv = -43,
    Encrypt = -44,
    BadSocket = -45,
    KnownHosts = -46,
    ChannelWindowFull = -47,
    KeyfileAuthFailed = -48,
    Randgen = -49,
    MissingUserauthBanner = -50,
    AlgoUnsupported = -51,
    MacFailure = -52,
    HashInit = -53,
    HashCalc = -54,
    StoreOverflow = -55,
}

impl Code {
    /// The number that C callers see.
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// An error as `libssh2_session_last_error` shows it: the code, and `text`, or `text: detail`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What the C function returns.
    pub code: Code,
    text: &'static str,
    /// UTF-8. It is left out where there is no memory for it.
    detail: Option<Vec<u8>>,
}

impl Error {
    /// An error that `text` says all about.
    pub const fn new(code: Code, text: &'static str) -> Self {
        Self { code, text, detail: None }
    }

    /// Adds what is known only now: the peer's words, a path, a number. Control characters are dropped, since the
    /// text may end on a terminal; what is not UTF-8 is replaced.
    #[must_use]
    pub fn with(self, detail: impl AsRef<[u8]>) -> Self {
        self.with_parts(&[detail.as_ref()])
    }

    /// [`Error::with`], for what comes in parts.
    #[must_use]
    pub fn with_parts(mut self, parts: &[&[u8]]) -> Self {
        self.detail = shown(parts).ok().filter(|shown| !shown.is_empty());
        self
    }

    /// [`Error::with`], for what has yet to be put into words.
    #[must_use]
    pub fn with_text(self, detail: Arguments<'_>) -> Self {
        match memory::text(detail) {
            Ok(text) => self.with(text),
            Err(_) => self,
        }
    }

    /// The same again.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { detail: self.detail.as_deref().and_then(|detail| memory::copy(detail).ok()), ..*self }
    }

    /// Makes this the reason of `outer`. Lack of memory stays what it is.
    #[must_use]
    pub fn within(self, outer: Self) -> Self {
        if self.code == Code::Alloc { self } else { outer.with_text(format_args!("{self}")) }
    }

    /// Adds to what is known already.
    #[must_use]
    pub fn with_more(mut self, more: Arguments<'_>) -> Self {
        match self.detail.take() {
            Some(detail) => match memory::text(more) {
                Ok(more) => self.with_parts(&[&detail, b"; ", more.as_ref()]),
                Err(_) => self.with(detail),
            },
            None => self.with_text(more),
        }
    }

    /// Memory that was asked for is not to be had.
    pub const fn alloc() -> Self {
        Self::new(Code::Alloc, "Out of memory")
    }
}

/// Text of somebody else, shown as UTF-8; what is not is replaced.
pub struct Lossy<'a>(pub &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.utf8_chunks().try_for_each(|chunk| {
            f.write_str(chunk.valid())?;
            if chunk.invalid().is_empty() { Ok(()) } else { f.write_char(char::REPLACEMENT_CHARACTER) }
        })
    }
}

/// What is shown of `parts`, one after the other.
fn shown(parts: &[&[u8]]) -> Result<Vec<u8>> {
    const LONGEST: usize = 1024;
    let mut left = LONGEST;
    let mut shown = Vec::new();
    for part in parts {
        let part = part.get(..left).unwrap_or(part);
        left = left.saturating_sub(part.len());
        for chunk in part.utf8_chunks() {
            for text in chunk.valid().split(char::is_control) {
                shown.put(text.as_bytes())?;
            }
            if !chunk.invalid().is_empty() {
                shown.put_text(format_args!("{}", char::REPLACEMENT_CHARACTER))?;
            }
        }
    }
    shown.truncate(shown.trim_ascii_end().len());
    let blank = shown.len().saturating_sub(shown.trim_ascii_start().len());
    shown.drain(..blank);
    Ok(shown)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)?;
        match &self.detail {
            Some(detail) => write!(f, ": {}", str::from_utf8(detail).unwrap_or_default()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_is_shown_after_the_text_without_control_characters() {
        let error = Error::new(Code::SftpProtocol, "Server refused").with(b"No\x1b[2J such\r\n file\n");
        assert_eq!(error.to_string(), "Server refused: No[2J such file");
        assert_eq!(error.code.number(), -31);
    }

    #[test]
    fn an_empty_detail_leaves_no_colon() {
        assert_eq!(Error::alloc().with("\n").to_string(), "Out of memory");
    }
}
