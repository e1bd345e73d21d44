//! Base64 (RFC 4648 section 4), as files have it.
#![forbid(unsafe_code)]

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine};
use base64::{alphabet, decoded_len_estimate, encoded_len};
use zeroize::Zeroize;

use crate::error::{Error, Result};
use crate::memory;

/// With or without padding, and with any bits behind the last byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How exactly a text has to be Base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is written, with its padding.
    Exact,
    /// The padding may be missing.
    Lenient,
}

/// The text that stands for `bytes`.
pub fn encode(bytes: &[u8]) -> Result<Vec<u8>> {
    let length = encoded_len(bytes.len(), true).ok_or_else(Error::alloc)?;
    let mut text = memory::filled(length, 0)?;
    STANDARD.encode_slice(bytes, &mut text).map_err(|_| Error::alloc())?;
    Ok(text)
}

/// The bytes that `text` stands for; `None` if it is not Base64.
pub fn decode(form: Form, text: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut bytes = memory::filled(decoded_len_estimate(text.len()), 0)?;
    let decoded = match form {
        Form::Exact => STANDARD.decode_slice(text, &mut bytes),
        Form::Lenient => LENIENT.decode_slice(text, &mut bytes),
    };
    let Ok(length) = decoded else {
        // It may have been the beginning of a secret.
        bytes.zeroize();
        return Ok(None);
    };
    bytes.truncate(length);
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for length in 0..20 {
            let bytes: Vec<u8> = (0..length).collect();
            let text = encode(&bytes).unwrap();
            assert_eq!(decode(Form::Exact, &text).unwrap().as_deref(), Some(&bytes[..]));
            let unpadded = text.split(|&byte| byte == b'=').next().unwrap();
            assert_eq!(decode(Form::Lenient, unpadded).unwrap().as_deref(), Some(&bytes[..]));
            assert_eq!(decode(Form::Exact, unpadded).unwrap().is_some(), unpadded.len() == text.len());
        }
        assert_eq!(decode(Form::Lenient, b"AA*A").unwrap(), None);
    }
}
