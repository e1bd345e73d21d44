//! Logging in by keys whose private half is elsewhere: in the program, or in a security key.

use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::ptr;

use crate::auth::{Offer, Outcome, Signer, ToSign, signature};
use crate::crypto::{SecurityKey, SecurityKeyType, parse_public_text};
use crate::error::{Code, Error, Result};
use crate::ffi::guard::{bytes, enter, field, null, store, text};
use crate::ffi::handle::SessionHandle;
use crate::ffi::types::{
    LIBSSH2_HOSTKEY_TYPE_ECDSA_256, LIBSSH2_HOSTKEY_TYPE_ED25519, LIBSSH2_PRIVKEY_SK, LIBSSH2_SESSION,
    LIBSSH2_SK_SIG_INFO, LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC, LIBSSH2_USERAUTH_SK_SIGN_FUNC,
};
use crate::ffi::userauth::{connected, key_text, no_key};
use crate::memory::{c_string, copy};
use crate::op::{Call, Owner, park, resume, with};
use crate::wire::Put;

/// What became of a request to sign.
pub(super) enum Signed {
    /// A signature, with the name of the algorithm in front.
    Signature(Vec<u8>),
    /// Whoever signs is not ready yet.
    NotReady,
    /// Whoever signs does not know the algorithm.
    UnknownAlgorithm,
}

/// Logs in by the key that `offer` gives, which `sign` signs with; it is called with nothing of the session borrowed.
pub(super) fn log_in_by(
    session: &SessionHandle,
    call: Call,
    offer: impl Fn() -> Result<Offer>,
    mut sign: impl FnMut(&ToSign) -> Result<Signed>,
) -> Result<c_int> {
    connected(session)?;
    let mut answer: Option<(ToSign, Signed)> = None;
    loop {
        let outcome = resume(&session.core, session, Owner::Session, call, |core| match answer.take() {
            None => Signer::begin(core, offer()?),
            Some((request, Signed::Signature(signature))) => Signer::signed(core, request, &signature),
            Some((request, Signed::NotReady)) => Signer::again(core, request),
            Some((request, Signed::UnknownAlgorithm)) => Signer::with_own_algorithm(core, request),
        })?;
        let request = match outcome {
            Outcome::Accepted => return Ok(0),
            Outcome::Sign(request) => request,
        };
        let signed =
            sign(&request).map_err(|error| error.within(Error::new(Code::PublickeyUnverified, "Signing failed")))?;
        if matches!(signed, Signed::NotReady) && !with(&session.core, |core| Ok(core.is_blocking()))? {
            let unsigned = with(&session.core, |core| Signer::again(core, request))?;
            park(&session.core, Owner::Session, call, unsigned)?;
            return with(&session.core, |core| Err(core.would_block()));
        }
        answer = Some((request, signed));
    }
}

/// Logs in with a key that the program signs with itself (RFC 4252 section 7).
///
/// username is terminated. pubkeydata is the public key or certificate as the bytes of the wire, pubkeydata_len of
/// them. sign_callback is called once the server has said that it takes the key. It is given the bytes to sign, in which
/// the name of the algorithm to use stands, and abstract as it is here; it stores the signature, allocated with the
/// session's allocator and freed by the library, and its length, and returns 0. The signature is bare, without the name
/// of the algorithm; for keys of a type that begins with "sk-" it is the inner signature with its length, flags and
/// counter. When it returns LIBSSH2_ERROR_EAGAIN, it is called again: in non-blocking mode when this function is. When
/// it returns LIBSSH2_ERROR_ALGO_UNSUPPORTED, the login is tried again with the algorithm named like the key, once.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_AUTHENTICATION_FAILED when the server does not take the key; LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED when
/// sign_callback fails, when the server does not take its signature, or when pubkeydata_len is less than 4;
/// LIBSSH2_ERROR_INVAL or LIBSSH2_ERROR_OUT_OF_BOUNDARY when pubkeydata is no key; LIBSSH2_ERROR_METHOD_NONE when there
/// is no way to sign that both sides know; LIBSSH2_ERROR_BAD_USE without a sign_callback; LIBSSH2_ERROR_PROTO,
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT,
/// LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; username is terminated, and pubkeydata can be read;
/// sign_callback stores only what the library may free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_publickey(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    pubkeydata: *const c_uchar,
    pubkeydata_len: usize,
    sign_callback: LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC,
    r#abstract: *mut *mut c_void,
) -> c_int {
    let pointer = session;
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = text(username).ok_or_else(null)?;
            let blob = bytes(pubkeydata.cast(), pubkeydata_len)?;
            let sign = sign_callback.ok_or_else(null)?;
            log_in_by(
                session,
                Call::UserauthSigner,
                || Offer::from_blob(user, blob),
                |request| {
                    let (mut raw, mut length) = (ptr::null_mut(), 0);
                    let data = request.data();
                    let result = sign(pointer, &raw mut raw, &raw mut length, data.as_ptr(), data.len(), r#abstract);
                    signed(session, request, result, raw, length)
                },
            )
        })
    }
}

/// What a function that signs has made of `request`.
///
/// # Safety
/// `raw` is NULL or points to `length` bytes from the session's allocator, which nobody else uses any more.
unsafe fn signed(
    session: &SessionHandle,
    request: &ToSign,
    result: c_int,
    raw: *mut c_uchar,
    length: usize,
) -> Result<Signed> {
    let made = match result {
        // SAFETY: as promised by the caller.
        0 => unsafe { bytes(raw.cast(), length) }.and_then(|raw| {
            if raw.is_empty() {
                return Err(Error::new(Code::PublickeyUnverified, "Function that signs made no signature"));
            }
            signature(request.algorithm(), raw, request.is_for_security_key()).map(Signed::Signature)
        }),
        number => refusal(number),
    };
    if !raw.is_null() {
        // SAFETY: as promised by the caller.
        unsafe { session.allocator.free(raw.cast(), &session.r#abstract) };
    }
    made
}

/// What the number means that a function returned instead of signing.
fn refusal(number: c_int) -> Result<Signed> {
    match number {
        _ if number == Code::Eagain.number() => Ok(Signed::NotReady),
        _ if number == Code::AlgoUnsupported.number() => Ok(Signed::UnknownAlgorithm),
        _ => {
            Err(Error::new(Code::PublickeyUnverified, "Function that signs returned")
                .with_text(format_args!("{number}")))
        }
    }
}

/// Logs in with a key that a security key holds (FIDO U2F; OpenSSH's PROTOCOL.u2f).
///
/// username is username_len bytes. privatekeydata are the privatekeydata_len bytes of the private key file, in
/// OpenSSH's own format, and passphrase opens it if it is encrypted; NULL is none. publickeydata is the text of the
/// public key or of its certificate, publickeydata_len bytes; NULL or a length of 0 takes it from privatekeydata.
/// sign_callback talks to the security key, see libssh2_sign_sk(), and is given abstract as it is here. The function
/// waits in non-blocking mode too.
///
/// Returns 0; LIBSSH2_ERROR_FILE when the key cannot be understood, or is not one of a security key;
/// LIBSSH2_ERROR_KEYFILE_AUTH_FAILED when the passphrase is wrong; LIBSSH2_ERROR_AUTHENTICATION_FAILED when the server
/// does not take the key; LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED when sign_callback fails or the server does not take its
/// signature; LIBSSH2_ERROR_BAD_USE, LIBSSH2_ERROR_OUT_OF_BOUNDARY, LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_SEND,
/// LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; the data can be read, and passphrase is terminated;
/// sign_callback stores only what the library may free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_publickey_sk(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: usize,
    publickeydata: *const c_uchar,
    publickeydata_len: usize,
    privatekeydata: *const c_char,
    privatekeydata_len: usize,
    passphrase: *const c_char,
    sign_callback: LIBSSH2_USERAUTH_SK_SIGN_FUNC,
    r#abstract: *mut *mut c_void,
) -> c_int {
    let pointer = session;
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let public = key_text(publickeydata.cast(), publickeydata_len)?;
            let private = key_text(privatekeydata, privatekeydata_len)?;
            if private.is_empty() {
                return Err(no_key());
            }
            sign_callback.ok_or_else(null)?;
            let key = SecurityKey::parse(private, text(passphrase))?;
            let (key_type, blob) = match public {
                [] => (copy(key.kind.name().as_bytes())?, copy(&key.blob)?),
                _ => parse_public_text(public)?,
            };
            let user = field(username, username_len)?;
            if key.application.contains(&0) {
                return Err(Error::new(Code::File, "Private key file is damaged"));
            }
            let application = c_string(&key.application)?;
            let device = LIBSSH2_PRIVKEY_SK {
                algorithm: match key.kind {
                    SecurityKeyType::Ed25519 => LIBSSH2_HOSTKEY_TYPE_ED25519,
                    SecurityKeyType::EcdsaP256 => LIBSSH2_HOSTKEY_TYPE_ECDSA_256,
                },
                flags: key.flags,
                application: application.as_ptr(),
                key_handle: key.handle.as_ptr(),
                handle_len: key.handle.len(),
                sign_callback,
                orig_abstract: r#abstract,
            };
            blocking(session, || {
                log_in_by(
                    session,
                    Call::UserauthSecurityKey,
                    || Offer::new(user, &key_type, &blob),
                    |request| match ask_security_key(session, pointer, &device, request.data())? {
                        Ok(raw) => signature(request.algorithm(), &raw, true).map(Signed::Signature),
                        Err(number) => refusal(number),
                    },
                )
            })
        })
    }
}

/// Runs `wait` in blocking mode, whatever the mode is.
fn blocking<T>(session: &SessionHandle, wait: impl FnOnce() -> Result<T>) -> Result<T> {
    let mode = with(&session.core, |core| Ok(std::mem::replace(&mut core.settings.blocking, 1)))?;
    let result = wait();
    with(&session.core, |core| {
        core.settings.blocking = mode;
        Ok(())
    })?;
    result
}

/// Has a security key sign; can be given to libssh2_userauth_publickey() as its sign_callback.
///
/// abstract points to a pointer to a LIBSSH2_PRIVKEY_SK, which describes the key and whose sign_callback talks to the
/// device. That is given the data_len bytes of data to sign and what the description says, with orig_abstract as its
/// abstract. It fills in flags and counter as the device reported them, and the signature: for Ed25519 all of it in
/// sig_r, for ECDSA r in sig_r and s in sig_s; both allocated with the session's allocator and freed by the library.
///
/// sig is set to the signature in the form of OpenSSH's PROTOCOL.u2f, without the name of the algorithm, and sig_len to
/// its length; it is allocated with the session's allocator, to be freed by libssh2_free().
///
/// Returns 0; LIBSSH2_ERROR_BAD_USE when a pointer is NULL; LIBSSH2_ERROR_DECRYPT when the key handle is empty;
/// LIBSSH2_ERROR_ALLOC; or the error number that sign_callback returned.
///
/// Requires: session is NULL or a session that has not been freed; sig and sig_len can be written to, data can be read;
/// what abstract leads to is as described; sign_callback stores only what the library may free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_sign_sk(
    session: *mut LIBSSH2_SESSION,
    sig: *mut *mut c_uchar,
    sig_len: *mut usize,
    data: *const c_uchar,
    data_len: usize,
    r#abstract: *mut *mut c_void,
) -> c_int {
    let pointer = session;
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            if sig.is_null() || sig_len.is_null() || r#abstract.is_null() {
                return Err(null());
            }
            let device = (*r#abstract).cast::<LIBSSH2_PRIVKEY_SK>().as_ref().ok_or_else(null)?;
            let made = match ask_security_key(session, pointer, device, bytes(data.cast(), data_len)?)? {
                Ok(made) => made,
                Err(number) => {
                    session.last_error.set(number, b"Security key does not sign");
                    return Ok(number);
                }
            };
            let memory = session.allocator.copy(&made, &session.r#abstract)?;
            store(sig, memory.as_ptr().cast());
            store(sig_len, made.len());
            Ok(0)
        })
    }
}

/// Has the program's function ask the security key `device`: the signature behind the name of its algorithm, or the
/// error number that the function returned.
///
/// # Safety
/// All that `device` points to is alive, and its function stores only what the session's allocator gave.
unsafe fn ask_security_key(
    session: &SessionHandle,
    pointer: *mut LIBSSH2_SESSION,
    device: &LIBSSH2_PRIVKEY_SK,
    data: &[u8],
) -> Result<Result<Vec<u8>, c_int>> {
    let sign = device.sign_callback.ok_or_else(null)?;
    if device.handle_len == 0 {
        return Err(Error::new(Code::Decrypt, "Security key has no handle"));
    }
    let mut made = LIBSSH2_SK_SIG_INFO {
        flags: 0,
        counter: 0,
        sig_r: ptr::null_mut(),
        sig_r_len: 0,
        sig_s: ptr::null_mut(),
        sig_s_len: 0,
    };
    // SAFETY: as promised by the caller; `made` lives on this stack, and `data` is as long as stated.
    unsafe {
        let result = sign(
            pointer,
            &raw mut made,
            data.as_ptr(),
            data.len(),
            device.algorithm,
            device.flags,
            device.application,
            device.key_handle,
            device.handle_len,
            device.orig_abstract,
        );
        let encoded = if result == 0 { encode(&made).map(Ok) } else { Ok(Err(result)) };
        for part in [made.sig_r, made.sig_s] {
            if !part.is_null() {
                session.allocator.free(part.cast(), &session.r#abstract);
            }
        }
        encoded
    }
}

/// A security key's signature behind the name of its algorithm: OpenSSH's PROTOCOL.u2f, SSH U2F signatures.
///
/// # Safety
/// Its parts can be read.
unsafe fn encode(made: &LIBSSH2_SK_SIG_INFO) -> Result<Vec<u8>> {
    // SAFETY: as promised by the caller.
    let (r, s) = unsafe { (bytes(made.sig_r.cast(), made.sig_r_len)?, bytes(made.sig_s.cast(), made.sig_s_len)?) };
    let mut raw = Vec::new();
    if made.sig_s.is_null() {
        raw.put_string(r)?;
    } else {
        let mut pair = Vec::new();
        pair.put_mpint(r)?;
        pair.put_mpint(s)?;
        raw.put_string(&pair)?;
    }
    raw.put_u8(made.flags)?;
    raw.put_u32(made.counter)?;
    Ok(raw)
}
