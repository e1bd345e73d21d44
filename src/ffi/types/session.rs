//! Scalars, the session's handle, and the constants of `libssh2_session_*`, `libssh2_init` and `libssh2_trace`.

use libc::{c_int, c_longlong, c_ulonglong};

/// An unsigned 64-bit number.
pub type libssh2_uint64_t = c_ulonglong;
/// A signed 64-bit number.
pub type libssh2_int64_t = c_longlong;
/// What a socket is called on this system.
pub type libssh2_socket_t = c_int;
/// What `stat()` fills in; scp reports a file's size, mode and times in it.
pub type libssh2_struct_stat = libc::stat;

/// One SSH connection. Made by libssh2_session_init_ex(), released by libssh2_session_free().
pub struct _LIBSSH2_SESSION {
    _private: [u8; 0],
}
/// One SSH connection, see `struct _LIBSSH2_SESSION`.
pub type LIBSSH2_SESSION = _LIBSSH2_SESSION;

/// A function of any type: cast to and from the type that the callback number stands for.
pub struct libssh2_cb_generic {
    _private: [u8; 0],
}

/// Which library does the cryptography.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum _libssh2_crypto_engine_t {
    /// None.
    libssh2_no_crypto = 0,
    /// OpenSSL's libcrypto: the one that this library uses.
    libssh2_openssl = 1,
    /// Libgcrypt.
    libssh2_gcrypt = 2,
    /// Mbed TLS.
    libssh2_mbedtls = 3,
    /// Windows' own.
    libssh2_wincng = 4,
    /// OS/400's own.
    libssh2_os400qc3 = 5,
}
/// Which library does the cryptography, see `enum _libssh2_crypto_engine_t`.
pub type libssh2_crypto_engine_t = _libssh2_crypto_engine_t;

/// For libssh2_init(): the program has set up the cryptographic library itself.
pub const LIBSSH2_INIT_NO_CRYPTO: c_int = 0x0001;

/// Not a socket.
pub const LIBSSH2_INVALID_SOCKET: libssh2_socket_t = -1;

/// For libssh2_session_callback_set2(): an SSH_MSG_IGNORE arrived, LIBSSH2_IGNORE_FUNC.
pub const LIBSSH2_CALLBACK_IGNORE: c_int = 0;
/// An SSH_MSG_DEBUG arrived, LIBSSH2_DEBUG_FUNC.
pub const LIBSSH2_CALLBACK_DEBUG: c_int = 1;
/// An SSH_MSG_DISCONNECT arrived, LIBSSH2_DISCONNECT_FUNC.
pub const LIBSSH2_CALLBACK_DISCONNECT: c_int = 2;
/// A packet failed its integrity check, LIBSSH2_MACERROR_FUNC.
pub const LIBSSH2_CALLBACK_MACERROR: c_int = 3;
/// The server opened an X11 channel, LIBSSH2_X11_OPEN_FUNC.
pub const LIBSSH2_CALLBACK_X11: c_int = 4;
/// Sends bytes in the socket's place, LIBSSH2_SEND_FUNC.
pub const LIBSSH2_CALLBACK_SEND: c_int = 5;
/// Receives bytes in the socket's place, LIBSSH2_RECV_FUNC.
pub const LIBSSH2_CALLBACK_RECV: c_int = 6;
/// The server opened a channel to the authentication agent, LIBSSH2_AUTHAGENT_FUNC.
pub const LIBSSH2_CALLBACK_AUTHAGENT: c_int = 7;
/// Asks a forwarded agent for its identities, LIBSSH2_ADD_IDENTITIES_FUNC; kept, never called.
pub const LIBSSH2_CALLBACK_AUTHAGENT_IDENTITIES: c_int = 8;
/// Asks a forwarded agent to sign, LIBSSH2_AUTHAGENT_SIGN_FUNC; kept, never called.
pub const LIBSSH2_CALLBACK_AUTHAGENT_SIGN: c_int = 9;

/// For libssh2_session_method_pref() and its kin: key exchange methods.
pub const LIBSSH2_METHOD_KEX: c_int = 0;
/// Host key algorithms.
pub const LIBSSH2_METHOD_HOSTKEY: c_int = 1;
/// Ciphers, client to server.
pub const LIBSSH2_METHOD_CRYPT_CS: c_int = 2;
/// Ciphers, server to client.
pub const LIBSSH2_METHOD_CRYPT_SC: c_int = 3;
/// Integrity checks, client to server.
pub const LIBSSH2_METHOD_MAC_CS: c_int = 4;
/// Integrity checks, server to client.
pub const LIBSSH2_METHOD_MAC_SC: c_int = 5;
/// Compression, client to server.
pub const LIBSSH2_METHOD_COMP_CS: c_int = 6;
/// Compression, server to client.
pub const LIBSSH2_METHOD_COMP_SC: c_int = 7;
/// Languages, client to server.
pub const LIBSSH2_METHOD_LANG_CS: c_int = 8;
/// Languages, server to client.
pub const LIBSSH2_METHOD_LANG_SC: c_int = 9;
/// Signature algorithms that the user's key may sign with.
pub const LIBSSH2_METHOD_SIGN_ALGO: c_int = 10;

/// For libssh2_session_flag(): let a broken connection raise SIGPIPE.
pub const LIBSSH2_FLAG_SIGPIPE: c_int = 1;
/// Offer compression.
pub const LIBSSH2_FLAG_COMPRESS: c_int = 2;
/// Quote the paths that scp hands to the server's shell; on unless switched off.
pub const LIBSSH2_FLAG_QUOTE_PATHS: c_int = 3;

/// In libssh2_session_block_directions(): wait until the socket is readable.
pub const LIBSSH2_SESSION_BLOCK_INBOUND: c_int = 0x0001;
/// Wait until the socket is writable.
pub const LIBSSH2_SESSION_BLOCK_OUTBOUND: c_int = 0x0002;

/// Why a session is disconnected, RFC 4253 section 11.1: the host may not connect.
pub const SSH_DISCONNECT_HOST_NOT_ALLOWED_TO_CONNECT: c_int = 1;
/// The other side broke the protocol.
pub const SSH_DISCONNECT_PROTOCOL_ERROR: c_int = 2;
/// The key exchange failed.
pub const SSH_DISCONNECT_KEY_EXCHANGE_FAILED: c_int = 3;
/// Not used.
pub const SSH_DISCONNECT_RESERVED: c_int = 4;
/// A packet failed its integrity check.
pub const SSH_DISCONNECT_MAC_ERROR: c_int = 5;
/// A packet could not be decompressed.
pub const SSH_DISCONNECT_COMPRESSION_ERROR: c_int = 6;
/// The service asked for is not there.
pub const SSH_DISCONNECT_SERVICE_NOT_AVAILABLE: c_int = 7;
/// The protocol version is not supported.
pub const SSH_DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED: c_int = 8;
/// The host key cannot be verified.
pub const SSH_DISCONNECT_HOST_KEY_NOT_VERIFIABLE: c_int = 9;
/// The connection is lost.
pub const SSH_DISCONNECT_CONNECTION_LOST: c_int = 10;
/// The program is done.
pub const SSH_DISCONNECT_BY_APPLICATION: c_int = 11;
/// There are too many connections.
pub const SSH_DISCONNECT_TOO_MANY_CONNECTIONS: c_int = 12;
/// The user gave up authentication.
pub const SSH_DISCONNECT_AUTH_CANCELLED_BY_USER: c_int = 13;
/// No authentication method is left to try.
pub const SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE: c_int = 14;
/// The user name is not allowed.
pub const SSH_DISCONNECT_ILLEGAL_USER_NAME: c_int = 15;

/// For libssh2_trace(): packets and the transport.
pub const LIBSSH2_TRACE_TRANS: c_int = 1 << 1;
/// Key exchange.
pub const LIBSSH2_TRACE_KEX: c_int = 1 << 2;
/// Authentication.
pub const LIBSSH2_TRACE_AUTH: c_int = 1 << 3;
/// Channels.
pub const LIBSSH2_TRACE_CONN: c_int = 1 << 4;
/// scp.
pub const LIBSSH2_TRACE_SCP: c_int = 1 << 5;
/// SFTP.
pub const LIBSSH2_TRACE_SFTP: c_int = 1 << 6;
/// Errors, as they are stored.
pub const LIBSSH2_TRACE_ERROR: c_int = 1 << 7;
/// The publickey subsystem.
pub const LIBSSH2_TRACE_PUBLICKEY: c_int = 1 << 8;
/// The socket.
pub const LIBSSH2_TRACE_SOCKET: c_int = 1 << 9;

/// Microseconds; of no effect, kept for programs that name it.
pub const LIBSSH2_SOCKET_POLL_UDELAY: c_int = 250000;
/// Of no effect, kept for programs that name it.
pub const LIBSSH2_SOCKET_POLL_MAXLOOPS: c_int = 120;
/// Bytes; of no effect, kept for programs that name it.
pub const LIBSSH2_PACKET_MAXCOMP: c_int = 32000;
/// Bytes; of no effect, kept for programs that name it.
pub const LIBSSH2_PACKET_MAXDECOMP: c_int = 40000;
/// Bytes; of no effect, kept for programs that name it.
pub const LIBSSH2_PACKET_MAXPAYLOAD: c_int = 40000;
