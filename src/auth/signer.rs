//! Public keys whose private half is elsewhere: the program's function, an agent or a security key signs.
//!
//! Asking them is slow, or makes a person touch something, so the server is asked first whether the key would do.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use super::offer::{Names, Offer, bound_to_session};
use super::publickey::{await_algorithms, refused};
use super::{Attempt, Reply, not_yet_in, unexpected};
use crate::error::{Code, Error, Result};
use crate::memory;
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::message;
use crate::wire::Put;

/// How long a signer that is not ready is left alone.
const PATIENCE: Duration = Duration::from_millis(100);

/// How far the login has come.
pub enum Outcome {
    /// The server has let the program in.
    Accepted,
    /// The server takes the key: a signature is needed.
    Sign(ToSign),
}

/// What is to be signed, and all that is needed to go on after that.
pub struct ToSign {
    offer: Offer,
    names: Names,
    /// The request, up to the signature.
    packet: Vec<u8>,
    data: Vec<u8>,
}

impl ToSign {
    /// The bytes to sign.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The name of the algorithm to sign by.
    pub fn algorithm(&self) -> &[u8] {
        &self.names.signature
    }

    /// The key or certificate that the server was shown.
    pub fn blob(&self) -> &[u8] {
        self.offer.blob()
    }

    /// Whether a security key holds the private half.
    pub fn is_for_security_key(&self) -> bool {
        self.offer.is_security_key()
    }
}

/// One step of a login by such a key: ready when it has succeeded, or needs a signature.
pub struct Signer(Step);

enum Step {
    /// The server's signature algorithms are awaited.
    Algorithms { offer: Offer, patience: Patience },
    /// Its answer to a request without a signature.
    Asked { offer: Offer, names: Names, attempt: Attempt },
    /// A signature, but not before that time.
    Unsigned { request: Box<ToSign>, not_before: Instant },
    /// The server's answer to a request with a signature.
    Signed { attempt: Attempt },
    /// Nothing more: the step has been ready.
    Over,
}

impl Signer {
    /// Begins a login by the key of `offer`.
    pub fn begin(session: &mut Session, offer: Offer) -> Result<Self> {
        not_yet_in(session)?;
        Ok(Self(Step::Algorithms { offer, patience: session.patience() }))
    }

    /// Queues the request with its signature, the name of the algorithm in front.
    pub fn signed(session: &mut Session, request: ToSign, signature: &[u8]) -> Result<Self> {
        let mut packet = request.packet;
        packet.put_string(signature)?;
        Ok(Self(Step::Signed { attempt: Attempt::send(session, &packet)? }))
    }

    /// Asks for the same signature again, after a while: whoever is to make it was not ready.
    pub fn again(session: &Session, request: ToSign) -> Result<Self> {
        let not_before = session.now().checked_add(PATIENCE).unwrap_or(session.now());
        Ok(Self(Step::Unsigned { request: memory::boxed(request)?, not_before }))
    }

    /// Begins anew with the algorithm that is named like the key, if that is another one.
    pub fn with_own_algorithm(session: &mut Session, request: ToSign) -> Result<Self> {
        let ToSign { offer, names, .. } = request;
        let own = offer.own_names()?;
        if own == names {
            return Err(Error::new(Code::PublickeyUnverified, "Whoever holds the private key cannot sign")
                .with(names.signature));
        }
        Self::ask(session, offer, own).map(Self)
    }

    fn ask(session: &mut Session, offer: Offer, names: Names) -> Result<Step> {
        let packet = offer.request(&names, false)?;
        Ok(Step::Asked { attempt: Attempt::begin(session, &packet)?, offer, names })
    }
}

impl Op for Signer {
    type Out = Outcome;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Outcome>> {
        loop {
            self.0 = match std::mem::replace(&mut self.0, Step::Over) {
                Step::Algorithms { offer, mut patience } => match await_algorithms(session, &offer, &mut patience) {
                    Poll::Pending => {
                        self.0 = Step::Algorithms { offer, patience };
                        return Poll::Pending;
                    }
                    Poll::Ready(known) => {
                        known?;
                        let names = offer.names(session)?;
                        Self::ask(session, offer, names)?
                    }
                },
                Step::Asked { offer, names, mut attempt } => match attempt.poll(session) {
                    Poll::Pending => {
                        self.0 = Step::Asked { offer, names, attempt };
                        return Poll::Pending;
                    }
                    Poll::Ready(reply) => match reply? {
                        Reply::Success => return Poll::Ready(Ok(Outcome::Accepted)),
                        Reply::Failure(refusal) => {
                            return Poll::Ready(Err(refused(Code::AuthenticationFailed, &refusal)));
                        }
                        Reply::Method { number: message::USERAUTH_PK_OK, .. } => {
                            let packet = offer.request(&names, true)?;
                            let data = bound_to_session(session, &packet)?;
                            return Poll::Ready(Ok(Outcome::Sign(ToSign { offer, names, packet, data })));
                        }
                        Reply::Method { number, .. } => return Poll::Ready(Err(unexpected(number))),
                    },
                },
                Step::Unsigned { request, not_before } => {
                    // Nothing is awaited of the server, but what it says must not pile up.
                    session.pump()?;
                    // In non-blocking mode the program itself has waited.
                    if session.is_blocking() && session.now() < not_before {
                        session.wake_by(not_before);
                        self.0 = Step::Unsigned { request, not_before };
                        return Poll::Pending;
                    }
                    return Poll::Ready(Ok(Outcome::Sign(*request)));
                }
                Step::Signed { mut attempt } => {
                    let reply = attempt.poll(session);
                    if reply.is_pending() {
                        self.0 = Step::Signed { attempt };
                    }
                    return Poll::Ready(match ready!(reply)? {
                        Reply::Success => Ok(Outcome::Accepted),
                        Reply::Failure(refusal) => Err(refused(Code::PublickeyUnverified, &refusal)),
                        Reply::Method { number, .. } => Err(unexpected(number)),
                    });
                }
                Step::Over => return Poll::Ready(Err(Error::new(Code::BadUse, "Operation is over"))),
            };
        }
    }
}
