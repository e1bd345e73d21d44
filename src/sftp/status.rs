//! `SSH_FXP_STATUS`, draft-ietf-secsh-filexfer-02 section 7.
#![forbid(unsafe_code)]

use super::message;
use crate::error::{Code, Error, Result};
use crate::memory;
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
        let text = memory::copy(if code == message::FX_OK { &[] } else { text })?;
        Ok(Self { code, text })
    }

    /// In place of an answer to a write that could not be sent, and why.
    pub fn not_sent(reason: &Error) -> Self {
        let text = memory::text(format_args!("data was not sent: {reason}")).unwrap_or_default();
        Self { code: message::FX_FAILURE, text }
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
            // What later versions added; servers have been seen to use them in version 3.
            9 => "SFTP server: invalid handle",
            10 => "SFTP server: no such path",
            11 => "SFTP server: file already exists",
            12 => "SFTP server: file system is write-protected",
            13 => "SFTP server: no medium in the drive",
            14 => "SFTP server: no space left on the file system",
            15 => "SFTP server: quota exceeded",
            16 => "SFTP server: unknown user or group",
            17 => "SFTP server: file is locked",
            18 => "SFTP server: directory is not empty",
            19 => "SFTP server: not a directory",
            20 => "SFTP server: invalid file name",
            21 => "SFTP server: too many symbolic links",
            22 => "SFTP server: file cannot be deleted",
            23 => "SFTP server: invalid parameter",
            24 => "SFTP server: file is a directory",
            25 | 26 => "SFTP server: range of bytes is locked",
            27 => "SFTP server: deletion is pending",
            28 => "SFTP server: file is corrupt",
            29 => "SFTP server: invalid owner",
            30 => "SFTP server: invalid group",
            31 => "SFTP server: range of bytes was not locked",
            _ => {
                let error = Error::new(Code::SftpProtocol, "SFTP server refused the request").with(&self.text);
                return error.with_more(format_args!("status {}", self.code));
            }
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
