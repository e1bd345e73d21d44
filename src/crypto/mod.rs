//! The safe face of libcrypto.
