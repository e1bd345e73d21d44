//! Error numbers. Each is the number of a [`Code`], which is checked below while compiling.

use libc::c_int;

use crate::error::Code;

/// No error.
pub const LIBSSH2_ERROR_NONE: c_int = 0;
/// Something went wrong that has no number of its own.
pub const LIBSSH2_ERROR_SOCKET_NONE: c_int = -1;
/// The server's identification line did not come, or is not one.
pub const LIBSSH2_ERROR_BANNER_RECV: c_int = -2;
/// Our identification line could not be sent.
pub const LIBSSH2_ERROR_BANNER_SEND: c_int = -3;
/// A packet failed its integrity check.
pub const LIBSSH2_ERROR_INVALID_MAC: c_int = -4;
/// The two sides have no algorithms in common, or their lists could not be exchanged.
pub const LIBSSH2_ERROR_KEX_FAILURE: c_int = -5;
/// An allocator returned NULL.
pub const LIBSSH2_ERROR_ALLOC: c_int = -6;
/// The socket, or the program's send callback, refused to take data.
pub const LIBSSH2_ERROR_SOCKET_SEND: c_int = -7;
/// The key exchange failed after the algorithms were chosen; a host key signature that is wrong is one such case.
pub const LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE: c_int = -8;
/// The time set for a call, or for a reply, has passed.
pub const LIBSSH2_ERROR_TIMEOUT: c_int = -9;
/// The server's host key could not be read.
pub const LIBSSH2_ERROR_HOSTKEY_INIT: c_int = -10;
/// The server's signature over the key exchange is not that of its host key.
pub const LIBSSH2_ERROR_HOSTKEY_SIGN: c_int = -11;
/// Decryption failed.
pub const LIBSSH2_ERROR_DECRYPT: c_int = -12;
/// The connection is gone: the server closed it or sent a DISCONNECT message.
pub const LIBSSH2_ERROR_SOCKET_DISCONNECT: c_int = -13;
/// The server sent something that the protocol does not allow.
pub const LIBSSH2_ERROR_PROTO: c_int = -14;
/// The server wants the password changed, and no new one was given.
pub const LIBSSH2_ERROR_PASSWORD_EXPIRED: c_int = -15;
/// A local file, or key material in memory, could not be read or made sense of.
pub const LIBSSH2_ERROR_FILE: c_int = -16;
/// Nothing is negotiated yet, or no method is left to choose from.
pub const LIBSSH2_ERROR_METHOD_NONE: c_int = -17;
/// The server refused the authentication.
pub const LIBSSH2_ERROR_AUTHENTICATION_FAILED: c_int = -18;
/// Another name of LIBSSH2_ERROR_AUTHENTICATION_FAILED.
pub const LIBSSH2_ERROR_PUBLICKEY_UNRECOGNIZED: c_int = LIBSSH2_ERROR_AUTHENTICATION_FAILED;
/// The key could not sign, or the server did not accept its signature.
pub const LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED: c_int = -19;
/// A channel was used in an order that its protocol does not have.
pub const LIBSSH2_ERROR_CHANNEL_OUTOFORDER: c_int = -20;
/// The server did not open the channel.
pub const LIBSSH2_ERROR_CHANNEL_FAILURE: c_int = -21;
/// The server refused a request made on a channel.
pub const LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED: c_int = -22;
/// There is no such channel, or no way left to receive one.
pub const LIBSSH2_ERROR_CHANNEL_UNKNOWN: c_int = -23;
/// The server sent more than the window it was given.
pub const LIBSSH2_ERROR_CHANNEL_WINDOW_EXCEEDED: c_int = -24;
/// A packet or a reply is larger than was agreed.
pub const LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED: c_int = -25;
/// The channel is closed.
pub const LIBSSH2_ERROR_CHANNEL_CLOSED: c_int = -26;
/// We have sent end-of-file on this channel, so nothing can be written to it any more.
pub const LIBSSH2_ERROR_CHANNEL_EOF_SENT: c_int = -27;
/// The other side's scp reported an error or does not speak its protocol.
pub const LIBSSH2_ERROR_SCP_PROTOCOL: c_int = -28;
/// Compression or decompression failed.
pub const LIBSSH2_ERROR_ZLIB: c_int = -29;
/// Waiting for the publickey subsystem failed.
pub const LIBSSH2_ERROR_SOCKET_TIMEOUT: c_int = -30;
/// The SFTP server refused, and libssh2_sftp_last_error() tells why; or its reply is malformed.
pub const LIBSSH2_ERROR_SFTP_PROTOCOL: c_int = -31;
/// The server refused a global request.
pub const LIBSSH2_ERROR_REQUEST_DENIED: c_int = -32;
/// The method, format or type asked for is not supported.
pub const LIBSSH2_ERROR_METHOD_NOT_SUPPORTED: c_int = -33;
/// An argument is not valid.
pub const LIBSSH2_ERROR_INVAL: c_int = -34;
/// An entry given to libssh2_poll() has an unknown type.
pub const LIBSSH2_ERROR_INVALID_POLL_TYPE: c_int = -35;
/// The publickey subsystem refused, or its reply is malformed.
pub const LIBSSH2_ERROR_PUBLICKEY_PROTOCOL: c_int = -36;
/// The call would have to wait: call it again with the same arguments once the socket is ready in one of the
/// directions that libssh2_session_block_directions() names.
pub const LIBSSH2_ERROR_EAGAIN: c_int = -37;
/// The caller's buffer, or a packet of the server, is too small.
pub const LIBSSH2_ERROR_BUFFER_TOO_SMALL: c_int = -38;
/// The call is not allowed here: a NULL handle, a missing argument, a state it does not fit.
pub const LIBSSH2_ERROR_BAD_USE: c_int = -39;
/// Compression failed.
pub const LIBSSH2_ERROR_COMPRESS: c_int = -40;
/// A length or a count is beyond its limit.
pub const LIBSSH2_ERROR_OUT_OF_BOUNDARY: c_int = -41;
/// The agent refused, or does not speak its protocol.
pub const LIBSSH2_ERROR_AGENT_PROTOCOL: c_int = -42;
/// Receiving failed.
pub const LIBSSH2_ERROR_SOCKET_RECV: c_int = -43;
/// Encryption failed.
pub const LIBSSH2_ERROR_ENCRYPT: c_int = -44;
/// The socket given is not one.
pub const LIBSSH2_ERROR_BAD_SOCKET: c_int = -45;
/// A known-hosts file has a line that makes no sense.
pub const LIBSSH2_ERROR_KNOWN_HOSTS: c_int = -46;
/// Unread data has filled the receive window, so the end of the stream cannot arrive.
pub const LIBSSH2_ERROR_CHANNEL_WINDOW_FULL: c_int = -47;
/// The passphrase does not open the private key.
pub const LIBSSH2_ERROR_KEYFILE_AUTH_FAILED: c_int = -48;
/// No random numbers are to be had.
pub const LIBSSH2_ERROR_RANDGEN: c_int = -49;
/// The server has sent no authentication banner.
pub const LIBSSH2_ERROR_MISSING_USERAUTH_BANNER: c_int = -50;
/// The algorithm is not supported by the key, the agent or this library.
pub const LIBSSH2_ERROR_ALGO_UNSUPPORTED: c_int = -51;
/// Computing an integrity check failed.
pub const LIBSSH2_ERROR_MAC_FAILURE: c_int = -52;
/// A hash could not be set up.
pub const LIBSSH2_ERROR_HASH_INIT: c_int = -53;
/// A hash could not be computed.
pub const LIBSSH2_ERROR_HASH_CALC: c_int = -54;
/// A message to be sent does not fit the space made for it.
pub const LIBSSH2_ERROR_STORE_OVERFLOW: c_int = -55;
/// The name that LIBSSH2_ERROR_BANNER_RECV had up to 1.2.7.
pub const LIBSSH2_ERROR_BANNER_NONE: c_int = LIBSSH2_ERROR_BANNER_RECV;

const _: () = {
    let pairs = [
        (LIBSSH2_ERROR_SOCKET_NONE, Code::SocketNone),
        (LIBSSH2_ERROR_BANNER_RECV, Code::BannerRecv),
        (LIBSSH2_ERROR_BANNER_SEND, Code::BannerSend),
        (LIBSSH2_ERROR_INVALID_MAC, Code::InvalidMac),
        (LIBSSH2_ERROR_KEX_FAILURE, Code::KexFailure),
        (LIBSSH2_ERROR_ALLOC, Code::Alloc),
        (LIBSSH2_ERROR_SOCKET_SEND, Code::SocketSend),
        (LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, Code::KeyExchangeFailure),
        (LIBSSH2_ERROR_TIMEOUT, Code::Timeout),
        (LIBSSH2_ERROR_HOSTKEY_INIT, Code::HostkeyInit),
        (LIBSSH2_ERROR_HOSTKEY_SIGN, Code::HostkeySign),
        (LIBSSH2_ERROR_DECRYPT, Code::Decrypt),
        (LIBSSH2_ERROR_SOCKET_DISCONNECT, Code::SocketDisconnect),
        (LIBSSH2_ERROR_PROTO, Code::Proto),
        (LIBSSH2_ERROR_PASSWORD_EXPIRED, Code::PasswordExpired),
        (LIBSSH2_ERROR_FILE, Code::File),
        (LIBSSH2_ERROR_METHOD_NONE, Code::MethodNone),
        (LIBSSH2_ERROR_AUTHENTICATION_FAILED, Code::AuthenticationFailed),
        (LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, Code::PublickeyUnverified),
        (LIBSSH2_ERROR_CHANNEL_OUTOFORDER, Code::ChannelOutoforder),
        (LIBSSH2_ERROR_CHANNEL_FAILURE, Code::ChannelFailure),
        (LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED, Code::ChannelRequestDenied),
        (LIBSSH2_ERROR_CHANNEL_UNKNOWN, Code::ChannelUnknown),
        (LIBSSH2_ERROR_CHANNEL_WINDOW_EXCEEDED, Code::ChannelWindowExceeded),
        (LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED, Code::ChannelPacketExceeded),
        (LIBSSH2_ERROR_CHANNEL_CLOSED, Code::ChannelClosed),
        (LIBSSH2_ERROR_CHANNEL_EOF_SENT, Code::ChannelEofSent),
        (LIBSSH2_ERROR_SCP_PROTOCOL, Code::ScpProtocol),
        (LIBSSH2_ERROR_ZLIB, Code::Zlib),
        (LIBSSH2_ERROR_SOCKET_TIMEOUT, Code::SocketTimeout),
        (LIBSSH2_ERROR_SFTP_PROTOCOL, Code::SftpProtocol),
        (LIBSSH2_ERROR_REQUEST_DENIED, Code::RequestDenied),
        (LIBSSH2_ERROR_METHOD_NOT_SUPPORTED, Code::MethodNotSupported),
        (LIBSSH2_ERROR_INVAL, Code::Inval),
        (LIBSSH2_ERROR_INVALID_POLL_TYPE, Code::InvalidPollType),
        (LIBSSH2_ERROR_PUBLICKEY_PROTOCOL, Code::PublickeyProtocol),
        (LIBSSH2_ERROR_EAGAIN, Code::Eagain),
        (LIBSSH2_ERROR_BUFFER_TOO_SMALL, Code::BufferTooSmall),
        (LIBSSH2_ERROR_BAD_USE, Code::BadUse),
        (LIBSSH2_ERROR_COMPRESS, Code::Compress),
        (LIBSSH2_ERROR_OUT_OF_BOUNDARY, Code::OutOfBoundary),
        (LIBSSH2_ERROR_AGENT_PROTOCOL, Code::AgentProtocol),
        (LIBSSH2_ERROR_SOCKET_RECV, Code::SocketRecv),
        (LIBSSH2_ERROR_ENCRYPT, Code::Encrypt),
        (LIBSSH2_ERROR_BAD_SOCKET, Code::BadSocket),
        (LIBSSH2_ERROR_KNOWN_HOSTS, Code::KnownHosts),
        (LIBSSH2_ERROR_CHANNEL_WINDOW_FULL, Code::ChannelWindowFull),
        (LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, Code::KeyfileAuthFailed),
        (LIBSSH2_ERROR_RANDGEN, Code::Randgen),
        (LIBSSH2_ERROR_MISSING_USERAUTH_BANNER, Code::MissingUserauthBanner),
        (LIBSSH2_ERROR_ALGO_UNSUPPORTED, Code::AlgoUnsupported),
        (LIBSSH2_ERROR_MAC_FAILURE, Code::MacFailure),
        (LIBSSH2_ERROR_HASH_INIT, Code::HashInit),
        (LIBSSH2_ERROR_HASH_CALC, Code::HashCalc),
        (LIBSSH2_ERROR_STORE_OVERFLOW, Code::StoreOverflow),
    ];
    let mut rest: &[(c_int, Code)] = &pairs;
    while let [(number, code), tail @ ..] = rest {
        assert!(*number == code.number(), "an error number of the header differs from its Code");
        rest = tail;
    }
};
