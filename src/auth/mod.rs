//! Authentication, RFC 4252: who the program is to the server.
#![forbid(unsafe_code)]

mod hostbased;
mod keyboard;
mod list;
mod offer;
mod password;
mod publickey;
mod signer;

use std::task::Poll;

pub use self::hostbased::Hostbased;
pub use self::keyboard::{Keyboard, Prompt, Questions, Round};
pub use self::list::List;
pub use self::offer::{Offer, signature};
pub use self::password::{Answer, Password};
pub use self::publickey::{Identity, Publickey};
pub use self::signer::{Outcome, Signer, ToSign};
use crate::error::{Code, Error, Result};
use crate::op::Call;
use crate::patience::Patience;
use crate::session::Session;
use crate::tickets::{Ticket, Tickets};
use crate::transport::{Tx, message};
use crate::wire::{Put, Reader, Short};

const SERVICE: &[u8] = b"ssh-userauth";
/// The service that every request asks for, RFC 4252 section 5.
const NEXT_SERVICE: &[u8] = b"ssh-connection";
/// Longest user name, password or key blob.
const LONGEST: usize = 34744;

/// Where the login stands.
#[derive(Default)]
pub struct Auth {
    service_accepted: bool,
    replies: Tickets<Reply>,
    /// The text of the last `SSH_MSG_USERAUTH_BANNER`.
    pub banner: Option<Vec<u8>>,
    authenticated: bool,
}

/// How the server answered a request.
enum Reply {
    Success,
    Failure(Refusal),
    /// A message of the method's own, numbered 60 to 79.
    Method {
        number: u8,
        body: Vec<u8>,
    },
}

/// `SSH_MSG_USERAUTH_FAILURE`, RFC 4252 section 5.1.
struct Refusal {
    /// The methods that can continue, as the server wrote them.
    methods: Vec<u8>,
    /// The request itself was right, but not enough.
    partial: bool,
}

impl Refusal {
    /// As an error. `text` says what was refused, and ends with what the server offers.
    fn error(&self, code: Code, text: &'static str) -> Error {
        let text = if self.partial { "Server took this, and wants more; it offers" } else { text };
        Error::new(code, text).with(&self.methods)
    }
}

impl Auth {
    /// Somebody is logged in.
    #[cfg(any(test, fuzzing))]
    pub fn logged_in() -> Self {
        Self { authenticated: true, ..Self::default() }
    }

    /// Asks for the service. It leaves with the first request that needs it, since nothing is gained by waiting.
    pub fn request_service(&mut self, tx: &mut Tx) -> Result<()> {
        let mut packet = Vec::new();
        packet.put_u8(message::SERVICE_REQUEST)?;
        packet.put_string(SERVICE)?;
        tx.send(&[&packet])
    }

    /// Whether the server has let the program in.
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Handles `SSH_MSG_SERVICE_ACCEPT`.
    pub fn on_service_accept(&mut self, packet: &[u8]) -> Result<()> {
        let mut reader = Reader::new(packet);
        match reader.u8().and_then(|_| reader.string()) {
            Ok(SERVICE) => {
                self.service_accepted = true;
                Ok(())
            }
            _ => Err(Error::new(Code::Proto, "Server accepted a service that was not asked for")),
        }
    }

    /// Handles a packet numbered 50 to 79.
    pub fn on_packet(&mut self, packet: &[u8]) -> Result<()> {
        let reply = read(packet)
            .map_err(|short| short.in_packet(Code::Proto, "Login message of the server is shorter than its fields"))?;
        let reply = match reply {
            Incoming::Banner(text) => {
                self.banner = Some(crate::memory::copy(text)?);
                return Ok(());
            }
            Incoming::Unexpected => {
                return Err(Error::new(Code::Proto, "Server sent a login message that only clients send"));
            }
            Incoming::Success => Reply::Success,
            Incoming::Failure(methods, partial) => {
                Reply::Failure(Refusal { methods: crate::memory::copy(methods)?, partial })
            }
            Incoming::Method(number, body) => Reply::Method { number, body: crate::memory::copy(body)? },
        };
        let success = matches!(reply, Reply::Success);
        if !self.replies.answer(reply) {
            return Err(Error::new(Code::Proto, "Server answered a login request that was never made"));
        }
        if success {
            self.authenticated = true;
            // What was sent after the request that succeeded is never answered (RFC 4252 section 5.1).
            while self.replies.answer(Reply::Success) {}
        }
        Ok(())
    }
}

enum Incoming<'a> {
    Success,
    Failure(&'a [u8], bool),
    Banner(&'a [u8]),
    Method(u8, &'a [u8]),
    Unexpected,
}

fn read(packet: &[u8]) -> Result<Incoming<'_>, Short> {
    let mut reader = Reader::new(packet);
    Ok(match reader.u8()? {
        message::USERAUTH_SUCCESS => Incoming::Success,
        message::USERAUTH_FAILURE => Incoming::Failure(reader.string()?, reader.boolean().unwrap_or_default()),
        message::USERAUTH_BANNER => Incoming::Banner(reader.string()?),
        number @ message::USERAUTH_METHOD_FIRST..=message::USERAUTH_LAST => Incoming::Method(number, reader.rest()),
        _ => Incoming::Unexpected,
    })
}

/// A request of which the reply is awaited.
struct Attempt {
    ticket: Ticket,
    patience: Patience,
}

impl Attempt {
    /// Queues the first request of a method. With it every login that was under way is given up, as the server does
    /// (RFC 4252 section 5.1).
    fn begin(session: &mut Session, packet: &[u8]) -> Result<Self> {
        session.slots.discard(Call::is_login);
        session.auth.replies.abandon_all();
        Self::send(session, packet)
    }

    /// Queues what goes on with a method.
    fn send(session: &mut Session, packet: &[u8]) -> Result<Self> {
        session.auth.replies.room()?;
        session.transport.tx.send(&[packet])?;
        Ok(Self { ticket: session.auth.replies.ask(), patience: session.patience() })
    }

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Reply>> {
        if let Err(error) = session.pump() {
            return Poll::Ready(Err(error));
        }
        if let Some(reply) = session.auth.replies.take(self.ticket) {
            return Poll::Ready(Ok(reply));
        }
        let pending = session.await_reply(&mut self.patience);
        if pending.is_ready() {
            session.auth.replies.abandon(self.ticket);
        }
        pending
    }
}

/// The beginning of `SSH_MSG_USERAUTH_REQUEST`, which all methods share.
fn request(user: &[u8], method: &[u8]) -> Result<Vec<u8>> {
    bounded(user, "User name is too long")?;
    let mut packet = Vec::new();
    packet.put_u8(message::USERAUTH_REQUEST)?;
    packet.put_string(user)?;
    packet.put_string(NEXT_SERVICE)?;
    packet.put_string(method)?;
    Ok(packet)
}

fn bounded(field: &[u8], text: &'static str) -> Result<()> {
    if field.len() > LONGEST { Err(Error::new(Code::OutOfBoundary, text)) } else { Ok(()) }
}

/// A server that has let somebody in ignores all further requests (RFC 4252 section 5.1): nothing to wait for.
fn not_yet_in(session: &Session) -> Result<()> {
    if session.auth.is_authenticated() {
        return Err(Error::new(Code::AuthenticationFailed, "Session is logged in already"));
    }
    Ok(())
}

fn unexpected(number: u8) -> Error {
    Error::new(Code::Proto, "Server answered a login request with a message of another method")
        .with_text(format_args!("message number {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_and_those_that_nobody_asked_for_are_refused() {
        let mut auth = Auth::default();
        assert_eq!(auth.on_packet(&[message::USERAUTH_SUCCESS]).unwrap_err().code, Code::Proto);
        assert!(!auth.is_authenticated());
        let ticket = auth.replies.ask();
        auth.on_packet(b"\x35\0\0\0\x02hi\0\0\0\0").unwrap();
        assert_eq!(auth.banner.as_deref(), Some(&b"hi"[..]));
        auth.on_packet(b"\x33\0\0\0\x08password\0").unwrap();
        assert!(
            matches!(auth.replies.take(ticket), Some(Reply::Failure(refusal)) if refusal.methods == b"password" && !refusal.partial)
        );
        let ticket = auth.replies.ask();
        auth.on_packet(b"\x33\0\0\0\x08password\x01").unwrap();
        assert!(matches!(auth.replies.take(ticket), Some(Reply::Failure(refusal)) if refusal.partial));
        let ticket = auth.replies.ask();
        auth.on_packet(&[message::USERAUTH_SUCCESS]).unwrap();
        assert!(matches!(auth.replies.take(ticket), Some(Reply::Success)));
        assert!(auth.is_authenticated());
        for short in [&b"\x33\0\0\0\x09password"[..], b"\x35\0\0", b"\x32"] {
            assert_eq!(auth.on_packet(short).unwrap_err().code, Code::Proto);
        }
    }

    #[test]
    fn a_login_that_was_given_up_may_still_succeed_and_then_nothing_else_is_answered() {
        let mut auth = Auth::default();
        let given_up = auth.replies.ask();
        auth.replies.abandon_all();
        let next = auth.replies.ask();
        auth.on_packet(&[message::USERAUTH_SUCCESS]).unwrap();
        assert!(auth.replies.take(given_up).is_none());
        assert!(matches!(auth.replies.take(next), Some(Reply::Success)));
        assert!(auth.is_authenticated());
    }

    #[test]
    fn no_other_service_is_taken() {
        let mut auth = Auth::default();
        assert!(auth.on_service_accept(b"\x06\0\0\0\x0essh-connection").is_err());
        auth.on_service_accept(b"\x06\0\0\0\x0cssh-userauth").unwrap();
    }
}
