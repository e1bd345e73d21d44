//! The safe face of libcrypto: what SSH needs of it, in SSH's terms. `openssl` is the only file that calls it.

mod agreement;
#[allow(dead_code, reason = "private keys will use the rest")]
mod der;
mod digest;
mod gcm;
mod mac;
#[allow(dead_code, reason = "private keys will use the rest")]
mod nist;
#[allow(dead_code, reason = "private keys will use the rest")]
mod openssl;
mod public;
mod random;
#[allow(dead_code, reason = "private keys will use the rest")]
mod signature;
mod stream;

pub use agreement::{Curve, EphemeralKey};
pub use digest::{Digest, HashAlgorithm, Hasher, digest};
pub use gcm::AesGcm;
pub use mac::{Hmac, Poly1305};
pub use public::{KeyType, PublicKey};
pub use random::{constant_time_eq, has_hardware_aes, random};
pub use signature::SignatureAlgorithm;
pub use stream::StreamCipher;
