//! Function pointers. What C writes `LIBSSH2_ALLOC_FUNC(*name)` is `name: LIBSSH2_ALLOC_FUNC` here; NULL is `None`.
//!
//! In every callback `abstract` is the address of the session's application pointer (the one that
//! `libssh2_session_abstract` returns), unless its comment says otherwise.

use libc::{c_char, c_int, c_uchar, c_uint, c_void, size_t, ssize_t};

use super::{
    LIBSSH2_CHANNEL, LIBSSH2_SESSION, LIBSSH2_SK_SIG_INFO, LIBSSH2_USERAUTH_KBDINT_PROMPT,
    LIBSSH2_USERAUTH_KBDINT_RESPONSE, libssh2_socket_t,
};

/// Allocates `count` bytes, as `malloc` does.
pub type LIBSSH2_ALLOC_FUNC = Option<unsafe extern "C" fn(count: size_t, r#abstract: *mut *mut c_void) -> *mut c_void>;
/// Resizes what the same session's allocator returned, as `realloc` does.
pub type LIBSSH2_REALLOC_FUNC =
    Option<unsafe extern "C" fn(ptr: *mut c_void, count: size_t, r#abstract: *mut *mut c_void) -> *mut c_void>;
/// Releases what the same session's allocator returned, as `free` does.
pub type LIBSSH2_FREE_FUNC = Option<unsafe extern "C" fn(ptr: *mut c_void, r#abstract: *mut *mut c_void)>;

/// Signs `data` for public-key authentication. `abstract` is the pointer given along with the callback. Stores the
/// signature, allocated with the session's allocator, and returns 0, or returns an error number.
pub type LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        sig: *mut *mut c_uchar,
        sig_len: *mut size_t,
        data: *const c_uchar,
        data_len: size_t,
        r#abstract: *mut *mut c_void,
    ) -> c_int,
>;
/// Answers the prompts of keyboard-interactive authentication: one response per prompt, its text allocated with the
/// session's allocator.
pub type LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC = Option<
    unsafe extern "C" fn(
        name: *const c_char,
        name_len: c_int,
        instruction: *const c_char,
        instruction_len: c_int,
        num_prompts: c_int,
        prompts: *const LIBSSH2_USERAUTH_KBDINT_PROMPT,
        responses: *mut LIBSSH2_USERAUTH_KBDINT_RESPONSE,
        r#abstract: *mut *mut c_void,
    ),
>;
/// Asks a security key to sign `data`; fills `sig_info` and returns 0, or returns an error number.
pub type LIBSSH2_USERAUTH_SK_SIGN_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        sig_info: *mut LIBSSH2_SK_SIG_INFO,
        data: *const c_uchar,
        data_len: size_t,
        algorithm: c_int,
        flags: u8,
        application: *const c_char,
        key_handle: *const c_uchar,
        key_handle_len: size_t,
        r#abstract: *mut *mut c_void,
    ) -> c_int,
>;
/// Gives the new password that the server asks for, allocated with the session's allocator.
pub type LIBSSH2_PASSWD_CHANGEREQ_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        newpw: *mut *mut c_char,
        newpw_len: *mut c_int,
        r#abstract: *mut *mut c_void,
    ),
>;

/// Hears of an SSH_MSG_IGNORE. The message lives as long as the call.
pub type LIBSSH2_IGNORE_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        message: *const c_char,
        message_len: c_int,
        r#abstract: *mut *mut c_void,
    ),
>;
/// Hears of an SSH_MSG_DEBUG. The texts live as long as the call and are not terminated.
pub type LIBSSH2_DEBUG_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        always_display: c_int,
        message: *const c_char,
        message_len: c_int,
        language: *const c_char,
        language_len: c_int,
        r#abstract: *mut *mut c_void,
    ),
>;
/// Hears of an SSH_MSG_DISCONNECT. The texts live as long as the call and are not terminated.
pub type LIBSSH2_DISCONNECT_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        reason: c_int,
        message: *const c_char,
        message_len: c_int,
        language: *const c_char,
        language_len: c_int,
        r#abstract: *mut *mut c_void,
    ),
>;
/// Hears of a packet that failed its integrity check: what stands where it would have its payload. The connection
/// ends, whatever it returns. Ciphers that authenticate by themselves have no such packets.
pub type LIBSSH2_MACERROR_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        packet: *const c_char,
        packet_len: c_int,
        r#abstract: *mut *mut c_void,
    ) -> c_int,
>;
/// Takes over an X11 channel that the server opened.
pub type LIBSSH2_X11_OPEN_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        channel: *mut LIBSSH2_CHANNEL,
        shost: *const c_char,
        sport: c_int,
        r#abstract: *mut *mut c_void,
    ),
>;
/// Takes over a channel to the authentication agent that the server opened.
pub type LIBSSH2_AUTHAGENT_FUNC = Option<
    unsafe extern "C" fn(session: *mut LIBSSH2_SESSION, channel: *mut LIBSSH2_CHANNEL, r#abstract: *mut *mut c_void),
>;
/// Adds a forwarded agent's identities to `buffer`; kept, never called.
pub type LIBSSH2_ADD_IDENTITIES_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        buffer: *mut c_void,
        agent_path: *const c_char,
        r#abstract: *mut *mut c_void,
    ),
>;
/// Has a forwarded agent sign; kept, never called.
#[allow(non_snake_case, reason = "programs that define such a function by the C macro use its parameters' names")]
pub type LIBSSH2_AUTHAGENT_SIGN_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        blob: *mut c_uchar,
        blen: c_uint,
        data: *const c_uchar,
        dlen: c_uint,
        signature: *mut *mut c_uchar,
        sigLen: *mut c_uint,
        agentPath: *const c_char,
        r#abstract: *mut *mut c_void,
    ) -> c_int,
>;
/// Hears that a channel is closed.
pub type LIBSSH2_CHANNEL_CLOSE_FUNC = Option<
    unsafe extern "C" fn(
        session: *mut LIBSSH2_SESSION,
        session_abstract: *mut *mut c_void,
        channel: *mut LIBSSH2_CHANNEL,
        channel_abstract: *mut *mut c_void,
    ),
>;

/// Receives in the socket's place: returns the bytes received, 0 at the end, or the negated `errno`; `-EAGAIN` when
/// there is nothing yet.
pub type LIBSSH2_RECV_FUNC = Option<
    unsafe extern "C" fn(
        socket: libssh2_socket_t,
        buffer: *mut c_void,
        length: size_t,
        flags: c_int,
        r#abstract: *mut *mut c_void,
    ) -> ssize_t,
>;
/// Sends in the socket's place: returns the bytes taken, or the negated `errno`; `-EAGAIN` when it can take none yet.
pub type LIBSSH2_SEND_FUNC = Option<
    unsafe extern "C" fn(
        socket: libssh2_socket_t,
        buffer: *const c_void,
        length: size_t,
        flags: c_int,
        r#abstract: *mut *mut c_void,
    ) -> ssize_t,
>;

/// Hears what libssh2_trace() switched on: `length` bytes of text, not terminated. `context` is the pointer given to
/// libssh2_trace_sethandler().
pub type libssh2_trace_handler_func = Option<
    unsafe extern "C" fn(session: *mut LIBSSH2_SESSION, context: *mut c_void, data: *const c_char, length: size_t),
>;
