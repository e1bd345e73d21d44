//! Memory that crosses the border: it comes from the program's allocator and goes back to it.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};

use crate::error::{Error, Result};
use crate::ffi::types::{LIBSSH2_ALLOC_FUNC, LIBSSH2_FREE_FUNC};

/// The program's allocator, or the C library's where it gave none.
#[derive(Clone, Copy)]
pub struct Allocator {
    alloc: unsafe extern "C" fn(usize, *mut *mut c_void) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut *mut c_void),
}

/// The program's pointer, which it may change at any time through the address that `libssh2_session_abstract` gave it.
/// It is therefore never behind a Rust reference.
pub struct Abstract(UnsafeCell<*mut c_void>);

impl Abstract {
    /// The program's pointer as it begins.
    pub const fn new(value: *mut c_void) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Takes the program's pointer away.
    pub fn clear(&self) {
        // SAFETY: it is written to only here and by the program, which has one thread for a session.
        unsafe { self.0.get().write(ptr::null_mut()) }
    }

    /// Where the program's pointer lies.
    pub const fn address(&self) -> *mut *mut c_void {
        self.0.get()
    }
}

impl Allocator {
    /// The functions given; each that is missing is the C library's.
    pub fn new(alloc: LIBSSH2_ALLOC_FUNC, free: LIBSSH2_FREE_FUNC) -> Self {
        Self { alloc: alloc.unwrap_or(default_alloc), free: free.unwrap_or(default_free) }
    }

    /// `size` bytes, at least 1.
    pub fn alloc(&self, size: usize, r#abstract: &Abstract) -> Result<NonNull<c_void>> {
        // SAFETY: the program gave this function for this call; the second argument is the address of a live pointer.
        NonNull::new(unsafe { (self.alloc)(size.max(1), r#abstract.address()) }).ok_or_else(Error::alloc)
    }

    /// Gives memory back.
    ///
    /// # Safety
    /// `memory` is NULL or has come from the program's allocator and is not used any more.
    pub unsafe fn free(&self, memory: *mut c_void, r#abstract: &Abstract) {
        // SAFETY: as promised by the caller; the second argument is the address of a live pointer.
        unsafe { (self.free)(memory, r#abstract.address()) }
    }

    /// A copy of `bytes` with a NUL behind it.
    pub fn copy(&self, bytes: &[u8], r#abstract: &Abstract) -> Result<NonNull<c_void>> {
        let size = bytes.len().checked_add(1).ok_or_else(Error::alloc)?;
        let memory = self.alloc(size, r#abstract)?;
        // SAFETY: `memory` is fresh and has room for `bytes` and one more byte.
        unsafe {
            let start = memory.as_ptr().cast::<u8>();
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            start.add(bytes.len()).write(0);
        }
        Ok(memory)
    }
}

impl std::fmt::Debug for Allocator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allocator").finish_non_exhaustive()
    }
}

unsafe extern "C" fn default_alloc(size: usize, _abstract: *mut *mut c_void) -> *mut c_void {
    // SAFETY: `malloc` takes any size.
    unsafe { libc::malloc(size) }
}

unsafe extern "C" fn default_free(memory: *mut c_void, _abstract: *mut *mut c_void) {
    // SAFETY: whoever calls this passes NULL or what `default_alloc` or `malloc` returned.
    unsafe { libc::free(memory) }
}
