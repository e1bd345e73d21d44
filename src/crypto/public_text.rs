//! Public keys as a line of text, the content of a `.pub` file: sshd(8), AUTHORIZED_KEYS FILE FORMAT, without options.
#![forbid(unsafe_code)]

use crate::error::{Code, Error, Result};
use crate::radix64::{self, Form};
use crate::wire::Reader;

/// Longest text that is taken for a key.
const LONGEST_TEXT: usize = 1024 * 1024;

/// Reads the first line of `text`, which is a type, a blob in Base64 and perhaps a comment: the type's name and the
/// blob. The type may be that of a certificate.
///
/// # Errors
///
/// [`Code::File`] if it is no such line, or if the blob is of another type than the line says.
pub fn parse_public_text(text: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    if text.len() > LONGEST_TEXT {
        return Err(Error::new(Code::File, "Public key file is too long"));
    }
    if text.is_empty() {
        return Err(Error::new(Code::File, "Public key file is empty"));
    }
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let (Some(name), Some(digits)) = (words.next(), words.next()) else {
        return Err(Error::new(Code::File, "Public key file does not hold a type and a key"));
    };
    let blob =
        radix64::decode(Form::Exact, digits)?.ok_or_else(|| Error::new(Code::File, "Public key file is damaged"))?;
    if Reader::new(&blob).string() != Ok(name) {
        return Err(Error::new(Code::File, "Public key is of another type than its file says").with(name));
    }
    Ok((crate::memory::copy(name)?, blob))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    #[test]
    fn reads_the_first_line() {
        for text in [
            format!("ssh-ed25519 {KEY}"),
            format!("ssh-ed25519  {KEY} \r\n"),
            format!("ssh-ed25519\t{KEY} some one@some where\nrubbish"),
        ] {
            let (name, blob) = parse_public_text(text.as_bytes()).unwrap();
            assert_eq!(name, b"ssh-ed25519");
            assert_eq!(blob.len(), 51);
            assert!(super::super::PublicKey::from_blob(&blob).is_ok());
        }
    }

    #[test]
    fn refuses_what_is_no_key() {
        for text in [
            String::new(),
            "\n".to_owned(),
            "ssh-ed25519".to_owned(),
            format!("\nssh-ed25519 {KEY}"),
            "ssh-ed25519 AAAA*".to_owned(),
            "ssh-ed25519 AAAA".to_owned(),
            format!("ssh-rsa {KEY}"),
            format!("ssh-ed25519 {}", &KEY.get(..KEY.len() - 1).unwrap()),
        ] {
            assert_eq!(parse_public_text(text.as_bytes()).unwrap_err().code, Code::File, "{text:?}");
        }
        assert!(parse_public_text(&vec![b'a'; LONGEST_TEXT + 1]).is_err());
    }
}
