//! Base64, for programs that have none of their own.

use std::ffi::{c_char, c_int, c_uint};

use crate::error::{Code, Error, Result};
use crate::ffi::guard::size;
use crate::ffi::guard::{bytes, enter, null, store};
use crate::ffi::types::LIBSSH2_SESSION;
use crate::memory::{self, Add};

/// Decodes base64 (RFC 4648 section 4). What is not of its alphabet is skipped, line ends and padding among it.
/// Deprecated since 1.0.
///
/// src is src_len characters. dest is set to the bytes, which are allocated with the session's allocator, to be freed by
/// libssh2_free(), and dest_len to their number.
///
/// Returns 0; LIBSSH2_ERROR_INVAL when a character is left over that makes no byte; LIBSSH2_ERROR_BAD_USE when dest or
/// src is NULL; LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; src can be read, dest and dest_len can be written to.
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.0: use a decoder of your own")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_base64_decode(
    session: *mut LIBSSH2_SESSION,
    dest: *mut *mut c_char,
    dest_len: *mut c_uint,
    src: *const c_char,
    src_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            if dest.is_null() {
                return Err(null());
            }
            let decoded = decode(bytes(src, size(src_len))?)?;
            let memory = session.allocator.copy(&decoded, &session.r#abstract)?;
            store(dest, memory.as_ptr().cast());
            store(dest_len, c_uint::try_from(decoded.len()).unwrap_or(c_uint::MAX));
            Ok(0)
        })
    }
}

pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>> {
    let mut decoded = memory::sized(text.len())?;
    let (mut bits, mut count) = (0_u32, 0_u32);
    for value in text.iter().copied().filter_map(value) {
        bits = (bits << 6) | u32::from(value);
        count = count.wrapping_add(1) % 4;
        // Whole bytes there are after the second, third and fourth of four characters.
        match count {
            2 => decoded.add(low_byte(bits >> 4))?,
            3 => decoded.add(low_byte(bits >> 2))?,
            0 => decoded.add(low_byte(bits))?,
            _ => {}
        }
    }
    if count == 1 {
        return Err(Error::new(Code::Inval, "Base64 ends in the middle of a byte"));
    }
    Ok(decoded)
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(character.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(character.wrapping_sub(b'0').wrapping_add(52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

const fn low_byte(bits: u32) -> u8 {
    let [.., low] = bits.to_be_bytes();
    low
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn every_length_and_every_byte() {
        let all: Vec<u8> = (0..=255).collect();
        for length in 0..all.len() {
            let text = STANDARD.encode(&all[all.len() - length..]);
            assert_eq!(decode(text.as_bytes()).unwrap(), all[all.len() - length..]);
            assert_eq!(decode(text.trim_end_matches('=').as_bytes()).unwrap(), all[all.len() - length..]);
        }
    }

    #[test]
    fn what_is_not_of_the_alphabet_is_skipped() {
        assert_eq!(decode(b"Zm\r\n9v-_ ").unwrap(), b"foo");
        assert_eq!(decode(b"=").unwrap(), b"");
        for text in ["Z", "Zm9vY", "Zm9vY==="] {
            assert_eq!(decode(text.as_bytes()).unwrap_err().code, Code::Inval);
        }
    }
}
