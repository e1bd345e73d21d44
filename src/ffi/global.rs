//! The library as a whole: setting up, versions, tracing.

use std::ptr;

use libc::{c_char, c_int};

use super::types::{LIBSSH2_VERSION, LIBSSH2_VERSION_NUM, libssh2_crypto_engine_t};

/// What this build can do, under libssh2's own keys and in their order, and after it this library's name and version.
const BUILD_OPTIONS: &str = concat!(
    "crypto:OpenSSL MD5:on MD5-PEM:on RIPEMD160:on DSA:on RSA:on RSA-SHA1:on ECDSA:on ED25519:on ML-KEM:on ",
    "AES-GCM:on AES-CTR:on AES-CBC:on BLOWFISH:on RC4:on CAST:on 3DES:on KEX-SHA1:on MAC-SHA1:on ",
    "deprecated-APIs:on zlib:on agent:Unix debug-logging:on libssh2-rs:",
    env!("CARGO_PKG_VERSION"),
    "\0"
);

/// Sets the library up, before anything else of it is used. May be called any number of times, and from any thread;
/// may be left out. `flags` is 0 or LIBSSH2_INIT_NO_CRYPTO. Returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn libssh2_init(flags: c_int) -> c_int {
    // libcrypto sets itself up at its first use and tears itself down at the end of the process.
    let _ = flags;
    0
}

/// Ends the use of the library, once for each libssh2_init(). Further calls do no harm.
#[unsafe(no_mangle)]
pub extern "C" fn libssh2_exit() {}

/// The version of libssh2 whose interface this library has, LIBSSH2_VERSION: a string that lives as long as the
/// program. NULL when it is older than `req_version_num`, a number like LIBSSH2_VERSION_NUM; 0 asks for any.
#[unsafe(no_mangle)]
pub extern "C" fn libssh2_version(req_version_num: c_int) -> *const c_char {
    if req_version_num <= LIBSSH2_VERSION_NUM { LIBSSH2_VERSION.as_ptr() } else { ptr::null() }
}

/// The library that does the cryptography: `libssh2_openssl`.
#[unsafe(no_mangle)]
pub extern "C" fn libssh2_crypto_engine() -> libssh2_crypto_engine_t {
    libssh2_crypto_engine_t::libssh2_openssl
}

/// What this build can do: one line of `key:value` words with a space between each two. The last word is
/// `libssh2-rs:` and this library's own version. The string lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn libssh2_build_options() -> *const c_char {
    BUILD_OPTIONS.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn the_version_is_given_to_whoever_asks_for_no_newer_one() {
        for asked in [0, -1, 0x010000, LIBSSH2_VERSION_NUM] {
            // SAFETY: the function returns a terminated string that is never freed.
            assert_eq!(unsafe { CStr::from_ptr(libssh2_version(asked)) }, LIBSSH2_VERSION);
        }
        assert!(libssh2_version(LIBSSH2_VERSION_NUM + 1).is_null());
    }

    #[test]
    fn the_version_number_is_the_version_text() {
        let parts = LIBSSH2_VERSION.to_str().unwrap().split('.').map(|part| part.parse::<c_int>().unwrap());
        assert_eq!(parts.fold(0, |number, part| (number << 8) | part), LIBSSH2_VERSION_NUM);
    }

    #[test]
    fn build_options_are_pairs_that_end_with_our_own_version() {
        // SAFETY: the function returns a terminated string that is never freed.
        let options = unsafe { CStr::from_ptr(libssh2_build_options()) }.to_str().unwrap();
        assert!(options.split(' ').all(|option| option.split(':').count() == 2));
        assert_eq!(options.rsplit(' ').next().unwrap(), concat!("libssh2-rs:", env!("CARGO_PKG_VERSION")));
    }
}
