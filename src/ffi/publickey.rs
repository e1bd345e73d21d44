//! The publickey subsystem, RFC 4819.

use std::ffi::{c_char, c_int, c_uchar, c_ulong};
use std::mem::size_of;
use std::ptr;

use crate::error::{Code, Error, Result};
use crate::ffi::guard::{enter, enter_publickey, field, null, store};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::types::{LIBSSH2_PUBLICKEY, LIBSSH2_SESSION, libssh2_publickey_attribute, libssh2_publickey_list};
use crate::memory::Add;
use crate::op::{Call, Owner, resume, with};
use crate::publickey::{Ask, Attribute, Init, Key, Shutdown};

/// Starts the server's "publickey" subsystem on a session that is logged in, which manages the keys that let the user
/// in. Few servers have it; OpenSSH's does not.
///
/// Returns the subsystem, to be ended by libssh2_publickey_shutdown(), or NULL: libssh2_session_last_errno() is then
/// LIBSSH2_ERROR_EAGAIN (it would have to wait in non-blocking mode, to be called again), LIBSSH2_ERROR_CHANNEL_FAILURE
/// (the server refuses the channel or the subsystem), LIBSSH2_ERROR_PUBLICKEY_PROTOCOL (its answer makes no sense),
/// LIBSSH2_ERROR_SOCKET_TIMEOUT (it has ended the subsystem), LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_publickey_init(session: *mut LIBSSH2_SESSION) -> *mut LIBSSH2_PUBLICKEY {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            session.expect_handle()?;
            let subsystem = resume(&session.core, session, Owner::Session, Call::PublickeyInit, Init::begin)?;
            Ok(session.adopt(Target::Publickey(subsystem))?.cast())
        })
    }
}

/// Gives the server a key (RFC 4819 section 4.1). name is its algorithm, name_len bytes; blob is the key as the wire has
/// it, blob_len bytes. overwrite is not 0 if it may take the place of the same key. attrs are num_attrs attributes; a
/// server of version 1 of the protocol is told only one that is called "comment".
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_PUBLICKEY_PROTOCOL when the server refuses, its words in libssh2_session_last_error(), or its answer
/// makes no sense; LIBSSH2_ERROR_BAD_USE when something is NULL that must not be, or another request is under way;
/// LIBSSH2_ERROR_OUT_OF_BOUNDARY when there are more than 1024 attributes, or more than 40000 bytes;
/// LIBSSH2_ERROR_SOCKET_TIMEOUT when the server has ended the subsystem; LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_CHANNEL_CLOSED, LIBSSH2_ERROR_TIMEOUT,
/// LIBSSH2_ERROR_ALLOC.
///
/// Requires: pkey is NULL or a subsystem that has not been shut down; name, blob and attrs can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_publickey_add_ex(
    pkey: *mut LIBSSH2_PUBLICKEY,
    name: *const c_uchar,
    name_len: c_ulong,
    blob: *const c_uchar,
    blob_len: c_ulong,
    overwrite: c_char,
    num_attrs: c_ulong,
    attrs: *const libssh2_publickey_attribute,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_publickey(pkey, |session, id, _| {
            let key = (part(name.cast(), name_len)?, part(blob.cast(), blob_len)?);
            let count = size(num_attrs)?;
            if attrs.is_null() && count > 0 {
                return Err(null());
            }
            let mut attributes = Vec::new();
            // One more than a request takes is enough to be refused.
            for index in 0..count.min(1025) {
                let attribute = attrs.wrapping_add(index).read();
                attributes.add(Attribute {
                    name: part(attribute.name, attribute.name_len)?,
                    value: part(attribute.value, attribute.value_len)?,
                    mandatory: attribute.mandatory != 0,
                })?;
            }
            let owner = Owner::Publickey(id);
            resume(&session.core, session, owner, Call::PublickeyAdd, |core| {
                Ask::add(core, id, key, overwrite != 0, &attributes)
            })?;
            Ok(0)
        })
    }
}

/// Takes a key from the server (RFC 4819 section 4.2). name is its algorithm, name_len bytes; blob is the key as the
/// wire has it, blob_len bytes.
///
/// Returns 0, or fails as libssh2_publickey_add_ex() does.
///
/// Requires: pkey is NULL or a subsystem that has not been shut down; name and blob can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_publickey_remove_ex(
    pkey: *mut LIBSSH2_PUBLICKEY,
    name: *const c_uchar,
    name_len: c_ulong,
    blob: *const c_uchar,
    blob_len: c_ulong,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_publickey(pkey, |session, id, _| {
            let (name, blob) = (part(name.cast(), name_len)?, part(blob.cast(), blob_len)?);
            let owner = Owner::Publickey(id);
            resume(&session.core, session, owner, Call::PublickeyRemove, |core| Ask::remove(core, id, name, blob))?;
            Ok(0)
        })
    }
}

/// Lists the keys that the server holds (RFC 4819 section 4.3).
///
/// num_keys is set to their number, pkey_list to an array of them, to be freed by libssh2_publickey_list_free(), or to
/// NULL if there are none. Behind the last key is an entry whose packet is NULL. That an attribute is mandatory is not
/// told.
///
/// Returns 0, or fails as libssh2_publickey_add_ex() does.
///
/// Requires: pkey is NULL or a subsystem that has not been shut down; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_publickey_list_fetch(
    pkey: *mut LIBSSH2_PUBLICKEY,
    num_keys: *mut c_ulong,
    pkey_list: *mut *mut libssh2_publickey_list,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_publickey(pkey, |session, id, _| {
            if num_keys.is_null() || pkey_list.is_null() {
                return Err(null());
            }
            store(num_keys, 0);
            store(pkey_list, ptr::null_mut());
            let owner = Owner::Publickey(id);
            let keys = resume(&session.core, session, owner, Call::PublickeyList, |core| Ask::list(core, id))?;
            if !keys.is_empty() {
                store(pkey_list, list(session, &keys)?);
                store(num_keys, c_ulong::try_from(keys.len()).unwrap_or(c_ulong::MAX));
            }
            Ok(0)
        })
    }
}

/// Frees what libssh2_publickey_list_fetch() gave; NULL is allowed.
///
/// Requires: pkey is NULL or a subsystem that has not been shut down; pkey_list came from it and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_publickey_list_free(
    pkey: *mut LIBSSH2_PUBLICKEY,
    pkey_list: *mut libssh2_publickey_list,
) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_publickey(pkey, |session, _, _| {
            free(session, pkey_list);
            Ok(())
        })
    }
}

/// Ends the publickey subsystem and frees it with its channel.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode: the subsystem is still there, and the
/// function is to be called again; LIBSSH2_ERROR_BAD_USE within the program's own send or receive function, where nothing
/// is done. Whatever else is returned, it is gone.
///
/// Requires: pkey is NULL or a subsystem that has not been shut down.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_publickey_shutdown(pkey: *mut LIBSSH2_PUBLICKEY) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_publickey(pkey, |session, id, child| {
            session.may_move()?;
            let owner = Owner::Publickey(id);
            let ended =
                resume(&session.core, session, owner, Call::PublickeyShutdown, |core| Shutdown::begin(core, id));
            if matches!(&ended, Err(error) if error.code == Code::Eagain) {
                return ended.map(|()| 0);
            }
            session.release(child);
            with(&session.core, |core| {
                core.publickeys.remove(id);
                Ok(0)
            })
        })
    }
}

/// A part of a request, which must not be NULL.
///
/// # Safety
/// `start` is NULL or can be read for so many bytes during `'a`.
unsafe fn part<'a>(start: *const c_char, length: c_ulong) -> Result<&'a [u8]> {
    if start.is_null() {
        return Err(null());
    }
    // SAFETY: as promised by the caller.
    unsafe { field(start, size(length)?) }
}

fn size(length: c_ulong) -> Result<usize> {
    usize::try_from(length).map_err(|_| Error::new(Code::OutOfBoundary, "Length does not exist"))
}

/// The keys as C has them. Each key's texts are one block, its attributes another.
fn list(session: &SessionHandle, keys: &[Key]) -> Result<*mut libssh2_publickey_list> {
    let entries = keys.len().checked_add(1).and_then(|count| count.checked_mul(size_of::<libssh2_publickey_list>()));
    let start = session.allocator.alloc(entries.ok_or_else(Error::alloc)?, &session.r#abstract)?;
    let start = start.cast::<libssh2_publickey_list>().as_ptr();
    // SAFETY: the block has room for one more entry than there are keys; each entry behind the filled ones is NULL.
    unsafe {
        start.write(END);
        for (index, key) in keys.iter().enumerate() {
            let place = start.wrapping_add(index);
            match entry(session, key) {
                Ok(entry) => place.write(entry),
                Err(error) => {
                    free(session, start);
                    return Err(error);
                }
            }
            place.wrapping_add(1).write(END);
        }
    }
    Ok(start)
}

const END: libssh2_publickey_list = libssh2_publickey_list {
    packet: ptr::null_mut(),
    name: ptr::null(),
    name_len: 0,
    blob: ptr::null(),
    blob_len: 0,
    num_attrs: 0,
    attrs: ptr::null_mut(),
};

fn entry(session: &SessionHandle, key: &Key) -> Result<libssh2_publickey_list> {
    let texts = [&key.name, &key.blob].into_iter().chain(key.attributes.iter().flat_map(|(name, value)| [name, value]));
    let mut block = Vec::new();
    for text in texts {
        crate::wire::Put::put(&mut block, text)?;
    }
    let packet = session.allocator.copy(&block, &session.r#abstract)?.cast::<c_uchar>();
    let mut next = packet.as_ptr().cast_const();
    let mut place = |text: &[u8]| {
        let start = next;
        next = next.wrapping_add(text.len());
        (start, c_ulong::try_from(text.len()).unwrap_or_default())
    };
    let ((name, name_len), (blob, blob_len)) = (place(&key.name), place(&key.blob));
    let bytes = key.attributes.len().saturating_mul(size_of::<libssh2_publickey_attribute>());
    let attrs = match session.allocator.alloc(bytes, &session.r#abstract) {
        Ok(attrs) => attrs.cast::<libssh2_publickey_attribute>().as_ptr(),
        Err(error) => {
            // SAFETY: it has just come from there.
            unsafe { session.allocator.free(packet.as_ptr().cast(), &session.r#abstract) };
            return Err(error);
        }
    };
    for (index, (name, value)) in key.attributes.iter().enumerate() {
        let ((name, name_len), (value, value_len)) = (place(name), place(value));
        let attribute =
            libssh2_publickey_attribute { name: name.cast(), name_len, value: value.cast(), value_len, mandatory: 0 };
        // SAFETY: the block has room for every attribute.
        unsafe { attrs.wrapping_add(index).write(attribute) };
    }
    Ok(libssh2_publickey_list {
        packet: packet.as_ptr(),
        name,
        name_len,
        blob,
        blob_len,
        num_attrs: c_ulong::try_from(key.attributes.len()).unwrap_or_default(),
        attrs,
    })
}

/// # Safety
/// `start` is NULL or came from `list` and is not used any more.
unsafe fn free(session: &SessionHandle, start: *mut libssh2_publickey_list) {
    if start.is_null() {
        return;
    }
    let mut place = start;
    // SAFETY: the entries end with one whose packet is NULL, and what they point to came from the allocator.
    unsafe {
        while !(*place).packet.is_null() {
            session.allocator.free((*place).packet.cast(), &session.r#abstract);
            session.allocator.free((*place).attrs.cast(), &session.r#abstract);
            place = place.wrapping_add(1);
        }
        session.allocator.free(start.cast(), &session.r#abstract);
    }
}
