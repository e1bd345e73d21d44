//! `SSH_FXP_STATUS`, draft-ietf-secsh-filexfer-02 section 7.
#![forbid(unsafe_code)]

use super::message;
use crate::error::{Code, Error, Result};
use crate::wire::{Reader, Short};

/// What the server says of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Status {
    /// The status code.
    pub code: u32,
    /// The server's own words.
    text: Vec<u8>,
}

impl Status {
    /// Reads a reply that must be a status.
    pub fn read(kind: u8, body: &[u8]) -> Result<Self> {
        if kind != message::STATUS {
            return Err(unexpected(kind));
        }
        let mut reader = Reader::new(body);
        let code = reader
            .u32()
            .map_err(|Short| Error::new(Code::SftpProtocol, "SFTP status of the server is shorter than its fields"))?;
        // Servers of early drafts send neither text nor language.
        let text = reader.string().unwrap_or_default();
        let text = crate::memory::copy(if code == message::FX_OK { &[] } else { text })?;
        Ok(Self { code, text })
    }

    /// Whether the request was carried out.
    pub const fn is_ok(&self) -> bool {
        self.code == message::FX_OK
    }

    /// The error that the program gets.
    pub fn to_error(&self) -> Error {
        let meaning = match self.code {
            message::FX_OK => "SFTP server answered without a result",
            message::FX_EOF => "SFTP server: end of file",
            message::FX_NO_SUCH_FILE => "SFTP server: no such file",
            message::FX_PERMISSION_DENIED => "SFTP server: permission denied",
            message::FX_FAILURE => "SFTP server: failure",
            message::FX_BAD_MESSAGE => "SFTP server: bad message",
            message::FX_NO_CONNECTION => "SFTP server: no connection",
            message::FX_CONNECTION_LOST => "SFTP server: connection lost",
            message::FX_OP_UNSUPPORTED => "SFTP server: operation is not supported",
            _ => "SFTP server refused the request",
        };
        Error::new(Code::SftpProtocol, meaning).with(&self.text)
    }
}

/// A reply of a type that does not answer its request.
pub fn unexpected(kind: u8) -> Error {
    Error::new(Code::SftpProtocol, "SFTP server answered with a wrong packet type")
        .with_text(format_args!("type {kind}"))
}

/// A reply that is shorter than its fields.
pub const fn malformed(_: Short) -> Error {
    Error::new(Code::SftpProtocol, "SFTP reply of the server is shorter than its fields")
}
