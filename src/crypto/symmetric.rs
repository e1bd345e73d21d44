//! Ciphers that only encrypt: keystreams, AES in counter mode (RFC 4344), ChaCha20 (RFC 8439 section 2.4) and RC4 (RFC
//! 4345), and block ciphers whose blocks are chained (RFC 4253 section 6.3).
#![forbid(unsafe_code)]

use std::ffi::CStr;

use super::openssl::{Cipher, Direction, OrRefuse, Source};
use crate::error::{Code, Error, Result};

/// Bytes of RC4's keystream that are thrown away, RFC 4345 section 4.
const RC4_DISCARDED: usize = 1536;

/// A block cipher in CBC mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CbcCipher {
    /// AES with a key of so many bytes.
    Aes(usize),
    /// Triple DES with three keys.
    TripleDes,
    /// Blowfish with a key of 16 bytes.
    Blowfish,
    /// CAST-128
    Cast128,
}

impl CbcCipher {
    /// Bytes of a key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes(len) => len,
            Self::TripleDes => 24,
            Self::Blowfish | Self::Cast128 => 16,
        }
    }

    /// Bytes of a block.
    pub const fn block(self) -> usize {
        match self {
            Self::Aes(_) => 16,
            Self::TripleDes | Self::Blowfish | Self::Cast128 => 8,
        }
    }

    const fn name(self) -> &'static CStr {
        match self {
            Self::Aes(16) => c"AES-128-CBC",
            Self::Aes(24) => c"AES-192-CBC",
            Self::Aes(_) => c"AES-256-CBC",
            Self::TripleDes => c"DES-EDE3-CBC",
            Self::Blowfish => c"BF-CBC",
            Self::Cast128 => c"CAST5-CBC",
        }
    }

    const fn source(self) -> Source {
        match self {
            Self::Aes(_) | Self::TripleDes => Source::Default,
            Self::Blowfish | Self::Cast128 => Source::Legacy,
        }
    }
}

/// A cipher under one key and in one direction.
pub struct SymmetricCipher(Cipher);

impl SymmetricCipher {
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

    /// ChaCha20, with a key of 32 bytes; [`SymmetricCipher::set_iv`] must follow.
    pub fn chacha20(key: &[u8]) -> Result<Self> {
        Cipher::new(c"ChaCha20", Direction::Encrypt, key, &[0; 16])
            .map(Self)
            .or_refuse(Code::Encrypt, "ChaCha20 is not to be had")
    }

    /// RC4, with a key of 16 bytes, whose keystream begins behind what gives the key away if `discard`.
    pub fn rc4(key: &[u8], discard: bool) -> Result<Self> {
        let cipher = Cipher::from_source(Source::Legacy, c"RC4", Direction::Encrypt, key, &[]);
        let mut cipher = cipher.map(Self).or_refuse(Code::Encrypt, "RC4 is not to be had")?;
        if discard {
            cipher.update_in_place(&mut [0; RC4_DISCARDED])?;
        }
        Ok(cipher)
    }

    /// `cipher` with chained blocks, to encrypt, or to decrypt if not `encrypt`. Whole blocks only may go in.
    pub fn cbc(cipher: CbcCipher, encrypt: bool, key: &[u8], iv: &[u8]) -> Result<Self> {
        let direction = if encrypt { Direction::Encrypt } else { Direction::Decrypt };
        Cipher::from_source(cipher.source(), cipher.name(), direction, key, iv)
            .map(Self)
            .or_refuse(Code::Encrypt, "Cipher is not to be had")
    }

    /// Goes to the start of another keystream under the same key. For AES, `iv` is the initial counter; for ChaCha20,
    /// the block counter as 64 bits, little-endian, and a nonce of 64 bits.
    pub fn set_iv(&mut self, iv: &[u8; 16]) -> Result<()> {
        self.0.restart(iv).or_refuse(Code::Encrypt, "Cipher took no IV")
    }

    /// Processes `input` into `output`, which is equally long.
    pub fn update(&mut self, input: &[u8], output: &mut [u8]) -> Result<()> {
        self.0.update(input, output).or_refuse(Code::Encrypt, "Cipher failed")
    }

    /// Processes `data` where it lies.
    pub fn update_in_place(&mut self, data: &mut [u8]) -> Result<()> {
        self.0.update_in_place(data).or_refuse(Code::Encrypt, "Cipher failed")
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    /// Checks a whole update, one in pieces, one in place, and that nothing of one message is left for the next.
    fn check(mut cipher: SymmetricCipher, iv: &[u8; 16], clear: &[u8], sealed: &[u8]) {
        for cut in [0, 1, 16, 17, clear.len()] {
            cipher.set_iv(iv).unwrap();
            let mut out = vec![0; clear.len()];
            let (first, second) = out.split_at_mut(cut);
            cipher.update(&clear[..cut], first).unwrap();
            cipher.update(&clear[cut..], second).unwrap();
            assert_eq!(out, sealed, "cut at {cut}");
            cipher.set_iv(iv).unwrap();
            let (first, second) = out.split_at_mut(cut);
            cipher.update_in_place(first).unwrap();
            cipher.update_in_place(second).unwrap();
            assert_eq!(out, clear, "cut at {cut}");
        }
    }

    #[test]
    fn aes_ctr_of_nist_sp_800_38a_section_f_5() {
        let clear = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710");
        let iv: [u8; 16] = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").try_into().unwrap();
        let vectors = [
            (
                "2b7e151628aed2a6abf7158809cf4f3c",
                "874d6191b620e3261bef6864990db6ce 9806f66b7970fdff8617187bb9fffdff
                 5ae4df3edbd5d35e5b4f09020db03eab 1e031dda2fbe03d1792170a0f3009cee",
            ),
            (
                "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                "1abc932417521ca24f2b0459fe7e6e0b 090339ec0aa6faefd5ccc2c6f4ce8e94
                 1e36b26bd1ebc670d1bd1d665620abf7 4f78a7f6d29809585a97daec58c6b050",
            ),
            (
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "601ec313775789a5b7a7f504bbf3d228 f443e3ca4d62b59aca84e990cacaf5c5
                 2b0930daa23de94ce87017ba2d84988d dfc9c58db67aada613c2dd08457941a6",
            ),
        ];
        for (key, sealed) in vectors {
            check(SymmetricCipher::aes_ctr(&hex(key), &iv).unwrap(), &iv, &clear, &hex(sealed));
        }
    }

    #[test]
    fn chacha20_of_rfc_8439_section_2_4_2() {
        let key: Vec<u8> = (0..32).collect();
        // The counter is 1; the nonce's first word lies where libcrypto has the counter's high half.
        let iv: [u8; 16] = hex("01000000 00000000 0000004a 00000000").try_into().unwrap();
        let clear = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
            sunscreen would be it.";
        let sealed = hex("6e2e359a2568f98041ba0728dd0d6981 e97e7aec1d4360c20a27afccfd9fae0b
                          f91b65c5524733ab8f593dabcd62b357 1639d624e65152ab8f530c359f0861d8
                          07ca0dbf500d6a6156a38e088a22b65e 52bc514d16ccf806818ce91ab7793736
                          5af90bbf74a35be6b40b8eedf2785e42 874d");
        check(SymmetricCipher::chacha20(&key).unwrap(), &iv, clear, &sealed);
    }

    #[test]
    fn chained_blocks_of_the_standards() {
        // NIST SP 800-38A section F.2.1 and F.2.5, SP 800-67's and the ciphers' own first vectors, made with libcrypto's
        // command for the two of the legacy provider.
        let clear = hex("6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51");
        let iv = hex("000102030405060708090a0b0c0d0e0f");
        let vectors = [
            (
                CbcCipher::Aes(16),
                "2b7e151628aed2a6abf7158809cf4f3c",
                "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2",
            ),
            (
                CbcCipher::Aes(24),
                "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                "4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a",
            ),
            (
                CbcCipher::Aes(32),
                "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
                "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d",
            ),
            (
                CbcCipher::TripleDes,
                "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                "6c30bb5ebc73b12d40249365d89a274f dd09fc9528a3d946f91543527a0dd63e",
            ),
            (
                CbcCipher::Blowfish,
                "2b7e151628aed2a6abf7158809cf4f3c",
                "ee94800dec0bf8935970bafeb43ac6fb a6830f8069b3866b7447f50139196bcb",
            ),
            (
                CbcCipher::Cast128,
                "2b7e151628aed2a6abf7158809cf4f3c",
                "f3de5ede9fddaec12f223634022d61cb ac076c92d46e7eed0ac7f976674a09a0",
            ),
        ];
        for (cipher, key, sealed) in vectors {
            let (key, iv) = (hex(key), &iv[..cipher.block()]);
            let mut data = clear.clone();
            let mut sealing = SymmetricCipher::cbc(cipher, true, &key, iv).unwrap();
            let (first, second) = data.split_at_mut(16);
            sealing.update_in_place(first).unwrap();
            sealing.update_in_place(second).unwrap();
            assert_eq!(data, hex(sealed), "{cipher:?}");
            let mut opening = SymmetricCipher::cbc(cipher, false, &key, iv).unwrap();
            opening.update_in_place(&mut data).unwrap();
            assert_eq!(data, clear, "{cipher:?}");
            assert!(opening.update_in_place(&mut [0; 15]).is_err());
            assert!(SymmetricCipher::cbc(cipher, true, &key[1..], iv).is_err());
            assert!(SymmetricCipher::cbc(cipher, true, &key, &iv[1..]).is_err());
        }
    }

    /// RFC 6229 section 2, the key of 128 bits: the keystream at 0 and at 1536.
    #[test]
    fn rc4_of_rfc_6229() {
        let key = hex("0102030405060708090a0b0c0d0e0f10");
        for (discard, expected) in
            [(false, "9ac7cc9a609d1ef7b2932899cde41b97"), (true, "ffa0b514647ec04f6306b892ae661181")]
        {
            let mut data = [0; 16];
            SymmetricCipher::rc4(&key, discard).unwrap().update_in_place(&mut data).unwrap();
            assert_eq!(data[..], hex(expected));
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        for len in [0, 15, 17, 31, 33] {
            assert!(SymmetricCipher::aes_ctr(&vec![0; len], &[0; 16]).is_err());
            assert!(SymmetricCipher::aes_ctr(&[0; 16], &vec![0; len]).is_err());
            assert!(SymmetricCipher::chacha20(&vec![0; len]).is_err());
        }
        let mut cipher = SymmetricCipher::aes_ctr(&[0; 16], &[0; 16]).unwrap();
        assert!(cipher.update(&[0; 3], &mut [0; 2]).is_err());
        assert!(cipher.update(&[0; 2], &mut [0; 3]).is_err());
        assert!(cipher.update(&[], &mut []).is_ok());
    }
}
