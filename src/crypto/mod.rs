//! The safe face of libcrypto: what SSH needs of it, in SSH's terms. `openssl` is the only module that calls it.

mod agreement;
mod certificate;
mod der;
mod digest;
mod dsa;
mod gcm;
mod kem;
mod mac;
mod modp;
mod nist;
mod openssl;
mod private;
mod public;
mod public_text;
mod random;
mod signature;
mod symmetric;
#[cfg(test)]
pub(crate) mod testing;

pub use agreement::{Curve, EphemeralKey};
pub use certificate::{CERTIFICATE, Certificate, signature_name};
pub use digest::{Digest, HashAlgorithm, Hasher, digest};
pub use gcm::AesGcm;
pub use kem::{Kem, KemKey};
pub use mac::{Hmac, Poly1305, Tag};
pub use modp::{ModpGroup, ModpKey};
pub use private::{PrivateKey, SecurityKey, SecurityKeyType};
pub use public::{KeyType, PublicKey};
pub use public_text::parse_public_text;
pub use random::{constant_time_eq, has_hardware_aes, random};
pub use signature::SignatureAlgorithm;
pub use symmetric::{CbcCipher, SymmetricCipher};

/// The bytes of a test vector, as the standards print them.
#[cfg(test)]
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}
