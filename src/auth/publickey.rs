//! Public keys, RFC 4252 section 7.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::{Attempt, Reply, bounded, not_yet_in, request, unexpected};
use crate::crypto::{PrivateKey, SignatureAlgorithm};
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::transport::message;
use crate::transport::negotiate::MethodType;
use crate::wire::{Put, names};

const SSH_RSA: &[u8] = b"ssh-rsa";

/// A key pair, as far as it is at hand.
pub struct Identity {
    /// The name of the public key's type, or of its certificate's.
    pub key_type: Vec<u8>,
    /// The public key blob that the server is shown.
    pub blob: Vec<u8>,
    /// What signs; or why nothing can.
    pub private: Result<PrivateKey>,
}

impl Identity {
    /// Whether the private key belongs to the blob, so that the server can be shown its signature at once.
    fn is_pair(&self) -> bool {
        self.private.as_ref().is_ok_and(|private| private.public_blob().is_ok_and(|blob| blob[..] == self.blob[..]))
    }
}

/// Logs in with a key: ready when the server has let the program in.
///
/// A pair is signed with at once, which saves the round trip of asking whether the key would do. Where there is no
/// pair, the server is asked first, since a key that it does not know is another error than one that cannot sign.
pub struct Publickey {
    user: Vec<u8>,
    identity: Identity,
    step: Step,
}

enum Step {
    /// The server's signature algorithms, which come before its answer to the service request.
    Algorithms { patience: Patience },
    /// Its answer to a request without a signature.
    Asked { attempt: Attempt, algorithm: SignatureAlgorithm },
    /// Its answer to a request with a signature.
    Signed { attempt: Attempt, asked: bool },
}

impl Publickey {
    /// Begins a login of `user` with `identity`.
    pub fn begin(session: &mut Session, user: &[u8], identity: Identity) -> Result<Self> {
        not_yet_in(session)?;
        bounded(user, "User name is too long")?;
        bounded(&identity.blob, "Public key is too long")?;
        let step = Step::Algorithms { patience: session.patience() };
        Ok(Self { user: crate::wire::copy(user)?, identity, step })
    }

    fn first_request(&self, session: &mut Session) -> Result<Step> {
        let algorithm = self.algorithm(session)?;
        if self.identity.is_pair() {
            return Ok(Step::Signed { attempt: self.sign(session, algorithm)?, asked: false });
        }
        let packet = self.request(algorithm, false)?;
        Ok(Step::Asked { attempt: Attempt::send(session, &packet)?, algorithm })
    }

    /// RSA keys sign by the best algorithm that the server takes (RFC 8332 section 3.3); others have but one.
    fn algorithm(&self, session: &Session) -> Result<SignatureAlgorithm> {
        if self.identity.key_type != SSH_RSA {
            let of_key = || self.identity.private.as_ref().ok().and_then(|key| key.algorithms().first().copied());
            return SignatureAlgorithm::from_name(&self.identity.key_type).or_else(of_key).ok_or_else(|| {
                Error::new(Code::MethodNone, "Keys of this type cannot sign").with(&self.identity.key_type)
            });
        }
        let Some(taken) = session.transport.server_sig_algs() else { return Ok(SignatureAlgorithm::RsaSha1) };
        let taken: Vec<&[u8]> = taken.collect();
        let ours = [SignatureAlgorithm::RsaSha512, SignatureAlgorithm::RsaSha256];
        let preferred = session.transport.preferences.get(MethodType::SignAlgo);
        let wanted: Vec<_> = if preferred.is_empty() {
            ours.to_vec()
        } else {
            names(preferred).filter_map(|name| ours.into_iter().find(|known| known.name().as_bytes() == name)).collect()
        };
        wanted
            .into_iter()
            .find(|algorithm| taken.contains(&algorithm.name().as_bytes()))
            .ok_or_else(|| Error::new(Code::MethodNone, "Server takes none of our RSA signature algorithms"))
    }

    fn sign(&self, session: &mut Session, algorithm: SignatureAlgorithm) -> Result<Attempt> {
        let mut packet = self.request(algorithm, true)?;
        let mut signed = Vec::new();
        signed.put_string(session.transport.session_id())?;
        signed.put(&packet)?;
        let private = self.identity.private.as_ref().map_err(Clone::clone)?;
        packet.put_string(&private.sign(algorithm, &signed)?)?;
        Attempt::send(session, &packet)
    }

    fn request(&self, algorithm: SignatureAlgorithm, signed: bool) -> Result<Vec<u8>> {
        let mut packet = request(&self.user, b"publickey")?;
        packet.put_boolean(signed)?;
        // A certificate's name stands for its algorithm.
        let name = if algorithm.key_type().name().as_bytes() == self.identity.key_type {
            algorithm.name().as_bytes()
        } else {
            &self.identity.key_type
        };
        packet.put_string(name)?;
        packet.put_string(&self.identity.blob)?;
        Ok(packet)
    }
}

impl Op for Publickey {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        loop {
            self.step = match &mut self.step {
                Step::Algorithms { patience } => {
                    if let Err(error) = session.pump() {
                        return Poll::Ready(Err(error));
                    }
                    if self.identity.key_type == SSH_RSA && !session.auth.service_accepted {
                        return session.await_reply(patience);
                    }
                    self.first_request(session)?
                }
                Step::Asked { attempt, algorithm } => match ready!(attempt.poll(session))? {
                    Reply::Success => return Poll::Ready(Ok(())),
                    Reply::Failure { methods } => {
                        return Poll::Ready(Err(refused(Code::AuthenticationFailed, &methods)));
                    }
                    Reply::Method { number: message::USERAUTH_PK_OK, .. } => {
                        let algorithm = *algorithm;
                        let attempt = self.sign(session, algorithm).map_err(unverified)?;
                        Step::Signed { attempt, asked: true }
                    }
                    Reply::Method { number, .. } => return Poll::Ready(Err(unexpected(number))),
                },
                Step::Signed { attempt, asked } => {
                    let code = if *asked { Code::PublickeyUnverified } else { Code::AuthenticationFailed };
                    return Poll::Ready(match ready!(attempt.poll(session))? {
                        Reply::Success => Ok(()),
                        Reply::Failure { methods } => Err(refused(code, &methods)),
                        Reply::Method { number, .. } => Err(unexpected(number)),
                    });
                }
            };
        }
    }

    fn abandon(&mut self, session: &mut Session) {
        if let Step::Asked { attempt, .. } | Step::Signed { attempt, .. } = &self.step {
            attempt.abandon(session);
        }
    }
}

fn refused(code: Code, methods: &[u8]) -> Error {
    Error::new(code, "Server refused the public key; it offers").with(methods)
}

/// The server would take the key, but it cannot be used.
fn unverified(mut error: Error) -> Error {
    if !matches!(error.code, Code::Alloc) {
        error.code = Code::PublickeyUnverified;
    }
    error
}
