//! The identification line, RFC 4253 section 4.2.
#![forbid(unsafe_code)]

use crate::error::{Code, Error, Result};

/// Longest line that is read before the peer is given up on.
const LONGEST_LINE: usize = 8192;
/// Lines that a server may print before its identification.
const MOST_LINES: usize = 1024;

/// Looks for the peer's identification among its first lines.
#[derive(Debug, Default)]
pub struct IdentReader {
    lines: usize,
}

/// What a look at the bytes so far has found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing yet; the bytes counted here are lines of no interest and can be dropped.
    NotYet { consumed: usize },
    /// The identification without its line end, and the bytes up to the end of its line.
    Ident { line: &'a [u8], consumed: usize },
}

impl IdentReader {
    /// Reads the lines in `input`, which begins at a line's beginning.
    pub fn read<'a>(&mut self, input: &'a [u8]) -> Result<Found<'a>> {
        let mut consumed = 0_usize;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                // However the line comes, it may be as long, and have a CR behind that.
                if rest.len() > LONGEST_LINE.saturating_add(1) {
                    return Err(too_long());
                }
                return Ok(Found::NotYet { consumed });
            };
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            consumed = consumed.saturating_add(end).saturating_add(1);
            if line.len() > LONGEST_LINE {
                return Err(too_long());
            }
            if line.contains(&0) {
                return Err(Error::new(Code::BannerRecv, "Identification line of the server has a NUL byte"));
            }
            if line.starts_with(b"SSH-") {
                check_version(line)?;
                return Ok(Found::Ident { line, consumed });
            }
            self.lines = self.lines.saturating_add(1);
            if self.lines > MOST_LINES {
                return Err(Error::new(Code::BannerRecv, "Server talks on without identifying itself as SSH"));
            }
        }
    }
}

const fn too_long() -> Error {
    Error::new(Code::BannerRecv, "Identification line of the server is too long")
}

/// Version 2.0, or a server that also speaks version 1 (RFC 4253 section 5.1).
fn check_version(line: &[u8]) -> Result<()> {
    if line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-") {
        Ok(())
    } else {
        Err(Error::new(Code::BannerRecv, "Server speaks another version of SSH").with(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_the_lines_before() {
        let found = IdentReader::default().read(b"hello\r\n\nSSH-2.0-x y\r\n\0\0\0").unwrap();
        assert_eq!(found, Found::Ident { line: b"SSH-2.0-x y", consumed: 21 });
    }

    #[test]
    fn waits_for_the_line_end() {
        let mut reader = IdentReader::default();
        assert_eq!(reader.read(b"SSH-2.0-x").unwrap(), Found::NotYet { consumed: 0 });
        assert_eq!(reader.read(b"motd\nSSH-2.0-x").unwrap(), Found::NotYet { consumed: 5 });
    }

    #[test]
    fn refuses_what_is_no_ssh() {
        assert!(IdentReader::default().read(b"SSH-1.5-old\n").is_err());
        assert!(IdentReader::default().read(b"SSH-2.0-x\0y\n").is_err());
        assert!(IdentReader::default().read(&[b'x'; LONGEST_LINE + 2]).is_err());
        let whole = [b"SSH-2.0-", [b'x'; LONGEST_LINE].as_slice(), b"\r\n"].concat();
        assert!(IdentReader::default().read(&whole).is_err());
        let longest = &whole[8..];
        for part in 0..longest.len() {
            assert_eq!(IdentReader::default().read(&longest[..part]).unwrap(), Found::NotYet { consumed: 0 });
        }
        assert!(IdentReader::default().read(&[b'\n'; MOST_LINES + 1]).is_err());
    }
}
