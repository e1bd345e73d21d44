//! The authentication agent.

use std::cell::{RefCell, RefMut};
use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_uint};
use std::ptr;
use std::time::Instant;

use crate::agent::{Key, identities, sign};
use crate::auth::Offer;
use crate::crypto::signature_name;
use crate::error::{Code, Error, Result};
use crate::ffi::guard::{bytes, enter, enter_own, null, store, text, without_session};
use crate::ffi::handle::{Own, Owned, SessionHandle, Tag};
use crate::ffi::types::{LIBSSH2_AGENT, LIBSSH2_SESSION, libssh2_agent_publickey};
use crate::ffi::userauth_signer::{Signed, log_in_by};
use crate::io::LocalStream;
use crate::memory::{self, Add, c_string, copy};
use crate::op::{Call, with};
use crate::wire::Reader;

/// Where the agent listens unless the program says otherwise.
const PATH_VARIABLE: &CStr = c"SSH_AUTH_SOCK";
/// The mark of a key that C is shown.
const MAGIC: c_uint = 0x3bde_fed2;

/// What `LIBSSH2_AGENT` stands for.
#[derive(Default)]
struct Agent(RefCell<State>);

#[derive(Default)]
struct State {
    path: Option<CString>,
    stream: Option<LocalStream>,
    keys: Vec<ShownKey>,
}

impl Owned for Agent {
    const TAG: Tag = Tag::Agent;
}

impl Agent {
    fn state(&self) -> Result<RefMut<'_, State>> {
        self.0.try_borrow_mut().map_err(|_| Error::new(Code::BadUse, "Agent was used from within one of its own calls"))
    }
}

impl State {
    /// Talks to the agent. Where that fails in the middle, nobody knows what will come next: the connection is closed.
    fn talk<T>(&mut self, talk: impl FnOnce(&LocalStream) -> Result<T>) -> Result<T> {
        let stream = self.stream.as_ref().ok_or_else(|| Error::new(Code::BadUse, "Agent is not connected"))?;
        let result = talk(stream);
        if let Err(error) = &result
            && matches!(error.code, Code::SocketSend | Code::SocketRecv | Code::Timeout)
        {
            self.stream = None;
        }
        result
    }

    /// The key that C means: one of ours, or a copy of one.
    ///
    /// # Safety
    /// `identity` is NULL or can be read.
    unsafe fn key(&self, identity: *const libssh2_agent_publickey) -> Result<&Key> {
        // SAFETY: as promised by the caller.
        let node = unsafe { identity.as_ref() }.ok_or_else(null)?.node;
        let found = self.keys.iter().find(|shown| ptr::eq(shown.0.cast(), node));
        // SAFETY: the boxes of the list live as long as it.
        found
            .and_then(|shown| unsafe { shown.0.as_ref() })
            .map(|shown| &shown.key)
            .ok_or_else(|| Error::new(Code::BadUse, "Agent's keys have been listed anew since"))
    }
}

/// A box that C has a pointer to.
struct ShownKey(*mut ShownParts);

/// A key as C sees it, and what its pointers lead to.
#[repr(C)]
struct ShownParts {
    public: libssh2_agent_publickey,
    key: Key,
}

impl ShownKey {
    fn new(mut key: Key) -> Result<Self> {
        key.comment.add(0)?;
        let public = libssh2_agent_publickey {
            magic: MAGIC,
            node: ptr::null_mut(),
            blob: key.blob.as_mut_ptr(),
            blob_len: key.blob.len(),
            comment: key.comment.as_mut_ptr().cast(),
        };
        let shown = Box::into_raw(memory::boxed(ShownParts { public, key })?);
        // SAFETY: it was made just now, and nobody else knows it.
        unsafe { (*shown).public.node = shown.cast() };
        Ok(Self(shown))
    }
}

impl Drop for ShownKey {
    fn drop(&mut self) {
        // SAFETY: it came from `Box::into_raw` and is freed only here.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

fn own(agent: *mut LIBSSH2_AGENT) -> *mut Own<Agent> {
    agent.cast()
}

/// Makes a handle for the agent, which is not connected.
///
/// Returns the handle, to be freed by libssh2_agent_free() before its session, or NULL if session is NULL or there is no
/// memory.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_init(session: *mut LIBSSH2_SESSION) -> *mut LIBSSH2_AGENT {
    // SAFETY: as promised by the caller.
    unsafe { enter(session, |session| Ok(Own::create(session, Agent::default())?.cast())) }
}

/// Connects to the agent: to the socket that libssh2_agent_set_identity_path() names, or else to the one that the
/// environment variable SSH_AUTH_SOCK names. All that is said to the agent waits for its answer, also in non-blocking
/// mode, at most as long as libssh2_session_set_timeout() allows.
///
/// Returns 0; LIBSSH2_ERROR_BAD_USE when neither is set, or agent is NULL; LIBSSH2_ERROR_AGENT_PROTOCOL when nobody
/// listens there; LIBSSH2_ERROR_TIMEOUT when who listens there takes no more connections; LIBSSH2_ERROR_ALLOC.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_connect(agent: *mut LIBSSH2_AGENT) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |session, agent| {
            let mut state = agent.state()?;
            let path = match &state.path {
                Some(path) => copy(path.to_bytes())?,
                // Nobody changes the environment while another thread is in a library.
                None => text(libc::getenv(PATH_VARIABLE.as_ptr()))
                    .map(copy)
                    .transpose()?
                    .ok_or_else(|| Error::new(Code::BadUse, "Environment does not say where the agent listens"))?,
            };
            state.stream = None;
            state.stream = Some(LocalStream::connect(&path, deadline(session)?)?);
            Ok(0)
        })
    }
}

/// Asks the agent for the keys that it holds, see libssh2_agent_get_identity(). Those listed before are freed.
///
/// Returns 0; LIBSSH2_ERROR_BAD_USE when the agent is not connected; LIBSSH2_ERROR_AGENT_PROTOCOL when its answer makes
/// no sense, or is longer than 256 KiB; LIBSSH2_ERROR_OUT_OF_BOUNDARY for more than 1024 keys or too long a comment;
/// LIBSSH2_ERROR_SOCKET_SEND or LIBSSH2_ERROR_SOCKET_RECV when it hangs up; LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
/// The keys before the fault are listed all the same.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_list_identities(agent: *mut LIBSSH2_AGENT) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |session, agent| {
            let mut state = agent.state()?;
            state.keys.clear();
            let (deadline, mut keys) = (deadline(session)?, Vec::new());
            let result = state.talk(|stream| identities(stream, deadline, &mut keys));
            for key in keys {
                state.keys.add(ShownKey::new(key)?)?;
            }
            result.map(|()| 0)
        })
    }
}

/// Walks through the keys that libssh2_agent_list_identities() has listed.
///
/// store is set to the key behind prev, or to the first one if prev is NULL. It belongs to the handle, and stays where
/// it is until the keys are listed anew or the handle is freed.
///
/// Returns 0; 1 when there are no more; LIBSSH2_ERROR_BAD_USE when a pointer is NULL, or prev is not one of those keys.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed; store can be written
/// to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_get_identity(
    agent: *mut LIBSSH2_AGENT,
    store: *mut *mut libssh2_agent_publickey,
    prev: *mut libssh2_agent_publickey,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |_, agent| {
            if store.is_null() {
                return Err(null());
            }
            let state = agent.state()?;
            let mut keys = state.keys.iter();
            if !prev.is_null() && !keys.any(|shown| ptr::eq(shown.0.cast(), prev)) {
                return Err(Error::new(Code::BadUse, "Agent's keys have been listed anew since"));
            }
            let Some(next) = keys.next() else { return Ok(1) };
            store.write(next.0.cast());
            Ok(0)
        })
    }
}

/// Logs in with a key that the agent holds.
///
/// username is terminated. identity is one of the keys that libssh2_agent_get_identity() gave; it may be a certificate
/// or a security key. The agent signs once the server has said that it takes the key.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait for the server in non-blocking mode, to be called again
/// with the same key; LIBSSH2_ERROR_AUTHENTICATION_FAILED when the server does not take the key;
/// LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED when the agent does not sign, or the server does not take its signature;
/// LIBSSH2_ERROR_METHOD_NONE when there is no way to sign that both sides know; LIBSSH2_ERROR_BAD_USE,
/// LIBSSH2_ERROR_PROTO, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT,
/// LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed; username is NULL or
/// terminated; identity is NULL or one of its keys, or a copy of one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_userauth(
    agent: *mut LIBSSH2_AGENT,
    username: *const c_char,
    identity: *mut libssh2_agent_publickey,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |session, agent| {
            let user = text(username).ok_or_else(null)?;
            let blob = copy(&agent.state()?.key(identity)?.blob)?;
            log_in_by(
                session,
                Call::AgentUserauth,
                || Offer::from_blob(user, &blob),
                |request| {
                    let deadline = deadline(session)?;
                    let signature = agent
                        .state()?
                        .talk(|stream| sign(stream, deadline, request.blob(), request.data(), request.algorithm()))?;
                    // Old agents know RSA with SHA-1 alone, and do not say so.
                    let is_right = Reader::new(&signature).string() == Ok(request.algorithm());
                    Ok(if is_right { Signed::Signature(signature) } else { Signed::UnknownAlgorithm })
                },
            )
        })
    }
}

/// Has the agent sign with one of its keys.
///
/// identity is one of the keys that libssh2_agent_get_identity() gave. data is data_len bytes. method names the
/// algorithm, method_len bytes: the type of the key or of its certificate, "rsa-sha2-256" or "rsa-sha2-512".
///
/// sig is set to the signature without the name of the algorithm, which is allocated with the session's allocator, to be
/// freed by libssh2_free(), and s_len to its length.
///
/// Returns 0; LIBSSH2_ERROR_ALGO_UNSUPPORTED when the agent has used another algorithm; LIBSSH2_ERROR_INVAL when method
/// contains a NUL; LIBSSH2_ERROR_AGENT_PROTOCOL when the agent does not sign; LIBSSH2_ERROR_BUFFER_TOO_SMALL when its
/// signature makes no sense; LIBSSH2_ERROR_BAD_USE when a pointer is NULL or the agent is not connected;
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_ALLOC.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed; identity is NULL or
/// one of its keys, or a copy of one; data and method can be read, sig and s_len can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_sign(
    agent: *mut LIBSSH2_AGENT,
    identity: *mut libssh2_agent_publickey,
    sig: *mut *mut c_uchar,
    s_len: *mut usize,
    data: *const c_uchar,
    d_len: usize,
    method: *const c_char,
    method_len: c_uint,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |session, agent| {
            if sig.is_null() || s_len.is_null() {
                return Err(null());
            }
            let data = bytes(data.cast(), d_len)?;
            let method = bytes(method, crate::ffi::guard::size(method_len))?;
            if method.contains(&0) {
                return Err(Error::new(Code::Inval, "Name of the algorithm contains a NUL"));
            }
            let deadline = deadline(session)?;
            let mut state = agent.state()?;
            let blob = copy(&state.key(identity)?.blob)?;
            let signature = state.talk(|stream| sign(stream, deadline, &blob, data, method))?;
            let raw = raw_signature(&signature, method)?;
            let memory = session.allocator.copy(raw, &session.r#abstract)?;
            store(sig, memory.as_ptr().cast());
            store(s_len, raw.len());
            Ok(0)
        })
    }
}

/// A signature by `method` without the name; what a security key adds to it stays with it.
fn raw_signature<'a>(signature: &'a [u8], method: &[u8]) -> Result<&'a [u8]> {
    let malformed = |_| Error::new(Code::BufferTooSmall, "Agent's signature is shorter than its fields");
    let mut reader = Reader::new(signature);
    let name = reader.string().map_err(malformed)?;
    let [plain, ending] = signature_name(method);
    if name.strip_suffix(ending) != Some(plain) {
        return Err(Error::new(Code::AlgoUnsupported, "Agent has signed by another algorithm").with(name));
    }
    if method.starts_with(b"sk-") { Ok(reader.rest()) } else { reader.string().map_err(malformed) }
}

/// Closes the connection to the agent, which may be connected again.
///
/// Returns 0, also when it was not connected, or LIBSSH2_ERROR_BAD_USE if agent is NULL.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_disconnect(agent: *mut LIBSSH2_AGENT) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |_, agent| {
            agent.state()?.stream = None;
            Ok(0)
        })
    }
}

/// Frees a handle, its keys and its connection to the agent. NULL is allowed.
///
/// Requires: agent is NULL or a handle that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_free(agent: *mut LIBSSH2_AGENT) {
    without_session(|| {
        // SAFETY: as promised by the caller.
        unsafe { Own::destroy(own(agent)) };
        Ok(())
    })
}

/// Sets where the agent listens, for the next libssh2_agent_connect().
///
/// path is copied; NULL leaves it to the environment again.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed; path is NULL or
/// terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_set_identity_path(agent: *mut LIBSSH2_AGENT, path: *const c_char) {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |_, agent| {
            agent.state()?.path = text(path).map(c_string).transpose()?;
            Ok(())
        })
    }
}

/// Tells what libssh2_agent_set_identity_path() has set.
///
/// Returns a terminated text that belongs to the handle and lives until another one is set; NULL if none is.
///
/// Requires: agent is NULL or a handle that has not been freed, whose session has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_agent_get_identity_path(agent: *mut LIBSSH2_AGENT) -> *const c_char {
    // SAFETY: as promised by the caller.
    unsafe {
        enter_own(own(agent), |_, agent| Ok(agent.state()?.path.as_ref().map_or(ptr::null(), |path| path.as_ptr())))
    }
}

/// When the call that is inside has to end.
fn deadline(session: &SessionHandle) -> Result<Option<Instant>> {
    with(&session.core, |core| Ok(core.deadline(session.began())))
}
