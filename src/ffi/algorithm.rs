//! Which algorithms a session may use and does use, and the key that the server has shown.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use crate::crypto::{HashAlgorithm, digest};
use crate::error::{Code, Error};
use crate::ffi::guard::{enter, null, store, text};
use crate::ffi::types::{
    LIBSSH2_HOSTKEY_TYPE_DSS, LIBSSH2_HOSTKEY_TYPE_ECDSA_256, LIBSSH2_HOSTKEY_TYPE_ECDSA_384,
    LIBSSH2_HOSTKEY_TYPE_ECDSA_521, LIBSSH2_HOSTKEY_TYPE_ED25519, LIBSSH2_HOSTKEY_TYPE_RSA,
    LIBSSH2_HOSTKEY_TYPE_UNKNOWN, LIBSSH2_SESSION,
};
use crate::op::with;
use crate::transport::negotiate::MethodType;
use crate::wire::Reader;

/// The fingerprints by their `LIBSSH2_HOSTKEY_HASH_` number less 1.
const FINGERPRINTS: [HashAlgorithm; 3] = [HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha256];

/// Says which algorithms of one kind to offer to the server, and in which order. To be called before the handshake.
///
/// method_type is one of LIBSSH2_METHOD_. prefs is a list of names with commas between them; names that are not known
/// are passed over. What is known and not offered by default, because it is weak, or because the program would have to
/// know what to do with a certificate, is offered too if it is named here. LIBSSH2_METHOD_SIGN_ALGO is the order in which
/// RSA keys choose how to sign, and lets DSA keys log in if it names ssh-dss.
///
/// Returns 0; LIBSSH2_ERROR_METHOD_NOT_SUPPORTED when none of the names is known, and what was offered before still is;
/// LIBSSH2_ERROR_INVAL when method_type is not known; LIBSSH2_ERROR_BAD_USE when prefs is NULL; LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; prefs is terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_method_pref(
    session: *mut LIBSSH2_SESSION,
    method_type: c_int,
    prefs: *const c_char,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let wanted = text(prefs).ok_or_else(null)?;
            let kind = MethodType::from_number(method_type).ok_or_else(unknown_type)?;
            with(&session.core, |core| core.transport.preferences.set(kind, wanted))?;
            Ok(0)
        })
    }
}

/// Tells which algorithm of one kind, one of LIBSSH2_METHOD_, was agreed upon. Under AES-GCM the MAC is
/// "INTEGRATED-AES-GCM".
///
/// Returns its name, a text that lives as long as the program, or NULL: before the handshake
/// (LIBSSH2_ERROR_METHOD_NONE), or when method_type is not one that is agreed upon (LIBSSH2_ERROR_INVAL).
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_methods(session: *mut LIBSSH2_SESSION, method_type: c_int) -> *const c_char {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let kind = MethodType::from_number(method_type)
                .filter(|kind| *kind != MethodType::SignAlgo)
                .ok_or_else(unknown_type)?;
            let name = with(&session.core, |core| Ok(core.transport.method_name(kind)))?;
            name.map(CStr::as_ptr).ok_or_else(|| Error::new(Code::MethodNone, "No method has been agreed upon yet"))
        })
    }
}

/// Lists the algorithms of one kind, one of LIBSSH2_METHOD_, in the order in which they are offered. Those that are
/// offered only if libssh2_session_method_pref() names them are among them, at the end.
///
/// algs is set to an array of their names. The array is freed by the program with libssh2_free(); the names in it live
/// as long as the program.
///
/// Returns how many there are; LIBSSH2_ERROR_METHOD_NOT_SUPPORTED when there are no names of that kind;
/// LIBSSH2_ERROR_INVAL for LIBSSH2_METHOD_SIGN_ALGO; LIBSSH2_ERROR_BAD_USE when algs is NULL; LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; algs can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_supported_algs(
    session: *mut LIBSSH2_SESSION,
    method_type: c_int,
    algs: *mut *mut *const c_char,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            if algs.is_null() {
                return Err(null());
            }
            let kind = MethodType::from_number(method_type);
            let names = match kind {
                Some(MethodType::SignAlgo) => return Err(unknown_type()),
                Some(kind) => with(&session.core, |core| core.transport.preferences.supported(kind))?,
                None => None,
            };
            let names =
                names.ok_or_else(|| Error::new(Code::MethodNotSupported, "There are no methods of that type"))?;
            let size = names.len().saturating_mul(size_of::<*const c_char>());
            let array = session.allocator.alloc(size, &session.r#abstract)?.as_ptr().cast::<*const c_char>();
            for (index, name) in names.iter().enumerate() {
                // The array has room for each of the names.
                array.add(index).write(name.as_ptr());
            }
            algs.write(array);
            Ok(c_int::try_from(names.len()).unwrap_or_default())
        })
    }
}

/// Shows the server's host key, as it came (RFC 4253 section 6.6). The handshake has verified that the server holds it;
/// whether it is the right one is for the program to say.
///
/// Where the program has asked for certificates by libssh2_session_method_pref(), this may be one, whose type is
/// LIBSSH2_HOSTKEY_TYPE_UNKNOWN (OpenSSH's PROTOCOL.certkeys). The handshake has verified that it is a host's, that its
/// time has come and is not over, that it has no critical options, and that the authority named in it has signed it by
/// an algorithm that is not weak. Whether it is for this host, and by an authority that may say so, is for the program to
/// say; libssh2_knownhost_checkp() knows.
///
/// len is set to its length in bytes, type to its LIBSSH2_HOSTKEY_TYPE_; each may be NULL.
///
/// Returns the key, which belongs to the session and lives as long, or NULL before the handshake, with a length of 0.
///
/// Requires: session is NULL or a session that has not been freed; the places can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_session_hostkey(
    session: *mut LIBSSH2_SESSION,
    len: *mut usize,
    r#type: *mut c_int,
) -> *const c_char {
    let (mut length, mut kind) = (0, LIBSSH2_HOSTKEY_TYPE_UNKNOWN);
    // SAFETY: as promised by the caller.
    unsafe {
        let key = enter(session, |session| {
            with(&session.core, |core| {
                let key = core.transport.host_key();
                if key.is_empty() {
                    return Ok(ptr::null());
                }
                length = key.len();
                kind = key_type(key);
                Ok(key.as_ptr().cast())
            })
        });
        store(len, length);
        store(r#type, kind);
        key
    }
}

fn key_type(blob: &[u8]) -> c_int {
    match Reader::new(blob).string() {
        Ok(b"ssh-rsa") => LIBSSH2_HOSTKEY_TYPE_RSA,
        Ok(b"ssh-dss") => LIBSSH2_HOSTKEY_TYPE_DSS,
        Ok(b"ecdsa-sha2-nistp256") => LIBSSH2_HOSTKEY_TYPE_ECDSA_256,
        Ok(b"ecdsa-sha2-nistp384") => LIBSSH2_HOSTKEY_TYPE_ECDSA_384,
        Ok(b"ecdsa-sha2-nistp521") => LIBSSH2_HOSTKEY_TYPE_ECDSA_521,
        Ok(b"ssh-ed25519") => LIBSSH2_HOSTKEY_TYPE_ED25519,
        _ => LIBSSH2_HOSTKEY_TYPE_UNKNOWN,
    }
}

/// Tells the fingerprint of the server's host key: the hash, one of LIBSSH2_HOSTKEY_HASH_, of what
/// libssh2_session_hostkey() shows.
///
/// Returns 16 (MD5), 20 (SHA-1) or 32 (SHA-256) bytes that belong to the session and live as long; NULL before the
/// handshake, or when the hash is not known.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_hostkey_hash(session: *mut LIBSSH2_SESSION, hash_type: c_int) -> *const c_char {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let index = usize::try_from(hash_type).ok().and_then(|number| number.checked_sub(1));
            let algorithm = index.and_then(|index| FINGERPRINTS.get(index).copied());
            let cell = index.and_then(|index| session.lent.fingerprints.get(index));
            let (Some(algorithm), Some(cell)) = (algorithm, cell) else { return Ok(ptr::null()) };
            if cell.get().is_none() {
                let computed = with(&session.core, |core| match core.transport.host_key() {
                    [] => Ok(None),
                    key => digest(algorithm, &[key]).map(Some),
                })?;
                let Some(computed) = computed else { return Ok(ptr::null()) };
                cell.get_or_init(|| computed);
            }
            Ok(cell.get().map_or(ptr::null(), |digest| digest.as_ref().as_ptr().cast()))
        })
    }
}

const fn unknown_type() -> Error {
    Error::new(Code::Inval, "Method type is not known")
}
