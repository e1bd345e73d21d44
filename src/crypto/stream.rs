//! Stream ciphers: AES in counter mode (RFC 4344) and ChaCha20 (RFC 8439 section 2.4).
#![forbid(unsafe_code)]

use super::openssl::{Cipher, Direction, OrRefuse};
use crate::error::{Code, Error, Result};

/// A keystream that bytes are combined with; encrypting and decrypting are the same.
pub struct StreamCipher(Cipher);

impl StreamCipher {
    /// AES in counter mode, with a key of 16, 24 or 32 bytes and an initial counter of 16.
    pub fn aes_ctr(key: &[u8], iv: &[u8]) -> Result<Self> {
        let name = match key.len() {
            16 => c"AES-128-CTR",
            24 => c"AES-192-CTR",
            32 => c"AES-256-CTR",
            _ => return Err(Error::new(Code::Encrypt, "AES has no key of that length")),
        };
        Cipher::new(name, Direction::Encrypt, key, iv)
            .map(Self)
            .or_refuse(Code::Encrypt, "AES in counter mode is not to be had")
    }

    /// ChaCha20, with a key of 32 bytes; [`StreamCipher::set_iv`] must follow.
    pub fn chacha20(key: &[u8]) -> Result<Self> {
        Cipher::new(c"ChaCha20", Direction::Encrypt, key, &[0; 16])
            .map(Self)
            .or_refuse(Code::Encrypt, "ChaCha20 is not to be had")
    }

    /// Goes to the start of another keystream under the same key. For AES, `iv` is the initial counter; for ChaCha20,
    /// the block counter as 64 bits, little-endian, and a nonce of 64 bits.
    pub fn set_iv(&mut self, iv: &[u8; 16]) -> Result<()> {
        self.0.restart(iv).or_refuse(Code::Encrypt, "Cipher took no IV")
    }

    /// Combines `input` with the keystream into `output`, which is equally long.
    pub fn update(&mut self, input: &[u8], output: &mut [u8]) -> Result<()> {
        self.0.update(input, output).or_refuse(Code::Encrypt, "Cipher failed")
    }

    /// Combines `data` with the keystream where it lies.
    pub fn update_in_place(&mut self, data: &mut [u8]) -> Result<()> {
        self.0.update_in_place(data).or_refuse(Code::Encrypt, "Cipher failed")
    }
}
