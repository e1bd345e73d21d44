//! Where libcrypto takes its algorithms from.

use std::ptr;
use std::sync::OnceLock;

use openssl_sys as ffi;

use super::{Result, not_null};

owned!(LibraryContext, ffi::OSSL_LIB_CTX, ffi::OSSL_LIB_CTX_free);

// SAFETY: libcrypto locks what its contexts share.
unsafe impl Sync for LibraryContext {}

/// Where an algorithm is fetched from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What the program, too, has of libcrypto.
    Default,
    /// The provider of what is obsolete. It is loaded at first use, and into a context of our own: the program's TLS code
    /// must not find more than it asked for.
    Legacy,
}

impl Source {
    /// The context to fetch from; NULL for the default one.
    pub(super) fn context(self) -> Result<*mut ffi::OSSL_LIB_CTX> {
        static LEGACY: OnceLock<LibraryContext> = OnceLock::new();
        match self {
            Self::Default => Ok(ptr::null_mut()),
            Self::Legacy => {
                // What fails is not kept: there may be memory for it the next time.
                let context = match LEGACY.get() {
                    Some(context) => context,
                    None => {
                        let fresh = load_legacy()?;
                        LEGACY.get_or_init(|| fresh)
                    }
                };
                Ok(context.0.as_ptr())
            }
        }
    }
}

fn load_legacy() -> Result<LibraryContext> {
    // SAFETY: takes nothing.
    let context = LibraryContext(not_null(unsafe { ffi::OSSL_LIB_CTX_new() })?);
    // SAFETY: the context is alive, and the name ends with NUL. The context keeps the provider.
    let provider = unsafe { ffi::OSSL_PROVIDER_load(context.0.as_ptr(), c"legacy".as_ptr()) };
    not_null(provider).map(|_| context)
}
