//! Logging in.

use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

use zeroize::{Zeroize, Zeroizing};

use crate::auth::{Answer, Hostbased, Identity, List, Password, Publickey};
use crate::crypto::{KeyType, PrivateKey, parse_public_text};
use crate::error::{Code, Error, Result};
use crate::ffi::guard::{bytes, bytes_mut, enter, field, look, size, text};
use crate::ffi::handle::SessionHandle;
use crate::ffi::types::{LIBSSH2_PASSWD_CHANGEREQ_FUNC, LIBSSH2_SESSION};
use crate::io;
use crate::memory::{self, c_string};
use crate::op::{Call, Owner, resume, with};
use crate::session::Session;
use crate::transport::negotiate::MethodType;
use crate::wire::names;

/// Largest key file.
const LARGEST_KEY_FILE: usize = 1024 * 1024;

/// Asks the server which methods username may log in with (RFC 4252 section 5.2, method "none").
///
/// username is username_len bytes.
///
/// Returns a terminated list of names with commas between them, which belongs to the session and lives until the next
/// call of this function; the program must not free it. NULL when the server let the user in without more, which
/// libssh2_userauth_authenticated() tells, and on failure: libssh2_session_last_errno() is then LIBSSH2_ERROR_EAGAIN
/// (it would have to wait in non-blocking mode, to be called again), LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_OUT_OF_BOUNDARY
/// (name longer than 34744 bytes), LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV,
/// LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT or LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; username can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_list(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: c_uint,
) -> *mut c_char {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = field(username, size(username_len))?;
            connected(session)?;
            let methods =
                resume(&session.core, session, Owner::Session, Call::UserauthList, |core| List::begin(core, user))?;
            let Some(methods) = methods else {
                session.last_error.clear();
                return Ok(ptr::null_mut());
            };
            let methods = c_string(&methods)?;
            Ok(session.lent.methods.borrow_mut().insert(methods).as_ptr().cast_mut())
        })
    }
}

/// Shows what the server had to say to the user before the login, SSH_MSG_USERAUTH_BANNER (RFC 4252 section 5.4).
///
/// banner is set to a terminated text that belongs to the session and lives until the next call of this function; it
/// may be NULL.
///
/// Returns 0, or LIBSSH2_ERROR_MISSING_USERAUTH_BANNER when the server has said nothing; banner is then not touched.
///
/// Requires: session is NULL or a session that has not been freed; banner can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_banner(session: *mut LIBSSH2_SESSION, banner: *mut *mut c_char) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let said = with(&session.core, |core| core.auth.banner.as_deref().map(memory::copy).transpose())?
                .ok_or_else(|| Error::new(Code::MissingUserauthBanner, "Server has sent no banner"))?;
            let mut lent = session.lent.banner.borrow_mut();
            let said = c_string(&said)?;
            let lent = match &mut *lent {
                Some(lent) if *lent == said => lent,
                lent => lent.insert(said),
            };
            crate::ffi::guard::store(banner, lent.as_ptr().cast_mut());
            Ok(0)
        })
    }
}

/// Tells whether the user is logged in: 1 or 0; 0 if session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_authenticated(session: *mut LIBSSH2_SESSION) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { look(session, 0, |core| c_int::from(core.auth.is_authenticated())) }
}

/// Logs in with a password (RFC 4252 section 8).
///
/// username and password are so many bytes each, at most 34744. passwd_change_cb is asked for a new password when the
/// server wants one; it may be NULL. The new password is allocated with the session's allocator and freed by the
/// library.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_AUTHENTICATION_FAILED when the server refuses; LIBSSH2_ERROR_PASSWORD_EXPIRED when it wants a new
/// password and gets none; LIBSSH2_ERROR_OUT_OF_BOUNDARY, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; username and password can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_password_ex(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: c_uint,
    password: *const c_char,
    password_len: c_uint,
    passwd_change_cb: LIBSSH2_PASSWD_CHANGEREQ_FUNC,
) -> c_int {
    let pointer = session;
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = field(username, size(username_len))?;
            let password = field(password, size(password_len))?;
            connected(session)?;
            let mut new: Option<Zeroizing<Vec<u8>>> = None;
            loop {
                let answer =
                    resume(&session.core, session, Owner::Session, Call::UserauthPassword, |core| match &new {
                        None => Password::begin(core, user, password),
                        Some(new) => Password::change(core, user, password, new),
                    })?;
                match answer {
                    Answer::Accepted => return Ok(0),
                    Answer::ChangeRequested(prompt) => {
                        let chosen = ask_for_new_password(session, pointer, passwd_change_cb)?;
                        new = Some(chosen.ok_or_else(|| {
                            Error::new(Code::PasswordExpired, "Password has expired and must be changed").with(prompt)
                        })?);
                    }
                }
            }
        })
    }
}

/// Has the program's function choose a new password; nothing of the session is borrowed meanwhile.
///
/// # Safety
/// `change` is a function of the program's of that type.
unsafe fn ask_for_new_password(
    session: &SessionHandle,
    pointer: *mut LIBSSH2_SESSION,
    change: LIBSSH2_PASSWD_CHANGEREQ_FUNC,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(change) = change else { return Ok(None) };
    let (mut chosen, mut length): (*mut c_char, c_int) = (ptr::null_mut(), 0);
    // SAFETY: as promised by the caller; the places live on this stack and the last address in the session.
    unsafe { change(pointer, &raw mut chosen, &raw mut length, session.r#abstract.address()) };
    if chosen.is_null() {
        return Ok(None);
    }
    // SAFETY: the function stored so many bytes there, which it allocated with the session's allocator for us to free.
    unsafe { take_secret(session, chosen, usize::try_from(length).unwrap_or_default()).map(Some) }
}

/// Takes over a secret text that the program has allocated, and wipes and frees the program's copy.
///
/// # Safety
/// The text is NULL, or so long and from the session's allocator, and not used any more.
pub(super) unsafe fn take_secret(
    session: &SessionHandle,
    text: *mut c_char,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    if text.is_null() {
        return Ok(Zeroizing::default());
    }
    // SAFETY: as promised by the caller; nobody else knows the text any more.
    unsafe {
        let taken = bytes_mut(text, length).and_then(|text| {
            let copied = memory::copy(text).map(Zeroizing::new);
            text.zeroize();
            copied
        });
        session.allocator.free(text.cast(), &session.r#abstract);
        taken
    }
}

/// Logs in with a key that is kept in files (RFC 4252 section 7).
///
/// username is username_len bytes. publickey names the file of the public key or certificate, in the form of OpenSSH's
/// ".pub" files; NULL derives it from the private key. privatekey names the file of the private key: OpenSSH's own
/// format, PEM or PKCS#8. passphrase opens it if it is encrypted; NULL is none. RSA keys sign with SHA-2 where the
/// server can (RFC 8332). DSA keys log in only if libssh2_session_method_pref() has named ssh-dss for
/// LIBSSH2_METHOD_SIGN_ALGO, and are not understood otherwise.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_FILE when a file cannot be read or understood; LIBSSH2_ERROR_KEYFILE_AUTH_FAILED when the passphrase
/// is wrong and publickey is NULL; LIBSSH2_ERROR_AUTHENTICATION_FAILED when the server does not take the key;
/// LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED when it would take publickey but the private key does not serve;
/// LIBSSH2_ERROR_METHOD_NONE when there is no way to sign that both sides know; LIBSSH2_ERROR_OUT_OF_BOUNDARY,
/// LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT,
/// LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; username can be read, and the other texts are
/// terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_publickey_fromfile_ex(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: c_uint,
    publickey: *const c_char,
    privatekey: *const c_char,
    passphrase: *const c_char,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = field(username, size(username_len))?;
            let (public, private, passphrase) = (text(publickey), text(privatekey), text(passphrase));
            log_in(session, user, |core| identity_of_files(core, public, private, passphrase))
        })
    }
}

/// Logs in with a key that is kept in memory, otherwise as libssh2_userauth_publickey_fromfile_ex(): what are the
/// contents of files there are username_len, publickeyfiledata_len and privatekeyfiledata_len bytes here.
/// publickeyfiledata is NULL, or its length 0, to derive the public key from the private one. Nothing is kept after the
/// login.
///
/// Returns what libssh2_userauth_publickey_fromfile_ex() returns.
///
/// Requires: session is NULL or a session that has not been freed; the data can be read, and passphrase is terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_publickey_frommemory(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: usize,
    publickeyfiledata: *const c_char,
    publickeyfiledata_len: usize,
    privatekeyfiledata: *const c_char,
    privatekeyfiledata_len: usize,
    passphrase: *const c_char,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = field(username, username_len)?;
            let public = key_text(publickeyfiledata, publickeyfiledata_len)?;
            let private = key_text(privatekeyfiledata, privatekeyfiledata_len)?;
            let passphrase = text(passphrase);
            log_in(session, user, |core| {
                let public = Some(public).filter(|public| !public.is_empty());
                identity(core, public, if private.is_empty() { Err(no_key()) } else { Ok(private) }, passphrase)
            })
        })
    }
}

/// A key in memory: none if `start` is NULL, and without what ends a C string if the program has counted that.
///
/// # Safety
/// As for [`bytes`].
pub(super) unsafe fn key_text<'a>(start: *const c_char, length: usize) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    let text = unsafe { bytes(start, if start.is_null() { 0 } else { length }) }?;
    Ok(text.strip_suffix(b"\0").unwrap_or(text))
}

/// Logs in because of the host that the program runs on, by the host's key (RFC 4252 section 9).
///
/// username, hostname and local_username are so many bytes each, at most 34744: the user on the server, the name of this
/// host as the server knows it, and the user here. publickey, privatekey and passphrase are as for
/// libssh2_userauth_publickey_fromfile_ex().
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_FILE when a file cannot be read or understood; LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED when the private key
/// does not serve or the server refuses; LIBSSH2_ERROR_METHOD_NONE when there is no way to sign that both sides know;
/// LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, LIBSSH2_ERROR_OUT_OF_BOUNDARY, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; the names can be read, and the other texts are
/// terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_hostbased_fromfile_ex(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: c_uint,
    publickey: *const c_char,
    privatekey: *const c_char,
    passphrase: *const c_char,
    hostname: *const c_char,
    hostname_len: c_uint,
    local_username: *const c_char,
    local_username_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = field(username, size(username_len))?;
            let host = field(hostname, size(hostname_len))?;
            let local_user = field(local_username, size(local_username_len))?;
            let (public, private, passphrase) = (text(publickey), text(privatekey), text(passphrase));
            connected(session)?;
            resume(&session.core, session, Owner::Session, Call::UserauthHostbased, |core| {
                let identity = identity_of_files(core, public, private, passphrase)?;
                Hostbased::begin(core, user, identity, host, local_user)
            })?;
            Ok(0)
        })
    }
}

/// Logs in with what `load` makes of the program's key, which is read only when the login begins.
fn log_in(session: &SessionHandle, user: &[u8], load: impl FnOnce(&Session) -> Result<Identity>) -> Result<c_int> {
    connected(session)?;
    resume(&session.core, session, Owner::Session, Call::UserauthPublickey, |core| {
        let identity = load(core)?;
        Publickey::begin(core, user, identity)
    })?;
    Ok(0)
}

/// The key pair in files of those names.
fn identity_of_files(
    core: &Session,
    public: Option<&[u8]>,
    private: Option<&[u8]>,
    passphrase: Option<&[u8]>,
) -> Result<Identity> {
    let public = public.map(read_file).transpose()?;
    let private = private.map(read_file).unwrap_or_else(|| Err(no_key()));
    identity(
        core,
        public.as_ref().map(|file| &file[..]),
        private.as_ref().map(|file| &file[..]).map_err(Error::copy),
        passphrase,
    )
}

/// A key pair. Where the public key is given, a private key that cannot be used is an error only when the server would
/// take the public one.
fn identity(
    core: &Session,
    public: Option<&[u8]>,
    private: Result<&[u8]>,
    passphrase: Option<&[u8]>,
) -> Result<Identity> {
    let private = private.and_then(|private| PrivateKey::parse(private, passphrase)).and_then(|key| wanted(core, key));
    if let Some(public) = public {
        let (key_type, blob) = parse_public_text(public)?;
        return Ok(Identity { key_type, blob, private });
    }
    let private = private?;
    let (key_type, blob) = (memory::copy(private.key_type().name().as_bytes())?, private.public_blob()?);
    Ok(Identity { key_type, blob, private: Ok(private) })
}

/// `key`, unless it is too weak to be used where the program has not asked for its algorithm.
fn wanted(core: &Session, key: PrivateKey) -> Result<PrivateKey> {
    let preferred = core.transport.preferences.get(MethodType::SignAlgo);
    if key.key_type() == KeyType::Dsa && !names(preferred).any(|name| name == KeyType::Dsa.as_bytes()) {
        return Err(Error::new(Code::File, "DSA keys log in only where LIBSSH2_METHOD_SIGN_ALGO names ssh-dss"));
    }
    Ok(key)
}

/// A whole key file.
fn read_file(path: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    io::read_file(path, LARGEST_KEY_FILE)
        .map_err(|error| Error::new(Code::File, "Key file cannot be read").about_file(path, &error))?
        .map(Zeroizing::new)
        .ok_or_else(|| Error::new(Code::File, "Key file is too large"))
}

pub(super) const fn no_key() -> Error {
    Error::new(Code::File, "No private key is given")
}

pub(super) fn connected(session: &SessionHandle) -> Result<()> {
    with(&session.core, |core| {
        core.transport.check()?;
        if core.transport.is_established() {
            Ok(())
        } else {
            Err(Error::new(Code::BadSocket, "Session is not connected"))
        }
    })
}
