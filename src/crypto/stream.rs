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

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    /// Checks a whole update, one in pieces, one in place, and that nothing of one message is left for the next.
    fn check(mut cipher: StreamCipher, iv: &[u8; 16], clear: &[u8], sealed: &[u8]) {
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
            check(StreamCipher::aes_ctr(&hex(key), &iv).unwrap(), &iv, &clear, &hex(sealed));
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
        check(StreamCipher::chacha20(&key).unwrap(), &iv, clear, &sealed);
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        for len in [0, 15, 17, 31, 33] {
            assert!(StreamCipher::aes_ctr(&vec![0; len], &[0; 16]).is_err());
            assert!(StreamCipher::aes_ctr(&[0; 16], &vec![0; len]).is_err());
            assert!(StreamCipher::chacha20(&vec![0; len]).is_err());
        }
        let mut cipher = StreamCipher::aes_ctr(&[0; 16], &[0; 16]).unwrap();
        assert!(cipher.update(&[0; 3], &mut [0; 2]).is_err());
        assert!(cipher.update(&[0; 2], &mut [0; 3]).is_err());
        assert!(cipher.update(&[], &mut []).is_ok());
    }
}
