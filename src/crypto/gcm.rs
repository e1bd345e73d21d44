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

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    const CLEAR: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
    const FRONT: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
    const NONCE: &str = "cafebabefacedbaddecaf888";

    /// Test cases 4 and 16 of the GCM specification.
    fn vectors() -> [(Vec<u8>, Vec<u8>, [u8; 16]); 2] {
        [
            (
                hex("feffe9928665731c6d6a8f9467308308"),
                hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
                     21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"),
                hex("5bc94fbc3221a5db94fae95ae7121a47").try_into().unwrap(),
            ),
            (
                hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
                hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
                     8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"),
                hex("76fc6ece0f4e1768cddf8853bb2d551b").try_into().unwrap(),
            ),
        ]
    }

    #[test]
    fn seals_and_opens_message_after_message() {
        let (clear, front, nonce) = (hex(CLEAR), hex(FRONT), hex(NONCE).try_into().unwrap());
        for (key, sealed, tag) in vectors() {
            let (mut sealing, mut opening) = (AesGcm::sealing(&key).unwrap(), AesGcm::opening(&key).unwrap());
            for cut in [0, 1, 5, 16, 33, clear.len()] {
                let (mut out, mut made) = (vec![0; clear.len()], [0; 16]);
                sealing.begin(&nonce, &front).unwrap();
                let (first, second) = out.split_at_mut(cut);
                sealing.update(&clear[..cut], first).unwrap();
                sealing.update(&clear[cut..], second).unwrap();
                sealing.seal_tag(&mut made).unwrap();
                assert_eq!((&out, made), (&sealed, tag), "cut at {cut}");

                opening.begin(&nonce, &front).unwrap();
                let (first, second) = out.split_at_mut(cut);
                opening.update_in_place(first).unwrap();
                opening.update_in_place(second).unwrap();
                opening.open_tag(&tag).unwrap();
                assert_eq!(out, clear, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_wrong_tag_is_refused_and_the_next_message_is_not_harmed() {
        let (front, nonce) = (hex(FRONT), hex(NONCE).try_into().unwrap());
        for (key, sealed, tag) in vectors() {
            let mut opening = AesGcm::opening(&key).unwrap();
            let mut open = |front: &[u8], tag: &[u8; 16]| {
                opening.begin(&nonce, front).unwrap();
                opening.update_in_place(&mut sealed.clone()).unwrap();
                opening.open_tag(tag)
            };
            for bit in 0..128 {
                let mut wrong = tag;
                wrong[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(open(&front, &wrong).unwrap_err().code, Code::Decrypt);
            }
            assert!(open(&front[1..], &tag).is_err());
            assert!(open(&front, &tag).is_ok());
        }
    }

    #[test]
    fn keys_of_other_sizes_are_refused() {
        for len in [0, 15, 24, 33] {
            assert!(AesGcm::sealing(&vec![0; len]).is_err());
            assert!(AesGcm::opening(&vec![0; len]).is_err());
        }
    }
}
