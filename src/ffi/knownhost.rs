//! Known hosts.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::ffi::{CString, c_char, c_int, c_uint};
use std::ptr;

use crate::error::{Code, Error, Result};
use crate::ffi::guard::{Ret, bytes, bytes_mut, enter, enter_own, null, store, text, without_session};
use crate::ffi::handle::{Own, Owned, Tag};
use crate::ffi::time::time_of_day;
use crate::ffi::types::{
    LIBSSH2_KNOWNHOST_CHECK_FAILURE, LIBSSH2_KNOWNHOST_CHECK_MATCH, LIBSSH2_KNOWNHOST_CHECK_MISMATCH,
    LIBSSH2_KNOWNHOST_CHECK_NOTFOUND, LIBSSH2_KNOWNHOST_FILE_OPENSSH, LIBSSH2_KNOWNHOST_KEY_MASK,
    LIBSSH2_KNOWNHOST_KEY_SHIFT, LIBSSH2_KNOWNHOST_KEYENC_BASE64, LIBSSH2_KNOWNHOST_KEYENC_MASK,
    LIBSSH2_KNOWNHOST_KEYENC_RAW, LIBSSH2_KNOWNHOST_TYPE_CUSTOM, LIBSSH2_KNOWNHOST_TYPE_MASK,
    LIBSSH2_KNOWNHOST_TYPE_PLAIN, LIBSSH2_KNOWNHOST_TYPE_SHA1, LIBSSH2_KNOWNHOSTS, LIBSSH2_SESSION, libssh2_knownhost,
};
use crate::io;
use crate::knownhost::{Entry, EntryId, Host, Hosts, KeyKind, Query, Verdict, decode, gone};
use crate::memory::{self, Add, c_string, copy};
use crate::radix64;
use crate::wire::Put;

/// Longest name, salt, key or comment.
const LONGEST: usize = 1024 * 1024;
/// Longest name with a port around it, in a check.
const LONGEST_WITH_PORT: usize = 269;
/// Largest file.
const LARGEST_FILE: usize = 256 * 1024 * 1024;
/// The mark of an entry that C is shown.
const MAGIC: c_uint = 0xdead_cafe;

/// What `LIBSSH2_KNOWNHOSTS` stands for.
#[derive(Default)]
struct KnownHosts {
    hosts: RefCell<Hosts>,
    shown: RefCell<Shown>,
}

impl Owned for KnownHosts {
    const TAG: Tag = Tag::KnownHosts;
}

impl KnownHosts {
    fn hosts(&self) -> Result<RefMut<'_, Hosts>> {
        self.hosts.try_borrow_mut().map_err(|_| busy())
    }

    fn shown(&self) -> Result<RefMut<'_, Shown>> {
        self.shown.try_borrow_mut().map_err(|_| busy())
    }
}

/// What C has been shown of the entries: each stays where it is until it is deleted.
#[derive(Default)]
struct Shown {
    by_id: HashMap<EntryId, *mut ShownEntry>,
    by_address: HashMap<usize, EntryId>,
}

/// An entry as C sees it, and what its pointers lead to.
#[repr(C)]
struct ShownEntry {
    public: libssh2_knownhost,
    name: Option<CString>,
    key: CString,
}

impl Shown {
    /// Where C sees that entry.
    fn show(&mut self, id: EntryId, entry: &Entry, own: *mut LIBSSH2_KNOWNHOSTS) -> Result<*mut libssh2_knownhost> {
        if let Some(shown) = self.by_id.get(&id) {
            return Ok(shown.cast());
        }
        let name = match (entry.marker, &entry.host) {
            (Some(marker), _) => Some(c_string(marker.word().as_bytes())?),
            (None, Host::Plain(name)) => Some(c_string(name)?),
            (None, Host::Hashed { .. } | Host::Custom(_)) => None,
        };
        self.by_id.room(1)?;
        self.by_address.room(1)?;
        let shown = Box::into_raw(memory::boxed(ShownEntry {
            public: libssh2_knownhost {
                magic: MAGIC,
                node: own.cast(),
                name: name.as_ref().map_or(ptr::null_mut(), |name| name.as_ptr().cast_mut()),
                key: ptr::null_mut(),
                typemask: typemask(entry),
            },
            name,
            key: c_string(&entry.key)?,
        })?);
        // SAFETY: it was made just now, and nobody else knows it.
        unsafe { (*shown).public.key = (*shown).key.as_ptr().cast_mut() };
        self.by_id.add((id, shown))?;
        self.by_address.add((shown as usize, id))?;
        Ok(shown.cast())
    }

    /// The entry that C means; its pointer is not followed.
    fn find(&self, entry: *const libssh2_knownhost) -> Result<EntryId> {
        self.by_address.get(&(entry as usize)).copied().ok_or_else(gone)
    }

    fn forget(&mut self, id: EntryId) {
        if let Some(shown) = self.by_id.remove(&id) {
            self.by_address.remove(&(shown as usize));
            // SAFETY: it came from `Box::into_raw` and is in no table any more.
            drop(unsafe { Box::from_raw(shown) });
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        for (_, shown) in self.by_id.drain() {
            // SAFETY: it came from `Box::into_raw` and is in no table any more.
            drop(unsafe { Box::from_raw(shown) });
        }
    }
}

impl Drop for ShownEntry {
    fn drop(&mut self) {
        // Whoever still looks at it does not take it for an entry.
        self.public.magic = 0;
    }
}

/// What a check returns.
struct Checked(c_int);

impl Ret for Checked {
    fn failed(_: Code) -> Self {
        Self(LIBSSH2_KNOWNHOST_CHECK_FAILURE)
    }
}

fn own(hosts: *mut LIBSSH2_KNOWNHOSTS) -> *mut Own<KnownHosts> {
    hosts.cast()
}

/// Makes an empty collection of known hosts. It needs no connection.
///
/// Returns the collection, to be freed by libssh2_knownhost_free(), or NULL if session is NULL or there is no memory.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_init(session: *mut LIBSSH2_SESSION) -> *mut LIBSSH2_KNOWNHOSTS {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| Ok(Own::create(session, KnownHosts::default())?.cast())) }
}

/// Adds a known host without a comment, otherwise as libssh2_knownhost_addc(). Deprecated since 1.2.5.
///
/// Requires: as libssh2_knownhost_addc().
#[cfg(not(no_deprecated))]
#[deprecated(note = "1.2.5: use libssh2_knownhost_addc")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_add(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    host: *const c_char,
    salt: *const c_char,
    key: *const c_char,
    keylen: usize,
    typemask: c_int,
    store: *mut *mut libssh2_knownhost,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { libssh2_knownhost_addc(hosts, host, salt, key, keylen, ptr::null(), 0, typemask, store) }
}

/// Adds a known host at the end of a collection, also when it is there already.
///
/// typemask is a sum of three: LIBSSH2_KNOWNHOST_TYPE_PLAIN (host is a name, or "[name]:port", or patterns as in
/// OpenSSH's file), LIBSSH2_KNOWNHOST_TYPE_SHA1 (host is the base64 of the HMAC-SHA1 of a name, salt the base64 of its
/// key) or LIBSSH2_KNOWNHOST_TYPE_CUSTOM (host is a text of the program's own); LIBSSH2_KNOWNHOST_KEYENC_RAW (key is
/// the bytes of the wire) or LIBSSH2_KNOWNHOST_KEYENC_BASE64; and the type of the key, one of LIBSSH2_KNOWNHOST_KEY_.
/// key is keylen bytes or characters. comment is commentlen bytes; NULL is none. All of them are copied, and at most
/// 1 MiB long; all entries of a collection may take 256 MiB. store, unless it is NULL, is set to the new entry, which
/// belongs to the collection.
///
/// Returns 0; LIBSSH2_ERROR_BAD_USE when hosts, host or key is NULL or keylen is 0; LIBSSH2_ERROR_OUT_OF_BOUNDARY when
/// something is too long; LIBSSH2_ERROR_INVAL without a type of key, or when salt or hash are not base64;
/// LIBSSH2_ERROR_METHOD_NOT_SUPPORTED for any other kind of host; LIBSSH2_ERROR_ALLOC.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; host and salt are
/// NULL or terminated; key and comment can be read, store can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_addc(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    host: *const c_char,
    salt: *const c_char,
    key: *const c_char,
    keylen: usize,
    comment: *const c_char,
    commentlen: usize,
    typemask: c_int,
    store: *mut *mut libssh2_knownhost,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            let (host, salt) = (text(host).ok_or_else(null)?, text(salt));
            if key.is_null() || keylen == 0 {
                return Err(Error::new(Code::BadUse, "Known host has no key"));
            }
            for length in [host.len(), keylen] {
                bounded(length)?;
            }
            let kind = key_kind(typemask).ok_or_else(|| Error::new(Code::Inval, "Known host's key has no type"))?;
            let host = named(typemask, host, salt)?;
            let comment = if comment.is_null() { None } else { Some(bytes(comment, commentlen)?) };
            bounded(comment.map_or(0, <[u8]>::len))?;
            let entry = Entry {
                marker: None,
                host,
                kind,
                kind_name: None,
                key: encoded(bytes(key, keylen)?, typemask)?,
                encoding: u8::try_from((typemask & LIBSSH2_KNOWNHOST_KEYENC_MASK) >> 16).unwrap_or_default(),
                comment: comment.map(copy).transpose()?,
            };
            let id = known.hosts()?.add(entry)?;
            if !store.is_null() {
                match show(known, hosts, id) {
                    Ok(shown) => store.write(shown),
                    Err(error) => {
                        known.hosts()?.remove(id);
                        return Err(error);
                    }
                }
            }
            Ok(0)
        })
    }
}

/// Looks for a host under its name alone, otherwise as libssh2_knownhost_checkp().
///
/// Requires: as libssh2_knownhost_checkp().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_check(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    host: *const c_char,
    key: *const c_char,
    keylen: usize,
    typemask: c_int,
    knownhost: *mut *mut libssh2_knownhost,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { libssh2_knownhost_checkp(hosts, host, -1, key, keylen, typemask, knownhost) }
}

/// Looks for a host and the key that it shows.
///
/// host is its name, and port its port: entries for "[host]:port" are looked for before those for the name alone; a
/// negative port looks for the name alone. typemask is a sum of three: LIBSSH2_KNOWNHOST_TYPE_PLAIN, which compares with
/// hashed entries as well, or LIBSSH2_KNOWNHOST_TYPE_CUSTOM; LIBSSH2_KNOWNHOST_KEYENC_RAW, where key is keylen bytes, or
/// LIBSSH2_KNOWNHOST_KEYENC_BASE64, where it is terminated; and the type of the key, one of LIBSSH2_KNOWNHOST_KEY_:
/// entries with keys of other types do not count then. Entries may be patterns, see ssh_config(5); a key that an
/// "@revoked" line has for the host never matches, in whatever case the name is written.
///
/// The key may be a host certificate (OpenSSH's PROTOCOL.certkeys). It matches an "@cert-authority" line for the host
/// that has the key of its authority, if its signature is right, its time has come and is not over, it has no critical
/// options, and host is one of the principals that it is for; or one of their patterns. Otherwise it is worth as much as
/// the key in it, whose type then counts instead of the one in typemask.
///
/// knownhost, unless it is NULL, is set to the entry that matches, or to the first one that has the host with another
/// key. It belongs to the collection.
///
/// Returns LIBSSH2_KNOWNHOST_CHECK_MATCH, LIBSSH2_KNOWNHOST_CHECK_MISMATCH (the host has another key),
/// LIBSSH2_KNOWNHOST_CHECK_NOTFOUND (no entry has the host with a key of that type) or
/// LIBSSH2_KNOWNHOST_CHECK_FAILURE (wrong use).
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; host is NULL or
/// terminated; key is NULL or can be read, knownhost can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_checkp(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    host: *const c_char,
    port: c_int,
    key: *const c_char,
    keylen: usize,
    typemask: c_int,
    knownhost: *mut *mut libssh2_knownhost,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            let host = text(host).ok_or_else(null)?;
            bounded(keylen)?;
            let is_custom = match typemask & LIBSSH2_KNOWNHOST_TYPE_MASK {
                LIBSSH2_KNOWNHOST_TYPE_SHA1 => return Ok(Checked(LIBSSH2_KNOWNHOST_CHECK_MISMATCH)),
                kind => kind == LIBSSH2_KNOWNHOST_TYPE_CUSTOM,
            };
            if !is_custom && typemask & LIBSSH2_KNOWNHOST_TYPE_MASK != LIBSSH2_KNOWNHOST_TYPE_PLAIN {
                return Ok(Checked(LIBSSH2_KNOWNHOST_CHECK_NOTFOUND));
            }
            let key = if is_text(typemask) {
                copy(text(key).ok_or_else(null)?)?
            } else {
                let key = bytes(key, keylen)?;
                if key.is_empty() {
                    return Err(Error::new(Code::BadUse, "Host has no key"));
                }
                encoded(key, LIBSSH2_KNOWNHOST_KEYENC_RAW)?
            };
            let names = names(host, port)?;
            let (kind, time) = (key_kind(typemask), time_of_day());
            let query = Query { names: &names, host, is_custom, key: &key, kind, time };
            let verdict = known.hosts()?.check(&query)?;
            let (result, found) = match verdict {
                Verdict::Match(id) => (LIBSSH2_KNOWNHOST_CHECK_MATCH, Some(id)),
                Verdict::Mismatch(id) => (LIBSSH2_KNOWNHOST_CHECK_MISMATCH, Some(id)),
                Verdict::NotFound => (LIBSSH2_KNOWNHOST_CHECK_NOTFOUND, None),
            };
            if let Some(id) = found {
                store(knownhost, show(known, hosts, id)?);
            }
            Ok(Checked(result))
        })
        .0
    }
}

/// Deletes an entry and frees it.
///
/// Returns 0; LIBSSH2_ERROR_INVAL when entry is not one of this collection; LIBSSH2_ERROR_BAD_USE.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_del(hosts: *mut LIBSSH2_KNOWNHOSTS, entry: *mut libssh2_knownhost) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            let mut shown = known.shown()?;
            let id = shown.find(entry)?;
            known.hosts()?.remove(id);
            shown.forget(id);
            Ok(0)
        })
    }
}

/// Frees a collection with all its entries. NULL is allowed.
///
/// Requires: hosts is NULL or a collection that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_free(hosts: *mut LIBSSH2_KNOWNHOSTS) {
    without_session(|| {
        // SAFETY: as promised by the caller.
        unsafe { Own::destroy(own(hosts)) };
        Ok(())
    })
}

/// Adds the entries of one line of a file: one for each name in it, the last name first. A line with negated names
/// ("!name") is one entry. An empty line or a comment is kept for libssh2_knownhost_writefile().
///
/// line is len bytes; it ends earlier at a line end or NUL. type is LIBSSH2_KNOWNHOST_FILE_OPENSSH.
///
/// Returns 0; LIBSSH2_ERROR_METHOD_NOT_SUPPORTED for any other type, and when the line makes no sense;
/// LIBSSH2_ERROR_INVAL when a hash in it is not base64; LIBSSH2_ERROR_BAD_USE, LIBSSH2_ERROR_ALLOC.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; line can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_readline(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    line: *const c_char,
    len: usize,
    r#type: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            check_format(r#type)?;
            if line.is_null() {
                return Err(null());
            }
            known.hosts()?.read_line(bytes(line, len)?)?;
            Ok(0)
        })
    }
}

/// Adds the entries of a file, see libssh2_knownhost_readline().
///
/// Returns how many lines there were, comments and empty ones included; or LIBSSH2_ERROR_FILE when the file cannot be
/// read; LIBSSH2_ERROR_KNOWN_HOSTS when a line makes no sense, after the entries before it have been added;
/// LIBSSH2_ERROR_METHOD_NOT_SUPPORTED when type is not LIBSSH2_KNOWNHOST_FILE_OPENSSH; LIBSSH2_ERROR_BAD_USE;
/// LIBSSH2_ERROR_ALLOC, also when the entries would take more than 256 MiB.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; filename is NULL
/// or terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_readfile(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    filename: *const c_char,
    r#type: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            check_format(r#type)?;
            let contents = read_file(text(filename).ok_or_else(null)?)?;
            let count = known.hosts()?.read_file(&contents)?;
            Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
        })
    }
}

/// Writes one entry as a line of a file, its line end included.
///
/// buffer has room for buflen bytes, and is terminated. outlen is set to the length of the line without the
/// terminator, also when the buffer is too small. type is LIBSSH2_KNOWNHOST_FILE_OPENSSH.
///
/// Returns 0; LIBSSH2_ERROR_BUFFER_TOO_SMALL, and buffer is not touched; LIBSSH2_ERROR_INVAL when known is not an entry
/// of this collection; LIBSSH2_ERROR_METHOD_NOT_SUPPORTED for any other type, and for a key whose type has no name;
/// LIBSSH2_ERROR_BAD_USE when outlen is NULL; LIBSSH2_ERROR_ALLOC.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; buffer and outlen
/// can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_writeline(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    known: *mut libssh2_knownhost,
    buffer: *mut c_char,
    buflen: usize,
    outlen: *mut usize,
    r#type: c_int,
) -> c_int {
    let entry = known;
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            if outlen.is_null() {
                return Err(null());
            }
            let id = known.shown()?.find(entry)?;
            check_format(r#type)?;
            let mut line = known.hosts()?.to_line(id)?;
            outlen.write(line.len());
            line.add(0)?;
            let Some(place) = bytes_mut(buffer, buflen)?.get_mut(..line.len()) else {
                return Err(Error::new(Code::BufferTooSmall, "Buffer is too small for the line"));
            };
            place.copy_from_slice(&line);
            Ok(0)
        })
    }
}

/// Writes the whole collection to a file, which is overwritten, with the comments and empty lines of the files that
/// were read.
///
/// Returns 0; LIBSSH2_ERROR_FILE when it cannot be written; LIBSSH2_ERROR_METHOD_NOT_SUPPORTED when type is not
/// LIBSSH2_KNOWNHOST_FILE_OPENSSH, and for a key whose type has no name, before the file is touched;
/// LIBSSH2_ERROR_BAD_USE, LIBSSH2_ERROR_ALLOC.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; filename is NULL
/// or terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_writefile(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    filename: *const c_char,
    r#type: c_int,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            check_format(r#type)?;
            let path = text(filename).ok_or_else(null)?;
            let contents = known.hosts()?.to_file()?;
            io::write_file(path, &contents).map_err(|error| {
                Error::new(Code::File, "Known hosts file cannot be written").about_file(path, &error)
            })?;
            Ok(0)
        })
    }
}

/// Walks through a collection.
///
/// store is set to the entry behind prev, or to the first one if prev is NULL. It belongs to the collection, and stays
/// where it is until it is deleted or the collection is freed. hosts may be NULL where prev is not.
///
/// Returns 0; 1 when there are no more; LIBSSH2_ERROR_BAD_USE; LIBSSH2_ERROR_INVAL when prev is not an entry of this
/// collection; LIBSSH2_ERROR_ALLOC.
///
/// Requires: hosts is NULL or a collection that has not been freed, whose session has not been freed; prev is NULL or
/// one of its entries that has not been deleted; store can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_knownhost_get(
    hosts: *mut LIBSSH2_KNOWNHOSTS,
    store: *mut *mut libssh2_knownhost,
    prev: *mut libssh2_knownhost,
) -> c_int {
    let hosts = match hosts.is_null() {
        // SAFETY: as promised by the caller; an entry knows its collection.
        true => unsafe { prev.as_ref() }.filter(|prev| prev.magic == MAGIC).map_or(hosts, |prev| prev.node.cast()),
        false => hosts,
    };
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(hosts), |_, known| {
            if store.is_null() {
                return Err(null());
            }
            let previous = if prev.is_null() { None } else { Some(known.shown()?.find(prev)?) };
            let Some(next) = known.hosts()?.next(previous) else { return Ok(1) };
            store.write(show(known, hosts, next)?);
            Ok(0)
        })
    }
}

fn show(known: &KnownHosts, hosts: *mut LIBSSH2_KNOWNHOSTS, id: EntryId) -> Result<*mut libssh2_knownhost> {
    let collection = known.hosts()?;
    known.shown()?.show(id, collection.get(id).ok_or_else(gone)?, hosts)
}

/// The host of an entry that the program adds.
fn named(typemask: c_int, host: &[u8], salt: Option<&[u8]>) -> Result<Host> {
    match typemask & LIBSSH2_KNOWNHOST_TYPE_MASK {
        LIBSSH2_KNOWNHOST_TYPE_PLAIN => copy(host).map(Host::Plain),
        LIBSSH2_KNOWNHOST_TYPE_CUSTOM => copy(host).map(Host::Custom),
        LIBSSH2_KNOWNHOST_TYPE_SHA1 => {
            let salt = salt.ok_or_else(damaged_hash)?;
            bounded(salt.len())?;
            Ok(Host::Hashed {
                salt: decode(salt)?.ok_or_else(damaged_hash)?,
                hash: decode(host)?.ok_or_else(damaged_hash)?,
            })
        }
        _ => Err(Error::new(Code::MethodNotSupported, "Known host is named in a form that is not known")),
    }
}

/// The names under which a host is looked for.
fn names(host: &[u8], port: c_int) -> Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    if port >= 0 {
        let mut with_port = memory::concat(&[b"[", host, b"]:"])?;
        with_port.put_text(format_args!("{port}"))?;
        if with_port.len() > LONGEST_WITH_PORT {
            return Err(Error::new(Code::BufferTooSmall, "Host name is too long"));
        }
        names.add(with_port)?;
    }
    names.add(copy(host)?)?;
    Ok(names)
}

/// The key in Base64.
fn encoded(key: &[u8], typemask: c_int) -> Result<Vec<u8>> {
    if is_text(typemask) { copy(key) } else { radix64::encode(key) }
}

const fn is_text(typemask: c_int) -> bool {
    typemask & LIBSSH2_KNOWNHOST_KEYENC_BASE64 != 0
}

fn key_kind(typemask: c_int) -> Option<KeyKind> {
    let kind = (typemask & LIBSSH2_KNOWNHOST_KEY_MASK) >> LIBSSH2_KNOWNHOST_KEY_SHIFT;
    u8::try_from(kind).ok().filter(|&kind| kind != 0).map(KeyKind)
}

fn typemask(entry: &Entry) -> c_int {
    let (kind, host) = match (entry.marker, &entry.host) {
        // Nobody is to take the key of such a line for the host's.
        (Some(_), _) => (KeyKind::UNKNOWN, LIBSSH2_KNOWNHOST_TYPE_PLAIN),
        (None, Host::Plain(_)) => (entry.kind, LIBSSH2_KNOWNHOST_TYPE_PLAIN),
        (None, Host::Hashed { .. }) => (entry.kind, LIBSSH2_KNOWNHOST_TYPE_SHA1),
        (None, Host::Custom(_)) => (entry.kind, LIBSSH2_KNOWNHOST_TYPE_CUSTOM),
    };
    host | (c_int::from(entry.encoding) << 16) | (c_int::from(kind.0) << LIBSSH2_KNOWNHOST_KEY_SHIFT)
}

fn check_format(format: c_int) -> Result<()> {
    if format == LIBSSH2_KNOWNHOST_FILE_OPENSSH {
        return Ok(());
    }
    Err(Error::new(Code::MethodNotSupported, "Known hosts file is of a format that is not known"))
}

fn read_file(path: &[u8]) -> Result<Vec<u8>> {
    io::read_file(path, LARGEST_FILE)
        .map_err(|error| Error::new(Code::File, "Known hosts file cannot be read").about_file(path, &error))?
        .ok_or_else(|| Error::new(Code::File, "Known hosts file is too large"))
}

fn bounded(length: usize) -> Result<()> {
    if length > LONGEST { Err(Error::new(Code::OutOfBoundary, "Part of a known host is too long")) } else { Ok(()) }
}

const fn damaged_hash() -> Error {
    Error::new(Code::Inval, "Salt or hash of a known host is not base64")
}

const fn busy() -> Error {
    Error::new(Code::BadUse, "Known hosts were used from within one of their own calls")
}
