//! The way into the library: every exported function that can fail goes through one of these doors.
//!
//! A door refuses NULL and wrong handles, catches panics, keeps the error for `libssh2_session_last_error`, and turns
//! it into what the C function returns.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong};
use std::panic::{AssertUnwindSafe, catch_unwind};

use libc::ssize_t;

use crate::channel::{ChannelId, ListenerId};
use crate::error::{Code, Error, Result};
use crate::ffi::handle::{Child, Own, Owned, SessionHandle, Target};
use crate::ffi::types::{
    LIBSSH2_CHANNEL, LIBSSH2_LISTENER, LIBSSH2_PUBLICKEY, LIBSSH2_SESSION, LIBSSH2_SFTP, LIBSSH2_SFTP_HANDLE,
};
use crate::op::with;
use crate::publickey::PublickeyId;
use crate::session::Session;
use crate::sftp::{FileId, SftpId};

/// What C functions return, and how a failure looks there.
pub trait Ret {
    /// What is returned for that error.
    fn failed(code: Code) -> Self;
}

impl Ret for c_int {
    fn failed(code: Code) -> Self {
        code.number()
    }
}

impl Ret for isize {
    fn failed(code: Code) -> Self {
        Self::try_from(code.number()).unwrap_or(-1)
    }
}

impl<T> Ret for *mut T {
    fn failed(_: Code) -> Self {
        std::ptr::null_mut()
    }
}

impl<T> Ret for *const T {
    fn failed(_: Code) -> Self {
        std::ptr::null()
    }
}

/// Getters of counts and positions have no way to fail but 0.
impl Ret for u64 {
    fn failed(_: Code) -> Self {
        0
    }
}

impl Ret for usize {
    fn failed(_: Code) -> Self {
        0
    }
}

impl Ret for () {
    fn failed(_: Code) -> Self {}
}

/// Enters a session.
///
/// # Safety
/// `session` is NULL or points to a handle of this library that is alive during the call.
pub unsafe fn enter<T: Ret>(session: *mut LIBSSH2_SESSION, body: impl FnOnce(&SessionHandle) -> Result<T>) -> T {
    // SAFETY: as promised by the caller.
    match unsafe { SessionHandle::from_pointer(session.cast()) } {
        Some(session) => run(session, body),
        None => T::failed(Code::BadUse),
    }
}

/// Enters the session of an SFTP conversation.
///
/// # Safety
/// `sftp` is NULL or points to a handle of this library whose session is alive during the call.
pub unsafe fn enter_sftp<T: Ret>(
    sftp: *mut LIBSSH2_SFTP,
    body: impl FnOnce(&SessionHandle, SftpId, &Child) -> Result<T>,
) -> T {
    let pick = |target| if let Target::Sftp(id) = target { Some(id) } else { None };
    // SAFETY: as promised by the caller.
    unsafe { enter_child(sftp.cast(), pick, body) }
}

/// Enters the session of an open file or directory.
///
/// # Safety
/// `file` is NULL or points to a handle of this library whose session is alive during the call.
pub unsafe fn enter_file<T: Ret>(
    file: *mut LIBSSH2_SFTP_HANDLE,
    body: impl FnOnce(&SessionHandle, FileId, &Child) -> Result<T>,
) -> T {
    let pick = |target| if let Target::File(id) = target { Some(id) } else { None };
    // SAFETY: as promised by the caller.
    unsafe { enter_child(file.cast(), pick, body) }
}

/// Enters the session of a channel.
///
/// # Safety
/// `channel` is NULL or points to a handle of this library whose session is alive during the call.
pub unsafe fn enter_channel<T: Ret>(
    channel: *mut LIBSSH2_CHANNEL,
    body: impl FnOnce(&SessionHandle, ChannelId, &Child) -> Result<T>,
) -> T {
    let pick = |target| if let Target::Channel(id) = target { Some(id) } else { None };
    // SAFETY: as promised by the caller.
    unsafe { enter_child(channel.cast(), pick, body) }
}

/// Enters the session of a listener.
///
/// # Safety
/// `listener` is NULL or points to a handle of this library whose session is alive during the call.
pub unsafe fn enter_listener<T: Ret>(
    listener: *mut LIBSSH2_LISTENER,
    body: impl FnOnce(&SessionHandle, ListenerId, &Child) -> Result<T>,
) -> T {
    let pick = |target| if let Target::Listener(id) = target { Some(id) } else { None };
    // SAFETY: as promised by the caller.
    unsafe { enter_child(listener.cast(), pick, body) }
}

/// Enters the session of a publickey subsystem.
///
/// # Safety
/// `pkey` is NULL or points to a handle of this library whose session is alive during the call.
pub unsafe fn enter_publickey<T: Ret>(
    pkey: *mut LIBSSH2_PUBLICKEY,
    body: impl FnOnce(&SessionHandle, PublickeyId, &Child) -> Result<T>,
) -> T {
    let pick = |target| if let Target::Publickey(id) = target { Some(id) } else { None };
    // SAFETY: as promised by the caller.
    unsafe { enter_child(pkey.cast(), pick, body) }
}

/// Enters the session of a handle that stands for what `pick` picks.
///
/// # Safety
/// `child` is NULL or points to a handle of this library whose session is alive during the call.
unsafe fn enter_child<I, T: Ret>(
    child: *const Child,
    pick: impl FnOnce(Target) -> Option<I>,
    body: impl FnOnce(&SessionHandle, I, &Child) -> Result<T>,
) -> T {
    // SAFETY: as promised by the caller.
    match unsafe { Child::from_pointer(child) } {
        Some((session, child)) => {
            run(session, |session| body(session, pick(child.target()).ok_or_else(wrong_handle)?, child))
        }
        None => T::failed(Code::BadUse),
    }
}

/// Looks something up in a session that C has no error for: `otherwise` where there is none, or it is broken.
///
/// # Safety
/// `session` is NULL or points to a handle of this library that is alive during the call.
pub unsafe fn look<T>(session: *mut LIBSSH2_SESSION, otherwise: T, body: impl FnOnce(&mut Session) -> T) -> T {
    let mut found = None;
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            with(&session.core, |core| {
                found = Some(body(core));
                Ok(())
            })
        });
    }
    found.unwrap_or(otherwise)
}

/// Enters the session of a handle that the program frees by itself.
///
/// # Safety
/// `own` is NULL or points to a handle of this library that is alive during the call, and so is its session.
pub unsafe fn enter_own<O: Owned, T: Ret>(own: *mut Own<O>, body: impl FnOnce(&SessionHandle, &O) -> Result<T>) -> T {
    // SAFETY: as promised by the caller.
    let entered = unsafe { Own::from_pointer(own).and_then(|own| Some((own.session()?, own.content()))) };
    let Some((session, content)) = entered else { return T::failed(Code::BadUse) };
    // SAFETY: it is alive, as promised by the caller, and what it says it is.
    let _until_the_end = unsafe { Own::hold(own) };
    run(session, |session| body(session, content))
}

/// Enters a session even if an internal error has broken it: to hear of that, and to give memory back.
///
/// # Safety
/// `session` is NULL or points to a handle of this library that is alive during the call.
pub unsafe fn enter_even_broken<T: Ret>(
    session: *mut LIBSSH2_SESSION,
    body: impl FnOnce(&SessionHandle) -> Result<T>,
) -> T {
    // SAFETY: as promised by the caller.
    match unsafe { SessionHandle::from_pointer(session.cast()) } {
        Some(session) => run_even_broken(session, body),
        None => T::failed(Code::BadUse),
    }
}

/// Runs `body` unless something broke the session, so that neither its error nor its panic gets lost.
fn run<T: Ret>(session: &SessionHandle, body: impl FnOnce(&SessionHandle) -> Result<T>) -> T {
    run_even_broken(session, |session| if session.poisoned.get() { Err(broken()) } else { body(session) })
}

fn run_even_broken<T: Ret>(session: &SessionHandle, body: impl FnOnce(&SessionHandle) -> Result<T>) -> T {
    let inside = session.inside();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let result = body(session);
        // What the program calls from its trace function must not leave its error in the place of this one.
        session.tell_trace(result.as_ref().err());
        result.unwrap_or_else(|error| {
            session.last_error.store(&error);
            T::failed(error.code)
        })
    }));
    drop(inside);
    outcome.unwrap_or_else(|_| {
        session.poisoned.set(true);
        session.last_error.store(&broken());
        T::failed(broken().code)
    })
}

/// Runs what belongs to no session.
pub fn without_session<T: Ret>(body: impl FnOnce() -> Result<T>) -> T {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(broken()));
    result.unwrap_or_else(|error| T::failed(error.code))
}

/// The `length` bytes at `start`.
///
/// # Safety
/// Unless `start` is NULL, so many bytes can be read there for as long as `'a`, and nobody writes to them.
pub unsafe fn bytes<'a>(start: *const c_char, length: usize) -> Result<&'a [u8]> {
    match (start.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null()),
        _ if isize::try_from(length).is_err() => Err(Error::new(Code::OutOfBoundary, "Length is negative")),
        // SAFETY: not NULL, of a size that exists, and readable as promised by the caller.
        _ => Ok(unsafe { std::slice::from_raw_parts(start.cast(), length) }),
    }
}

/// Longest part of a message: servers end the connection at longer ones.
const LONGEST_FIELD: usize = 256 * 1024;

/// The `length` bytes at `start`, which go into one message. A length that none can have is refused before anything is
/// read.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn field<'a>(start: *const c_char, length: usize) -> Result<&'a [u8]> {
    if length > LONGEST_FIELD && !start.is_null() {
        return Err(Error::new(Code::OutOfBoundary, "Longer than any server takes"));
    }
    // SAFETY: as promised by the caller.
    unsafe { bytes(start, length) }
}

/// The `length` bytes at `start`, to be written to.
///
/// # Safety
/// Unless `start` is NULL, so many bytes belong to the caller there for as long as `'a`, and nobody else touches them.
pub unsafe fn bytes_mut<'a>(start: *mut c_char, length: usize) -> Result<&'a mut [u8]> {
    match (start.is_null(), length) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(null()),
        _ if isize::try_from(length).is_err() => Err(Error::new(Code::OutOfBoundary, "Length is negative")),
        // SAFETY: not NULL, of a size that exists, and ours alone as promised by the caller.
        _ => Ok(unsafe { std::slice::from_raw_parts_mut(start.cast(), length) }),
    }
}

/// The bytes of a C string; `None` for NULL.
///
/// # Safety
/// `text` is NULL or points to a terminated string that nobody changes during `'a`.
pub unsafe fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, and terminated as promised by the caller.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Stores a result where the caller wants it, if it wants it.
///
/// # Safety
/// `place` is NULL or can be written to.
pub unsafe fn store<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not NULL, and writable as promised by the caller.
        unsafe { place.write(value) }
    }
}

/// A length that C counts in an unsigned int.
pub fn size(length: c_uint) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// A number of bytes as C functions return it.
pub fn count(bytes: usize) -> ssize_t {
    ssize_t::try_from(bytes).unwrap_or(ssize_t::MAX)
}

/// A `u32` field out of a C number of which only so many bits go on the wire.
pub fn low_bits(number: c_ulong) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or_default()
}

/// A pointer that must not be NULL is.
pub const fn null() -> Error {
    Error::new(Code::BadUse, "A pointer is NULL that must not be")
}

/// What stands behind a handle is not what the call is for.
pub const fn wrong_handle() -> Error {
    Error::new(Code::BadUse, "Handle has been freed, or is of another kind")
}

/// A panic has been caught in the session.
pub const fn broken() -> Error {
    Error::new(Code::SocketDisconnect, "Session is broken by an internal error")
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::ffi::session::{libssh2_session_free, libssh2_session_init_ex};
    use crate::ffi::setting::{libssh2_session_last_errno, libssh2_session_last_error, libssh2_session_set_blocking};

    #[test]
    fn a_panic_is_an_error_code_and_breaks_the_session() {
        let code = Code::SocketDisconnect.number();
        // SAFETY: the session is one, and nothing uses it after it has been freed.
        unsafe {
            let session = libssh2_session_init_ex(None, None, None, ptr::null_mut());
            let panics = || {
                enter(session, |session| with(&session.core, |_| -> Result<c_int> { panic!("on purpose, by a test") }))
            };
            assert_eq!(panics(), code);

            // No borrow is left behind, and nothing is run any more.
            let mut has_run = false;
            let later = enter(session, |_| {
                has_run = true;
                Ok(0)
            });
            assert_eq!((later, has_run), (code, false));
            libssh2_session_set_blocking(session, 0);
            assert!(enter(session, |_| Ok(ptr::dangling_mut::<u8>())).is_null());

            // What went wrong can still be asked for.
            assert_eq!(libssh2_session_last_errno(session), code);
            let (mut message, mut length) = (ptr::null_mut(), 0);
            assert_eq!(libssh2_session_last_error(session, &raw mut message, &raw mut length, 0), code);
            assert_eq!(text(message).unwrap(), b"Session is broken by an internal error");
            assert_eq!(libssh2_session_last_error(session, &raw mut message, ptr::null_mut(), 1), code);
            crate::ffi::session::libssh2_free(session, message.cast());

            assert_eq!(libssh2_session_free(session), 0);
        }
    }

    #[test]
    fn a_handle_that_is_freed_while_it_is_used_goes_afterwards() {
        use std::cell::Cell;
        use std::rc::Rc;

        struct Shown(Rc<Cell<bool>>);
        impl Owned for Shown {
            const TAG: crate::ffi::handle::Tag = crate::ffi::handle::Tag::Agent;
        }
        impl Drop for Shown {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let is_gone = Rc::new(Cell::new(false));
        // SAFETY: the session is one; the handle is freed within a call that uses it, and not touched after that.
        unsafe {
            let session = libssh2_session_init_ex(None, None, None, ptr::null_mut());
            let handle = enter(session, |session| Own::create(session, Shown(Rc::clone(&is_gone))));
            let freed_inside = enter_own(handle, |_, shown| {
                Own::destroy(handle);
                // Neither can it be entered any more, nor freed again.
                Own::destroy(handle);
                let again: c_int = enter_own(handle, |_, _| Ok(0));
                assert_eq!(again, Code::BadUse.number());
                assert!(!shown.0.get());
                Ok(7)
            });
            assert_eq!((freed_inside, is_gone.get()), (7, true));
            let handle = enter(session, |session| Own::create(session, Shown(Rc::clone(&is_gone))));
            is_gone.set(false);
            Own::destroy(handle);
            assert!(is_gone.get());
            assert_eq!(libssh2_session_free(session), 0);
        }
    }

    #[test]
    fn a_panic_outside_of_sessions_is_an_error_code() {
        let code: c_int = without_session(|| panic!("on purpose, by a test"));
        assert_eq!(code, Code::SocketDisconnect.number());
    }

    #[test]
    fn every_error_is_negative_in_every_number_and_null_in_every_pointer() {
        for number in -55..0 {
            // SAFETY: `Code` has every number from -55 to -1.
            let code: Code = unsafe { std::mem::transmute(number) };
            assert_eq!(<c_int as Ret>::failed(code), number);
            assert_eq!(<isize as Ret>::failed(code), number as isize);
            assert!(<*mut u8 as Ret>::failed(code).is_null());
            assert!(<*const u8 as Ret>::failed(code).is_null());
            assert_eq!(<u64 as Ret>::failed(code), 0);
            assert_eq!(<usize as Ret>::failed(code), 0);
        }
    }

    #[test]
    fn null_and_zero_lengths() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(bytes(ptr::null(), 0).unwrap(), b"");
            assert_eq!(bytes(ptr::null(), 1).unwrap_err().code, Code::BadUse);
            assert_eq!(bytes(c"x".as_ptr(), usize::MAX).unwrap_err().code, Code::OutOfBoundary);
            assert!(bytes_mut(ptr::null_mut(), 0).unwrap().is_empty());
            assert_eq!(bytes_mut(ptr::null_mut(), 1).unwrap_err().code, Code::BadUse);
            assert_eq!(text(ptr::null()), None);
            assert_eq!(text(c"name".as_ptr()), Some(&b"name"[..]));
        }
    }
}
