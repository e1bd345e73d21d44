//! Public keys whose private half is at hand, RFC 4252 section 7.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::offer::{Names, Offer, bound_to_session};
use super::{Attempt, Refusal, Reply, not_yet_in, unexpected};
use crate::crypto::{PrivateKey, SignatureAlgorithm};
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::message;
use crate::wire::Put;

/// A key pair, as far as it is at hand.
pub struct Identity {
    /// The name of the public key's type, or of its certificate's.
    pub key_type: Vec<u8>,
    /// The public key blob that the server is shown.
    pub blob: Vec<u8>,
    /// What signs; or why nothing can.
    pub private: Result<PrivateKey>,
}

/// Logs in with a key: ready when the server has let the program in.
///
/// A pair is signed with at once, which saves the round trip of asking whether the key would do. Where there is no
/// pair, the server is asked first, since a key that it does not know is another error than one that cannot sign.
pub struct Publickey {
    offer: Offer,
    private: Result<PrivateKey>,
    step: Step,
}

enum Step {
    /// The server's signature algorithms, which come before its answer to the service request.
    Algorithms { patience: Patience },
    /// Its answer to a request without a signature.
    Asked { attempt: Attempt, names: Names },
    /// Its answer to a request with a signature.
    Signed { attempt: Attempt, asked: bool },
}

impl Publickey {
    /// Begins a login of `user` with `identity`.
    pub fn begin(session: &mut Session, user: &[u8], identity: Identity) -> Result<Self> {
        not_yet_in(session)?;
        let Identity { key_type, blob, private } = identity;
        let step = Step::Algorithms { patience: session.patience() };
        Ok(Self { offer: Offer::new(user, &key_type, &blob)?, private, step })
    }

    fn first_request(&self, session: &mut Session) -> Result<Step> {
        let names = self.offer.names(session)?;
        let public = self.private.as_ref().ok().map(PrivateKey::public_blob).transpose()?;
        if public.is_some_and(|public| self.offer.belongs_to(&public)) {
            let packet = sign(session, &self.offer, &self.private, &names)?;
            return Ok(Step::Signed { attempt: Attempt::begin(session, &packet)?, asked: false });
        }
        let packet = self.offer.request(&names, false)?;
        Ok(Step::Asked { attempt: Attempt::begin(session, &packet)?, names })
    }
}

/// The request with its signature.
fn sign(session: &Session, offer: &Offer, private: &Result<PrivateKey>, names: &Names) -> Result<Vec<u8>> {
    let mut packet = offer.request(names, true)?;
    let private = private.as_ref().map_err(Error::copy)?;
    let data = bound_to_session(session, &packet)?;
    packet.put_string(&private.sign(algorithm(names)?, &data)?)?;
    Ok(packet)
}

/// The algorithm that a private key of ours signs by.
pub(super) fn algorithm(names: &Names) -> Result<SignatureAlgorithm> {
    SignatureAlgorithm::from_name(&names.signature)
        .ok_or_else(|| Error::new(Code::MethodNone, "Keys of this type cannot sign").with(&names.signature))
}

/// Waits until the server has told its signature algorithms, if the key of `offer` may sign by several. They come
/// before its answer to the service request.
pub(super) fn await_algorithms(session: &mut Session, offer: &Offer, patience: &mut Patience) -> Poll<Result<()>> {
    if let Err(error) = session.pump() {
        return Poll::Ready(Err(error));
    }
    if offer.is_rsa() && !session.auth.service_accepted {
        return session.await_reply(patience);
    }
    Poll::Ready(Ok(()))
}

impl Op for Publickey {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        loop {
            self.step = match &mut self.step {
                Step::Algorithms { patience } => {
                    ready!(await_algorithms(session, &self.offer, patience))?;
                    self.first_request(session)?
                }
                Step::Asked { attempt, names } => match ready!(attempt.poll(session))? {
                    Reply::Success => return Poll::Ready(Ok(())),
                    Reply::Failure(refusal) => {
                        return Poll::Ready(Err(refused(Code::AuthenticationFailed, &refusal)));
                    }
                    Reply::Method { number: message::USERAUTH_PK_OK, .. } => {
                        let packet = sign(session, &self.offer, &self.private, names).map_err(unverified)?;
                        Step::Signed { attempt: Attempt::send(session, &packet)?, asked: true }
                    }
                    Reply::Method { number, .. } => return Poll::Ready(Err(unexpected(number))),
                },
                Step::Signed { attempt, asked } => {
                    return Poll::Ready(match ready!(attempt.poll(session))? {
                        Reply::Success => Ok(()),
                        // Whoever asked first, as the original does, has been told that the key would do.
                        Reply::Failure(refusal) if *asked || refusal.partial => {
                            Err(refused(Code::PublickeyUnverified, &refusal))
                        }
                        Reply::Failure(refusal) => Err(refused(Code::AuthenticationFailed, &refusal)),
                        Reply::Method { number, .. } => Err(unexpected(number)),
                    });
                }
            };
        }
    }
}

pub(super) fn refused(code: Code, refusal: &Refusal) -> Error {
    refusal.error(code, "Server refused the public key; it offers")
}

/// The server would take the key, but it cannot be used.
pub(super) fn unverified(mut error: Error) -> Error {
    if !matches!(error.code, Code::Alloc) {
        error.code = Code::PublickeyUnverified;
    }
    error
}
