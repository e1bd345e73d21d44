//! AES in Galois/counter mode, NIST SP 800-38D.
#![forbid(unsafe_code)]

use super::openssl::{Cipher, Direction, OrRefuse};
use crate::error::{Code, Error, Result};

/// AES-GCM under one key and in one direction. A message goes: `begin`, any number of updates, then `seal_tag` or
/// `open_tag`.
pub struct AesGcm(Cipher);

impl AesGcm {
    /// Encrypts, with a key of 16 or 32 bytes.
    pub fn sealing(key: &[u8]) -> Result<Self> {
        Self::new(Direction::Encrypt, key)
    }

    /// Decrypts, with a key of 16 or 32 bytes.
    pub fn opening(key: &[u8]) -> Result<Self> {
        Self::new(Direction::Decrypt, key)
    }

    fn new(direction: Direction, key: &[u8]) -> Result<Self> {
        let name = match key.len() {
            16 => c"AES-128-GCM",
            32 => c"AES-256-GCM",
            _ => return Err(Error::new(Code::Encrypt, "AES-GCM has no key of that length")),
        };
        Cipher::new(name, direction, key, &[0; 12]).map(Self).or_refuse(Code::Encrypt, "AES-GCM is not to be had")
    }

    /// Begins a message, with `authenticated` in front that stays in the clear. When sealing, no two messages under one
    /// key may have the same `nonce`.
    pub fn begin(&mut self, nonce: &[u8; 12], authenticated: &[u8]) -> Result<()> {
        self.0
            .restart(nonce)
            .and_then(|()| self.0.authenticate(authenticated))
            .or_refuse(Code::Encrypt, "AES-GCM took no nonce")
    }

    /// Processes `input` into `output`, which is equally long. What is opened must not be believed before `open_tag`.
    pub fn update(&mut self, input: &[u8], output: &mut [u8]) -> Result<()> {
        self.0.update(input, output).or_refuse(Code::Encrypt, "AES-GCM failed")
    }

    /// Processes `data` where it lies. What is opened must not be believed before `open_tag`.
    pub fn update_in_place(&mut self, data: &mut [u8]) -> Result<()> {
        self.0.update_in_place(data).or_refuse(Code::Encrypt, "AES-GCM failed")
    }

    /// Ends a message that is sealed: its tag.
    pub fn seal_tag(&mut self, tag: &mut [u8; 16]) -> Result<()> {
        self.0.tag(tag).or_refuse(Code::Encrypt, "AES-GCM gave no tag")
    }

    /// Ends a message that is opened: an error if `tag` is not its tag.
    pub fn open_tag(&mut self, tag: &[u8; 16]) -> Result<()> {
        self.0.check_tag(tag).or_refuse(Code::Decrypt, "AES-GCM tag is wrong")
    }
}
