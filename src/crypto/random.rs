//! Random bytes, and comparing secrets.
#![forbid(unsafe_code)]

use super::openssl::{self, OrRefuse};
use crate::error::{Code, Result};

/// Fills `out` with random bytes that nobody can guess.
pub fn random(out: &mut [u8]) -> Result<()> {
    openssl::random(out).or_refuse(Code::Randgen, "No random bytes to be had")
}

/// Whether both are the same, in a time that depends on their lengths alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    openssl::constant_time_eq(a, b)
}

/// Whether the processor has instructions for AES: without them AES-GCM is slower than ChaCha20-Poly1305.
pub fn has_hardware_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::is_x86_feature_detected!("aes") && std::is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes") && std::arch::is_aarch64_feature_detected!("pmull");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_differ_from_call_to_call() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        random(&mut first).unwrap();
        random(&mut second).unwrap();
        assert_ne!(first, second);
        random(&mut []).unwrap();
    }

    #[test]
    fn comparison_sees_content_and_length() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"tag", b"tag"));
        assert!(!constant_time_eq(b"tag", b"tab"));
        assert!(!constant_time_eq(b"tag", b"tags"));
    }
}
