//! The C boundary: pointers, NULL, panics, callbacks and allocators end here.
//!
//! Each file is one chapter of libssh2's three headers. `include/` is generated from this directory (`make headers`),
//! so the doc comments of whatever is public here are the headers' comments as well.
#![allow(unsafe_code, reason = "this is the C boundary")]
#![allow(clippy::missing_safety_doc, reason = "each function's comment says what its C caller owes it")]

pub mod global;
pub mod types;
